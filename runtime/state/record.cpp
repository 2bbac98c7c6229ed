// state.json: docs/formats/state.md.
#include "runtime/state/record.hpp"

#include <time.h>

#include <array>
#include <cstdio>
#include <limits>
#include <utility>

#include "oci/json/document.hpp"
#include "oci/json/writer.hpp"

namespace runtime::state {
namespace {

using oci::json::Value;

constexpr std::array<std::pair<Phase, std::string_view>, 3> kPhases{{
    {Phase::Creating, "creating"},
    {Phase::Created, "created"},
    {Phase::Started, "started"},
}};

std::string_view phase_name(Phase phase) { return kPhases[static_cast<std::size_t>(phase)].second; }

void write(oci::json::Writer& writer, const ProcessId& process) {
  writer.begin_object();
  writer.member("pid", process.pid);
  writer.member("startTime", process.start_time);
  writer.end_object();
}

void write(oci::json::Writer& writer, const std::vector<std::string>& entries) {
  writer.begin_array();
  for (const std::string& each : entries) writer.value(each);
  writer.end_array();
}

void write(oci::json::Writer& writer, const std::map<std::string, std::string>& entries) {
  writer.begin_object();
  for (const auto& [name, content] : entries) writer.member(name, content);
  writer.end_object();
}

void write(oci::json::Writer& writer, const resctrl::Groups& groups) {
  writer.begin_object();
  writer.member("root", groups.root);
  writer.member("control", groups.control);
  writer.member("monitoring", groups.monitoring);
  writer.member("ownsControl", groups.owns_control);
  writer.end_object();
}

std::unexpected<base::Error> wrong(const std::string& member, const char* wanted) {
  return base::fail(base::ErrorKind::Invalid, member + ": not " + wanted);
}

base::Result<std::string> string_member(Value object, const std::string& name) {
  const auto value = object.find(name);
  const auto text = value ? value->string() : std::nullopt;
  if (!text) return wrong(name, "a string");
  return std::string(*text);
}

base::Result<std::map<std::string, std::string>> map_member(Value object, const std::string& name) {
  const auto value = object.find(name);
  if (!value || !value->is_object()) return wrong(name, "an object");
  std::map<std::string, std::string> out;
  bool all_strings = true;
  value->for_each_member([&](std::string_view key, Value content) {
    const auto text = content.string();
    all_strings = all_strings && text;
    if (text) out.emplace(key, *text);
  });
  if (!all_strings) return wrong(name, "an object of strings");
  return out;
}

base::Result<ProcessId> process_member(Value object, const std::string& name) {
  const auto value = object.find(name);
  if (!value || !value->is_object()) return wrong(name, "an object");
  const auto pid = value->find("pid");
  const auto start = value->find("startTime");
  const auto number = pid ? pid->signed_integer() : std::nullopt;
  const auto ticks = start ? start->unsigned_integer() : std::nullopt;
  if (!number || *number <= 0 || *number > std::numeric_limits<pid_t>::max()) {
    return wrong(name + ".pid", "a pid");
  }
  if (!ticks) return wrong(name + ".startTime", "a number");
  return ProcessId{static_cast<pid_t>(*number), *ticks};
}

base::Result<Phase> phase_member(Value object) {
  const std::string text = TRY(string_member(object, "phase"));
  for (const auto& [phase, name] : kPhases) {
    if (text == name) return phase;
  }
  return wrong("phase", "a phase");
}

base::Result<bool> flag_member(Value object, const std::string& name) {
  const auto value = object.find(name);
  const auto flag = value ? value->boolean() : std::nullopt;
  if (!flag) return wrong(name, "a boolean");
  return *flag;
}

base::Result<systemd::Unit> unit_of(Value object) {
  if (!object.is_object()) return wrong("unit", "an object");
  systemd::Unit out;
  out.name = TRY(string_member(object, "name"));
  const bool of_user = TRY(base::with_context(flag_member(object, "ofUser"), "unit"));
  out.instance = of_user ? systemd::Instance::User : systemd::Instance::System;
  return out;
}

base::Result<resctrl::Groups> resctrl_of(Value object) {
  if (!object.is_object()) return wrong("resctrl", "an object");
  resctrl::Groups out;
  out.root = TRY(string_member(object, "root"));
  out.control = TRY(string_member(object, "control"));
  out.monitoring = TRY(string_member(object, "monitoring"));
  const auto owns = object.find("ownsControl");
  const auto flag = owns ? owns->boolean() : std::nullopt;
  if (!flag) return wrong("resctrl.ownsControl", "a boolean");
  out.owns_control = *flag;
  return out;
}

base::Result<std::vector<std::string>> strings_member(Value object, const std::string& name) {
  const auto value = object.find(name);
  if (!value || !value->is_array()) return wrong(name, "an array");
  std::vector<std::string> out;
  bool all_strings = true;
  value->for_each_element([&](Value element) {
    const auto text = element.string();
    all_strings = all_strings && text;
    if (text) out.emplace_back(*text);
  });
  if (!all_strings) return wrong(name, "an array of strings");
  return out;
}

}  // namespace

std::string to_json(const Record& record) {
  oci::json::Writer writer;
  writer.begin_object();
  writer.member("ociVersion", record.oci_version);
  writer.member("id", record.id);
  writer.member("phase", phase_name(record.phase));
  writer.key("creator");
  write(writer, record.creator);
  if (record.init) {
    writer.key("init");
    write(writer, *record.init);
  }
  writer.member("bundle", record.bundle);
  writer.member("rootfs", record.rootfs);
  writer.member("created", record.created);
  writer.member("owner", record.owner);
  writer.key("annotations");
  write(writer, record.annotations);
  writer.key("cgroup");
  write(writer, record.cgroup);
  if (record.unit) {
    writer.key("unit");
    writer.begin_object();
    writer.member("name", record.unit->name);
    writer.member("ofUser", record.unit->instance == systemd::Instance::User);
    writer.end_object();
  }
  if (record.resctrl) {
    writer.key("resctrl");
    write(writer, *record.resctrl);
  }
  writer.key("mounts");
  write(writer, record.mounts);
  writer.member("wasm", record.is_wasm);
  writer.key("stdio");
  write(writer, record.stdio);
  writer.end_object();
  return writer.take() + '\n';
}

base::Result<Record> parse_record(std::string_view json) {
  const auto document = TRY(oci::json::Document::parse(std::string(json)));
  const Value root = document.root();
  if (!root.is_object()) return wrong("the document", "an object");
  Record record;
  record.oci_version = TRY(string_member(root, "ociVersion"));
  record.id = TRY(string_member(root, "id"));
  record.phase = TRY(phase_member(root));
  record.creator = TRY(process_member(root, "creator"));
  if (root.find("init")) record.init = TRY(process_member(root, "init"));
  record.bundle = TRY(string_member(root, "bundle"));
  record.rootfs = TRY(string_member(root, "rootfs"));
  record.created = TRY(string_member(root, "created"));
  const auto owner = root.find("owner");
  const auto uid = owner ? owner->unsigned_integer() : std::nullopt;
  if (!uid || *uid > std::numeric_limits<uid_t>::max()) return wrong("owner", "a uid");
  record.owner = static_cast<uid_t>(*uid);
  record.annotations = TRY(map_member(root, "annotations"));
  record.cgroup = TRY(map_member(root, "cgroup"));
  if (const auto unit = root.find("unit")) record.unit = TRY(unit_of(*unit));
  if (const auto groups = root.find("resctrl")) record.resctrl = TRY(resctrl_of(*groups));
  record.mounts = TRY(strings_member(root, "mounts"));
  record.is_wasm = TRY(flag_member(root, "wasm"));
  record.stdio = TRY(strings_member(root, "stdio"));
  return record;
}

std::string timestamp_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::array<char, 64> text{};
  const std::size_t length = ::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text.data() + length, text.size() - length, ".%09ldZ", now.tv_nsec);
  return text.data();
}

}  // namespace runtime::state
