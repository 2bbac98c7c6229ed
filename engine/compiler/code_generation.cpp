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

void optimise(llvm::Module& module, llvm::TargetMachine& target, Effort effort) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = effort == Effort::Full;
  tuning.SLPVectorization = effort == Effort::Full;
  tuning.LoopInterleaving = effort == Effort::Full;
  llvm::PassBuilder builder(&target, tuning);
  // No function of libc exists where this code runs.
  llvm::TargetLibraryInfoImpl library(target.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  if (effort == Effort::Full) {
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
    return;
  }
  llvm::ModulePassManager cheap;
  if (!builder.parsePassPipeline(
          cheap, "function(sroa,early-cse,simplifycfg,instcombine<no-verify-fixpoint>,dce)")) {
    cheap.run(module, modules);
  }
}

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

Result<ObjectCode> generate_object(llvm::Module& module, std::string_view cpu, Effort effort,
                                   bool verify) {
  const std::unique_ptr<llvm::LLVMTargetMachine> target = make_target(cpu, effort);
  if (!target) return fail(ErrorKind::System, "internal: LLVM has no x86-64 target");
  module.setTargetTriple(kTriple);
  module.setDataLayout(target->createDataLayout());
  if (verify) TRY(check(module, "before"));
  optimise(module, *target, effort);
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
