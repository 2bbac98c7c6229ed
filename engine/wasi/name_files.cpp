#include "engine/wasi/name_files.hpp"

#include <arpa/inet.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <span>

namespace engine::wasi {
namespace {

/// Calls use(words) for every line that has some; a comment ends a line.
template <typename Use>
void each_line(std::string_view file, Use&& use) {
  while (!file.empty()) {
    const std::size_t end = std::min(file.find('\n'), file.size());
    std::string_view line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    line = line.substr(0, line.find('#'));
    std::vector<std::string_view> words;
    constexpr std::string_view kBlanks = " \t\r";
    for (std::size_t at = line.find_first_not_of(kBlanks); at != std::string_view::npos;
         at = line.find_first_not_of(kBlanks)) {
      line.remove_prefix(at);
      const std::size_t size = std::min(line.find_first_of(kBlanks), line.size());
      words.push_back(line.substr(0, size));
      line.remove_prefix(size);
    }
    if (!words.empty()) use(words);
  }
}

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace

std::optional<IpAddress> parse_ip(const std::string& text, int family) {
  IpAddress out;
  for (const int tried : {AF_INET, AF_INET6}) {
    if (family != AF_UNSPEC && family != tried) continue;
    out.family = tried;
    if (::inet_pton(tried, text.c_str(), out.bytes.data()) == 1) return out;
  }
  return std::nullopt;
}

ResolvedHost find_in_hosts(std::string_view file, std::string_view name, int family) {
  ResolvedHost out;
  each_line(file, [&](const std::vector<std::string_view>& words) {
    const auto names = std::span(words).subspan(1);
    if (std::ranges::none_of(names, [&](auto word) { return same_name(word, name); })) return;
    const auto address = parse_ip(std::string(words.front()), family);
    if (!address) return;
    if (out.addresses.empty()) out.canonical = names.front();
    out.addresses.push_back(*address);
  });
  return out;
}

std::optional<std::uint16_t> find_in_services(std::string_view file, std::string_view name,
                                              std::string_view protocol) {
  std::optional<std::uint16_t> out;
  each_line(file, [&](const std::vector<std::string_view>& words) {
    if (out || words.size() < 2) return;
    if (words[0] != name &&
        std::ranges::find(words.begin() + 2, words.end(), name) == words.end()) {
      return;
    }
    const std::size_t slash = words[1].find('/');
    if (slash == std::string_view::npos) return;
    if (!protocol.empty() && words[1].substr(slash + 1) != protocol) return;
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(words[1].data(), words[1].data() + slash, port);
    if (error == std::errc() && end == words[1].data() + slash) out = port;
  });
  return out;
}

ResolverPatience parse_patience(std::string_view file) {
  constexpr int kMostSeconds = 30;
  constexpr int kMostAttempts = 5;
  ResolverPatience out;
  const auto set = [](std::string_view word, std::string_view name, int most, int& value) {
    int number = 0;
    if (!word.starts_with(name)) return;
    word.remove_prefix(name.size());
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc()) value = std::clamp(number, 1, most);
  };
  each_line(file, [&](const std::vector<std::string_view>& words) {
    if (words.front() != "options") return;
    for (const std::string_view word : words) {
      set(word, "timeout:", kMostSeconds, out.timeout_seconds);
      set(word, "attempts:", kMostAttempts, out.attempts);
    }
  });
  return out;
}

}  // namespace engine::wasi
