#include "shim/bootstrap/start_input.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "shim/bootstrap/options.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::bootstrap {
namespace {

constexpr std::chrono::seconds kPatience{10};

}  // namespace

base::Result<StartInput> parse_start_input(std::string_view bytes, const CommandLine& line) {
  StartInput input;
  if (bytes.empty()) return input;
  auto params = protocol::decode<protocol::BootstrapParams>(bytes);
  if (params && params->instance_id == line.id && params->name_space == line.name_space) {
    for (const protocol::BootstrapExtension& extension : params->extensions) {
      if (!extension.value || !is_options(*extension.value)) continue;
      input.options = *extension.value;
      break;
    }
    input.params = *std::move(params);
    return input;
  }
  auto options = TRY(base::with_context(protocol::decode<protocol::Any>(bytes), "standard input"));
  if (!options.type_url.empty()) input.options = std::move(options);
  return input;
}

base::Result<std::string> read_standard_input(int fd) {
  std::string out;
  if (::isatty(fd) == 1) return out;
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + kPatience;
  std::array<char, 4096> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waiting{fd, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return base::fail_errno("poll", "standard input");
    if (ready == 0)
      return base::fail(base::ErrorKind::LimitExceeded, "standard input does not end");
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EBADF) return std::string();
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return base::fail_errno("read", "standard input");
    if (count == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(count));
    if (out.size() > protocol::kMaxMessage) {
      return base::fail(base::ErrorKind::LimitExceeded, "standard input is too long");
    }
  }
}

}  // namespace shim::bootstrap
