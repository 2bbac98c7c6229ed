// wherry cache
#include <algorithm>

#include "engine/cache/cache.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/quantity.hpp"

namespace runtime::cli {
namespace {

constexpr Option kOptions[] = {
    {"unused-for", 0, OptionKind::Value, "TIME", "of prune: not used for this time (720h)"},
    {"max-size", 0, OptionKind::Value, "SIZE",
     "of prune: what may stay, as in 500m, 4g (no limit)"},
};

base::Result<int> list(const engine::cache::Cache& cache) {
  std::string out =
      "KEY                                                               SIZE        "
      "CPU         COMPILER\n";
  for (const engine::cache::Entry& entry : TRY(cache.list())) {
    std::string size = std::to_string(entry.size);
    size.resize(std::max<std::size_t>(size.size(), 10), ' ');
    out += entry.key + "  " + size + "  " + entry.target_cpu + "   " + entry.compiler + "\n";
  }
  print(out);
  return 0;
}

base::Result<int> verify(const engine::cache::Cache& cache) {
  int bad = 0;
  for (const engine::cache::Entry& entry : TRY(cache.list())) {
    const base::Result<void> verified = cache.verify(entry.key);
    print(entry.key + (verified ? "  good\n" : "  " + verified.error().message() + "\n"));
    if (!verified) {
      ++bad;
      static_cast<void>(TRY(cache.remove(entry.key)));
    }
  }
  return bad == 0 ? 0 : 1;
}

base::Result<int> remove(const engine::cache::Cache& cache, std::span<const std::string> keys) {
  for (const std::string& key : keys) {
    if (!TRY(cache.remove(key))) {
      return base::fail(base::ErrorKind::NotFound, "no artifact " + key);
    }
  }
  return 0;
}

base::Result<int> prune(const engine::cache::Cache& cache, const Arguments& arguments) {
  const std::string age = arguments.value("unused-for").value_or("720h");
  const auto unused_for = TRY(parse_duration(age, "unused-for"));
  std::uint64_t most = ~std::uint64_t{0};
  if (const auto size = arguments.value("max-size")) most = TRY(parse_size(*size, "max-size"));
  const auto pruned =
      TRY(cache.prune(std::chrono::duration_cast<std::chrono::seconds>(unused_for), most));
  print("removed " + std::to_string(pruned.artifacts) + " artifacts, " +
        std::to_string(pruned.bytes) + " bytes\n");
  return 0;
}

base::Result<int> run(const Invocation& invocation) {
  const std::vector<std::string>& words = invocation.arguments.positional();
  const auto cache = TRY(engine::cache::Cache::open(engine::cache::default_directory()));
  if (words[0] == "list") return list(cache);
  if (words[0] == "verify") return verify(cache);
  if (words[0] == "remove") return remove(cache, std::span(words).subspan(1));
  if (words[0] == "prune") return prune(cache, invocation.arguments);
  return base::fail(base::ErrorKind::Invalid, "no such command: cache " + words[0]);
}

}  // namespace

constinit const Command kCache{
    .name = "cache",
    .synopsis = "list | verify | prune | remove <key>...",
    .summary = "look after the cache of compiled modules",
    .description =
        "list shows what is there; verify hashes everything and removes what is not as it was\n"
        "published (exit status 1 then); prune removes what no start has looked up for long, and "
        "then the\n"
        "longest unused until the rest is small enough; remove takes artifacts out. Running guests "
        "keep\n"
        "theirs.",
    .options = kOptions,
    .least_arguments = 1,
    .most_arguments = kAnyNumber,
    .run = run,
};

}  // namespace runtime::cli
