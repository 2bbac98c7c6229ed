// A machine pass that keeps trap instructions apart. LLVM 19 drops `nomerge` from llvm.ubsantrap,
// and branch folding would merge equal traps of a function, with one position left for all of them.
#pragma once

namespace llvm {
class MachineFunctionPass;
}

namespace engine::compiler {

/// To run between instruction selection and branch folding.
llvm::MachineFunctionPass* create_keep_traps_pass();

}  // namespace engine::compiler
