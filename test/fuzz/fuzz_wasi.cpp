// Sequences of WASI calls with any arguments, in a directory with links that lead out of it:
// nothing outside of the directory changes, and the sanitizers watch over the host's memory.
#include <fcntl.h>
#include <fuzzer/FuzzedDataProvider.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "engine/wasi/functions.hpp"

namespace {

namespace fs = std::filesystem;
using namespace engine;

constexpr std::size_t kMemory = 8192;
constexpr std::size_t kPathSize = 24;
constexpr std::array<std::string_view, 12> kPaths = {
    "file", "dir",     "dir/file", "link-out", "link-out/secret", "../outside/secret",
    "/tmp", "dir/../", "new",      "dir/new",  "link-out/",       "to-secret"};

/// Arguments of one call. Those that mean something are likelier than others: the directory's
/// descriptor, small flags, and places of paths, which their size follows.
class Arguments {
 public:
  explicit Arguments(FuzzedDataProvider& in) : in_(in) {}

  template <typename T>
  T next() {
    if (std::exchange(after_path_, false) && in_.ConsumeIntegralInRange(0, 7) > 0) {
      return static_cast<T>(kPathSize);
    }
    switch (in_.ConsumeIntegralInRange(0, 4)) {
      case 0:
        return in_.ConsumeIntegral<T>();
      case 1:
        return in_.ConsumeIntegralInRange<T>(0, 3);
      case 2:
        return T{3};
      default:
        after_path_ = true;
        return static_cast<T>(kPathSize *
                              in_.ConsumeIntegralInRange<std::size_t>(0, kPaths.size() - 1));
    }
  }

 private:
  FuzzedDataProvider& in_;
  bool after_path_ = false;
};

struct Entry {
  std::string_view name;
  const void* function;
  void (*invoke)(const void*, VmHostFunction*, FuzzedDataProvider&);
};

template <typename Returned, typename... Parameters>
Entry entry_of(std::string_view name, Returned (*function)(VmHostFunction*, Parameters...)) {
  return {name, reinterpret_cast<const void*>(function),
          [](const void* erased, VmHostFunction* self, FuzzedDataProvider& in) {
            // Safety: erased comes from a pointer of this very type, three lines above.
            const auto typed = reinterpret_cast<Returned (*)(VmHostFunction*, Parameters...)>(
                const_cast<void*>(erased));
            Arguments arguments(in);
            // Braces: in this order.
            const std::tuple<Parameters...> drawn{arguments.next<Parameters>()...};
            std::apply([&](Parameters... values) { typed(self, values...); }, drawn);
          }};
}

std::vector<Entry> all_functions() {
  std::vector<Entry> out;
  wasi::for_each_function([&out](std::string_view, std::string_view name, auto function) {
    // It may wait as long as the guest pleases.
    if (name != "poll_oneoff") out.push_back(entry_of(name, function));
  });
  return out;
}

void write(const fs::path& path, std::string_view text) {
  const auto fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (!fd || !base::write_all(fd->get(), text, path.native())) std::abort();
}

void make_tree(const fs::path& dir) {
  fs::create_directories(dir / "inside/dir");
  fs::create_directory(dir / "outside");
  write(dir / "outside/secret", "secret");
  write(dir / "inside/file", "file");
  write(dir / "inside/dir/file", "file");
  fs::create_symlink("../outside", dir / "inside/link-out");
  fs::create_symlink("../outside/secret", dir / "inside/to-secret");
}

void check_outside(const fs::path& dir) {
  const auto text = base::read_file(dir / "outside/secret", 100);
  const auto entries = std::distance(fs::directory_iterator(dir / "outside"), {});
  const auto beside = std::distance(fs::directory_iterator(dir), {});
  if (!text || *text != "secret" || entries != 1 || beside != 2) std::abort();
  if (fs::hard_link_count(dir / "outside/secret") != 1) std::abort();
}

std::vector<std::byte> guest_memory() {
  std::vector<std::byte> out(kMemory);
  for (std::size_t i = 0; i < kPaths.size(); ++i) {
    // All of one size: "./////file".
    std::string path = kPaths[i].starts_with('/') ? "/" : "./";
    path.resize(kPathSize - kPaths[i].size(), '/');
    path += kPaths[i];
    std::memcpy(out.data() + i * kPathSize, path.data(), kPathSize);
  }
  return out;
}

void limit_files() {
  const rlimit limit{.rlim_cur = 16 << 20, .rlim_max = 16 << 20};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Entry> functions = all_functions();
  static const bool limited = (limit_files(), true);
  static_cast<void>(limited);
  FuzzedDataProvider in(data, size);
  const base::TempDir dir;
  make_tree(dir.path());

  wasi::WasiOptions options;
  options.arguments = {"guest"};
  wasi::Preopen& preopen = options.preopens.emplace_back();
  preopen.directory = base::open_file(dir.path() / "inside", O_RDONLY | O_DIRECTORY).value();
  preopen.guest_path = "/";
  preopen.sandbox = in.ConsumeBool() ? wasi::Sandbox::InRoot : wasi::Sandbox::Beneath;
  options.memory_of = [](const VmContext* caller) {
    return std::span(*static_cast<std::vector<std::byte>*>(caller->instance));
  };
  wasi::WasiContext context = wasi::make_context(std::move(options)).value();
  std::vector<std::byte> memory = guest_memory();
  VmStore store{};
  VmContext caller{
      .stack_limit = nullptr, .store = &store, .builtins = nullptr, .instance = &memory};
  VmHostFunction self{.function = nullptr, .data = &context, .caller = &caller};
  for (int calls = 0; calls < 64 && in.remaining_bytes() > 0; ++calls) {
    const Entry& entry = functions[in.ConsumeIntegralInRange<std::size_t>(0, functions.size() - 1)];
    entry.invoke(entry.function, &self, in);
  }
  check_outside(dir.path());
  return 0;
}
