// One function's body from wasm to LLVM IR, in one pass over its instructions, directly in SSA
// form: locals are values, and a label's block gets phis only for locals that are assigned inside
// the block (body_scan.hpp). The instruction families are members in lower_*.cpp.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/compiler/body_scan.hpp"
#include "engine/compiler/chunk_module.hpp"
#include "engine/structure/instruction.hpp"

namespace engine::compiler {

class FunctionLowering {
 public:
  /// `function` is chunk.function(index), still without a body.
  FunctionLowering(ChunkModule& chunk, std::uint32_t index);

  /// Errors: of the reader (cannot happen after validation), Unsupported for an instruction that
  /// no family knows.
  Result<void> run();

  // For instruction families.

  ChunkModule& chunk;
  const Module& wasm;
  llvm::Function& function;
  /// Inserts at the end of the current block; its debug location is the current instruction's.
  llvm::IRBuilder<> builder;

  void push(llvm::Value* value) { stack_.push_back(value); }
  llvm::Value* pop();
  llvm::Value* pop_as(llvm::Type* type);  ///< with a bitcast if needed (v128 and lane types)

  llvm::ConstantInt* i32_constant(std::uint32_t value) const;
  llvm::ConstantInt* i64_constant(std::uint64_t value) const;

  /// Traps when `condition` (i1) is true; continues in a new block.
  void trap_if(llvm::Value* condition, Trap trap);

  /// A constant whose value the optimizer does not see, at no cost: for operations that it would
  /// fold in a way that loses the quieting of a signalling NaN.
  llvm::Value* fence(llvm::Value* value);

  /// min and max (core spec 4.3.3) of scalars or lane by lane.
  llvm::Value* float_extremum(llvm::Value* left, llvm::Value* right, bool is_minimum);

  /// Pops the address: the place of an access in a linear memory.
  llvm::Value* pop_address(const MemArg& memarg);
  llvm::Value* load(llvm::Type* type, llvm::Value* place, const MemArg& memarg);
  void store(llvm::Value* value, llvm::Value* place, const MemArg& memarg);

 private:
  friend Result<bool> lower_simd(FunctionLowering& lowering, const Instruction& instruction);

  struct Label {
    llvm::BasicBlock* block;
    std::uint32_t edges = 0;
  };

  /// Values that a branch brings to a label: the label's parameters, then the assigned locals.
  struct Incoming {
    llvm::BasicBlock* from;
    std::uint32_t edges;
    std::vector<llvm::Value*> values;
  };

  struct Frame {
    Opcode kind = Opcode::Block;
    std::vector<ValType> params;
    std::vector<ValType> results;
    std::size_t height = 0;  ///< of the operand stack below the parameters
    llvm::BasicBlock* end = nullptr;
    std::vector<Incoming> incoming;
    const std::vector<std::uint32_t>* assigned = nullptr;
    llvm::BasicBlock* header = nullptr;       ///< loop
    std::vector<llvm::PHINode*> header_phis;  ///< loop: parameters, then assigned locals
    llvm::BasicBlock* else_block = nullptr;   ///< if without else so far
    std::vector<llvm::Value*> entry_params;   ///< if
    std::vector<llvm::Value*> entry_locals;   ///< if: of the assigned locals
  };

  // function_lowering.cpp
  void begin();
  Result<void> lower(const Instruction& instruction);
  void skip_dead(const Instruction& instruction);
  void finish();
  void lower_wide_product();

  // Families: true when the instruction was theirs.
  bool lower_control(const Instruction& instruction);
  bool lower_variable(const Instruction& instruction);
  bool lower_constant(const Instruction& instruction);
  bool lower_compare(const Instruction& instruction);
  bool lower_integer(const Instruction& instruction);
  bool lower_float(const Instruction& instruction);
  bool lower_conversion(const Instruction& instruction);
  bool lower_memory(const Instruction& instruction);
  bool lower_bulk_memory(const Instruction& instruction);
  bool lower_atomic(const Instruction& instruction);
  bool lower_table(const Instruction& instruction);
  bool lower_call(const Instruction& instruction);

