#include "runtime/namespaces/rtnetlink.hpp"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>

namespace runtime::namespaces {
namespace {

// The kernel sends dumps in pieces of at most 32 KiB (net/netlink/af_netlink.c, netlink_dump()).
constexpr std::size_t kMaxDatagram = std::size_t{64} << 10;

constexpr std::size_t aligned(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

template <typename T>
std::optional<T> read(std::span<const std::byte> bytes) {
  T out;
  if (bytes.size() < sizeof(out)) return std::nullopt;
  std::memcpy(&out, bytes.data(), sizeof(out));
  return out;
}

base::Result<void> acknowledged(std::span<const std::byte> payload, std::string_view subject) {
  const auto error = read<int>(payload);
  if (!error) return base::fail(base::ErrorKind::Internal, "netlink: an error without a number");
  if (*error == 0) return {};
  errno = -*error;
  return base::fail_errno("rtnetlink", subject);
}

}  // namespace

NetlinkMessage::NetlinkMessage(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  set_header(header);
}

void NetlinkMessage::append(std::span<const std::byte> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(aligned(bytes_.size()));
}

void NetlinkMessage::add(std::uint16_t attribute, std::span<const std::byte> value) {
  rtattr header{};
  header.rta_type = attribute;
  header.rta_len = static_cast<std::uint16_t>(sizeof(header) + value.size());
  append(std::as_bytes(std::span(&header, 1)));
  append(value);
}

void NetlinkMessage::add(std::uint16_t attribute, std::uint32_t value) {
  add(attribute, std::as_bytes(std::span(&value, 1)));
}

void NetlinkMessage::add(std::uint16_t attribute, std::string_view text) {
  const std::string terminated(text);
  add(attribute, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

void NetlinkMessage::finish(std::uint32_t sequence) {
  nlmsghdr header;
  std::memcpy(&header, bytes_.data(), sizeof(header));
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  header.nlmsg_seq = sequence;
  std::memcpy(bytes_.data(), &header, sizeof(header));
}

std::vector<NetlinkAttribute> parse_attributes(std::span<const std::byte> bytes) {
  std::vector<NetlinkAttribute> out;
  while (const auto header = read<rtattr>(bytes)) {
    if (header->rta_len < sizeof(rtattr) || header->rta_len > bytes.size()) break;
    out.push_back({static_cast<std::uint16_t>(header->rta_type & NLA_TYPE_MASK),
                   bytes.subspan(sizeof(rtattr), header->rta_len - sizeof(rtattr))});
    bytes = bytes.subspan(std::min(aligned(header->rta_len), bytes.size()));
  }
  return out;
}

base::Result<Netlink> Netlink::open() {
  base::UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return base::fail_errno("socket", "NETLINK_ROUTE");
  return Netlink(std::move(socket));
}

base::Result<void> Netlink::request(NetlinkMessage message, std::string_view subject) {
  return exchange(std::move(message), subject, [](std::span<const std::byte>) {});
}

base::Result<void> Netlink::dump(NetlinkMessage message,
                                 const std::function<void(std::span<const std::byte>)>& take) {
  return exchange(std::move(message), "dump", take);
}

base::Result<void> Netlink::exchange(NetlinkMessage message, std::string_view subject,
                                     const std::function<void(std::span<const std::byte>)>& take) {
  message.finish(++sequence_);
  const std::span<const std::byte> bytes = message.bytes();
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) {
    return base::fail_errno("send", "rtnetlink");
  }
  std::vector<std::byte> buffer(kMaxDatagram);
  while (true) {
    const ssize_t length = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return base::fail_errno("recv", "rtnetlink");
    std::span<const std::byte> rest = std::span(buffer).first(static_cast<std::size_t>(length));
    while (const auto header = read<nlmsghdr>(rest)) {
      if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > rest.size()) break;
      const auto payload = rest.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
      rest = rest.subspan(std::min(aligned(header->nlmsg_len), rest.size()));
      if (header->nlmsg_seq != sequence_) continue;
      if (header->nlmsg_type == NLMSG_DONE) return {};
      if (header->nlmsg_type == NLMSG_ERROR) return acknowledged(payload, subject);
      take(payload);
    }
  }
}

}  // namespace runtime::namespaces
