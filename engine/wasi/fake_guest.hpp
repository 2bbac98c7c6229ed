// For tests: a guest made of 64 KiB of memory and no code, from which WASI functions are called the
// way compiled code calls them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {

/// What a test opens a file with.
struct OpenOptions {
  std::uint32_t oflags = 0;
  Rights base = rights::kFdRead;
  std::uint32_t fdflags = 0;
  Rights inheriting = 0;
  std::uint32_t lookup = kLookupSymlinkFollow;
};

class FakeGuest {
 public:
  static constexpr std::size_t kMemory = 65536;
  /// Where tests put what they pass; results go to `kResult`.
  static constexpr Address kPath = 0x1000;
  static constexpr Address kPath2 = 0x3000;
  static constexpr Address kBuffer = 0x8000;
  static constexpr Address kIovs = 0x5000;
  static constexpr Address kResult = 0x6000;

  explicit FakeGuest(WasiOptions options) {
    options.memory_of = [](const VmContext* caller) {
      return std::span(*static_cast<std::vector<std::byte>*>(caller->instance));
    };
    context = make_context(std::move(options)).value();
    vm_context_.store = &store;
    vm_context_.instance = &memory;
    self_ = {.function = nullptr, .data = &context, .caller = &vm_context_};
  }

  template <auto kFunction, typename... Arguments>
  Errno call(Arguments... arguments) {
    return static_cast<Errno>(call_entry(&HostEntry<kFunction>::call, arguments...));
  }

  template <typename T>
  T get(Address at) const {
    T value;
    std::memcpy(&value, memory.data() + at, sizeof(T));
    return value;
  }
  template <typename T>
  void put(Address at, const T& value) {
    std::memcpy(memory.data() + at, &value, sizeof(T));
  }
  Size put_text(Address at, std::string_view text) {
    std::memcpy(memory.data() + at, text.data(), text.size());
    return static_cast<Size>(text.size());
  }
  std::string text(Address at, std::size_t size) const {
    std::string out(size, '\0');
    std::memcpy(out.data(), memory.data() + at, size);
    return out;
  }

  /// One iovec at kIovs.
  void put_iovec(Address buffer, Size length) { put(kIovs, Iovec{buffer, length}); }

  Errno open(Fd directory, std::string_view path, OpenOptions options, Fd& opened) {
    const Size size = put_text(kPath, path);
    const Errno error = call<path_open>(directory, options.lookup, kPath, size, options.oflags,
                                        options.base, options.inheriting, options.fdflags, kResult);
    opened = get<Fd>(kResult);
    return error;
  }
  Errno open(Fd directory, std::string_view path, OpenOptions options = {}) {
    Fd ignored = 0;
    return open(directory, path, options, ignored);
  }
  std::string read(Fd fd) {
    put_iovec(kBuffer, 4096);
    if (call<fd_read>(fd, kIovs, 1U, kResult) != Errno::Success) return "<unreadable>";
    return text(kBuffer, get<Size>(kResult));
  }

  WasiContext context;
  VmStore store{};
  std::vector<std::byte> memory = std::vector<std::byte>(kMemory);

 private:
  template <typename Returned, typename... Parameters, typename... Arguments>
  Returned call_entry(Returned (*entry)(VmHostFunction*, Parameters...), Arguments... arguments) {
    return entry(&self_, static_cast<Parameters>(arguments)...);
  }

  VmContext vm_context_{};
  VmHostFunction self_{};
};

/// A guest with a directory preopened as 3; what lies beside it is out of bounds.
class GuestWithDirectory : public ::testing::Test {
 protected:
  explicit GuestWithDirectory(Sandbox sandbox = Sandbox::Beneath, bool read_only = false)
      : guest_(options(dir_.path(), sandbox, read_only)) {}

  static constexpr Fd kDir = 3;

  std::filesystem::path inside() const { return dir_.path() / "inside"; }
  std::filesystem::path outside() const { return dir_.path() / "outside"; }
  static void write(const std::filesystem::path& path, std::string_view text) {
    const base::UniqueFd fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644).value();
    ASSERT_TRUE(base::write_all(fd.get(), text, path.native()));
  }
  static std::string read(const std::filesystem::path& path) {
    return base::read_file(path, 1 << 20).value();
  }

 private:
  static WasiOptions options(const std::filesystem::path& dir, Sandbox sandbox, bool read_only) {
    std::filesystem::create_directory(dir / "inside");
    std::filesystem::create_directory(dir / "outside");
    write(dir / "outside/secret", "secret");
    WasiOptions out;
    Preopen& preopen = out.preopens.emplace_back();
    preopen.directory = base::open_file(dir / "inside", O_RDONLY | O_DIRECTORY).value();
    preopen.guest_path = "/";
    preopen.sandbox = sandbox;
    preopen.read_only = read_only;
    return out;
  }

  base::TempDir dir_;

 protected:
  FakeGuest guest_;
};

}  // namespace engine::wasi
