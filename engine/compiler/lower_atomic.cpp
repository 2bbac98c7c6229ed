// Atomic instructions (threads proposal). All are sequentially consistent; an address that is not a
// multiple of the access traps before anything is accessed. Which memories are shared is part of
// the module's types, so wait and notify on others need no runtime.
#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

constexpr auto kOrder = llvm::AtomicOrdering::SequentiallyConsistent;

struct Rmw {
  std::string_view name;
  llvm::AtomicRMWInst::BinOp operation;
};

constexpr std::array kRmws = {
    Rmw{"add", llvm::AtomicRMWInst::Add}, Rmw{"sub", llvm::AtomicRMWInst::Sub},
    Rmw{"and", llvm::AtomicRMWInst::And}, Rmw{"or", llvm::AtomicRMWInst::Or},
    Rmw{"xor", llvm::AtomicRMWInst::Xor}, Rmw{"xchg", llvm::AtomicRMWInst::Xchg},
};

/// "add" of "i32.atomic.rmw8.add_u".
std::string_view rmw_name(std::string_view text) {
  const std::string_view operation = text.substr(text.rfind('.') + 1);
  return operation.substr(0, operation.find('_'));
}

}  // namespace

llvm::Value* FunctionLowering::pop_atomic_address(const Instruction& instruction) {
  llvm::Value* address = builder.CreateZExt(pop(), chunk.i64);
  if (instruction.memarg.offset != 0) {
    address = builder.CreateNUWAdd(address, i64_constant(instruction.memarg.offset));
  }
  const std::uint64_t width = info(instruction.opcode).access;
  if (width > 1) {
    llvm::Value* rest = builder.CreateAnd(address, i64_constant(width - 1));
    trap_if(builder.CreateIsNotNull(rest), Trap::UnalignedAtomic);
  }
  return builder.CreateInBoundsGEP(chunk.i8, memory_base(instruction.memarg.memory), address);
}

llvm::Value* FunctionLowering::atomic_load(const Instruction& instruction, llvm::Value* place) {
  const unsigned width = info(instruction.opcode).access;
  auto* out = builder.CreateAlignedLoad(builder.getIntNTy(8 * width), place, llvm::Align(width));
  out->setAtomic(kOrder);
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(instruction.memarg.memory));
  return out;
}

/// A narrow expected value that has more bits set than memory has never equals: then what is
/// exchanged is the value itself, which nobody can see.
llvm::Value* FunctionLowering::compare_exchange(const Instruction& instruction) {
  const unsigned width = info(instruction.opcode).access;
  llvm::IntegerType* narrow = builder.getIntNTy(8 * width);
  llvm::Value* replacement = builder.CreateTrunc(pop(), narrow);
  llvm::Value* wide = pop();
  llvm::Value* expected = builder.CreateTrunc(wide, narrow);
  if (expected != wide) {
    llvm::Value* fits = builder.CreateICmpEQ(builder.CreateZExt(expected, wide->getType()), wide);
    replacement = builder.CreateSelect(fits, replacement, expected);
  }
  llvm::Value* place = pop_atomic_address(instruction);
  auto* exchange =
      builder.CreateAtomicCmpXchg(place, expected, replacement, llvm::Align(width), kOrder, kOrder);
  exchange->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(instruction.memarg.memory));
  return builder.CreateExtractValue(exchange, 0);
}

llvm::Value* FunctionLowering::read_modify_write(const Instruction& instruction,
                                                 std::string_view name) {
  if (name == "cmpxchg") return compare_exchange(instruction);
  const unsigned width = info(instruction.opcode).access;
  llvm::Value* operand = builder.CreateTrunc(pop(), builder.getIntNTy(8 * width));
  llvm::Value* place = pop_atomic_address(instruction);
  const auto* const known = std::ranges::find(kRmws, name, &Rmw::name);
  auto* out = builder.CreateAtomicRMW(known->operation, place, operand, llvm::Align(width), kOrder);
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(instruction.memarg.memory));
  return out;
}

/// What is left of an address below the memory's base, once a load from it has not trapped.
llvm::Value* FunctionLowering::checked_offset(const Instruction& instruction, llvm::Value* place) {
  atomic_load(instruction, place);
  return builder.CreateSub(
      builder.CreatePtrToInt(place, chunk.i64),
      builder.CreatePtrToInt(memory_base(instruction.memarg.memory), chunk.i64));
}

void FunctionLowering::wait(const Instruction& instruction, std::uint64_t builtin) {
  llvm::Value* timeout = pop();
  llvm::Value* expected = pop();
  llvm::Value* at = checked_offset(instruction, pop_atomic_address(instruction));
  const std::uint32_t memory = instruction.memarg.memory;
  if (!wasm.memories[memory].is_shared) {
    trap_if(builder.getTrue(), Trap::ExpectedSharedMemory);
    push(i32_constant(0));
    return;
  }
  push(call_builtin(builtin, chunk.i32,
                    {function.getArg(0), i32_constant(memory), at, expected, timeout}));
}

void FunctionLowering::notify(const Instruction& instruction) {
  llvm::Value* count = pop();
  llvm::Value* at = checked_offset(instruction, pop_atomic_address(instruction));
  const std::uint32_t memory = instruction.memarg.memory;
  if (!wasm.memories[memory].is_shared) {
    push(i32_constant(0));  // nobody can wait there
    return;
  }
  push(call_builtin(offsetof(VmBuiltins, memory_notify), chunk.i32,
                    {function.getArg(0), i32_constant(memory), at, count}));
}

bool FunctionLowering::lower_atomic(const Instruction& instruction) {
  const std::string_view text = info(instruction.opcode).text;
  switch (instruction.opcode) {
    case Opcode::AtomicFence:
      builder.CreateFence(kOrder);
      return true;
    case Opcode::MemoryAtomicNotify:
      notify(instruction);
      return true;
    case Opcode::MemoryAtomicWait32:
      wait(instruction, offsetof(VmBuiltins, memory_wait32));
      return true;
    case Opcode::MemoryAtomicWait64:
      wait(instruction, offsetof(VmBuiltins, memory_wait64));
      return true;
    default:
      break;
  }
  if (info(instruction.opcode).immediate != Immediate::AtomicMemArg) return false;
  if (text.find(".store") != std::string_view::npos) {
    const unsigned width = info(instruction.opcode).access;
    llvm::Value* value = builder.CreateTrunc(pop(), builder.getIntNTy(8 * width));
    llvm::Value* place = pop_atomic_address(instruction);
    auto* store = builder.CreateAlignedStore(value, place, llvm::Align(width));
    store->setAtomic(kOrder);
    store->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(instruction.memarg.memory));
    return true;
  }
  const bool is_load = text.find(".load") != std::string_view::npos;
  llvm::Value* value = is_load ? atomic_load(instruction, pop_atomic_address(instruction))
                               : read_modify_write(instruction, rmw_name(text));
  push(builder.CreateZExt(value, text.starts_with("i32") ? chunk.i32 : chunk.i64));
  return true;
}

}  // namespace engine::compiler
