#include "runtime/resctrl/groups.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "base/file.hpp"
#include "runtime/resctrl/schema.hpp"

namespace runtime::resctrl {
namespace {

constexpr std::size_t kMaxSchemata = std::size_t{1} << 20;
constexpr std::size_t kMaxStatus = 4096;

/// errno says little here; the kernel's last words are in a file.
base::Result<void> explain(base::Result<void> done, const std::string& root) {
  if (done) return {};
  std::string words = base::read_file(root + "/info/last_cmd_status", kMaxStatus).value_or("");
  while (words.ends_with('\n')) words.pop_back();
  if (!words.empty()) done.error().add_context("last_cmd_status: " + words);
  return done;
}

/// True: made by this call.
base::Result<bool> make_group(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return true;
  if (errno == EEXIST) return false;
  return base::fail_errno("mkdir", path);
}

base::Result<void> remove_group(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return {};
  return base::fail_errno("rmdir", path);
}

base::Result<void> check_expected(const Plan& plan) {
  if (plan.expected.empty()) return {};
  const std::string file = plan.groups.control + "/schemata";
  const std::string now = TRY(base::read_file(file, kMaxSchemata));
  for (const std::string& each : plan.expected) {
    if (is_in_force(each, now)) continue;
    return base::fail(base::ErrorKind::Invalid,
                      file + ": the class exists and does not have \"" + each + '"');
  }
  return {};
}

base::Result<void> make_control(Plan& plan) {
  Groups& groups = plan.groups;
  if (plan.must_exist) {
    if (::access(groups.control.c_str(), F_OK) == 0) return {};
    return base::with_context(base::Result<void>(base::fail_errno("access", groups.control)),
                              "clos dir not accessible (must be pre-created when schemata, "
                              "l3CacheSchema and memBwSchema are empty)");
  }
  groups.owns_control = TRY(make_group(groups.control));
  return groups.owns_control ? base::Result<void>() : check_expected(plan);
}

}  // namespace

base::Result<void> make(Plan& plan) {
  TRY(explain(make_control(plan), plan.groups.root));
  if (!plan.schemata.empty()) TRY(write_schemata(plan.groups, plan.schemata));
  if (plan.groups.monitoring.empty()) return {};
  base::Result<bool> made = make_group(plan.groups.monitoring);
  if (made) return {};
  return explain(std::unexpected(std::move(made).error()), plan.groups.root);
}

base::Result<void> enter(const Groups& groups, pid_t pid) {
  // The other way round the kernel refuses: a monitoring group takes only tasks of its class.
  for (const std::string* each : {&groups.control, &groups.monitoring}) {
    if (each->empty()) continue;
    TRY(explain(base::write_existing(*each + "/tasks", std::to_string(pid)), groups.root));
  }
  return {};
}

base::Result<void> write_schemata(const Groups& groups, const std::string& lines) {
  return explain(base::write_existing(groups.control + "/schemata", lines), groups.root);
}

base::Result<void> undo(const Plan& plan) {
  Groups groups = plan.groups;
  if (!plan.is_private && groups.owns_control) {
    // rmdir would send whoever is in it to the default class.
    const std::string tasks = base::read_file(groups.control + "/tasks", kMaxSchemata).value_or("");
    groups.owns_control = tasks.empty();
  }
  return remove(groups);
}

base::Result<void> remove(const Groups& groups) {
  base::Result<void> first;
  if (!groups.monitoring.empty()) first = remove_group(groups.monitoring);
  if (groups.owns_control) {
    base::Result<void> second = remove_group(groups.control);
    if (first) return second;
  }
  return first;
}

}  // namespace runtime::resctrl
