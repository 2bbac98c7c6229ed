// What names are resolved from: DNS answers, hosts and services files; and the rules for sockets.
// The first byte says which.
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "engine/wasi/dns_answer.hpp"
#include "engine/wasi/socket_policy.hpp"

namespace {

namespace wasi = engine::wasi;

void read_answer(std::span<const unsigned char> message) {
  for (const int family : {AF_INET, AF_INET6}) {
    const auto host = wasi::parse_dns_answer(message, family);
    if (!host) continue;
    // An address is at least twelve bytes of a record's head and its own.
    if (host->addresses.size() > message.size() / 12) std::abort();
    for (const wasi::IpAddress& address : host->addresses) {
      if (address.family != family) std::abort();
    }
  }
}

void read_files(std::string_view file) {
  const std::string_view name = file.substr(0, file.find_first_of(" \t\n"));
  static_cast<void>(wasi::find_in_hosts(file, name, AF_UNSPEC));
  static_cast<void>(wasi::find_in_services(file, name, "tcp"));
  const wasi::ResolverPatience patience = wasi::parse_patience(file);
  if (patience.attempts < 1 || patience.attempts > 5) std::abort();
  if (patience.timeout_seconds < 1 || patience.timeout_seconds > 30) std::abort();
}

void read_rules(std::string_view rules) {
  const auto policy = wasi::SocketPolicy::parse(rules);
  if (!policy) return;
  wasi::SocketAddress address;
  for (const int family : {AF_INET, AF_INET6, AF_UNIX}) {
    address.family = family;
    const bool allowed = policy->allows(wasi::SocketUse::Connect, wasi::SocketKind::Tcp, address);
    if (allowed && !policy->allows_sockets()) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::span rest(data + 1, size - 1);
  // Safety: bytes may be viewed as char.
  const std::string_view text(reinterpret_cast<const char*>(rest.data()), rest.size());
  switch (data[0] % 3) {
    case 0:
      read_answer(rest);
      break;
    case 1:
      read_files(text);
      break;
    default:
      read_rules(text);
  }
  return 0;
}
