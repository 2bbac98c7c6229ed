// See trampolines.hpp.
#include "engine/compiler/trampolines.hpp"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include <cstddef>

namespace engine::compiler {
namespace {

llvm::Value* field(llvm::IRBuilder<>& builder, llvm::Value* object, std::uint64_t offset) {
  return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), object, offset);
}

llvm::Value* value_place(llvm::IRBuilder<>& builder, llvm::Value* values, std::size_t index) {
  return field(builder, values, index * sizeof(VmValue));
}

llvm::Value* result_area(llvm::IRBuilder<>& builder, llvm::Value* store) {
  return field(builder, store, offsetof(VmStore, results));
}

/// i32 and f32 are written as whole words, so that no stale upper half is left.
void store_value(llvm::IRBuilder<>& builder, llvm::Value* value, llvm::Value* place) {
  if (value->getType()->isFloatTy()) value = builder.CreateBitCast(value, builder.getInt32Ty());
  if (value->getType()->isIntegerTy(32)) value = builder.CreateZExt(value, builder.getInt64Ty());
  builder.CreateAlignedStore(value, place, llvm::Align(16));
}

void trap_if(ChunkModule& chunk, llvm::IRBuilder<>& builder, llvm::Value* condition, Trap trap) {
  llvm::Function* function = builder.GetInsertBlock()->getParent();
  auto* cold = llvm::BasicBlock::Create(chunk.context, "trap", function);
  auto* next = llvm::BasicBlock::Create(chunk.context, "next", function);
  builder.CreateCondBr(condition, cold, next,
                       llvm::MDBuilder(chunk.context).createUnlikelyBranchWeights());
  builder.SetInsertPoint(cold);
  chunk.emit_trap(builder, trap);
  builder.SetInsertPoint(next);
}

llvm::Value* load_results(ChunkModule& chunk, llvm::IRBuilder<>& builder, const FuncType& type,
                          llvm::Value* area) {
  llvm::Value* all = llvm::PoisonValue::get(chunk.result_type(type));
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    llvm::Value* value = builder.CreateAlignedLoad(chunk.value_type(type.results[i]),
                                                   value_place(builder, area, i), llvm::Align(16));
    all = builder.CreateInsertValue(all, value, static_cast<unsigned>(i));
  }
  return all;
}

}  // namespace

void build_entry_trampoline(ChunkModule& chunk, std::uint32_t type_index) {
  const FuncType& type = chunk.wasm.types[type_index];
  auto* signature =
      llvm::FunctionType::get(llvm::Type::getVoidTy(chunk.context),
                              {chunk.pointer, chunk.pointer, chunk.pointer, chunk.pointer}, false);
  llvm::Function* function = chunk.make_function(signature, entry_symbol(type_index));
  llvm::Value* context = function->getArg(0);
  llvm::Value* code = function->getArg(1);
  llvm::Value* values = function->getArg(2);
  llvm::Value* store = function->getArg(3);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(chunk.context, "entry", function));
  llvm::SmallVector<llvm::Value*, 16> arguments{context};
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    arguments.push_back(builder.CreateAlignedLoad(
        chunk.value_type(type.params[i]), value_place(builder, values, i), llvm::Align(16)));
  }
  auto* call = builder.CreateCall(chunk.function_type(type), code, arguments);
  call->setCallingConv(llvm::CallingConv::Tail);
  const std::size_t count = type.results.size();
  if (!results_in_registers(type)) {
    for (std::size_t i = 0; i < count; ++i) {
      llvm::Value* from = value_place(builder, result_area(builder, store), i);
      llvm::Value* value =
          builder.CreateAlignedLoad(chunk.value_type(type.results[i]), from, llvm::Align(16));
      store_value(builder, value, value_place(builder, values, i));
    }
  } else if (count == 1) {
    store_value(builder, call, values);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      store_value(builder, builder.CreateExtractValue(call, static_cast<unsigned>(i)),
                  value_place(builder, values, i));
    }
  }
  builder.CreateRetVoid();
}

void build_host_trampoline(ChunkModule& chunk, std::uint32_t type_index) {
  const FuncType& type = chunk.wasm.types[type_index];
  llvm::Function* function =
      chunk.make_function(chunk.function_type(type), host_symbol(type_index));
  function->setCallingConv(llvm::CallingConv::Tail);
  llvm::Value* self = function->getArg(0);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(chunk.context, "entry", function));
  const auto pointer_at = [&](llvm::Value* object, std::uint64_t offset) {
    return builder.CreateAlignedLoad(chunk.pointer, field(builder, object, offset), llvm::Align(8));
  };
  llvm::Value* caller = pointer_at(self, offsetof(VmHostFunction, caller));
  llvm::Value* limit = pointer_at(caller, offsetof(VmContext, stack_limit));
  llvm::Value* frame = builder.CreateIntrinsic(llvm::Intrinsic::frameaddress, {chunk.pointer},
                                               {builder.getInt32(0)});
  trap_if(chunk, builder, builder.CreateICmpULT(frame, limit), Trap::CallStackExhausted);

  const bool single = type.results.size() == 1;
  llvm::SmallVector<llvm::Type*, 16> types;
  llvm::SmallVector<llvm::Value*, 16> arguments;
  for (llvm::Argument& argument : function->args()) {
    types.push_back(argument.getType());
    arguments.push_back(&argument);
  }
  llvm::Type* result =
      single ? chunk.value_type(type.results[0]) : llvm::Type::getVoidTy(chunk.context);
  auto* call = builder.CreateCall(llvm::FunctionType::get(result, types, false),
                                  pointer_at(self, offsetof(VmHostFunction, function)), arguments);
  llvm::Value* store = pointer_at(caller, offsetof(VmContext, store));
  llvm::Value* pending = builder.CreateAlignedLoad(
      chunk.i32, field(builder, store, offsetof(VmStore, pending_trap)), llvm::Align(4));
  trap_if(chunk, builder, builder.CreateIsNotNull(pending), Trap::HostFailure);
  if (single) {
    builder.CreateRet(call);
  } else if (type.results.empty() || !results_in_registers(type)) {
    builder.CreateRetVoid();
  } else {
    builder.CreateRet(load_results(chunk, builder, type, result_area(builder, store)));
  }
}

}  // namespace engine::compiler
