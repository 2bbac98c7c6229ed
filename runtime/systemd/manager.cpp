// The calls, and what is done with their answers.
#include "runtime/systemd/manager.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/file.hpp"

namespace runtime::systemd {
namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr const char* kService = "org.freedesktop.systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? "" : text;
}

dbus::Message manager_call(const char* member, const char* signature, dbus::Writer body,
                           const char* interface = kManager) {
  dbus::Message out;
  out.path = "/org/freedesktop/systemd1";
  out.interface = interface;
  out.member = member;
  out.destination = kService;
  out.signature = signature;
  out.body = body.take();
  return out;
}

void put(dbus::Writer& out, const Properties& properties) {
  const dbus::Writer::Mark mark = out.begin_array(8);
  for (const Property& each : properties) {
    out.align(8);
    out.string(each.name);
    out.variant(each.value);
  }
  out.end_array(mark);
}

dbus::Message start_call(const std::string& unit, const Properties& properties) {
  dbus::Writer body;
  body.string(unit);
  body.string("replace");
  put(body, properties);
  body.end_array(body.begin_array(8));  // no further units
  return manager_call("StartTransientUnit", "ssa(sv)a(sa(sv))", std::move(body));
}

dbus::Message reset_call(const std::string& unit) {
  dbus::Writer body;
  body.string(unit);
  return manager_call("ResetFailedUnit", "s", std::move(body));
}

struct JobEnd {
  std::string job;
  std::string unit;
  std::string result;
};

// Nothing for a signal that is something else.
std::optional<JobEnd> read_job_end(const dbus::Message& signal) {
  if (signal.member != "JobRemoved" || signal.interface != kManager || signal.signature != "uoss") {
    return std::nullopt;
  }
  dbus::Reader in(signal.body);
  if (!in.number<std::uint32_t>()) return std::nullopt;
  auto job = in.string();
  auto unit = in.string();
  auto result = in.string();
  if (!job || !unit || !result) return std::nullopt;
  return JobEnd{*std::move(job), *std::move(unit), *std::move(result)};
}

}  // namespace

Instance instance_of(uid_t effective_user, std::string_view uid_map) {
  if (effective_user != 0) return Instance::User;
  // "inside outside count", right-aligned; user_namespaces(7).
  const std::size_t inside = uid_map.find_first_not_of(' ');
  if (inside == uid_map.npos) return Instance::System;
  const std::size_t outside = uid_map.find_first_not_of(' ', uid_map.find(' ', inside));
  const bool is_root_outside =
      uid_map.substr(inside).starts_with("0 ") && uid_map.substr(outside).starts_with("0 ");
  return is_root_outside ? Instance::System : Instance::User;
}

Instance instance_of_caller() {
  constexpr std::size_t kMaxMap = std::size_t{64} << 10;
  return instance_of(::geteuid(), base::read_file("/proc/self/uid_map", kMaxMap).value_or(""));
}

std::vector<dbus::Address> manager_addresses(Instance instance,
                                             const std::string& runtime_directory,
                                             const std::string& bus_address) {
  std::vector<dbus::Address> out;
  const std::string run = instance == Instance::System ? "/run" : runtime_directory;
  if (!run.empty()) out.push_back({run + "/systemd/private", false});
  if (const std::string bus = dbus::path_of_address(bus_address); !bus.empty()) {
    out.push_back({bus, true});
  }
  if (instance == Instance::System) out.push_back({"/run/dbus/system_bus_socket", true});
  if (instance == Instance::User && !run.empty()) out.push_back({run + "/bus", true});
  return out;
}

