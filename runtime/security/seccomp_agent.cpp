#include "runtime/security/seccomp_agent.hpp"

#include <sys/socket.h>

#include <string_view>

#include "base/descriptor_passing.hpp"

namespace runtime::security {
namespace {

/// An agent that does not read must not hold a start for ever.
constexpr int kPatienceSeconds = 10;

}  // namespace

base::Result<void> send_seccomp_listener(const std::string& path,
                                         const oci::ContainerProcessState& state, int listener) {
  const base::UniqueFd connection = TRY(
      base::with_context(base::connect_unix(path, kPatienceSeconds),
                         "failed to connect with seccomp agent specified in the seccomp profile"));
  const std::string text = oci::to_json(state);
  std::string_view rest = text;
  rest.remove_prefix(TRY(base::send_with_descriptor(connection.get(), rest, listener, path)));
  while (!rest.empty()) {
    const ssize_t sent = ::send(connection.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0) return base::fail_errno("send", path);
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

}  // namespace runtime::security
