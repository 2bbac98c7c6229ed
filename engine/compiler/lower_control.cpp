// Structured control (core spec 4.4.8): blocks, branches, return, select. A branch can only come
// from inside the label's block, so a local that the block does not assign has one value on all of
// them: phis are made for the others, when their values differ.
#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <map>

#include "engine/compiler/function_lowering.hpp"

namespace engine::compiler {

bool FunctionLowering::lower_control(const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::Nop:
      return true;
    case Opcode::Unreachable:
      chunk.emit_trap(builder, Trap::Unreachable);
      mark_dead();
      return true;
    case Opcode::Block:
    case Opcode::Loop:
    case Opcode::If:
      enter_block(instruction);
      return true;
    case Opcode::Else:
      begin_else();
      return true;
    case Opcode::End:
      end_frame();
      return true;
    case Opcode::Br:
      builder.CreateBr(branch_target(instruction.index));
      branch_edge(instruction.index, 1);
      mark_dead();
      return true;
    case Opcode::BrIf:
      emit_br_if(instruction.index);
      return true;
    case Opcode::BrTable:
      emit_br_table(instruction);
      return true;
    case Opcode::Return:
      emit_return();
      mark_dead();
      return true;
    case Opcode::Drop:
      pop();
      return true;
    case Opcode::Select:
    case Opcode::SelectT:
      emit_select();
      return true;
    default:
      return false;
  }
}

const std::vector<ValType>& FunctionLowering::label_types(const Frame& frame) const {
  return frame.kind == Opcode::Loop ? frame.params : frame.results;
}

llvm::BasicBlock* FunctionLowering::branch_target(std::uint32_t depth) {
  const Frame& frame = frames_[frames_.size() - 1 - depth];
  return frame.kind == Opcode::Loop ? frame.header : frame.end;
}

std::vector<llvm::Value*> FunctionLowering::pop_values(std::size_t count) {
  std::vector<llvm::Value*> out(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
  stack_.resize(stack_.size() - count);
  return out;
}

void FunctionLowering::mark_dead() {
  dead_ = true;
  dead_depth_ = 0;
}

void FunctionLowering::enter_block(const Instruction& instruction) {
  static const std::vector<std::uint32_t> kNone;
  Frame frame;
  frame.kind = instruction.opcode;
  frame.assigned = locals_in_memory_ ? &kNone : &assignments_.blocks[next_block_];
  ++next_block_;
  if (instruction.block.kind == BlockType::Kind::Value) {
    frame.results = {instruction.block.value};
  } else if (instruction.block.kind == BlockType::Kind::Index) {
    frame.params = wasm.types[instruction.block.index].params;
    frame.results = wasm.types[instruction.block.index].results;
  }
  llvm::Value* test = frame.kind == Opcode::If ? condition(pop()) : nullptr;
  frame.height = stack_.size() - frame.params.size();
  frame.end = new_block("end");
  if (frame.kind == Opcode::Loop) enter_loop(frame);
  if (frame.kind == Opcode::If) {
    enter_if(frame);
    llvm::BasicBlock* then = new_block("then");
    builder.CreateCondBr(test, then, frame.else_block);
    builder.SetInsertPoint(then);
  }
  frames_.push_back(std::move(frame));
}

void FunctionLowering::enter_loop(Frame& frame) {
  llvm::BasicBlock* before = builder.GetInsertBlock();
  frame.header = new_block("loop");
  builder.CreateBr(frame.header);
  builder.SetInsertPoint(frame.header);
  for (std::size_t i = 0; i < frame.params.size(); ++i) {
    llvm::Type* type = chunk.value_type(frame.params[i]);
    llvm::Value*& value = stack_[frame.height + i];
    if (value->getType() != type) {
      value = llvm::CastInst::Create(llvm::Instruction::BitCast, value, type, "",
                                     before->getTerminator()->getIterator());
    }
    llvm::PHINode* phi = builder.CreatePHI(type, 2);
    phi->addIncoming(value, before);
    value = phi;
    frame.header_phis.push_back(phi);
  }
  for (const std::uint32_t local : *frame.assigned) {
    llvm::PHINode* phi = builder.CreatePHI(local_types_[local], 2);
    phi->addIncoming(locals_[local], before);
    locals_[local] = phi;
    frame.header_phis.push_back(phi);
  }
}

void FunctionLowering::enter_if(Frame& frame) {
  frame.else_block = new_block("else");
  frame.entry_params.assign(stack_.begin() + static_cast<std::ptrdiff_t>(frame.height),
                            stack_.end());
  for (const std::uint32_t local : *frame.assigned) frame.entry_locals.push_back(locals_[local]);
}

void FunctionLowering::begin_else() {
  Frame& frame = frames_.back();
  if (!dead_) {
    builder.CreateBr(frame.end);
    branch_edge(0, 1);
  }
  dead_ = false;
  builder.SetInsertPoint(std::exchange(frame.else_block, nullptr));
  stack_.resize(frame.height);
  stack_.insert(stack_.end(), frame.entry_params.begin(), frame.entry_params.end());
  for (std::size_t i = 0; i < frame.entry_locals.size(); ++i) {
    locals_[(*frame.assigned)[i]] = frame.entry_locals[i];
  }
}

void FunctionLowering::end_frame() {
  if (frames_.back().else_block) begin_else();
  if (!dead_) {
    // The end of a loop falls through; only branches go back to its header.
    Frame& frame = frames_.back();
    frame.kind = Opcode::Block;
    builder.CreateBr(frame.end);
    branch_edge(0, 1);
  }
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  stack_.resize(frame.height);
  if (frame.incoming.empty()) {
    frame.end->eraseFromParent();
    mark_dead();
    return;
  }
  dead_ = false;
  builder.SetInsertPoint(frame.end);
  merge_incoming(frame);
  if (frames_.empty()) emit_return();
}

void FunctionLowering::merge_incoming(Frame& frame) {
  const auto merged = [&](std::size_t place) -> llvm::Value* {
    llvm::Value* first = frame.incoming[0].values[place];
    const bool same = std::ranges::all_of(
        frame.incoming, [&](const Incoming& edge) { return edge.values[place] == first; });
    if (same) return first;
    llvm::PHINode* phi =
        builder.CreatePHI(first->getType(), static_cast<unsigned>(frame.incoming.size()));
    for (const Incoming& edge : frame.incoming) {
      for (std::uint32_t i = 0; i < edge.edges; ++i)
        phi->addIncoming(edge.values[place], edge.from);
    }
    return phi;
  };
  for (std::size_t i = 0; i < frame.results.size(); ++i) stack_.push_back(merged(i));
  for (std::size_t i = 0; i < frame.assigned->size(); ++i) {
    locals_[(*frame.assigned)[i]] = merged(frame.results.size() + i);
  }
}

void FunctionLowering::branch_edge(std::uint32_t depth, std::uint32_t edges) {
  Frame& frame = frames_[frames_.size() - 1 - depth];
  llvm::BasicBlock* from = builder.GetInsertBlock();
  std::vector<llvm::Value*> values;
  const std::vector<ValType>& types = label_types(frame);
  values.reserve(types.size() + frame.assigned->size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    llvm::Value* value = stack_[stack_.size() - types.size() + i];
    llvm::Type* type = chunk.value_type(types[i]);
    if (value->getType() != type) {
      value = llvm::CastInst::Create(llvm::Instruction::BitCast, value, type, "",
                                     from->getTerminator()->getIterator());
    }
    values.push_back(value);
  }
  for (const std::uint32_t local : *frame.assigned) values.push_back(locals_[local]);
  if (frame.kind != Opcode::Loop) {
    frame.incoming.push_back({from, edges, std::move(values)});
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::uint32_t n = 0; n < edges; ++n) frame.header_phis[i]->addIncoming(values[i], from);
  }
}