base::Result<Manager> Manager::connect(Instance instance) {
  const bool is_user = instance == Instance::User;
  std::string reasons;
  for (const dbus::Address& address : manager_addresses(
           instance, variable("XDG_RUNTIME_DIR"),
           variable(is_user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"))) {
    auto connection = dbus::Connection::open(address, kService, dbus::Clock::now() + kPatience);
    if (connection) return Manager(*std::move(connection));
    reasons += (reasons.empty() ? "" : "; ") + connection.error().message();
  }
  return base::fail(base::ErrorKind::NotFound,
                    std::string("systemd's ") + (is_user ? "user " : "") +
                        "manager does not answer: " + (reasons.empty() ? "no address" : reasons));
}

base::Result<std::string> Manager::get(const char* property) {
  dbus::Writer body;
  body.string(kManager);
  body.string(property);
  const dbus::Message answer = TRY(connection_.call(
      manager_call("Get", "ss", std::move(body), "org.freedesktop.DBus.Properties"),
      dbus::Clock::now() + kPatience));
  if (answer.signature != "v") {
    return base::fail(base::ErrorKind::Invalid, std::string("systemd: no value for ") + property);
  }
  return dbus::Reader(answer.body).string_variant();
}

base::Result<std::string> Manager::control_group() { return get("ControlGroup"); }

// "252.39-1~deb12u2", "v255": the version is asked only if something depends on it.
base::Result<void> Manager::drop_unknown(Properties& properties) {
  if (std::ranges::none_of(properties, [](const Property& each) { return each.since > 0; })) {
    return {};
  }
  const std::string text = TRY(get("Version"));
  const std::size_t digit = std::min(text.find_first_of("0123456789"), text.size());
  unsigned version = 0;
  std::from_chars(text.data() + digit, text.data() + text.size(), version);
  drop_newer(properties, version);
  return {};
}

base::Result<void> Manager::run_job(dbus::Message call) {
  const auto end = dbus::Clock::now() + kPatience;
  const dbus::Message answer = TRY(connection_.call(std::move(call), end));
  if (answer.signature != "o") return base::fail(base::ErrorKind::Invalid, "systemd: no job");
  const std::string job = TRY(dbus::Reader(answer.body).string());
  const dbus::Message signal = TRY(connection_.wait_for_signal(
      [&](const dbus::Message& each) {
        const auto ended = read_job_end(each);
        return ended && ended->job == job;
      },
      end));
  const auto ended = read_job_end(signal);
  if (ended && ended->result == "done") return {};
  return base::fail(base::ErrorKind::System,
                    "systemd's job ended with \"" + (ended ? ended->result : "") + '"');
}

base::Result<void> Manager::start(const std::string& unit, Properties properties) {
  TRY(drop_unknown(properties));
  base::Result<void> started = run_job(start_call(unit, properties));
  if (!started && started.error().kind() == base::ErrorKind::AlreadyExists) {
    static_cast<void>(connection_.call(reset_call(unit), dbus::Clock::now() + kPatience));
    started = run_job(start_call(unit, properties));
  }
  return base::with_context(std::move(started), "start unit " + unit);
}

base::Result<void> Manager::set(const std::string& unit, Properties properties) {
  TRY(drop_unknown(properties));
  if (properties.empty()) return {};
  dbus::Writer body;
  body.string(unit);
  body.boolean(true);
  put(body, properties);
  TRY(base::with_context(
      connection_.call(manager_call("SetUnitProperties", "sba(sv)", std::move(body)),
                       dbus::Clock::now() + kPatience),
      "set properties of unit " + unit));
  return {};
}

base::Result<void> Manager::stop(const std::string& unit) {
  dbus::Writer body;
  body.string(unit);
  body.string("replace");
  base::Result<void> stopped = run_job(manager_call("StopUnit", "ss", std::move(body)));
  const bool is_gone = !stopped && stopped.error().kind() == base::ErrorKind::NotFound;
  // A unit that failed keeps its name until this; one that is gone refuses, which is as good.
  static_cast<void>(connection_.call(reset_call(unit), dbus::Clock::now() + kPatience));
  if (is_gone) return {};
  return base::with_context(std::move(stopped), "stop unit " + unit);
}

base::Result<void> Manager::attach(const std::string& unit, const std::string& below, pid_t pid) {
  dbus::Writer body;
  body.string(unit);
  body.string(below);
  const dbus::Writer::Mark mark = body.begin_array(4);
  body.number(static_cast<std::uint32_t>(pid));
  body.end_array(mark);
  TRY(base::with_context(
      connection_.call(manager_call("AttachProcessesToUnit", "ssau", std::move(body)),
                       dbus::Clock::now() + kPatience),
      "attach to unit " + unit));
  return {};
}

}  // namespace runtime::systemd
