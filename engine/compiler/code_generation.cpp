// See code_generation.hpp. FPOpFusion stays Strict: wasm has no contraction.
#include "engine/compiler/code_generation.hpp"

#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>

#include <cstring>
#include <memory>

#include "base/result.hpp"
#include "engine/compiler/keep_traps.hpp"

namespace engine::compiler {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

Result<void> check(llvm::Module& module, std::string_view when) {
  std::string text;
  llvm::raw_string_ostream out(text);
  if (!llvm::verifyModule(module, &out)) return {};
  return fail(ErrorKind::System,
              "internal: broken code " + std::string(when) + " optimisation: " + text);
}

std::unique_ptr<llvm::LLVMTargetMachine> make_target(std::string_view cpu, Effort effort) {
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, error);
  if (!target) return nullptr;
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const auto level =
      effort == Effort::Full ? llvm::CodeGenOptLevel::Default : llvm::CodeGenOptLevel::None;
  // Every target that generates code is an LLVMTargetMachine.
  return std::unique_ptr<llvm::LLVMTargetMachine>(static_cast<llvm::LLVMTargetMachine*>(
      target->createTargetMachine(kTriple, llvm::StringRef(cpu.data(), cpu.size()), "", options,
                                  llvm::Reloc::PIC_, llvm::CodeModel::Small, level)));
}

/// LLVM's analyses over one module, and the builder of its pipelines.
class Pipeline {
 public:
  Pipeline(llvm::TargetMachine& target, Effort effort)
      : library_(target.getTargetTriple()), builder_(&target, tuning(effort)) {
    // No function of libc exists where this code runs.
    library_.disableAllFunctions();
    functions_.registerPass([this] { return llvm::TargetLibraryAnalysis(library_); });
    builder_.registerModuleAnalyses(modules_);
    builder_.registerCGSCCAnalyses(components_);
    builder_.registerFunctionAnalyses(functions_);
    builder_.registerLoopAnalyses(loops_);
    builder_.crossRegisterProxies(loops_, functions_, components_, modules_);
  }

  /// Everything that wants to see callees: inlining, constants across calls.
  void simplify(llvm::Module& module) {
    llvm::ModulePassManager passes = builder_.buildModuleSimplificationPipeline(
        llvm::OptimizationLevel::O2, llvm::ThinOrFullLTOPhase::None);
    passes.addPass(llvm::GlobalDCEPass());
    passes.run(module, modules_);
  }

  /// The rest: vectorizers, unrolling.
  void optimise(llvm::Module& module) {
    builder_
        .buildModuleOptimizationPipeline(llvm::OptimizationLevel::O2,
                                         llvm::ThinOrFullLTOPhase::None)
        .run(module, modules_);
  }

  void tidy(llvm::Module& module) {
    llvm::ModulePassManager cheap;
    if (!builder_.parsePassPipeline(
            cheap, "function(sroa,early-cse,simplifycfg,instcombine<no-verify-fixpoint>,dce)")) {
      cheap.run(module, modules_);
    }
  }

 private:
  static llvm::PipelineTuningOptions tuning(Effort effort) {
    llvm::PipelineTuningOptions out;
    out.LoopVectorization = effort == Effort::Full;
    out.SLPVectorization = effort == Effort::Full;
    out.LoopInterleaving = effort == Effort::Full;
    return out;
  }

  llvm::TargetLibraryInfoImpl library_;
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager components_;
  llvm::ModuleAnalysisManager modules_;
  llvm::PassBuilder builder_;
};

/// What addPassesToEmitFile does, with passes of ours after instruction selection and at the end.
bool add_machine_passes(llvm::LLVMTargetMachine& target, llvm::legacy::PassManager& passes,
                        InlineOrigins& inlining, llvm::raw_pwrite_stream& out) {
  // The pass manager owns what is added to it.
  auto* modules = std::make_unique<llvm::MachineModuleInfoWrapperPass>(&target).release();
  llvm::TargetPassConfig* config = target.createPassConfig(passes);
  config->setDisableVerify(true);
  config->insertPass(&llvm::FinalizeISelID, create_keep_traps_pass());
  passes.add(config);
  passes.add(modules);
  if (config->addISelPasses()) return false;
  config->addMachinePasses();
  config->setInitialized();
  passes.add(create_inline_sites_pass(inlining));
  const bool failed = target.addAsmPrinter(passes, out, nullptr, llvm::CodeGenFileType::ObjectFile,
                                           modules->getMMI().getContext());
  passes.add(llvm::createFreeMachineFunctionPass());
  return !failed;
}

/// Options that LLVM offers on its command line only; they hold for the whole process.
bool set_llvm_option(llvm::StringRef name, llvm::StringRef value) {
  llvm::StringMap<llvm::cl::Option*>& options = llvm::cl::getRegisteredOptions();
  const auto found = options.find(name);
  return found != options.end() && !found->second->addOccurrence(0, name, value);
}

}  // namespace

bool initialise_target() {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  // Wasm addresses are zero extensions of 32-bit sums. Widened to 64 bits, an induction variable
  // reaches them through a truncation, and the vectorizer no longer sees consecutive accesses.
  return set_llvm_option("indvars-widen-indvars", "false");
}

Result<void> simplify(llvm::Module& module, std::string_view cpu, Effort effort, bool verify) {
  const std::unique_ptr<llvm::LLVMTargetMachine> target = make_target(cpu, effort);
  if (!target) return fail(ErrorKind::System, "internal: LLVM has no x86-64 target");
  module.setTargetTriple(kTriple);
  module.setDataLayout(target->createDataLayout());
  if (verify) TRY(check(module, "before"));
  if (effort == Effort::Full) Pipeline(*target, effort).simplify(module);
  return {};
}

Result<ObjectCode> generate_object(llvm::Module& module, std::string_view cpu, Effort effort,
                                   bool verify) {
  const std::unique_ptr<llvm::LLVMTargetMachine> target = make_target(cpu, effort);
  if (!target) return fail(ErrorKind::System, "internal: LLVM has no x86-64 target");
  Pipeline pipeline(*target, effort);
  effort == Effort::Full ? pipeline.optimise(module) : pipeline.tidy(module);
  if (verify) TRY(check(module, "after"));
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream out(object);
  llvm::legacy::PassManager passes;
  ObjectCode code;
  if (!add_machine_passes(*target, passes, code.inlining, out)) {
    return fail(ErrorKind::System, "internal: LLVM cannot write objects");
  }
  passes.run(module);
  code.bytes.resize(object.size());
  std::memcpy(code.bytes.data(), object.data(), object.size());
  return code;
}

}  // namespace engine::compiler