llvm::Value* FunctionLowering::condition(llvm::Value* value) {
  if (auto* widened = llvm::dyn_cast<llvm::ZExtInst>(value);
      widened && widened->getSrcTy() == chunk.i1) {
    return widened->getOperand(0);
  }
  return builder.CreateICmpNE(value, i32_constant(0));
}

void FunctionLowering::emit_br_if(std::uint32_t depth) {
  llvm::Value* test = condition(pop());
  llvm::BasicBlock* next = new_block("next");
  builder.CreateCondBr(test, branch_target(depth), next);
  branch_edge(depth, 1);
  builder.SetInsertPoint(next);
}

void FunctionLowering::emit_br_table(const Instruction& instruction) {
  llvm::Value* index = pop();
  const std::span<const std::uint32_t> labels = instruction.labels;
  auto* jump = builder.CreateSwitch(index, branch_target(labels.back()),
                                    static_cast<unsigned>(labels.size() - 1));
  std::map<std::uint32_t, std::uint32_t> edges{{labels.back(), 1}};
  for (std::size_t i = 0; i + 1 < labels.size(); ++i) {
    jump->addCase(i32_constant(static_cast<std::uint32_t>(i)), branch_target(labels[i]));
    ++edges[labels[i]];
  }
  for (const auto& [depth, count] : edges) branch_edge(depth, count);
  mark_dead();
}

void FunctionLowering::emit_return() {
  const std::vector<llvm::Value*> values = pop_values(type_.results.size());
  if (!results_in_registers(type_)) {
    llvm::Value* area = store_results();
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto* place = builder.CreateConstInBoundsGEP1_64(chunk.i8, area, i * sizeof(VmValue));
      auto* stored = builder.CreateAlignedStore(values[i], place, llvm::Align(16));
      stored->setMetadata(llvm::LLVMContext::MD_tbaa, chunk.tag(Region::Store));
    }
    builder.CreateRetVoid();
    return;
  }
  if (values.empty()) {
    builder.CreateRetVoid();
    return;
  }
  const auto typed = [&](std::size_t i) {
    return builder.CreateBitCast(values[i], chunk.value_type(type_.results[i]));
  };
  if (values.size() == 1) {
    builder.CreateRet(typed(0));
    return;
  }
  llvm::Value* all = llvm::PoisonValue::get(chunk.result_type(type_));
  for (std::size_t i = 0; i < values.size(); ++i) {
    all = builder.CreateInsertValue(all, typed(i), static_cast<unsigned>(i));
  }
  builder.CreateRet(all);
}

void FunctionLowering::emit_select() {
  llvm::Value* test = condition(pop());
  llvm::Value* second = pop();
  llvm::Value* first = pop_as(second->getType());
  push(builder.CreateSelect(test, first, second));
}

}  // namespace engine::compiler
