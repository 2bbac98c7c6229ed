// The compiler's main path: plan chunks, compile them on worker threads (each with an LLVMContext
// of its own), link the objects in the order of the plan.
#include "engine/compiler/compile.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>
#include <span>
#include <string>

#include "base/result.hpp"
#include "engine/compiler/chunk_module.hpp"
#include "engine/compiler/chunk_plan.hpp"
#include "engine/compiler/code_generation.hpp"
#include "engine/compiler/function_lowering.hpp"
#include "engine/compiler/link.hpp"
#include "engine/compiler/module_split.hpp"
#include "engine/compiler/trampolines.hpp"
#include "engine/compiler/work_queue.hpp"

namespace engine::compiler {
namespace {

/// A module of few chunks is cut once more after inlining, so that all cores have work.
constexpr std::size_t kLeastObjects = 4;

Result<ObjectCode> compile_trampolines(const ModuleShape& shape, const CompileOptions& options) {
  const Module& module = *shape.module;
  std::set<std::uint32_t> entries;
  std::set<std::uint32_t> hosts;
  for (const std::uint32_t function : module.referenced_functions) {
    entries.insert(module.functions[function].type);
  }
  if (module.start) entries.insert(module.functions[*module.start].type);
  for (std::uint32_t f = 0; f < module.imported_functions; ++f) {
    hosts.insert(module.functions[f].type);
  }
  llvm::LLVMContext context;
  const std::string_view cpu = cpu_level_name(options.cpu);
  ChunkModule code(context, shape, cpu);
  for (const std::uint32_t type : entries) build_entry_trampoline(code, type);
  for (const std::uint32_t type : hosts) build_host_trampoline(code, type);
  code.finish();
  TRY(simplify(code.module, cpu, Effort::Full, options.verify));
  return generate_object(code.module, cpu, Effort::Full, options.verify);
}

/// Compiles all chunks of a module, largest first.
class ChunkCompiler {
 public:
  ChunkCompiler(const ModuleShape& shape, std::span<const Chunk> chunks,
                const CompileOptions& options, const Progress& progress)
      : shape_(shape), chunks_(chunks), options_(options), progress_(progress) {
    objects_.resize(chunks.size());
    for (const Chunk& chunk : chunks) total_ += chunk.bytes;
  }

  /// The trampolines' object comes last.
  Result<std::vector<ObjectCode>> run() {
    std::vector<std::size_t> order(chunks_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t left, std::size_t right) {
      return std::pair(chunks_[right].bytes, left) < std::pair(chunks_[left].bytes, right);
    });
    for (const std::size_t chunk : order) {
      queue_.add([this, chunk] { return compile_chunk(chunk); });
    }
    ObjectCode trampolines;
    queue_.add([&]() -> Result<void> {
      trampolines = TRY(compile_trampolines(shape_, options_));
      return {};
    });
    TRY(queue_.run(std::max<std::uint32_t>(options_.threads, 1)));
    std::vector<ObjectCode> out;
    for (std::vector<ObjectCode>& parts : objects_) {
      std::ranges::move(parts, std::back_inserter(out));
    }
    out.push_back(std::move(trampolines));
    return out;
  }

 private:
  Result<void> compile_chunk(std::size_t index) {
    const Chunk& chunk = chunks_[index];
    llvm::LLVMContext context;
    context.setDiscardValueNames(true);
    ChunkModule code(context, shape_, cpu_);
    TRY(lower(chunk, code));
    TRY(simplify(code.module, cpu_, chunk.effort, options_.verify));
    const std::size_t parts = (kLeastObjects + chunks_.size() - 1) / chunks_.size();
    if (parts == 1 || chunk.effort == Effort::Cheap) {
      objects_[index].push_back(
          TRY(generate_object(code.module, cpu_, chunk.effort, options_.verify)));
      report(chunk.bytes);
      return {};
    }
    const auto split = std::make_shared<const SplitModule>(
        split_module(code.module, parts, std::to_string(index)));
    objects_[index].resize(split->parts.size());
    for (std::size_t part = 0; part < split->parts.size(); ++part) {
      queue_.add([this, index, split, part] { return compile_part(index, *split, part); });
    }
    return {};
  }

  Result<void> lower(const Chunk& chunk, ChunkModule& code) const {
    for (const std::uint32_t function : chunk.functions) {
      TRY(FunctionLowering(code, function).run());
      if (!shape_.visible[function]) {
        code.function(function)->setVisibility(llvm::GlobalValue::DefaultVisibility);
        code.function(function)->setLinkage(llvm::GlobalValue::InternalLinkage);
      }
    }
    for (const std::uint32_t function : chunk.imports) {
      TRY(FunctionLowering(code, function).run());
      code.function(function)->setLinkage(llvm::GlobalValue::AvailableExternallyLinkage);
    }
    code.finish();
    return {};
  }

  Result<void> compile_part(std::size_t chunk, const SplitModule& split, std::size_t part) {
    llvm::LLVMContext context;
    const auto module = TRY(read_part(split, part, context));
    objects_[chunk][part] = TRY(generate_object(*module, cpu_, Effort::Full, options_.verify));
    const std::size_t parts = split.parts.size();
    const std::uint64_t bytes = chunks_[chunk].bytes;
    report(bytes * (part + 1) / parts - bytes * part / parts);
    return {};
  }

  void report(std::uint64_t bytes) {
    const std::scoped_lock lock(mutex_);
    done_ += bytes;
    if (progress_) progress_(done_, total_);
  }

  const ModuleShape& shape_;
  std::span<const Chunk> chunks_;
  const CompileOptions& options_;
  const Progress& progress_;
  const std::string_view cpu_ = cpu_level_name(options_.cpu);
  WorkQueue queue_;
  std::vector<std::vector<ObjectCode>> objects_;  // by chunk; its parts
  std::mutex mutex_;                              // for done_ and calls of progress_
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<artifact::CompiledCode> compile(const Module& module, const CompileOptions& options,
                                       const Progress& progress) {
  static const bool target_ready = initialise_target();
  if (!target_ready) return fail(ErrorKind::System, "internal: LLVM lacks an option that we set");
  ModuleShape shape = module_shape(module);
  const std::vector<Chunk> chunks = TRY(plan_chunks(module, options, shape));
  const auto objects = TRY(ChunkCompiler(shape, chunks, options, progress).run());
  artifact::CompiledCode out = TRY(link_objects(module, objects));
  out.target_cpu = cpu_level_name(options.cpu);
  for (const Chunk& chunk : chunks) {
    (chunk.effort == Effort::Full ? out.bytes_o2 : out.bytes_o1) += chunk.bytes;
  }
  return out;
}

}  // namespace engine::compiler
