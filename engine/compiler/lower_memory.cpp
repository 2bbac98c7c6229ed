// Loads, stores and the size of linear memories (core spec 4.4.7). A memory's reservation holds
// every address that 32-bit index plus 32-bit offset can form, so no access is checked: pages
// beyond the size fault. In memories that are not shared nothing is volatile, but a load whose
// value nobody uses (it must still trap).
#include <cstddef>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {
namespace {

/// Another thread may write at the same time. A plain access would let LLVM read twice what is read
/// once, or invent a write; an unordered atomic, or where those cannot be (vectors, an alignment
/// hint below the natural one) a volatile access, does not. The hint may be wrong: the instructions
/// that x86-64 has for both take any address, and no pass draws conclusions from an access's
/// alignment about its address.
template <typename Access>
void mark_shared(Access& access, llvm::Type& type, const MemArg& memarg) {
  const std::uint64_t bytes = type.getPrimitiveSizeInBits().getFixedValue() / 8;
  if (type.isVectorTy() || (std::uint64_t{1} << memarg.align_log2) < bytes) {
    access.setVolatile(true);
    return;
  }
  access.setAlignment(llvm::Align(bytes));
  access.setAtomic(llvm::AtomicOrdering::Unordered);
}

}  // namespace

llvm::Value* FunctionLowering::memory_base(std::uint32_t memory) {
  return entry_load(chunk.shape.layout.memory_bases + std::uint64_t{8} * memory);
}

llvm::Value* FunctionLowering::memory_size(std::uint32_t memory) {
  llvm::Value* descriptor = invariant_load(
      chunk.pointer, context_field(chunk.shape.layout.memories + std::uint64_t{8} * memory));
  auto* size = builder.CreateAlignedLoad(
      chunk.i64, builder.CreateConstInBoundsGEP1_64(chunk.i8, descriptor, offsetof(VmMemory, size)),
      llvm::Align(8));
  if (wasm.memories[memory].is_shared) {
    size->setAtomic(llvm::AtomicOrdering::SequentiallyConsistent);
  }
  size->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.tag(Region::Descriptors));
  return size;
}

llvm::Value* FunctionLowering::pop_address(const MemArg& memarg) {
  llvm::Value* address = builder.CreateZExt(pop(), chunk.i64);
  llvm::Value* place = builder.CreateInBoundsGEP(chunk.i8, memory_base(memarg.memory), address);
  if (memarg.offset == 0) return place;
  return builder.CreateInBoundsGEP(chunk.i8, place, i64_constant(memarg.offset));
}

llvm::Value* FunctionLowering::load(llvm::Type* type, llvm::Value* place, const MemArg& memarg) {
  auto* out = builder.CreateAlignedLoad(type, place, llvm::Align(1));
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(memarg.memory));
  if (wasm.memories[memarg.memory].is_shared) mark_shared(*out, *type, memarg);
  memory_loads_.push_back(out);
  return out;
}

void FunctionLowering::store(llvm::Value* value, llvm::Value* place, const MemArg& memarg) {
  auto* out = builder.CreateAlignedStore(value, place, llvm::Align(1));
  out->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.memory_tag(memarg.memory));
  if (wasm.memories[memarg.memory].is_shared) mark_shared(*out, *value->getType(), memarg);
}

void FunctionLowering::load_extended(const Instruction& instruction, llvm::Type* stored,
                                     llvm::Type* result, bool is_signed) {
  llvm::Value* value = load(stored, pop_address(instruction.memarg), instruction.memarg);
  if (stored != result) {
    value = is_signed ? builder.CreateSExt(value, result) : builder.CreateZExt(value, result);
  }
  push(value);
}

void FunctionLowering::store_truncated(const Instruction& instruction, llvm::Type* stored) {
  llvm::Value* value = pop();
  if (value->getType() != stored) value = builder.CreateTrunc(value, stored);
  store(value, pop_address(instruction.memarg), instruction.memarg);
}

bool FunctionLowering::lower_memory(const Instruction& instruction) {
  const auto loads = [&](llvm::Type* stored, llvm::Type* result, bool is_signed = false) {
    load_extended(instruction, stored, result, is_signed);
    return true;
  };
  const auto stores = [&](llvm::Type* stored) {
    store_truncated(instruction, stored);
    return true;
  };
  switch (instruction.opcode) {
    case Opcode::I32Load:
      return loads(chunk.i32, chunk.i32);
    case Opcode::I64Load:
      return loads(chunk.i64, chunk.i64);
    case Opcode::F32Load:
      return loads(chunk.f32, chunk.f32);
    case Opcode::F64Load:
      return loads(chunk.f64, chunk.f64);
    case Opcode::I32Load8S:
      return loads(chunk.i8, chunk.i32, true);
    case Opcode::I32Load8U:
      return loads(chunk.i8, chunk.i32);
    case Opcode::I32Load16S:
      return loads(chunk.i16, chunk.i32, true);
    case Opcode::I32Load16U:
      return loads(chunk.i16, chunk.i32);
    case Opcode::I64Load8S:
      return loads(chunk.i8, chunk.i64, true);
    case Opcode::I64Load8U:
      return loads(chunk.i8, chunk.i64);
    case Opcode::I64Load16S:
      return loads(chunk.i16, chunk.i64, true);
    case Opcode::I64Load16U:
      return loads(chunk.i16, chunk.i64);
    case Opcode::I64Load32S:
      return loads(chunk.i32, chunk.i64, true);
    case Opcode::I64Load32U:
      return loads(chunk.i32, chunk.i64);
    case Opcode::I32Store:
      return stores(chunk.i32);
    case Opcode::I64Store:
      return stores(chunk.i64);
    case Opcode::F32Store:
      return stores(chunk.f32);
    case Opcode::F64Store:
      return stores(chunk.f64);
    case Opcode::I32Store8:
    case Opcode::I64Store8:
      return stores(chunk.i8);
    case Opcode::I32Store16:
    case Opcode::I64Store16:
      return stores(chunk.i16);
    case Opcode::I64Store32:
      return stores(chunk.i32);
    default:
      return false;
  }
}

}  // namespace engine::compiler
