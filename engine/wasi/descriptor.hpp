// The guest's descriptors: small numbers that stand for host descriptors, with rights. A guest
// never sees or names a host descriptor.
#pragma once

#include <cstdint>
#include <optional>
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

struct Descriptor {
  base::UniqueFd fd;
  Filetype filetype = Filetype::Unknown;
  Sandbox sandbox = Sandbox::Beneath;
  /// Nothing reached through it may be changed; everything opened through it inherits this.
  bool read_only = false;
  Rights base = 0;
  Rights inheriting = 0;
  /// The guest's name for it, when it is a preopened directory.
  std::optional<std::string> preopen;
};

/// Takes an open host descriptor: finds out its kind, and keeps of the rights what suits the kind.
Result<Descriptor> describe(base::UniqueFd fd, Rights base, Rights inheriting);

/// File type of a host st_mode. Sockets are SocketStream, pipes Unknown.
Filetype filetype_of(std::uint32_t mode);

/// Not for several threads at a time.
class DescriptorTable {
 public:
  /// More than any RLIMIT_NOFILE that a container gets in practice; bounds the table itself.
  static constexpr std::uint32_t kMaxDescriptors = 1U << 20;

  /// The lowest free number.
  Result<std::uint32_t> add(Descriptor descriptor);
  /// BadF when there is no such descriptor. The pointer holds until the table changes.
  Result<Descriptor*> get(std::uint32_t number);
  /// The same, and NotCapable unless it has all of `needed`.
  Result<Descriptor*> get(std::uint32_t number, Rights needed);
  /// The same for a directory; NotDir, before its rights are looked at, when it is none.
  Result<Descriptor*> get_directory(std::uint32_t number, Rights needed);
  Result<void> close(std::uint32_t number);
  /// `to` now stands for what `from` did, and what `to` did is closed; `from` is free. Both must be
  /// open.
  Result<void> renumber(std::uint32_t from, std::uint32_t to);

 private:
  std::vector<std::optional<Descriptor>> descriptors_;
};

}  // namespace engine::wasi
