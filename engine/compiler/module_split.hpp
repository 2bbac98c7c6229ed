// Cuts a module that has been simplified (inlined and all that wants to see its callees) into parts
// that other threads finish: a chunk alone would keep one core busy.
#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/structure/error.hpp"

namespace engine::compiler {

/// One module as bitcode, and who of its functions belongs to which part.
struct SplitModule {
  llvm::SmallVector<char, 0> bitcode;
  std::vector<std::vector<std::string>> parts;  ///< names of functions; at least one part
};

/// At most `count` parts of about equal size, in the order of the module. Makes every function of
/// `module` visible to the other parts; `unique` is appended to the names of those that an
/// optimisation made, which may exist in other modules too.
SplitModule split_module(llvm::Module& module, std::size_t count, std::string_view unique);

/// The module of one part: its own bodies, and declarations of what they call. Thread safe.
Result<std::unique_ptr<llvm::Module>> read_part(const SplitModule& split, std::size_t part,
                                                llvm::LLVMContext& context);

}  // namespace engine::compiler
