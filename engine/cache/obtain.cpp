#include "engine/cache/obtain.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.hpp"
#include "engine/artifact/cpu.hpp"
#include "engine/artifact/writer.hpp"
#include "engine/compiler/compile.hpp"

namespace engine::cache {
namespace {

/// Most modules take less than this to compile.
constexpr std::chrono::seconds kPatience{20};

base::Result<compiler::CpuLevel> host_level() {
  const auto level = compiler::host_cpu_level();
  if (!level) return std::unexpected(to_base_error(level.error()));
  return *level;
}

base::Result<base::UniqueFd> anonymous_file() {
  base::UniqueFd file(::memfd_create("wherry-artifact", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return base::fail_errno("memfd_create", "wherry-artifact");
  return file;
}

/// The result for this start alone: sealed, since nobody authenticates it.
base::Result<base::UniqueFd> seal(const base::UniqueFd& file) {
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0)
    return base::fail_errno("fcntl", "F_ADD_SEALS");
  return base::open_file("/proc/self/fd/" + std::to_string(file.get()), O_RDONLY);
}

base::Result<CompileReport> compile_to(int output, int module, std::string_view subject,
                                       const ObtainOptions& options) {
  const auto level = TRY(host_level());
  // An earlier attempt has read it to its end, and processes share the offset.
  if (::lseek(module, 0, SEEK_SET) != 0) return base::fail_errno("lseek", subject);
  const std::string compiler = TRY(options.find_compiler());
  return base::with_context(compile_in_process(compiler, module, output,
                                               compiler::cpu_level_name(level), options.progress),
                            "compile " + std::string(subject));
}

base::Result<Obtained> compile_without_cache(int module, std::string_view subject,
                                             const ObtainOptions& options, std::string warning) {
  Obtained out;
  out.warnings.push_back(std::move(warning));
  const base::UniqueFd file = TRY(anonymous_file());
  out.report = TRY(compile_to(file.get(), module, subject, options));
  out.compiled = true;
  out.artifact = TRY(seal(file));
  return out;
}

}  // namespace

base::Result<base::Sha256> key_for(const base::Sha256& module_digest) {
  compiler::CompileOptions options;
  options.cpu = TRY(host_level());
  artifact::ArtifactKey key;
  key.module_digest = module_digest;
  key.compiler = compiler::compiler_version();
  key.options = compiler::options_fingerprint(options);
  key.cpu_features = TRY(artifact::features_of_level(compiler::cpu_level_name(options.cpu)));
  return artifact::digest_of(key);
}

base::Result<std::optional<base::UniqueFd>> look_up(const Cache& cache, int module,
                                                    std::string_view subject) {
  const base::Sha256 digest = TRY(cache.digest_of(module, subject));
  return cache.find(TRY(key_for(digest)));
}

base::Result<Obtained> obtain(const std::string& cache_directory, int module,
                              std::string_view subject, const ObtainOptions& options) {
  const base::Result<Cache> cache = Cache::open(cache_directory);
  if (!cache) {
    return compile_without_cache(module, subject, options,
                                 "cache not used: " + cache.error().message());
  }
  Obtained out;
  const base::Sha256 digest = TRY(cache->digest_of(module, subject));
  out.key = TRY(key_for(digest));
  if (auto found = cache->find(out.key)) {
    out.artifact = std::move(*found);
    return out;
  }
  const base::Result<Flight> flight = cache->begin_flight(out.key);
  base::Result<base::UniqueFd> file = cache->new_file();
  if (!flight || !file) {
    const base::Error& error = flight ? file.error() : flight.error();
    return compile_without_cache(module, subject, options,
                                 "cannot keep the compiled module: " + error.message());
  }
  if (auto found = cache->find(out.key)) {  // whoever held the lock before has compiled it
    out.artifact = std::move(*found);
    return out;
  }
  const base::Result<Flight> turn = cache->begin_turn(kPatience);
  base::Result<CompileReport> report = compile_to(file->get(), module, subject, options);
  if (!report && report.error().kind() == base::ErrorKind::System) {
    // A full disk ends a compile that memory could hold.
    return compile_without_cache(module, subject, options,
                                 "cannot keep the compiled module: " + report.error().message());
  }
  out.report = TRY(std::move(report));
  out.compiled = true;
  base::Result<base::UniqueFd> published = base::with_context(
      cache->publish(std::move(*file), out.key), "publish " + std::string(subject));
  if (!published && published.error().kind() == base::ErrorKind::System) {
    return compile_without_cache(module, subject, options,
                                 "cannot keep the compiled module: " + published.error().message());
  }
  out.artifact = TRY(std::move(published));
  return out;
}

}  // namespace engine::cache
