// memory.size, grow, fill, copy, init and data.drop. Ranges are checked before the first byte is
// written; sums of two 32-bit numbers cannot wrap in 64 bits.
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

/// Constant sizes up to this are copied and filled in place.
constexpr std::uint64_t kInlineBytes = 128;

}  // namespace

void FunctionLowering::check_range(std::uint32_t memory, llvm::Value* start, llvm::Value* count) {
  llvm::Value* end = builder.CreateNUWAdd(start, count);
  trap_if(builder.CreateICmpUGT(end, memory_size(memory)), Trap::MemoryOutOfBounds);
}

bool FunctionLowering::lower_bulk_memory(const Instruction& instruction) {
  const auto wide = [this](llvm::Value* value) { return builder.CreateZExt(value, chunk.i64); };
  const auto place = [this](std::uint32_t memory, llvm::Value* address) {
    return builder.CreateInBoundsGEP(chunk.i8, memory_base(memory), address);
  };
  const auto is_small = [](llvm::Value* count) {
    const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(count);
    return constant && constant->getZExtValue() <= kInlineBytes;
  };
  switch (instruction.opcode) {
    case Opcode::MemorySize:
      push(builder.CreateTrunc(builder.CreateLShr(memory_size(instruction.index), 16), chunk.i32));
      return true;
    case Opcode::MemoryGrow: {
      llvm::Value* pages = wide(pop());
      llvm::Value* old = call_builtin(offsetof(VmBuiltins, memory_grow), chunk.i64,
                                      {function.getArg(0), i32_constant(instruction.index), pages});
      push(builder.CreateTrunc(old, chunk.i32));
      return true;
    }
    case Opcode::MemoryFill: {
      llvm::Value* count = wide(pop());
      llvm::Value* byte = pop();
      llvm::Value* start = wide(pop());
      check_range(instruction.index, start, count);
      llvm::Value* to = place(instruction.index, start);
      if (is_small(count)) {
        builder.CreateMemSetInline(to, llvm::Align(1), builder.CreateTrunc(byte, chunk.i8), count,
                                   wasm.memories[instruction.index].is_shared);
        return true;
      }
      call_builtin(offsetof(VmBuiltins, memset), chunk.pointer, {to, byte, count})
          ->addFnAttr(llvm::Attribute::getWithMemoryEffects(chunk.context,
                                                            llvm::MemoryEffects::argMemOnly()));
      return true;
    }
    case Opcode::MemoryCopy: {
      llvm::Value* count = wide(pop());
      llvm::Value* from = wide(pop());
      llvm::Value* to = wide(pop());
      check_range(instruction.index, to, count);
      check_range(instruction.index2, from, count);
      llvm::Value* target = place(instruction.index, to);
      llvm::Value* source = place(instruction.index2, from);
      if (is_small(count)) {
        // Read all, then write all: the ranges may overlap.
        const auto bytes = llvm::cast<llvm::ConstantInt>(count)->getZExtValue();
        copy_small(target, source, bytes, instruction.index, instruction.index2);
        return true;
      }
      call_builtin(offsetof(VmBuiltins, memmove), chunk.pointer, {target, source, count})
          ->addFnAttr(llvm::Attribute::getWithMemoryEffects(chunk.context,
                                                            llvm::MemoryEffects::argMemOnly()));
      return true;
    }
    case Opcode::MemoryInit: {
      llvm::Value* count = pop();
      llvm::Value* from = pop();
      llvm::Value* to = wide(pop());
      trap_on_failure(call_builtin(offsetof(VmBuiltins, memory_init), chunk.i32,
                                   {function.getArg(0), i32_constant(instruction.index2),
                                    i32_constant(instruction.index), to, from, count}));
      return true;
    }
    case Opcode::DataDrop:
      call_builtin(offsetof(VmBuiltins, data_drop), llvm::Type::getVoidTy(chunk.context),
                   {function.getArg(0), i32_constant(instruction.index)});
      return true;
    default:
      return false;
  }
}

void FunctionLowering::copy_small(llvm::Value* to, llvm::Value* from, std::uint64_t bytes,
                                  std::uint32_t to_memory, std::uint32_t from_memory) {
  llvm::SmallVector<std::pair<std::uint64_t, llvm::Value*>, 16> parts;
  std::uint64_t at = 0;
  for (const std::uint64_t width : {16U, 8U, 4U, 2U, 1U}) {
    while (bytes - at >= width) {
      llvm::Value* place = builder.CreateConstInBoundsGEP1_64(chunk.i8, from, at);
      llvm::Type* type = builder.getIntNTy(static_cast<unsigned>(width * 8));
      if (width == 16) type = chunk.v128;
      auto* part = builder.CreateAlignedLoad(type, place, llvm::Align(1));
      part->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(from_memory));
      part->setVolatile(wasm.memories[from_memory].is_shared);
      parts.emplace_back(at, part);
      at += width;
    }
  }
  for (const auto& [offset, part] : parts) {
    store(part, builder.CreateConstInBoundsGEP1_64(chunk.i8, to, offset), {.memory = to_memory});
  }
}

}  // namespace engine::compiler
