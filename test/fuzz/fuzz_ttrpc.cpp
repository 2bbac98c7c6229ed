// Any bytes as what a peer sends to the server's side of a connection, in two parts: no crash, no
// leak, no request twice, and the connection ends.
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "base/unique_fd.hpp"
#include "shim/ttrpc/connection.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

struct Pair {
  base::UniqueFd peer;
  shim::ttrpc::Connection connection;
};

Pair make_pair() {
  std::array<int, 2> ends{};
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
  return {base::UniqueFd(ends[0]), shim::ttrpc::Connection(base::UniqueFd(ends[1]))};
}

/// Answers every second request; false when the connection has failed.
bool serve(shim::ttrpc::Connection& connection, std::set<std::uint32_t>& seen) {
  const auto requests = connection.on_readable();
  if (!requests) return false;
  for (const shim::ttrpc::Request& request : *requests) {
    require(request.stream_id % 2 == 1 && seen.insert(request.stream_id).second);
    if (seen.size() % 2 == 0 && !connection.respond(request.stream_id, "answer")) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  Pair pair = make_pair();
  std::set<std::uint32_t> seen;
  // What a socket holds without a reader.
  const std::size_t length = size < 32768 ? size - 1 : 32768;
  const std::size_t first = length == 0 ? 0 : data[0] * length / 256;
  const std::uint8_t* const bytes = data + 1;
  require(::send(pair.peer.get(), bytes, first, 0) == static_cast<ssize_t>(first));
  if (!serve(pair.connection, seen)) return 0;
  // The server may have answered a broken frame and closed nothing: it must take the rest.
  if (::send(pair.peer.get(), bytes + first, length - first, MSG_NOSIGNAL) < 0) return 0;
  ::shutdown(pair.peer.get(), SHUT_WR);
  for (int i = 0; i < 4 && pair.connection.wants_read(); ++i) {
    if (!serve(pair.connection, seen)) return 0;
  }
  require(!pair.connection.wants_read());
  return 0;
}
