// What a WASI guest is given: arguments, environment, descriptors, and the way out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "engine/artifact/vm_layout.hpp"
#include "engine/wasi/descriptor.hpp"
#include "engine/wasi/resolver.hpp"
#include "engine/wasi/socket_policy.hpp"

namespace engine::wasi {

/// A directory that the guest finds open at its start.
struct Preopen {
  base::UniqueFd directory;
  std::string guest_path;
  Sandbox sandbox = Sandbox::Beneath;
  bool read_only = false;
};

struct WasiOptions {
  std::vector<std::string> arguments;    ///< the program's name first
  std::vector<std::string> environment;  ///< "NAME=value"
  /// The guest's 0, 1 and 2. One that is not open is not open for the guest either. They are the
  /// guest's to close: a host that writes to its own standard error passes duplicates.
  std::array<base::UniqueFd, 3> stdio;
  /// Listening or connected sockets, from 3 on, as sd_listen_fds(3) has it.
  std::vector<base::UniqueFd> inherited;
  std::vector<Preopen> preopens;  ///< after the sockets
  /// For sockets of the guest's own making; those that it inherits are not asked for.
  SocketPolicy sockets;
  ResolverFiles resolver;
  /// Memory 0 of the instance that calls, empty when it has none; required. A program passes
  /// execution::guest_memory.
  std::span<std::byte> (*memory_of)(const VmContext*) = nullptr;
  /// Called by proc_exit with `exit_data` and the code; does not return. When null, proc_exit
  /// leaves the code in WasiContext::exit_code and makes its caller trap with HostFailure.
  void (*exit)(void*, std::uint32_t) = nullptr;
  void* exit_data = nullptr;
};

/// VmHostFunction::data of every WASI function; outlives the instances. Once it is made, any number
/// of threads may call its functions when `exit` is set: without that, `exit_code` is one thread's.
struct WasiContext {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  DescriptorTable descriptors;
  SocketPolicy sockets;
  ResolverFiles resolver;
  std::span<std::byte> (*memory_of)(const VmContext*) = nullptr;
  void (*exit)(void*, std::uint32_t) = nullptr;
  void* exit_data = nullptr;
  std::optional<std::uint32_t> exit_code;
};

/// Invalid when an argument or variable holds a NUL, when they are more than the guest can address,
/// or a preopen is no directory.
base::Result<WasiContext> make_context(WasiOptions options);

}  // namespace engine::wasi
