// DevicePolicy and DeviceAllow (systemd.resource-control(5)). On v1 the manager owns the file
// devices.allow as much as we do: without these a daemon-reload writes "everything" to it.
#include <algorithm>
#include <string>

#include "runtime/cgroup/device_rules.hpp"
#include "runtime/systemd/properties.hpp"

namespace runtime::systemd {
namespace {

/// The name that /proc/devices has for a major number, or "".
std::string_view group_name(std::string_view groups, char type, std::string_view major) {
  const std::size_t block = std::min(groups.find("Block devices:"), groups.size());
  groups = type == 'b' ? groups.substr(block) : groups.substr(0, block);
  while (!groups.empty()) {
    std::string_view line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(line.size() + 1, groups.size()));
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos && line.substr(0, space) == major) {
      return line.substr(space + 1);
    }
  }
  return {};
}

/// "c 136:* rwm" as ("char-pts", "rwm"); the first is "" for what the manager has no words for.
std::pair<std::string, std::string> allowed(std::string_view line, std::string_view groups) {
  const char type = line[0];
  const std::size_t colon = line.find(':');
  const std::size_t space = line.find(' ', colon);
  const std::string_view major = line.substr(2, colon - 2);
  const std::string_view minor = line.substr(colon + 1, space - colon - 1);
  const std::string kind = type == 'c' ? "char" : "block";
  std::string place;
  if (minor != "*") {
    if (major != "*") place = "/dev/" + kind + '/' + std::string(line.substr(2, space - 2));
  } else if (major == "*") {
    place = kind + "-*";
  } else if (const std::string_view name = group_name(groups, type, major); !name.empty()) {
    place = kind + '-' + std::string(name);
  }
  return {std::move(place), std::string(line.substr(space + 1))};
}

}  // namespace

base::Result<Properties> device_properties(std::span<const oci::DeviceRule> rules,
                                           std::string_view groups) {
  const std::vector<cgroup::DeviceWrite> writes = TRY(cgroup::plan_v1_devices(rules));
  // What is open but for exceptions cannot be said.
  if (writes.front().allow) return Properties{{"DevicePolicy", "auto", 0}};
  dbus::StringPairs entries;
  for (auto each = writes.begin() + 1; each != writes.end(); ++each) {
    std::pair<std::string, std::string> entry = allowed(each->line, groups);
    if (!entry.first.empty()) entries.push_back(std::move(entry));
  }
  return Properties{{"DevicePolicy", "strict", 0}, {"DeviceAllow", std::move(entries), 0}};
}

}  // namespace runtime::systemd
