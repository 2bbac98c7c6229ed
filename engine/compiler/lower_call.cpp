// Calls (core spec 4.4.8.9 ff.). Own functions are called by symbol, imported ones through the
// context, table elements after the checks for bounds, null and type, in this order.
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

bool FunctionLowering::lower_call(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::Call:
      call_direct(instruction.index, false);
      return true;
    case Opcode::CallIndirect:
      call_indirect(instruction, false);
      return true;
    case Opcode::ReturnCall:
      call_direct(instruction.index, true);
      return true;
    case Opcode::ReturnCallIndirect:
      call_indirect(instruction, true);
      return true;
    default:
      return false;
  }
}

void FunctionLowering::call_direct(std::uint32_t callee, bool is_tail) {
  const FuncType& type = wasm.type_of(callee);
  if (callee >= wasm.imported_functions) {
    call_pointer(type, nullptr, function.getArg(0), chunk.function(callee), is_tail);
    return;
  }
  const std::uint64_t place =
      chunk.shape.layout.imported_functions + sizeof(VmFuncRef) * std::uint64_t{callee};
  llvm::Value* code =
      invariant_load(chunk.pointer, context_field(place + offsetof(VmFuncRef, code)));
  llvm::Value* context =
      invariant_load(chunk.pointer, context_field(place + offsetof(VmFuncRef, context)));
  call_pointer(type, code, context, nullptr, is_tail);
}

void FunctionLowering::call_indirect(const Instruction& instruction, bool is_tail) {
  const std::uint32_t table = instruction.index2;
  llvm::Value* at = builder.CreateZExt(pop(), chunk.i64);
  trap_if(builder.CreateICmpUGE(at, table_size(table)), Trap::UndefinedElement);
  auto* reference = builder.CreateAlignedLoad(
      chunk.pointer, builder.CreateInBoundsGEP(chunk.i64, table_elements(table), at),
      llvm::Align(8));
  reference->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.table_tag(table));
  trap_if(builder.CreateIsNull(reference), Trap::UninitializedElement);
  const auto field = [&](llvm::Type* type, std::uint64_t offset) {
    return invariant_load(type, builder.CreateConstInBoundsGEP1_64(chunk.i8, reference, offset));
  };
  llvm::Value* expected = invariant_load(
      chunk.i64, context_field(chunk.shape.layout.type_ids + std::uint64_t{8} * instruction.index));
  llvm::Value* actual = field(chunk.i64, offsetof(VmFuncRef, type_id));
  trap_if(builder.CreateICmpNE(actual, expected), Trap::IndirectCallTypeMismatch);
  call_pointer(wasm.types[instruction.index], field(chunk.pointer, offsetof(VmFuncRef, code)),
               field(chunk.pointer, offsetof(VmFuncRef, context)), nullptr, is_tail);
}

void FunctionLowering::call_pointer(const FuncType& type, llvm::Value* code,
                                    llvm::Value* callee_context, llvm::Function* direct,
                                    bool is_tail) {
  llvm::SmallVector<llvm::Value*, 16> arguments{callee_context};
  const std::size_t first = stack_.size() - type.params.size();
  for (std::size_t i = 0; i < type.params.size(); ++i) {
    arguments.push_back(builder.CreateBitCast(stack_[first + i], chunk.value_type(type.params[i])));
  }
  stack_.resize(first);
  auto* call = direct ? builder.CreateCall(direct, arguments)
                      : builder.CreateCall(chunk.function_type(type), code, arguments);
  call->setCallingConv(llvm::CallingConv::Tail);
  call->addFnAttr(llvm::Attribute::NoUnwind);
  if (is_tail) {
    call->setTailCallKind(llvm::CallInst::TCK_MustTail);
    if (call->getType()->isVoidTy()) {
      builder.CreateRetVoid();
    } else {
      builder.CreateRet(call);
    }
    mark_dead();
    return;
  }
  // A recursion that LLVM turns into a loop never uses the stack up, which the specification's
  // users count on ("call stack exhausted"), and is missing from backtraces.
  call->setTailCallKind(llvm::CallInst::TCK_NoTail);
  if (!results_in_registers(type)) {
    llvm::Value* area = store_results();
    for (std::size_t i = 0; i < type.results.size(); ++i) {
      auto* result = builder.CreateAlignedLoad(
          chunk.value_type(type.results[i]),
          builder.CreateConstInBoundsGEP1_64(chunk.i8, area, i * sizeof(VmValue)), llvm::Align(16));
      result->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.tag(Region::Store));
      push(result);
    }
    return;
  }
  if (type.results.size() == 1) push(call);
  if (type.results.size() < 2) return;
  for (std::size_t i = 0; i < type.results.size(); ++i) {
    push(builder.CreateExtractValue(call, static_cast<unsigned>(i)));
  }
}

}  // namespace engine::compiler
