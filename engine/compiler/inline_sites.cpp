// See inline_sites.hpp.
#include "engine/compiler/inline_sites.hpp"

#include <llvm/ADT/DenseMap.h>
#include <llvm/CodeGen/MachineFunction.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineInstr.h>
#include <llvm/IR/DebugInfoMetadata.h>

#include <memory>

namespace engine::compiler {
namespace {

class InlineSites : public llvm::MachineFunctionPass {
 public:
  explicit InlineSites(InlineOrigins& out) : MachineFunctionPass(pass_id_), out_(out) {}

  bool runOnMachineFunction(llvm::MachineFunction& function) override {
    llvm::DISubprogram* owner = function.getFunction().getSubprogram();
    for (llvm::MachineBasicBlock& block : function) {
      for (llvm::MachineInstr& instruction : block.instrs()) {
        const llvm::DILocation* location = instruction.getDebugLoc().get();
        if (!location || !location->getInlinedAt()) continue;
        instruction.setDebugLoc(
            llvm::DILocation::get(owner->getContext(), line_of(location), 0, owner));
      }
    }
    return false;
  }

 private:
  unsigned line_of(const llvm::DILocation* location) {
    const auto [known, is_new] =
        lines_.try_emplace(location, kInlinedLine | static_cast<unsigned>(out_.origins.size()));
    if (is_new) {
      const InlineOrigins::Origin origin{location->getLine(), site_of(location)};
      out_.origins.push_back(origin);
    }
    return known->second;
  }

  /// The site of the function that the location lies in. A call has one location, distinct from
  /// that of any other, so it identifies the site. Not deeper than LLVM inlines.
  std::uint32_t site_of(const llvm::DILocation* location) {
    const llvm::DILocation* call = location->getInlinedAt();
    if (!call) return artifact::kNoSite;
    const std::uint32_t outer = site_of(call);
    const std::uint32_t function = location->getScope()->getSubprogram()->getLine();
    const auto [known, is_new] =
        sites_.try_emplace(std::pair(call, function), static_cast<unsigned>(out_.sites.size()));
    if (is_new) out_.sites.push_back({function, call->getLine(), outer});
    return known->second;
  }

  static inline char pass_id_ = 0;  // LLVM tells passes apart by its address

  InlineOrigins& out_;
  // Looked up only: their order, which is that of addresses, reaches nothing.
  llvm::DenseMap<const llvm::DILocation*, unsigned> lines_;
  llvm::DenseMap<std::pair<const llvm::DILocation*, unsigned>, unsigned> sites_;
};

}  // namespace

llvm::MachineFunctionPass* create_inline_sites_pass(InlineOrigins& out) {
  return std::make_unique<InlineSites>(out).release();  // the pass manager takes ownership
}

}  // namespace engine::compiler
