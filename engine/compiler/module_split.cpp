// See module_split.hpp. Bitcode is LLVM's way from one LLVMContext to another.
#include "engine/compiler/module_split.hpp"

#include <llvm/ADT/StringSet.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/Support/Error.h>
#include <llvm/Support/MemoryBufferRef.h>
#include <llvm/Support/raw_ostream.h>

#include "base/result.hpp"

namespace engine::compiler {
namespace {

std::unexpected<Error> unreadable(llvm::Error error) {
  return fail(ErrorKind::System,
              "internal: LLVM cannot read its own bitcode: " + llvm::toString(std::move(error)));
}

void make_visible(llvm::Function& function, std::string_view unique) {
  if (!function.hasLocalLinkage()) return;
  if (function.getName().contains('.')) {
    function.setName(function.getName() + "." + llvm::StringRef(unique.data(), unique.size()));
  }
  function.setLinkage(llvm::GlobalValue::ExternalLinkage);
  function.setVisibility(llvm::GlobalValue::HiddenVisibility);
}

}  // namespace

SplitModule split_module(llvm::Module& module, std::size_t count, std::string_view unique) {
  std::uint64_t total = 0;
  std::vector<llvm::Function*> own;
  for (llvm::Function& function : module) {
    if (function.isDeclarationForLinker()) continue;
    make_visible(function, unique);
    total += function.getInstructionCount();
    own.push_back(&function);
  }
  SplitModule out;
  out.parts.emplace_back();
  std::uint64_t used = 0;
  for (const llvm::Function* function : own) {
    if (used * count >= total * out.parts.size()) out.parts.emplace_back();
    out.parts.back().push_back(function->getName().str());
    used += function->getInstructionCount();
  }
  llvm::raw_svector_ostream stream(out.bitcode);
  // Optimisations depend on the order of uses.
  llvm::WriteBitcodeToFile(module, stream, /*ShouldPreserveUseListOrder=*/true);
  return out;
}

Result<std::unique_ptr<llvm::Module>> read_part(const SplitModule& split, std::size_t part,
                                                llvm::LLVMContext& context) {
  const llvm::MemoryBufferRef buffer({split.bitcode.data(), split.bitcode.size()}, "chunk");
  auto module = llvm::getLazyBitcodeModule(buffer, context);
  if (!module) return unreadable(module.takeError());
  llvm::StringSet<> own;
  for (const std::string& name : split.parts[part]) own.insert(name);
  for (llvm::Function& function : **module) {
    if (!function.isDeclaration() && !own.contains(function.getName())) function.deleteBody();
  }
  if (llvm::Error error = (*module)->materializeAll()) return unreadable(std::move(error));
  return std::move(*module);
}

}  // namespace engine::compiler
