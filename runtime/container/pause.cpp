// pause and resume.
#include <chrono>

#include "runtime/cgroup/cgroup.hpp"
#include "runtime/container/container.hpp"
#include "runtime/state/status.hpp"

namespace runtime::container {
namespace {

constexpr std::chrono::seconds kPatience{10};

struct Locked {
  state::Entry entry;
  state::Record record;
  oci::Status status;
};

base::Result<Locked> lock_container(const Host& host, std::string_view id) {
  state::Entry entry = TRY(host.store.lock(id, kPatience));
  state::Record record = TRY(entry.load());
  const oci::Status status = state::status_of(record);
  return Locked{std::move(entry), std::move(record), status};
}

}  // namespace

base::Result<void> pause(const Host& host, std::string_view id) {
  const Locked container = TRY(lock_container(host, id));
  if (container.status != oci::Status::Running && container.status != oci::Status::Created) {
    return base::fail(base::ErrorKind::WrongState, "container not running");
  }
  return cgroup::Cgroup(container.record.cgroup).freeze();
}

base::Result<void> resume(const Host& host, std::string_view id) {
  const Locked container = TRY(lock_container(host, id));
  if (container.status != oci::Status::Paused) {
    return base::fail(base::ErrorKind::WrongState, "container not paused");
  }
  return cgroup::Cgroup(container.record.cgroup).thaw();
}

}  // namespace runtime::container
