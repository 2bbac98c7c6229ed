#include "engine/wasi/resolver.hpp"

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/file.hpp"
#include "base/result.hpp"
#include "engine/wasi/dns_answer.hpp"

// c-ares asks this of every name: .onion must not leave for the DNS (RFC 7686). Its own definition
// is in one object with its getnameinfo, for which a static program would get all of glibc's NSS.
// NOLINTNEXTLINE(bugprone-reserved-identifier): c-ares' name.
extern "C" int ares__is_onion_domain(const char* name) {
  std::string_view text = name;
  if (text.ends_with('.')) text.remove_suffix(1);
  constexpr std::string_view kOnion = ".onion";
  if (text.size() < kOnion.size()) return 0;
  text.remove_prefix(text.size() - kOnion.size());
  return ::strncasecmp(text.data(), kOnion.data(), kOnion.size()) == 0 ? 1 : 0;
}

namespace engine::wasi {
namespace {

constexpr std::size_t kMaxFile = std::size_t{1} << 20;
constexpr std::size_t kMaxName = 255;  // RFC 1035, 2.3.4

/// Empty when there is none: a container often has none of them. The image says what is there, so
/// what is no file is not waited for.
std::string read_if_file(const std::string& path) {
  const auto file = base::open_file(path, O_RDONLY | O_NONBLOCK);
  struct stat status{};
  if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return base::read_all(file->get(), kMaxFile, path).value_or(std::string());
}

/// One question to the servers, and what came of it.
struct Lookup {
  int family = AF_INET;
  int status = ARES_SUCCESS;
  bool done = false;
  ResolvedHost host;
};

void on_answer(void* data, int status, int /*timeouts*/, unsigned char* bytes, int size) {
  auto& lookup = *static_cast<Lookup*>(data);
  lookup.done = true;
  lookup.status = status;
  if (status != ARES_SUCCESS) return;
  auto host = parse_dns_answer(std::span(bytes, static_cast<std::size_t>(size)), lookup.family);
  if (!host) {
    lookup.status = ARES_EBADRESP;
  } else if (host->addresses.empty()) {
    lookup.status = ARES_ENODATA;
  } else {
    lookup.host = std::move(*host);
  }
}

class Channel {
 public:
  Channel() = default;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  ~Channel() {
    if (channel_ != nullptr) ares_destroy(channel_);  // answers what is still open
  }

  int open(const ResolverFiles& files) {
    // Without a /dev/urandom, c-ares takes the numbers of its questions from rand(3): not from a
    // seed that everybody knows.
    unsigned seed = 0;
    if (::getrandom(&seed, sizeof(seed), 0) == sizeof(seed)) std::srand(seed);
    // Debian's c-ares takes servers and domains from the file, and knows these by other names.
    const ResolverPatience patience = parse_patience(read_if_file(files.resolv_conf));
    std::string path = files.resolv_conf;
    ares_options options{};
    options.resolvconf_path = path.data();
    options.timeout = patience.timeout_seconds * 1000;
    options.tries = patience.attempts;
    options.flags = ARES_FLAG_NOALIASES;  // a variable of the guest's would name a file
    return ares_init_options(
        &channel_, &options,
        ARES_OPT_RESOLVCONF | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_FLAGS);
  }

  void ask(const std::string& name, Lookup& lookup) {
    constexpr int kInternet = 1;
    constexpr int kA = 1;
    constexpr int kAaaa = 28;
    const int type = lookup.family == AF_INET ? kA : kAaaa;
    ares_search(channel_, name.c_str(), kInternet, type, on_answer, &lookup);
  }

  /// Until the lookups are done, which c-ares' own time limits see to.
  void wait(std::span<const Lookup> lookups) {
    while (std::ranges::any_of(lookups, [](const Lookup& each) { return !each.done; })) wait_once();
  }

