// References and tables (core spec 4.4.3, 4.4.6).
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

bool FunctionLowering::lower_table(const Instruction& instruction) {
  const auto wide = [this](llvm::Value* value) { return builder.CreateZExt(value, chunk.i64); };
  const auto element = [&](llvm::Value* index) {
    llvm::Value* at = wide(index);
    trap_if(builder.CreateICmpUGE(at, table_size(instruction.index)), Trap::TableOutOfBounds);
    return builder.CreateInBoundsGEP(chunk.i64, table_elements(instruction.index), at);
  };
  llvm::Value* context = function.getArg(0);
  llvm::Type* nothing = llvm::Type::getVoidTy(chunk.context);
  switch (instruction.opcode) {
    case Opcode::RefNull:
      push(i64_constant(0));
      return true;
    case Opcode::RefIsNull:
      push_bool(builder.CreateIsNull(pop()));
      return true;
    case Opcode::RefFunc: {
      const std::uint64_t slot = chunk.shape.reference_slots[instruction.index].value_or(0);
      push(builder.CreatePtrToInt(
          context_field(chunk.shape.layout.function_refs + sizeof(VmFuncRef) * slot), chunk.i64));
      return true;
    }
    case Opcode::TableGet: {
      auto* value = builder.CreateAlignedLoad(chunk.i64, element(pop()), llvm::Align(8));
      value->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.table_tag(instruction.index));
      push(value);
      return true;
    }
    case Opcode::TableSet: {
      llvm::Value* value = pop();
      builder.CreateAlignedStore(value, element(pop()), llvm::Align(8))
          ->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.table_tag(instruction.index));
      return true;
    }
    case Opcode::TableSize:
      push(builder.CreateTrunc(table_size(instruction.index), chunk.i32));
      return true;
    case Opcode::TableGrow: {
      llvm::Value* count = wide(pop());
      llvm::Value* value = pop();
      llvm::Value* old = call_builtin(offsetof(VmBuiltins, table_grow), chunk.i64,
                                      {context, i32_constant(instruction.index), count, value});
      push(builder.CreateTrunc(old, chunk.i32));
      return true;
    }
    case Opcode::TableFill: {
      llvm::Value* count = wide(pop());
      llvm::Value* value = pop();
      llvm::Value* at = wide(pop());
      trap_on_failure(call_builtin(offsetof(VmBuiltins, table_fill), chunk.i32,
                                   {context, i32_constant(instruction.index), at, value, count}));
      return true;
    }
    case Opcode::TableCopy: {
      llvm::Value* count = wide(pop());
      llvm::Value* from = wide(pop());
      llvm::Value* to = wide(pop());
      trap_on_failure(call_builtin(offsetof(VmBuiltins, table_copy), chunk.i32,
                                   {context, i32_constant(instruction.index),
                                    i32_constant(instruction.index2), to, from, count}));
      return true;
    }
    case Opcode::TableInit: {
      llvm::Value* count = pop();
      llvm::Value* from = pop();
      llvm::Value* to = wide(pop());
      trap_on_failure(call_builtin(offsetof(VmBuiltins, table_init), chunk.i32,
                                   {context, i32_constant(instruction.index2),
                                    i32_constant(instruction.index), to, from, count}));
      return true;
    }
    case Opcode::ElemDrop:
      call_builtin(offsetof(VmBuiltins, elem_drop), nothing,
                   {context, i32_constant(instruction.index)});
      return true;
    default:
      return false;
  }
}

}  // namespace engine::compiler
