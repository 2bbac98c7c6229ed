// The walk over one body: reads each instruction, hands it to its family, skips dead code (which
// validation has seen, and which needs no machine code).
#include "engine/compiler/function_lowering.hpp"

#include <llvm/IR/Intrinsics.h>
#include <llvm/IR/MDBuilder.h>

#include <algorithm>

#include "base/result.hpp"
#include "engine/binary/instruction_reader.hpp"
#include "engine/compiler/wide_product.hpp"

namespace engine::compiler {

FunctionLowering::FunctionLowering(ChunkModule& chunk_module, std::uint32_t index)
    : chunk(chunk_module),
      wasm(chunk_module.wasm),
      function(*chunk_module.function(index)),
      builder(chunk_module.context),
      index_(index),
      type_(chunk_module.wasm.type_of(index)) {
  for (const ValType param : type_.params) local_types_.push_back(chunk.value_type(param));
}

Result<void> FunctionLowering::run() {
  if (is_wide_product(wasm, index_)) {
    lower_wide_product();
    return {};
  }
  assignments_ = TRY(block_assignments(wasm, index_));
  locals_in_memory_ = assignments_.too_many;
  binary::InstructionReader reader(wasm.bytes, wasm.functions[index_]);
  const auto locals = TRY(reader.read_locals());
  for (const auto& group : locals) {
    local_types_.insert(local_types_.end(), group.count, chunk.value_type(group.type));
  }
  begin();
  while (!frames_.empty()) {
    const Instruction instruction = TRY(reader.next());
    builder.SetCurrentDebugLocation(llvm::DILocation::get(
        chunk.context, static_cast<unsigned>(instruction.offset), 0, function.getSubprogram()));
    if (dead_) {
      skip_dead(instruction);
    } else {
      TRY(lower(instruction));
    }
  }
  finish();
  return {};
}

void FunctionLowering::begin() {
  function.setSubprogram(chunk.make_subprogram(index_));
  entry_ = new_block("entry");
  llvm::BasicBlock* first = new_block("body");
  builder.SetInsertPoint(entry_);
  locals_.resize(local_types_.size());
  for (std::size_t i = 0; i < locals_.size(); ++i) {
    llvm::Value* initial =
        i < type_.params.size()
            ? static_cast<llvm::Value*>(function.getArg(static_cast<unsigned>(i + 1)))
            : llvm::Constant::getNullValue(local_types_[i]);
    if (locals_in_memory_) {
      locals_[i] = builder.CreateAlloca(local_types_[i]);
      builder.CreateStore(initial, locals_[i]);
    } else {
      locals_[i] = initial;
    }
  }
  entry_end_ = builder.CreateBr(first);
  builder.SetInsertPoint(first);
  Frame& frame = frames_.emplace_back();
  frame.results = type_.results;
  frame.end = new_block("return");
  static const std::vector<std::uint32_t> kNone;
  frame.assigned = &kNone;
}

/// The whole body at once; inlined everywhere, so that its results need not go through memory.
void FunctionLowering::lower_wide_product() {
  function.addFnAttr(llvm::Attribute::AlwaysInline);
  begin();
  builder.SetCurrentDebugLocation(llvm::DILocation::get(
      chunk.context, static_cast<unsigned>(wasm.functions[index_].body_offset), 0,
      function.getSubprogram()));
  llvm::Type* wide = builder.getInt128Ty();
  const auto whole = [&](unsigned low) {
    llvm::Value* high = builder.CreateZExt(function.getArg(low + 1), wide);
    return builder.CreateOr(builder.CreateZExt(function.getArg(low), wide),
                            builder.CreateShl(high, 64));
  };
  llvm::Value* product = builder.CreateMul(whole(2), whole(4));
  push(function.getArg(1));
  llvm::Value* place = pop_address({});
  llvm::Value* high = builder.CreateTrunc(builder.CreateLShr(product, 64), chunk.i64);
  store(high, builder.CreateConstInBoundsGEP1_64(chunk.i8, place, 8), {});
  store(builder.CreateTrunc(product, chunk.i64), place, {});
  end_frame();
}

Result<void> FunctionLowering::lower(const Instruction& instruction) {
  const bool known =
      lower_variable(instruction) || lower_constant(instruction) || lower_memory(instruction) ||
      lower_control(instruction) || lower_integer(instruction) || lower_compare(instruction) ||
      lower_float(instruction) || lower_conversion(instruction) || lower_call(instruction) ||
      lower_table(instruction) || lower_bulk_memory(instruction) || lower_atomic(instruction);
  if (known || TRY(lower_simd(*this, instruction))) return {};
  return std::unexpected(Error{.kind = ErrorKind::Unsupported,
                               .text = "instruction without a compiler",
                               .offset = instruction.offset,
                               .function = index_});
}

void FunctionLowering::skip_dead(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::Block:
    case Opcode::Loop:
    case Opcode::If:
      ++dead_depth_;
      ++next_block_;
      return;
    case Opcode::Else:
      if (dead_depth_ == 0) begin_else();
      return;
    case Opcode::End:
      if (dead_depth_ == 0) {
        end_frame();
      } else {
        --dead_depth_;
      }
      return;
    default:
      return;
  }
}

