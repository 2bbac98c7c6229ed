// Loads from the instance's context (vm_layout.hpp). What instantiation fixes is loaded as
// invariant, so that it survives stores and calls in a register.
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

llvm::Value* FunctionLowering::context_field(std::uint64_t offset) {
  return builder.CreateConstInBoundsGEP1_64(chunk.i8, function.getArg(0), offset);
}

llvm::Value* FunctionLowering::invariant_load(llvm::Type* type, llvm::Value* place) {
  auto* out = builder.CreateAlignedLoad(type, place, llvm::Align(8));
  llvm::MDNode* empty = llvm::MDNode::get(chunk.context, {});
  out->setMetadata(llvm::LLVMContext::MD_invariant_load, empty);
  out->setMetadata(llvm::LLVMContext::MD_noundef, empty);
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.tag(Region::Context));
  return out;
}

llvm::Value* FunctionLowering::entry_load(std::uint64_t offset) {
  for (const auto& [known, value] : entry_loads_) {
    if (known == offset) return value;
  }
  llvm::IRBuilderBase::InsertPointGuard guard(builder);
  builder.SetInsertPoint(entry_end_);
  llvm::Value* out = invariant_load(chunk.pointer, context_field(offset));
  entry_loads_.emplace_back(offset, out);
  return out;
}

llvm::Value* FunctionLowering::store_results() {
  llvm::Value* store = invariant_load(chunk.pointer, context_field(offsetof(VmContext, store)));
  return builder.CreateConstInBoundsGEP1_64(chunk.i8, store, offsetof(VmStore, results));
}

llvm::CallInst* FunctionLowering::call_builtin(std::uint64_t offset, llvm::Type* result,
                                               llvm::ArrayRef<llvm::Value*> arguments) {
  llvm::Value* builtins =
      invariant_load(chunk.pointer, context_field(offsetof(VmContext, builtins)));
  llvm::Value* code =
      invariant_load(chunk.pointer, builder.CreateConstInBoundsGEP1_64(chunk.i8, builtins, offset));
  llvm::SmallVector<llvm::Type*, 8> types;
  for (llvm::Value* argument : arguments) types.push_back(argument->getType());
  auto* call = builder.CreateCall(llvm::FunctionType::get(result, types, false), code, arguments);
  call->addFnAttr(llvm::Attribute::NoUnwind);
  return call;
}

void FunctionLowering::trap_on_failure(llvm::Value* code) {
  // The code is known at run time only: one trap for each that a bulk operation can fail with.
  llvm::BasicBlock* failed = new_block("failed");
  llvm::BasicBlock* next = new_block("next");
  builder.CreateCondBr(builder.CreateICmpNE(code, i32_constant(0)), failed, next);
  builder.SetInsertPoint(failed);
  const auto is = [&](Trap trap) {
    return builder.CreateICmpEQ(code, i32_constant(static_cast<std::uint32_t>(trap)));
  };
  trap_if(is(Trap::MemoryOutOfBounds), Trap::MemoryOutOfBounds);
  trap_if(is(Trap::TableOutOfBounds), Trap::TableOutOfBounds);
  chunk.emit_trap(builder, Trap::HostFailure);
  builder.SetInsertPoint(next);
}

llvm::Value* FunctionLowering::table_size(std::uint32_t table) {
  llvm::Value* descriptor = invariant_load(
      chunk.pointer, context_field(chunk.shape.layout.tables + std::uint64_t{8} * table));
  auto* out = builder.CreateAlignedLoad(
      chunk.i64, builder.CreateConstInBoundsGEP1_64(chunk.i8, descriptor, offsetof(VmTable, size)),
      llvm::Align(8));
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.tag(Region::Descriptors));
  return out;
}

llvm::Value* FunctionLowering::table_elements(std::uint32_t table) {
  return invariant_load(
      chunk.pointer, context_field(chunk.shape.layout.table_elements + std::uint64_t{8} * table));
}

}  // namespace engine::compiler
