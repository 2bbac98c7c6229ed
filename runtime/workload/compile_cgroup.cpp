#include "runtime/workload/compile_cgroup.hpp"

#include <unistd.h>

#include <cstdint>

#include "oci/resources.hpp"
#include "runtime/cgroup/cgroup.hpp"

namespace runtime::workload {
namespace {

oci::Resources compile_resources() {
  oci::Resources out;
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page > 0) out.memory.limit = std::int64_t{pages} / 2 * page;
  return out;
}

base::Result<void> enter() {
  const cgroup::Host host = TRY(cgroup::detect_host());
  cgroup::Cgroup compiles(TRY(cgroup::place(host, "/wherry-compile", {})));
  const cgroup::ResourcePlan plan = TRY(cgroup::plan_resources(compile_resources(), host));
  TRY(compiles.create());
  TRY(compiles.apply(plan));
  return compiles.add(::getpid());
}

}  // namespace

base::Result<void> enter_compile_cgroup() {
  if (::geteuid() != 0) return {};
  return base::with_context(enter(), "enter the cgroup of compiles");
}

}  // namespace runtime::workload
