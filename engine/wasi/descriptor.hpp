// The guest's descriptors: small numbers that stand for host descriptors, with rights. A guest
// never sees or names a host descriptor.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "engine/wasi/abi.hpp"
#include "engine/wasi/errno.hpp"
#include "engine/wasi/rights.hpp"

namespace engine::wasi {

/// Where paths that are given with a directory may lead.
enum class Sandbox : std::uint8_t {
  Beneath,  ///< leaving the directory, also by a link, is an error
  InRoot,   ///< the directory is the root: absolute links and ".." resolve inside it
};

/// A value that one thread may change while others use it; who sees it also sees what its thread
/// stored before.
template <typename T>
class Shared {
 public:
  Shared() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the value.
  Shared(T value) : value_(value) {}
  Shared(const Shared& other) : value_(T(other)) {}
  Shared& operator=(const Shared& other) { return *this = T(other); }
  Shared& operator=(T value) {
    value_.store(value, std::memory_order_release);
    return *this;
  }
  ~Shared() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the value.
  operator T() const { return value_.load(std::memory_order_acquire); }
  /// Takes the bits away that are not in `mask`.
  void keep(T mask) { value_.fetch_and(mask, std::memory_order_acq_rel); }

 private:
  std::atomic<T> value_{};
};

struct Descriptor {
  base::UniqueFd fd;
  /// Its kind is not known yet, and the rights are those that were asked for: describe() mends it.
  Shared<bool> undescribed = false;
  Shared<Filetype> filetype = Filetype::Unknown;
  Sandbox sandbox = Sandbox::Beneath;
  Shared<bool> on_procfs = false;  ///< of directories only
  /// Nothing reached through it may be changed; everything opened through it inherits this.
  bool read_only = false;
  Shared<Rights> base;
  Shared<Rights> inheriting;
  /// The guest's name for it, when it is a preopened directory.
  std::optional<std::string> preopen;
  /// Of a bound unix socket, as the guest named it. In a table only by socket_path().
  std::string path;
};

/// Keeps the host's descriptor open for as long as a call uses it, also when another thread closes
/// or replaces the guest's number meanwhile.
using DescriptorRef = std::shared_ptr<Descriptor>;

/// A preopened directory, and the path that is left to go from there; never empty.
struct FoundPreopen {
  DescriptorRef directory;
  std::string rest;
};

/// An open host descriptor that nobody has looked at yet.
DescriptorRef undescribed(base::UniqueFd fd, Rights base, Rights inheriting);

/// Finds out its kind, if that is not known, and keeps of the rights what suits the kind.
Result<void> describe(Descriptor& descriptor);

/// File type of a host st_mode. Sockets are SocketStream, pipes Unknown.
Filetype filetype_of(std::uint32_t mode);

inline bool is_socket(Filetype type) {
  return type == Filetype::SocketStream || type == Filetype::SocketDgram;
}

/// One getdents64(2) of a directory. One for all directories, so that a guest cannot make the host
/// keep many.
struct DirectoryBatch {
  static constexpr std::size_t kSize = std::size_t{32} << 10;

  std::mutex mutex;  ///< held by who uses it or moves a directory's position
  std::weak_ptr<Descriptor> of;
  std::vector<std::byte> bytes;
  std::size_t used = 0;

  std::span<const std::byte> entries() const { return std::span(bytes).first(used); }
};

/// For any number of threads at a time.
class DescriptorTable {
 public:
  /// More than any RLIMIT_NOFILE that a container gets in practice; bounds the table itself.
  static constexpr std::uint32_t kMaxDescriptors = 1U << 20;

  /// The lowest free number.
  Result<std::uint32_t> add(DescriptorRef descriptor);
  /// BadF when there is no such descriptor.
  Result<DescriptorRef> get(std::uint32_t number);
  /// The same without a question to the kernel, for what it refuses itself for the wrong kind.
  Result<DescriptorRef> get_undescribed(std::uint32_t number);
  /// The same, and NotCapable unless it has all of `needed`.
  Result<DescriptorRef> get(std::uint32_t number, Rights needed);
  /// The same for a directory; NotDir, before its rights are looked at, when it is none.
  Result<DescriptorRef> get_directory(std::uint32_t number, Rights needed);
  Result<void> close(std::uint32_t number);
  /// `to` now stands for what `from` did, and what `to` did is closed; `from` is free. Both must be
  /// open.
  Result<void> renumber(std::uint32_t from, std::uint32_t to);
  /// For paths that come without a directory: the preopen with the longest name that the path
  /// begins with, of two the later, as guests' libraries choose. NotCapable when there is none.
  Result<FoundPreopen> find_preopen(const std::string& path);
  std::string socket_path(const DescriptorRef& socket);
  void set_socket_path(const DescriptorRef& socket, const std::string& path);
  /// The directory entries that were read last, by any thread.
  DirectoryBatch& last_batch() { return state_->last_batch; }

 private:
  struct State {
    std::mutex mutex;
    std::vector<DescriptorRef> descriptors;  ///< null: the number is free
    std::size_t lowest_free = 0;             ///< below it none is
    DirectoryBatch last_batch;
  };

  std::unique_ptr<State> state_ = std::make_unique<State>();
};

}  // namespace engine::wasi
