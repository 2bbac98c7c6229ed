// The compiler's main path: plan chunks, compile them on worker threads (each with an LLVMContext
// of its own), link the objects in the order of the plan.
#include "engine/compiler/compile.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <numeric>
#include <optional>
#include <set>
#include <thread>

#include "base/result.hpp"
#include "engine/compiler/chunk_module.hpp"
#include "engine/compiler/chunk_plan.hpp"
#include "engine/compiler/code_generation.hpp"
#include "engine/compiler/function_lowering.hpp"
#include "engine/compiler/link.hpp"
#include "engine/compiler/trampolines.hpp"

namespace engine::compiler {
namespace {

Result<ObjectCode> compile_chunk(const ModuleShape& shape, const Chunk& chunk,
                                 const CompileOptions& options) {
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  const std::string_view cpu = cpu_level_name(options.cpu);
  ChunkModule code(context, shape, cpu);
  for (const std::uint32_t function : chunk.functions) {
    TRY(FunctionLowering(code, function).run());
    if (!shape.visible[function]) {
      code.function(function)->setVisibility(llvm::GlobalValue::DefaultVisibility);
      code.function(function)->setLinkage(llvm::GlobalValue::InternalLinkage);
    }
  }
  for (const std::uint32_t function : chunk.imports) {
    TRY(FunctionLowering(code, function).run());
    code.function(function)->setLinkage(llvm::GlobalValue::AvailableExternallyLinkage);
  }
  code.finish();
  return generate_object(code.module, cpu, chunk.effort, options.verify);
}

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
  return generate_object(code.module, cpu, Effort::Full, options.verify);
}

/// Hands out chunks, largest first, until all are compiled or one has failed.
class WorkQueue {
 public:
  WorkQueue(const ModuleShape& shape, std::span<const Chunk> chunks, const CompileOptions& options,
            const Progress& progress)
      : shape_(shape), chunks_(chunks), options_(options), progress_(progress) {
    order_.resize(chunks.size());
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::sort(order_, [&](std::size_t left, std::size_t right) {
      return std::pair(chunks_[right].bytes, left) < std::pair(chunks_[left].bytes, right);
    });
    objects_.resize(chunks.size());
    for (const Chunk& chunk : chunks) total_ += chunk.bytes;
  }

  Result<std::vector<ObjectCode>> run() {
    const std::size_t count =
        std::clamp<std::size_t>(options_.threads, 1, std::max<std::size_t>(chunks_.size(), 1));
    std::vector<std::jthread> workers;
    for (std::size_t i = 1; i < count; ++i) workers.emplace_back([this] { work(); });
    work();
    workers.clear();
    if (error_) return std::unexpected(std::move(*error_));
    return std::move(objects_);
  }

 private:
  void work() {
    for (std::size_t turn = next_++; turn < order_.size(); turn = next_++) {
      const std::size_t chunk = order_[turn];
      auto object = compile_chunk(shape_, chunks_[chunk], options_);
      const std::scoped_lock lock(mutex_);
      if (!object) {
        if (!error_) error_ = std::move(object.error());
        next_ = order_.size();
        return;
      }
      objects_[chunk] = *std::move(object);
      done_ += chunks_[chunk].bytes;
      if (progress_) progress_(done_, total_);
    }
  }

  const ModuleShape& shape_;
  std::span<const Chunk> chunks_;
  const CompileOptions& options_;
  const Progress& progress_;
  std::vector<std::size_t> order_;
  std::vector<ObjectCode> objects_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;  // for what follows
  std::optional<Error> error_;
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
  auto objects = TRY(WorkQueue(shape, chunks, options, progress).run());
  objects.push_back(TRY(compile_trampolines(shape, options)));
  artifact::CompiledCode out = TRY(link_objects(module, objects));
  out.target_cpu = cpu_level_name(options.cpu);
  for (const Chunk& chunk : chunks) {
    (chunk.effort == Effort::Full ? out.bytes_o2 : out.bytes_o1) += chunk.bytes;
  }
  return out;
}

}  // namespace engine::compiler
