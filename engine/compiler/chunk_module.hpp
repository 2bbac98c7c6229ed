// The LLVM module of one chunk: types, declarations, alias metadata and the loads of the instance's
// context that all functions of the chunk use.
#pragma once

#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "engine/compiler/module_shape.hpp"
#include "engine/structure/trap.hpp"

namespace engine::compiler {

/// What an access can alias with. Regions never overlap; memories, tables and globals that may be
/// the same object (all imported ones) share a region.
enum class Region : std::uint8_t {
  Context,      ///< fixed after instantiation: VmContext, VmFuncRef, VmBuiltins
  Descriptors,  ///< sizes in VmMemory and VmTable
  Store,        ///< VmStore
  Memory,       ///< with an index
  ImportedMemories,
  Table,  ///< with an index
  ImportedTables,
  Global,  ///< with an index
  ImportedGlobals,
};

class ChunkModule {
 public:
  ChunkModule(llvm::LLVMContext& context, const ModuleShape& shape, std::string_view cpu);

  llvm::LLVMContext& context;
  llvm::Module module;
  const ModuleShape& shape;
  const Module& wasm;

  llvm::Type* value_type(ValType type) const;
  llvm::Type* result_type(const FuncType& type) const;
  /// The tailcc type of wasm functions.
  llvm::FunctionType* function_type(const FuncType& type) const;

  /// Own functions only. `defined_here` decides about nothing but linkage.
  llvm::Function* function(std::uint32_t index);
  /// A new function with the attributes all our code has, hidden.
  llvm::Function* make_function(llvm::FunctionType* type, const std::string& name);
  /// Its line is the function's index (inline_sites.hpp).
  llvm::DISubprogram* make_subprogram(std::uint32_t function);

  llvm::MDNode* tag(Region region, std::uint32_t index = 0);
  llvm::MDNode* memory_tag(std::uint32_t memory);
  llvm::MDNode* table_tag(std::uint32_t table);

  /// Ends the builder's block with a trap; nothing may follow in it.
  void emit_trap(llvm::IRBuilder<>& builder, Trap trap);

  void finish();  ///< call once, after the last function

  llvm::IntegerType* i1;
  llvm::IntegerType* i8;
  llvm::IntegerType* i16;
  llvm::IntegerType* i32;
  llvm::IntegerType* i64;
  llvm::Type* f32;
  llvm::Type* f64;
  llvm::FixedVectorType* v128;  ///< <2 x i64>
  llvm::PointerType* pointer;

 private:
  std::unordered_map<std::uint32_t, llvm::Function*> functions_;
  std::map<std::pair<Region, std::uint32_t>, llvm::MDNode*> tags_;
  llvm::MDNode* alias_root_;
  llvm::DIBuilder debug_;
  llvm::DIFile* debug_file_;
  llvm::DISubroutineType* debug_type_;
  llvm::AttributeList attributes_;
};

}  // namespace engine::compiler
