#include "engine/wasi/socket_policy.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <string>

namespace engine::wasi {
namespace {

using Network = SocketRule::Network;

std::unexpected<base::Error> wrong(std::string_view rule, std::string_view word) {
  std::string text = "\"";
  text.append(rule).append("\": ");
  if (word.empty()) {
    text += "a rule begins with allow or deny";
  } else {
    text.append("\"").append(word).append("\" is not understood, or is said twice");
  }
  return base::fail(base::ErrorKind::Invalid, text);
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Cuts the next word off; empty at the end.
std::string_view next_word(std::string_view& text) {
  text = trim(text);
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

std::optional<SocketUse> use_of(std::string_view word) {
  if (word == "connect") return SocketUse::Connect;
  if (word == "bind") return SocketUse::Bind;
  if (word == "resolve") return SocketUse::Resolve;
  return std::nullopt;
}

std::optional<SocketKind> kind_of(std::string_view word) {
  if (word == "tcp") return SocketKind::Tcp;
  if (word == "udp") return SocketKind::Udp;
  if (word == "unix") return SocketKind::Unix;
  return std::nullopt;
}

std::optional<Network> network_of(std::string_view word) {
  const std::size_t slash = word.find('/');
  const std::string address(word.substr(0, slash));
  Network out;
  if (::inet_pton(AF_INET, address.c_str(), out.address.data()) == 1) {
    out.family = AF_INET;
  } else if (::inet_pton(AF_INET6, address.c_str(), out.address.data()) == 1) {
    out.family = AF_INET6;
  } else {
    return std::nullopt;
  }
  const unsigned bits = out.family == AF_INET ? 32 : 128;
  out.prefix = bits;
  if (slash != std::string_view::npos) {
    const auto prefix = number<unsigned>(word.substr(slash + 1));
    if (!prefix || *prefix > bits) return std::nullopt;
    out.prefix = *prefix;
  }
  return out;
}

std::optional<SocketRule::Ports> ports_of(std::string_view word) {
  const std::size_t dash = word.find('-');
  const auto first = number<std::uint16_t>(word.substr(0, dash));
  const auto last =
      dash == std::string_view::npos ? first : number<std::uint16_t>(word.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return SocketRule::Ports{*first, *last};
}

/// False when the field has a value already, or gets none.
template <typename Field>
bool set_once(Field& field, const Field& value) {
  if (field || !value) return false;
  field = value;
  return true;
}

base::Result<SocketRule> parse_rule(const std::string_view text) {
  std::string_view rest = text;
  SocketRule out;
  const std::string_view verdict = next_word(rest);
  if (verdict != "allow" && verdict != "deny") return wrong(text, {});
  out.allow = verdict == "allow";
  for (std::string_view word = next_word(rest); !word.empty(); word = next_word(rest)) {
    const bool understood = word == "port" ? set_once(out.ports, ports_of(next_word(rest)))
                                           : set_once(out.use, use_of(word)) ||
                                                 set_once(out.kind, kind_of(word)) ||
                                                 set_once(out.network, network_of(word));
    if (!understood) return wrong(text, word);
  }
  return out;
}

/// What a packet to, or from, the address has to do with.
Network destination(const SocketAddress& address, SocketUse use) {
  Network out;
  out.family = address.family;
  if (address.family == AF_INET) {
    std::memcpy(out.address.data(), &address.inet4.sin_addr, sizeof(in_addr));
  } else {
    const in6_addr& six = address.inet6.sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
      out.family = AF_INET;
      std::memcpy(out.address.data(), six.s6_addr + 12, sizeof(in_addr));
    } else {
      std::memcpy(out.address.data(), &six, sizeof(six));
    }
  }
  const std::size_t size = out.family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  const auto bytes = std::span(out.address).first(size);
  if (use == SocketUse::Connect && std::ranges::all_of(bytes, [](auto b) { return b == 0; })) {
    if (out.family == AF_INET) bytes.front() = 127;
    bytes.back() = 1;
  }
  return out;
}

bool contains(const Network& network, const Network& address) {
  if (network.family != address.family) return false;
  const std::size_t whole = network.prefix / 8;
  if (std::memcmp(network.address.data(), address.address.data(), whole) != 0) return false;
  const unsigned rest = network.prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return ((network.address[whole] ^ address.address[whole]) & mask) == 0;
}

bool matches(const SocketRule& rule, SocketUse use, SocketKind kind, const SocketAddress& address) {
  if (rule.use && *rule.use != use) return false;
  if (rule.kind && *rule.kind != kind) return false;
  if (address.family == AF_UNIX) return !rule.network && !rule.ports;
  if (rule.network && !contains(*rule.network, destination(address, use))) return false;
  const std::uint16_t port = port_of(address);
  return !rule.ports || (rule.ports->first <= port && port <= rule.ports->last);
}

}  // namespace

base::Result<SocketPolicy> SocketPolicy::parse(std::string_view text) {
  SocketPolicy out;
  text = trim(text);
  if (text == "none") return out;
  if (text.size() > kMaxText) {
    return base::fail(base::ErrorKind::LimitExceeded, "more than 4096 bytes of socket rules");
  }
  out.nothing_ = false;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (out.rules_.size() == kMaxRules) {
      return base::fail(base::ErrorKind::LimitExceeded, "more than 256 socket rules");
    }
    out.rules_.push_back(TRY(parse_rule(trim(text.substr(0, comma)))));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

bool SocketPolicy::allows_resolving() const {
  if (nothing_) return false;
  for (const SocketRule& rule : rules_) {
    const bool about_names = !rule.kind && !rule.network && !rule.ports;
    if (about_names && (!rule.use || *rule.use == SocketUse::Resolve)) return rule.allow;
  }
  return true;
}

bool SocketPolicy::allows(SocketUse use, SocketKind kind, const SocketAddress& address) const {
  if (nothing_) return false;
  for (const SocketRule& rule : rules_) {
    if (matches(rule, use, kind, address)) return rule.allow;
  }
  return true;
}

}  // namespace engine::wasi