void FunctionLowering::finish() {
  // A load whose value nobody uses must still trap.
  const auto is_unused = [](const llvm::LoadInst* load) {
    return std::ranges::all_of(load->users(), [](const llvm::User* user) {
      return llvm::isa<llvm::CastInst>(user) && user->use_empty();
    });
  };
  for (llvm::LoadInst* load : memory_loads_) {
    if (is_unused(load)) load->setVolatile(true);
  }
}

llvm::Value* FunctionLowering::pop() {
  llvm::Value* top = stack_.back();
  stack_.pop_back();
  return top;
}

llvm::Value* FunctionLowering::pop_as(llvm::Type* type) {
  llvm::Value* top = pop();
  return top->getType() == type ? top : builder.CreateBitCast(top, type);
}

llvm::ConstantInt* FunctionLowering::i32_constant(std::uint32_t value) const {
  return llvm::ConstantInt::get(chunk.i32, value);
}

llvm::ConstantInt* FunctionLowering::i64_constant(std::uint64_t value) const {
  return llvm::ConstantInt::get(chunk.i64, value);
}

llvm::BasicBlock* FunctionLowering::new_block(const char* name) {
  return llvm::BasicBlock::Create(chunk.context, name, &function);
}

void FunctionLowering::trap_if(llvm::Value* condition, Trap trap) {
  llvm::BasicBlock* cold = new_block("trap");
  llvm::BasicBlock* next = new_block("next");
  llvm::MDNode* weights = llvm::MDBuilder(chunk.context).createUnlikelyBranchWeights();
  builder.CreateCondBr(condition, cold, next, weights);
  builder.SetInsertPoint(cold);
  chunk.emit_trap(builder, trap);
  builder.SetInsertPoint(next);
}

llvm::Value* FunctionLowering::fence(llvm::Value* value) {
  return builder.CreateIntrinsic(llvm::Intrinsic::arithmetic_fence, {value->getType()}, {value});
}

llvm::Value* FunctionLowering::get_local(std::uint32_t index) {
  if (!locals_in_memory_) return locals_[index];
  return builder.CreateLoad(local_types_[index], locals_[index]);
}

void FunctionLowering::set_local(std::uint32_t index, llvm::Value* value) {
  // SIMD families push values of their own lane types.
  if (value->getType() != local_types_[index]) {
    value = builder.CreateBitCast(value, local_types_[index]);
  }
  if (locals_in_memory_) {
    builder.CreateStore(value, locals_[index]);
  } else {
    locals_[index] = value;
  }
}

}  // namespace engine::compiler
