// update: new limits for a container that exists.
#include <charconv>
#include <chrono>

#include "base/file.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/bundle.hpp"
#include "runtime/container/unit.hpp"
#include "runtime/resctrl/groups.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaxNumberFile = 64;

// A number in a cgroup file; the largest when there is none ("max", or no such file).
std::uint64_t read_limit(const state::Record& record, const char* v1_file, const char* v2_file) {
  const auto v1 = record.cgroup.find("memory");
  const auto v2 = record.cgroup.find("");
  if (v1 == record.cgroup.end() && v2 == record.cgroup.end()) return UINT64_MAX;
  const std::string path =
      v1 != record.cgroup.end() ? v1->second + '/' + v1_file : v2->second + '/' + v2_file;
  const std::string text = base::read_file(path, kMaxNumberFile).value_or("");
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} ? number : UINT64_MAX;
}

base::Result<void> check_usage(const oci::MemoryResources& memory, const state::Record& record) {
  if (!memory.check_before_update.value_or(false) || memory.limit.value_or(-1) <= 0) return {};
  const std::uint64_t used = read_limit(record, "memory.usage_in_bytes", "memory.current");
  if (used == UINT64_MAX || used <= static_cast<std::uint64_t>(*memory.limit)) return {};
  return base::fail(base::ErrorKind::WrongState,
                    "rejecting memory limit " + std::to_string(*memory.limit) +
                        " below current usage " + std::to_string(used));
}

base::Result<void> check_schemas(const Schemas& schemas, const state::Record& record) {
  if (schemas.l3_cache.empty() && schemas.mem_bw.empty()) return {};
  const resctrl::Host host = resctrl::detect_host().value_or(resctrl::Host());
  const char* reason = nullptr;
  if (!schemas.l3_cache.empty() && !host.has_cache) {
    reason = "Intel RDT/CAT: l3 cache schema is not enabled";
  } else if (!schemas.mem_bw.empty() && !host.has_bandwidth) {
    reason = "Intel RDT/MBA: memory bandwidth schema is not enabled";
  } else if (!record.resctrl) {
    reason = "updating a non-existent Intel RDT configuration is not supported";
  }
  if (reason != nullptr) return base::fail(base::ErrorKind::Unsupported, reason);
  return {};
}

base::Result<void> write_schemas(const Schemas& schemas, const state::Record& record) {
  std::string lines;
  for (const std::string* each : {&schemas.l3_cache, &schemas.mem_bw}) {
    if (!each->empty()) lines += *each + '\n';
  }
  if (lines.empty()) return {};
  return base::with_context(resctrl::write_schemata(*record.resctrl, lines), "update schemata");
}

}  // namespace

base::Result<void> update(const Host& host, std::string_view id, const oci::Resources& resources,
                          const Schemas& schemas) {
  const state::Entry entry = TRY(host.store.lock(id, kPatience));
  const state::Record record = TRY(entry.load());
  if (state::status_of(record) == oci::Status::Stopped) {
    return base::fail(base::ErrorKind::WrongState, "container not running");
  }
  TRY(check_schemas(schemas, record));
  TRY(check_usage(resources.memory, record));
  const cgroup::Host cgroup_host = TRY(cgroup::detect_host());
  cgroup::ResourcePlan plan = TRY(cgroup::plan_resources(resources, cgroup_host));
  cgroup::order_for_update(plan,
                           read_limit(record, "memory.memsw.limit_in_bytes", "memory.swap.max"));
  // Without a list of its own the document does not speak of devices.
  if (resources.devices.empty()) plan.devices.clear();
  for (const std::string& warning : plan.warnings) warn(host, warning);
  // Before the files: what the manager writes there for a property is less exact.
  if (record.unit) TRY(update_unit(*record.unit, resources, cgroup_host));
  TRY(cgroup::Cgroup(record.cgroup).apply(plan));
  return write_schemas(schemas, record);
}

}  // namespace runtime::container
