// sock_getaddrinfo of WasmEdge's extension (docs/formats/wasi-sockets.md): the guest gives a list
// that is to be filled.
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"
#include "engine/wasi/resolver.hpp"
#include "engine/wasi/socket_abi.hpp"

namespace engine::wasi {
namespace {

namespace aiflags {
constexpr std::uint16_t kPassive = 1U << 0;
constexpr std::uint16_t kCanonname = 1U << 1;
constexpr std::uint16_t kNumericHost = 1U << 2;
constexpr std::uint16_t kNumericService = 1U << 3;
constexpr std::uint16_t kV4Mapped = 1U << 4;
constexpr std::uint16_t kAll = 1U << 5;
constexpr std::uint16_t kKnown = 0x7f;
}  // namespace aiflags

constexpr std::size_t kMaxResults = 64;
constexpr std::size_t kMaxText = 1024;

struct Query {
  std::string node;
  std::string service;
  Addrinfo hints{};
  int family = AF_UNSPEC;
};

struct Kind {
  SocketType type;
  Protocol protocol;
  std::string_view name;
};
constexpr std::array kKinds = {Kind{SocketType::Stream, Protocol::Tcp, "tcp"},
                               Kind{SocketType::Datagram, Protocol::Udp, "udp"}};

/// Guests' libraries put a NUL at the end, which counts.
Result<std::string> read_text(const Call& call, Address at, Size size) {
  if (size > kMaxText) return fail(Errno::AiNoName);
  const std::span<std::byte> from = TRY(call.bytes(at, size));
  std::string out(size, '\0');
  copy_in(out.data(), from.data(), size);
  out.resize(std::min(out.find('\0'), out.size()));
  return out;
}

Result<int> host_family(std::uint8_t family) {
  switch (static_cast<AddressFamily>(family)) {
    case AddressFamily::Unspecified:
      return AF_UNSPEC;
    case AddressFamily::Inet4:
      return AF_INET;
    case AddressFamily::Inet6:
      return AF_INET6;
    case AddressFamily::Unix:
      break;
  }
  return fail(Errno::AiFamily);
}

Result<void> check(const Query& query) {
  if (query.node.empty() && query.service.empty()) return fail(Errno::AiNoName);
  if ((query.hints.flags & ~aiflags::kKnown) != 0) return fail(Errno::AiBadFlag);
  if ((query.hints.flags & aiflags::kCanonname) != 0 && query.node.empty()) {
    return fail(Errno::AiBadFlag);
  }
  if (query.hints.socktype > static_cast<std::uint8_t>(SocketType::Stream) ||
      query.hints.protocol > static_cast<std::uint8_t>(Protocol::Udp)) {
    return fail(Errno::AiSockType);
  }
  return {};
}

std::vector<Kind> kinds_of(const Addrinfo& hints) {
  std::vector<Kind> out;
  for (const Kind& kind : kKinds) {
    const bool type = hints.socktype == 0 || hints.socktype == static_cast<std::uint8_t>(kind.type);
    const bool protocol =
        hints.protocol == 0 || hints.protocol == static_cast<std::uint8_t>(kind.protocol);
    if (type && protocol) out.push_back(kind);
  }
  return out;
}

Result<std::uint16_t> find_port(const Call& call, const Query& query, std::span<const Kind> kinds) {
  if (query.service.empty()) return std::uint16_t{0};
  if ((query.hints.flags & aiflags::kNumericService) != 0 &&
      query.service.find_first_not_of("0123456789") != std::string::npos) {
    return fail(Errno::AiNoName);
  }
  const std::string_view protocol = kinds.size() == 1 ? kinds.front().name : std::string_view();
  return resolve_service(call.context().resolver, query.service, protocol);
}

/// For IPv6 that is asked for, IPv4 in its clothes.
void map_to_six(ResolvedHost& host) {
  for (IpAddress& address : host.addresses) {
    if (address.family == AF_INET6) continue;
    IpAddress mapped;
    mapped.family = AF_INET6;
    mapped.bytes[10] = mapped.bytes[11] = 0xff;
    std::copy_n(address.bytes.begin(), 4, mapped.bytes.begin() + 12);
    address = mapped;
  }
}

ResolvedHost without_node(const Query& query) {
  const bool passive = (query.hints.flags & aiflags::kPassive) != 0;
  ResolvedHost out;
  for (const char* text : {passive ? "::" : "::1", passive ? "0.0.0.0" : "127.0.0.1"}) {
    if (const auto address = parse_ip(text, query.family)) out.addresses.push_back(*address);
  }
  return out;
}

Result<ResolvedHost> find_host(const Call& call, const Query& query) {
  if (query.node.empty()) return without_node(query);
  const bool numeric = parse_ip(query.node, query.family).has_value();
  if (!numeric && (query.hints.flags & aiflags::kNumericHost) != 0) return fail(Errno::AiNoName);
  if (!numeric && !call.context().sockets.allows_resolving()) return fail(Errno::Acces);
  const ResolverFiles& files = call.context().resolver;
  const bool mapped = query.family == AF_INET6 && (query.hints.flags & aiflags::kV4Mapped) != 0;
  if (!mapped) return resolve_host(files, query.node, query.family);
  const bool all = (query.hints.flags & aiflags::kAll) != 0;
  Result<ResolvedHost> out = resolve_host(files, query.node, all ? AF_UNSPEC : AF_INET6);
  if (!out && !all) out = resolve_host(files, query.node, AF_INET);
  if (out) map_to_six(*out);
  return out;
}

/// What Linux has behind the family in a sockaddr_in or sockaddr_in6.
std::vector<std::byte> socket_data(const IpAddress& address, std::uint16_t port) {
  const bool four = address.family == AF_INET;
  const std::size_t offset = four ? 2 : 6;
  std::vector<std::byte> out(four ? 14 : 26);
  const std::uint16_t network = htons(port);
  std::memcpy(out.data(), &network, sizeof(network));
  std::memcpy(out.data() + offset, address.bytes.data(), four ? 4 : 16);
  return out;
}

Result<void> put_name(const Call& call, const std::string& name, Addrinfo& entry) {
  const Size room = entry.canonname_length;
  entry.canonname_length = 0;
  if (name.empty() || room <= name.size()) return {};
  const std::span<std::byte> to = TRY(call.bytes(entry.canonname, name.size() + 1));
  std::memcpy(to.data(), name.c_str(), name.size() + 1);
  entry.canonname_length = static_cast<Size>(name.size());
  return {};
}

/// Fills the entry at `at`; where the next one lies.
Result<Address> put_result(const Call& call, Address at, const IpAddress& address,
                           std::uint16_t port, const Kind& kind, const std::string& name) {
  auto entry = TRY(call.read<Addrinfo>(at));
  auto socket = TRY(call.read<GuestSockaddr>(entry.address));
  const std::vector<std::byte> data = socket_data(address, port);
  // Some guests say 14 for an address that has room for 26, as WasmEdge needs it for IPv6.
  const std::span<std::byte> room = TRY(call.bytes(socket.data, data.size()));
  const auto family = static_cast<std::uint8_t>(address.family == AF_INET ? AddressFamily::Inet4
                                                                          : AddressFamily::Inet6);
  std::memcpy(room.data(), data.data(), data.size());
  socket = {family, {}, static_cast<Size>(data.size()), socket.data};
  TRY(call.out<GuestSockaddr>(entry.address)).set(socket);
  entry.family = family;
  entry.socktype = static_cast<std::uint8_t>(kind.type);
  entry.protocol = static_cast<std::uint8_t>(kind.protocol);
  std::ranges::fill(entry.padding, std::uint8_t{0});
  entry.address_length = static_cast<Size>(data.size() + sizeof(sa_family_t));
  TRY(put_name(call, name, entry));
  TRY(call.out<Addrinfo>(at)).set(entry);
  return entry.next;
}

}  // namespace

Result<void> sock_getaddrinfo(Call& call, Address node, Size node_size, Address service,
                              Size service_size, Address hints, Address results, Size max_results,
                              Address stored) {
  const auto count = TRY(call.out<Size>(stored));
  Address at = TRY(call.read<Address>(results));
  Query query;
  query.node = TRY(read_text(call, node, node_size));
  query.service = TRY(read_text(call, service, service_size));
  if (hints != 0) query.hints = TRY(call.read<Addrinfo>(hints));
  query.family = TRY(host_family(query.hints.family));
  TRY(check(query));
  if (max_results == 0) return fail(Errno::AiMemory);
  const std::vector<Kind> kinds = kinds_of(query.hints);
  if (kinds.empty()) return fail(Errno::AiSockType);
  const std::uint16_t port = TRY(find_port(call, query, kinds));
  const ResolvedHost host = TRY(find_host(call, query));
  std::string name =
      (query.hints.flags & aiflags::kCanonname) != 0 ? host.canonical : std::string();
  const std::size_t most = std::min<std::size_t>(max_results, kMaxResults);
  Size filled = 0;
  for (const IpAddress& address : host.addresses) {
    for (const Kind& kind : kinds) {
      if (filled == most) break;
      at = TRY(put_result(call, at, address, port, kind, name));
      name.clear();  // the first entry's alone
      ++filled;
    }
  }
  count.set(filled);
  return {};
}

}  // namespace engine::wasi
