// See chunk_plan.hpp. Chunks are filled depth first along direct calls, from each function in the
// order of the module: callees land beside their first caller.
#include "engine/compiler/chunk_plan.hpp"

#include <algorithm>
#include <ranges>
#include <set>

#include "base/result.hpp"

namespace engine::compiler {
namespace {

class Planner {
 public:
  Planner(const Module& module, const CompileOptions& options, std::vector<BodySummary> bodies)
      : module_(module), options_(options), bodies_(std::move(bodies)) {
    home_.assign(bodies_.size(), kNone);
    std::uint64_t total = 0;
    for (const BodySummary& body : bodies_) total += body.instructions;
    // A very large module gets the full pipeline for its smaller functions only.
    giant_ = options.giant_instructions;
    if (total > options.module_instructions_o2) {
      giant_ = static_cast<std::uint32_t>(giant_ * options.module_instructions_o2 / total / 8);
    }
  }

  std::vector<Chunk> run(ModuleShape& shape) {
    for (const Effort effort : {Effort::Full, Effort::Cheap}) {
      open_ = kNone;
      for (std::uint32_t f = module_.imported_functions; f < bodies_.size(); ++f) fill(f, effort);
    }
    for (Chunk& chunk : chunks_) {
      if (chunk.effort == Effort::Full) add_imports(chunk);
      mark_visible(chunk, shape);
    }
    return std::move(chunks_);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  Effort effort_of(std::uint32_t function) const {
    return bodies_[function].instructions > giant_ ? Effort::Cheap : Effort::Full;
  }

  void fill(std::uint32_t root, Effort effort) {
    std::vector<std::uint32_t> pending{root};
    while (!pending.empty()) {
      const std::uint32_t function = pending.back();
      pending.pop_back();
      if (home_[function] != kNone || effort_of(function) != effort) continue;
      place(function, effort);
      for (const std::uint32_t callee : std::views::reverse(bodies_[function].callees)) {
        if (home_[callee] == kNone) pending.push_back(callee);
      }
    }
  }

  void place(std::uint32_t function, Effort effort) {
    if (open_ == kNone || used_ >= options_.chunk_instructions) {
      open_ = chunks_.size();
      chunks_.emplace_back().effort = effort;
      used_ = 0;
    }
    chunks_[open_].functions.push_back(function);
    chunks_[open_].bytes += module_.functions[function].body_size;
    used_ += bodies_[function].instructions;
    home_[function] = open_;
  }

  bool is_small(std::uint32_t function) const {
    return bodies_[function].instructions <= options_.import_instructions;
  }

  /// Small callees, and theirs.
  void add_imports(Chunk& chunk) {
    const std::size_t here = home_[chunk.functions.front()];
    std::set<std::uint32_t> found;
    std::vector<std::uint32_t> level = chunk.functions;
    for (int depth = 0; depth < 2; ++depth) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t function : level) {
        for (const std::uint32_t callee : bodies_[function].callees) {
          if (home_[callee] == here || !is_small(callee)) continue;
          if (found.insert(callee).second) next.push_back(callee);
        }
      }
      level = std::move(next);
    }
    chunk.imports.assign(found.begin(), found.end());
  }

  void mark_visible(const Chunk& chunk, ModuleShape& shape) {
    const std::size_t here = home_[chunk.functions.front()];
    const auto mark = [&](std::uint32_t caller) {
      for (const std::uint32_t callee : bodies_[caller].callees) {
        if (home_[callee] != here) shape.visible[callee] = true;
      }
    };
    std::ranges::for_each(chunk.functions, mark);
    for (const std::uint32_t copied : chunk.imports) {
      shape.visible[copied] = true;
      mark(copied);
    }
  }

  const Module& module_;
  const CompileOptions& options_;
  std::vector<BodySummary> bodies_;  // by function index; empty for imports
  std::vector<std::size_t> home_;    // chunk of each function
  std::vector<Chunk> chunks_;
  std::size_t open_ = kNone;  // chunk being filled
  std::uint64_t used_ = 0;    // its instructions
  std::uint32_t giant_ = 0;
};

}  // namespace

Result<std::vector<Chunk>> plan_chunks(const Module& module, const CompileOptions& options,
                                       ModuleShape& shape) {
  std::vector<BodySummary> bodies(module.functions.size());
  for (std::uint32_t f = module.imported_functions; f < bodies.size(); ++f) {
    bodies[f] = TRY(summarise_body(module, f));
  }
  return Planner(module, options, std::move(bodies)).run(shape);
}

}  // namespace engine::compiler
