// See keep_traps.hpp.
#include "engine/compiler/keep_traps.hpp"

#include <llvm/CodeGen/MachineFunction.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineInstr.h>
#include <llvm/CodeGen/TargetInstrInfo.h>
#include <llvm/CodeGen/TargetSubtargetInfo.h>

#include <memory>

namespace engine::compiler {
namespace {

class KeepTraps : public llvm::MachineFunctionPass {
 public:
  KeepTraps() : MachineFunctionPass(pass_id_) {}

  bool runOnMachineFunction(llvm::MachineFunction& function) override {
    const llvm::TargetInstrInfo& instructions = *function.getSubtarget().getInstrInfo();
    for (llvm::MachineBasicBlock& block : function) {
      for (llvm::MachineInstr& instruction : block) {
        if (instructions.getName(instruction.getOpcode()) == "UBSAN_UD1") {
          instruction.setFlag(llvm::MachineInstr::NoMerge);
        }
      }
    }
    return false;
  }

 private:
  static inline char pass_id_ = 0;  // LLVM tells passes apart by its address
};

}  // namespace

llvm::MachineFunctionPass* create_keep_traps_pass() {
  return std::make_unique<KeepTraps>().release();  // the pass manager takes ownership
}

}  // namespace engine::compiler
