// Locals, globals (core spec 4.4.5) and constants.
#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

struct GlobalPlace {
  llvm::Value* place;
  llvm::MDNode* tag;
};

}  // namespace

bool FunctionLowering::lower_variable(const Instruction& instruction) {
  const auto global = [&]() -> GlobalPlace {
    const std::uint32_t index = instruction.index;
    const ContextLayout& layout = chunk.shape.layout;
    if (index < wasm.imported_globals) {
      return {invariant_load(chunk.pointer,
                             context_field(layout.imported_globals + std::uint64_t{8} * index)),
              chunk.tag(Region::ImportedGlobals)};
    }
    const std::uint64_t own = index - wasm.imported_globals;
    return {context_field(layout.own_globals + sizeof(VmValue) * own),
            chunk.tag(Region::Global, index)};
  };
  switch (instruction.opcode) {
    case Opcode::LocalGet:
      push(get_local(instruction.index));
      return true;
    case Opcode::LocalSet:
      set_local(instruction.index, pop());
      return true;
    case Opcode::LocalTee:
      set_local(instruction.index, stack_.back());
      return true;
    case Opcode::GlobalGet: {
      const GlobalPlace from = global();
      const GlobalType& type = wasm.globals[instruction.index].type;
      auto* value =
          builder.CreateAlignedLoad(chunk.value_type(type.type), from.place, llvm::Align(16));
      value->setMetadata(llvm::LLVMContext::MD_tbaa, from.tag);
      if (!type.is_mutable) {
        value->setMetadata(llvm::LLVMContext::MD_invariant_load,
                           llvm::MDNode::get(chunk.context, {}));
      }
      push(value);
      return true;
    }
    case Opcode::GlobalSet: {
      llvm::Value* value = pop_as(chunk.value_type(wasm.globals[instruction.index].type.type));
      const GlobalPlace to = global();
      builder.CreateAlignedStore(value, to.place, llvm::Align(16))
          ->setMetadata(llvm::LLVMContext::MD_tbaa, to.tag);
      return true;
    }
    default:
      return false;
  }
}

bool FunctionLowering::lower_constant(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::I32Const:
      push(i32_constant(static_cast<std::uint32_t>(instruction.constant)));
      return true;
    case Opcode::I64Const:
      push(i64_constant(instruction.constant));
      return true;
    case Opcode::F32Const:
      push(llvm::ConstantFP::get(
          chunk.context, llvm::APFloat(llvm::APFloat::IEEEsingle(),
                                       llvm::APInt(32, instruction.constant & 0xffffffff))));
      return true;
    case Opcode::F64Const:
      push(llvm::ConstantFP::get(
          chunk.context,
          llvm::APFloat(llvm::APFloat::IEEEdouble(), llvm::APInt(64, instruction.constant))));
      return true;
    default:
      return false;
  }
}

}  // namespace engine::compiler
