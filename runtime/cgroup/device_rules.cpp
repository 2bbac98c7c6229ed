// The default allow list, and rules for the device controller of cgroup v1.
#include "runtime/cgroup/device_rules.hpp"

#include <algorithm>
#include <optional>

namespace runtime::cgroup {
namespace {

using oci::DeviceRule;
using oci::DeviceRuleType;

struct Exception {
  char type = 'c';
  std::optional<std::int64_t> major;
  std::optional<std::int64_t> minor;
  std::string access;  // letters in the order r, w, m

  bool same_devices(const Exception& other) const {
    return type == other.type && major == other.major && minor == other.minor;
  }
  bool covers(const Exception& other) const {
    return type == other.type && (!major || major == other.major) &&
           (!minor || minor == other.minor);
  }
  bool overlaps(const Exception& other) const {
    return type == other.type && (!major || !other.major || major == other.major) &&
           (!minor || !other.minor || minor == other.minor);
  }
};

std::string all_letters_in(const std::string& access) {
  if (access.empty()) return "rwm";
  std::string out;
  for (const char letter : {'r', 'w', 'm'}) {
    if (access.contains(letter)) out += letter;
  }
  return out;
}

std::string number(const std::optional<std::int64_t>& value) {
  return value ? std::to_string(*value) : "*";
}

std::string line_of(const Exception& each) {
  return std::string{each.type, ' '} + number(each.major) + ':' + number(each.minor) + ' ' +
         each.access;
}

// The state of the kernel's controller.
struct Table {
  bool allow_by_default = false;
  std::vector<Exception> exceptions;

  void add(const Exception& wanted) {
    for (Exception& each : exceptions) {
      if (!each.same_devices(wanted)) continue;
      each.access = all_letters_in(each.access + wanted.access);
      return;
    }
    exceptions.push_back(wanted);
  }

  base::Result<void> remove(const Exception& wanted) {
    for (Exception& each : exceptions) {
      const bool shared = each.access.find_first_of(wanted.access) != std::string::npos;
      if (!shared || !each.overlaps(wanted)) continue;
      if (!wanted.covers(each)) {
        return base::fail(base::ErrorKind::Unsupported,
                          "cgroup v1 cannot make an exception for \"" + line_of(wanted) +
                              "\" inside \"" + line_of(each) + '"');
      }
      std::erase_if(each.access, [&](char letter) { return wanted.access.contains(letter); });
    }
    std::erase_if(exceptions, [](const Exception& each) { return each.access.empty(); });
    return {};
  }
};

DeviceRule allow(DeviceRuleType type, std::optional<std::int64_t> major,
                 std::optional<std::int64_t> minor, const char* access) {
  return {true, type, major, minor, access};
}

}  // namespace

std::vector<DeviceRule> default_device_rules() {
  const auto character = DeviceRuleType::Char;
  return {
      allow(character, std::nullopt, std::nullopt, "m"),
      allow(DeviceRuleType::Block, std::nullopt, std::nullopt, "m"),
      allow(character, 1, 3, "rwm"),               // null
      allow(character, 1, 5, "rwm"),               // zero
      allow(character, 1, 7, "rwm"),               // full
      allow(character, 1, 8, "rwm"),               // random
      allow(character, 1, 9, "rwm"),               // urandom
      allow(character, 5, 0, "rwm"),               // tty
      allow(character, 5, 2, "rwm"),               // ptmx
      allow(character, 136, std::nullopt, "rwm"),  // pts/*
      allow(character, 10, 200, "rwm"),            // net/tun
  };
}

base::Result<std::vector<DeviceWrite>> plan_v1_devices(std::span<const DeviceRule> rules) {
  Table table;
  for (const DeviceRule& rule : rules) {
    const std::string access = all_letters_in(rule.access);
    const bool everything = !rule.major && !rule.minor && access == "rwm";
    if (rule.type == DeviceRuleType::All && everything) {
      table = {rule.allow, {}};
      continue;
    }
    for (const char type : {'c', 'b'}) {
      if (rule.type == DeviceRuleType::Char && type != 'c') continue;
      if (rule.type == DeviceRuleType::Block && type != 'b') continue;
      const Exception exception{type, rule.major, rule.minor, access};
      if (rule.allow == table.allow_by_default) {
        TRY(table.remove(exception));
      } else {
        table.add(exception);
      }
    }
  }
  std::vector<DeviceWrite> writes{{table.allow_by_default, "a"}};
  for (const Exception& each : table.exceptions) {
    writes.push_back({!table.allow_by_default, line_of(each)});
  }
  return writes;
}

}  // namespace runtime::cgroup
