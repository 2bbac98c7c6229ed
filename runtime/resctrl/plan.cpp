#include "runtime/resctrl/plan.hpp"

namespace runtime::resctrl {
namespace {

base::Result<void> check_offer(const oci::IntelRdt& rdt, const Host& host) {
  const char* missing = nullptr;
  if (!rdt.l3_cache_schema.empty() && !host.has_cache) {
    missing = "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled";
  } else if (!rdt.mem_bw_schema.empty() && !host.has_bandwidth) {
    missing = "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled";
  }
  if (missing != nullptr) return base::fail(base::ErrorKind::Invalid, missing);
  return {};
}

}  // namespace

base::Result<Plan> plan_groups(const oci::IntelRdt& rdt, std::string_view id, const Host& host) {
  TRY(check_offer(rdt, host));
  Plan out;
  out.is_private = rdt.clos_id.empty();
  const std::string name = out.is_private ? std::string(id) : rdt.clos_id;
  out.groups.root = host.root;
  out.groups.control = name == "/" ? host.root : host.root + '/' + name;
  if (rdt.enable_monitoring) {
    out.groups.monitoring = out.groups.control + "/mon_groups/";
    out.groups.monitoring += id;
  }
  for (const std::string* each : {&rdt.l3_cache_schema, &rdt.mem_bw_schema}) {
    if (each->empty()) continue;
    if (!out.is_private) out.expected.push_back(*each);
    out.schemata += *each + '\n';
  }
  for (const std::string& each : rdt.schemata) {
    if (!each.empty()) out.schemata += each + '\n';
  }
  out.must_exist = !out.is_private && out.schemata.empty();
  return out;
}

}  // namespace runtime::resctrl
