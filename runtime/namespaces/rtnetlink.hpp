// Requests to the kernel's network configuration: netlink(7), rtnetlink(7).
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace runtime::namespaces {

/// One message in the making: a header of the type's own, then attributes.
class NetlinkMessage {
 public:
  NetlinkMessage(std::uint16_t type, std::uint16_t flags);

  /// `header` is a plain struct of the kernel's (ifinfomsg, ifaddrmsg). First, and once.
  template <typename T>
  void set_header(const T& header) {
    append(std::as_bytes(std::span(&header, 1)));
  }
  void add(std::uint16_t attribute, std::span<const std::byte> value);
  void add(std::uint16_t attribute, std::uint32_t value);
  /// With the zero byte at the end that the kernel expects.
  void add(std::uint16_t attribute, std::string_view text);

  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  friend class Netlink;
  void append(std::span<const std::byte> bytes);
  void finish(std::uint32_t sequence);

  std::vector<std::byte> bytes_;
};

struct NetlinkAttribute {
  std::uint16_t type = 0;
  std::span<const std::byte> value;
};

/// What follows a header; a truncated one ends the list.
std::vector<NetlinkAttribute> parse_attributes(std::span<const std::byte> bytes);

/// A socket of the network namespace that the caller is in when it is opened.
class Netlink {
 public:
  static base::Result<Netlink> open();

  /// Sends and waits for the acknowledgement. `subject` is what an error names.
  base::Result<void> request(NetlinkMessage message, std::string_view subject);
  /// Each answer's payload, header of the type's own included, goes to `take`.
  base::Result<void> dump(NetlinkMessage message,
                          const std::function<void(std::span<const std::byte>)>& take);

 private:
  explicit Netlink(base::UniqueFd socket) : socket_(std::move(socket)) {}
  base::Result<void> exchange(NetlinkMessage message, std::string_view subject,
                              const std::function<void(std::span<const std::byte>)>& take);

  base::UniqueFd socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace runtime::namespaces