 private:
  void wait_once() {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const auto bits = static_cast<unsigned>(ares_getsock(channel_, sockets.data(), sockets.size()));
    std::vector<pollfd> polled;
    for (unsigned i = 0; i < sockets.size(); ++i) {
      const int events = (ARES_GETSOCK_READABLE(bits, i) != 0 ? POLLIN : 0) |
                         (ARES_GETSOCK_WRITABLE(bits, i) != 0 ? POLLOUT : 0);
      if (events != 0) polled.push_back({sockets[i], static_cast<short>(events), 0});
    }
    timeval longest{1, 0};
    timeval left{};
    const timeval* const timeout = ares_timeout(channel_, &longest, &left);
    const timespec time{timeout->tv_sec, timeout->tv_usec * 1000};
    ::ppoll(polled.data(), polled.size(), &time, nullptr);
    for (const pollfd& each : polled) {
      const bool readable = (each.revents & ~POLLOUT) != 0;
      const bool writable = (each.revents & POLLOUT) != 0;
      ares_process_fd(channel_, readable ? each.fd : ARES_SOCKET_BAD,
                      writable ? each.fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);  // those that waited too long
  }

  ares_channel channel_ = nullptr;
};

Errno errno_of(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_EBADNAME:
      return Errno::AiNoName;
    case ARES_ENODATA:
      return Errno::AiNoData;
    case ARES_ETIMEOUT:
    case ARES_ECONNREFUSED:
    case ARES_ESERVFAIL:
      return Errno::AiAgain;
    case ARES_ENOMEM:
      return Errno::AiMemory;
    default:
      return Errno::AiFail;
  }
}

/// Of two failures the one that may pass: what the other server did not say is not known.
Errno worse(int one, int other) {
  const Errno first = errno_of(one);
  const Errno second = errno_of(other);
  if (first == Errno::AiAgain || second == Errno::AiAgain) return Errno::AiAgain;
  return first == Errno::AiNoData ? first : second;
}

Result<ResolvedHost> ask_servers(const ResolverFiles& files, const std::string& name, int family) {
  std::vector<Lookup> lookups;
  for (const int each : {AF_INET6, AF_INET}) {
    if (family == AF_UNSPEC || family == each) lookups.emplace_back().family = each;
  }
  {
    Channel channel;
    if (const int status = channel.open(files); status != ARES_SUCCESS) {
      return fail(errno_of(status));
    }
    for (Lookup& lookup : lookups) channel.ask(name, lookup);
    channel.wait(lookups);
  }
  ResolvedHost out;
  for (Lookup& lookup : lookups) {
    if (lookup.status != ARES_SUCCESS) continue;
    out.addresses.insert(out.addresses.end(), lookup.host.addresses.begin(),
                         lookup.host.addresses.end());
    out.canonical = std::move(lookup.host.canonical);
  }
  if (out.addresses.empty()) return fail(worse(lookups.front().status, lookups.back().status));
  return out;
}

/// Asks the kernel for a route; nothing is sent.
bool has_route(const IpAddress& address) {
  constexpr in_port_t kDiscard = 9;
  const base::UniqueFd socket(::socket(address.family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in four{AF_INET, htons(kDiscard), {}, {}};
  sockaddr_in6 six{AF_INET6, htons(kDiscard), 0, {}, 0};
  std::memcpy(&four.sin_addr, address.bytes.data(), sizeof(four.sin_addr));
  std::memcpy(&six.sin6_addr, address.bytes.data(), sizeof(six.sin6_addr));
  // Safety: connect(2)'s own idiom.
  const int status = address.family == AF_INET
                         ? ::connect(socket.get(), reinterpret_cast<sockaddr*>(&four), sizeof(four))
                         : ::connect(socket.get(), reinterpret_cast<sockaddr*>(&six), sizeof(six));
  return status == 0;
}

void put_those_with_a_route_first(std::vector<IpAddress>& addresses) {
  std::vector<IpAddress> others;
  std::erase_if(addresses, [&](const IpAddress& address) {
    if (has_route(address)) return false;
    others.push_back(address);
    return true;
  });
  addresses.insert(addresses.end(), others.begin(), others.end());
}

/// RFC 6761, 6.3: these are never asked for.
bool is_localhost(std::string_view name) {
  constexpr std::string_view kLocalhost = "localhost";
  if (name.ends_with('.')) name.remove_suffix(1);
  if (!name.ends_with(kLocalhost)) return false;
  return name.size() == kLocalhost.size() || name[name.size() - kLocalhost.size() - 1] == '.';
}

ResolvedHost loopback(const std::string& name, int family) {
  ResolvedHost out;
  out.canonical = name;
  for (const char* text : {"::1", "127.0.0.1"}) {
    if (const auto address = parse_ip(text, family)) out.addresses.push_back(*address);
  }
  return out;
}

}  // namespace

Result<ResolvedHost> resolve_host(const ResolverFiles& files, const std::string& name, int family) {
  if (const auto address = parse_ip(name, family)) return ResolvedHost{{*address}, name};
  if (name.empty() || name.size() > kMaxName) return fail(Errno::AiNoName);
  ResolvedHost out = find_in_hosts(read_if_file(files.hosts), name, family);
  if (out.addresses.empty() && is_localhost(name)) out = loopback(name, family);
  if (out.addresses.empty()) out = TRY(ask_servers(files, name, family));
  if (out.addresses.size() > 1) put_those_with_a_route_first(out.addresses);
  return out;
}

Result<std::uint16_t> resolve_service(const ResolverFiles& files, const std::string& name,
                                      std::string_view protocol) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), port);
  if (error == std::errc() && end == name.data() + name.size()) return port;
  if (const auto found = find_in_services(read_if_file(files.services), name, protocol)) {
    return *found;
  }
  // An image made from scratch has no such file, and these two are what clients ask for.
  if (protocol != "udp" && name == "http") return 80;
  if (protocol != "udp" && name == "https") return 443;
  return fail(Errno::AiService);
}

}  // namespace engine::wasi