  // lower_control.cpp
  void enter_block(const Instruction& instruction);
  void enter_loop(Frame& frame);
  void enter_if(Frame& frame);
  void begin_else();
  void end_frame();
  void merge_incoming(Frame& frame);
  void branch_edge(std::uint32_t depth, std::uint32_t edges);
  llvm::BasicBlock* branch_target(std::uint32_t depth);
  void emit_br_if(std::uint32_t depth);
  void emit_br_table(const Instruction& instruction);
  void emit_return();
  void emit_select();
  std::vector<llvm::Value*> pop_values(std::size_t count);
  const std::vector<ValType>& label_types(const Frame& frame) const;
  void mark_dead();
  llvm::Value* condition(llvm::Value* value);  ///< i32 -> i1
  llvm::BasicBlock* new_block(const char* name);

  // locals
  llvm::Value* get_local(std::uint32_t index);
  void set_local(std::uint32_t index, llvm::Value* value);

  // lower_numeric_*.cpp
  void push_bool(llvm::Value* value);
  void divide(bool is_signed, bool remainder);
  void truncate(llvm::Type* to, bool is_signed);
  void float_arithmetic(llvm::Instruction::BinaryOps operation);

  // lower_memory.cpp
  void load_extended(const Instruction& instruction, llvm::Type* stored, llvm::Type* result,
                     bool is_signed);
  void store_truncated(const Instruction& instruction, llvm::Type* stored);
  llvm::Value* memory_base(std::uint32_t memory);
  llvm::Value* memory_size(std::uint32_t memory);
  void copy_small(llvm::Value* to, llvm::Value* from, std::uint64_t bytes, std::uint32_t to_memory,
                  std::uint32_t from_memory);
  void check_range(std::uint32_t memory, llvm::Value* start, llvm::Value* count);

  // lower_atomic.cpp
  llvm::Value* pop_atomic_address(const Instruction& instruction);
  llvm::Value* atomic_load(const Instruction& instruction, llvm::Value* place);
  llvm::Value* compare_exchange(const Instruction& instruction);
  llvm::Value* read_modify_write(const Instruction& instruction, std::string_view name);
  llvm::Value* checked_offset(const Instruction& instruction, llvm::Value* place);
  void wait(const Instruction& instruction, std::uint64_t builtin);
  void notify(const Instruction& instruction);

  // lower_call.cpp
  void call_direct(std::uint32_t callee, bool is_tail);
  void call_indirect(const Instruction& instruction, bool is_tail);
  void call_pointer(const FuncType& type, llvm::Value* code, llvm::Value* callee_context,
                    llvm::Function* direct, bool is_tail);

  // lower_context.cpp
  llvm::Value* context_field(std::uint64_t offset);
  llvm::Value* invariant_load(llvm::Type* type, llvm::Value* place);
  llvm::Value* entry_load(std::uint64_t offset);
  llvm::Value* store_results();
  llvm::CallInst* call_builtin(std::uint64_t offset, llvm::Type* result,
                               llvm::ArrayRef<llvm::Value*> arguments);
  void trap_on_failure(llvm::Value* code);
  llvm::Value* table_size(std::uint32_t table);
  llvm::Value* table_elements(std::uint32_t table);

  std::uint32_t index_;
  const FuncType& type_;
  std::vector<llvm::Value*> stack_;
  std::vector<llvm::Value*> locals_;  ///< values, or allocas when locals_in_memory_
  std::vector<llvm::Type*> local_types_;
  bool locals_in_memory_ = false;
  std::vector<Frame> frames_;
  BlockAssignments assignments_;
  std::size_t next_block_ = 0;  ///< of assignments_.blocks
  bool dead_ = false;           ///< after an unconditional branch
  std::uint32_t dead_depth_ = 0;
  llvm::BasicBlock* entry_ = nullptr;
  llvm::Instruction* entry_end_ = nullptr;  ///< entry-block loads go before it
  std::vector<std::pair<std::uint64_t, llvm::Value*>> entry_loads_;
  std::vector<llvm::LoadInst*> memory_loads_;
};

/// SIMD (lower_simd_*.cpp). False when the instruction is none of its own.
Result<bool> lower_simd(FunctionLowering& lowering, const Instruction& instruction);

}  // namespace engine::compiler
