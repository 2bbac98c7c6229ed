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

/// Rights that one thread may take from a descriptor while others use it.
class SharedRights {
 public:
  SharedRights() = default;
  explicit SharedRights(Rights value) : value_(value) {}
  SharedRights(const SharedRights& other) : value_(Rights(other)) {}
  SharedRights& operator=(const SharedRights& other) { return *this = Rights(other); }
  SharedRights& operator=(Rights value) {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  ~SharedRights() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the value.
  operator Rights() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Rights> value_ = 0;
};

struct Descriptor {
  base::UniqueFd fd;
  Filetype filetype = Filetype::Unknown;
  Sandbox sandbox = Sandbox::Beneath;
  std::uint64_t device = 0;  ///< st_dev
  bool on_procfs = false;    ///< of directories only
  /// Nothing reached through it may be changed; everything opened through it inherits this.
  bool read_only = false;
  SharedRights base;
  SharedRights inheriting;
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

/// Takes an open host descriptor: finds out its kind, and keeps of the rights what suits the kind.
Result<Descriptor> describe(base::UniqueFd fd, Rights base, Rights inheriting);

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
  Result<std::uint32_t> add(Descriptor descriptor);
  /// BadF when there is no such descriptor.
  Result<DescriptorRef> get(std::uint32_t number);
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
