// systemd's manager, asked by D-Bus: org.freedesktop.systemd1(5), docs/formats/dbus.md "Calls".
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/dbus/connection.hpp"
#include "runtime/systemd/properties.hpp"
#include "runtime/systemd/unit.hpp"

namespace runtime::systemd {

/// Pure: root has the system's manager, everybody else his own; so has root of a user namespace in
/// which he is somebody else outside. `uid_map` is the text of /proc/self/uid_map.
Instance instance_of(uid_t effective_user, std::string_view uid_map);
Instance instance_of_caller();

/// Pure: the addresses to try, in order. The texts are environment variables; empty: not set.
std::vector<dbus::Address> manager_addresses(Instance instance,
                                             const std::string& runtime_directory,
                                             const std::string& bus_address);

/// One connection. Every call ends after 30 seconds; a job that is not done then is an error.
class Manager {
 public:
  /// By the environment of this process. NotFound, naming all addresses, when none answers.
  static base::Result<Manager> connect(Instance instance);

  /// Makes the unit and returns when it is there. What this systemd is too old for is left out. A
  /// unit of that name that has failed is reset first; AlreadyExists when one lives.
  base::Result<void> start(const std::string& unit, Properties properties);
  /// Changes a unit until the next boot, like start.
  base::Result<void> set(const std::string& unit, Properties properties);
  /// Stops and forgets the unit; a unit that is not there is no error.
  base::Result<void> stop(const std::string& unit);
  /// Moves a process into the unit's cgroup, or `below` it ("" or "/x").
  base::Result<void> attach(const std::string& unit, const std::string& below, pid_t pid);
  /// The manager's own cgroup, as a path below the mount point; "" is the root.
  base::Result<std::string> control_group();

 private:
  explicit Manager(dbus::Connection connection) : connection_(std::move(connection)) {}
  base::Result<void> drop_unknown(Properties& properties);
  base::Result<std::string> get(const char* property);
  base::Result<void> run_job(dbus::Message call);

  dbus::Connection connection_;
};

}  // namespace runtime::systemd
