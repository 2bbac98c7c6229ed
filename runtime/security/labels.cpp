#include "runtime/security/labels.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <string>

#include "base/file.hpp"
#include "base/open_in_root.hpp"

namespace runtime::security {
namespace {

/// One write(2): the kernel takes an attribute whole or not at all. NotFound when the kernel has no
/// such attribute.
base::Result<void> write_attribute(int procfs, const char* path, std::string_view value) {
  const base::UniqueFd file = TRY(base::open_beneath(procfs, path, O_WRONLY));
  if (::write(file.get(), value.data(), value.size()) < 0) return base::fail_errno("write", path);
  return {};
}

/// An error about a label that is worded as a missing or refusing security module.
base::Result<void> refused(base::Error error, std::string_view step) {
  const int sys_errno = error.sys_errno();
  error.add_context(std::string(step));
  // ENOENT: not compiled in; EINVAL: compiled in, but not among the running modules.
  if (sys_errno == ENOENT || sys_errno == EINVAL) error.set_kind(base::ErrorKind::Unsupported);
  return std::unexpected(std::move(error));
}

base::Result<void> write_selinux(int procfs, const char* path, std::string_view label) {
  if (label.empty()) return {};
  auto written = write_attribute(procfs, path, label);
  if (!written) return refused(std::move(written).error(), "can't set process label");
  return {};
}

}  // namespace

base::Result<void> apply_apparmor_profile(int procfs, std::string_view profile) {
  if (profile.empty()) return {};
  const std::string command = "exec " + std::string(profile);
  auto written = write_attribute(procfs, "thread-self/attr/apparmor/exec", command);
  if (!written && written.error().kind() == base::ErrorKind::NotFound) {
    // Before Linux 5.8 the modules shared one set of files; one that is not AppArmor's refuses.
    written = write_attribute(procfs, "thread-self/attr/exec", command);
  }
  if (!written) {
    return refused(std::move(written).error(),
                   "unable to apply apparmor profile: apparmor failed to apply profile");
  }
  return {};
}

base::Result<void> apply_selinux_label(int procfs, std::string_view label) {
  return write_selinux(procfs, "thread-self/attr/exec", label);
}

base::Result<void> apply_selinux_key_label(int procfs, std::string_view label) {
  if (label.empty()) {
    auto reset = write_attribute(procfs, "thread-self/attr/keycreate", "\0");
    return reset || reset.error().sys_errno() != EINVAL ? std::move(reset) : base::Result<void>{};
  }
  return write_selinux(procfs, "thread-self/attr/keycreate", label);
}

bool apparmor_enabled() {
  const auto parameter = base::read_file("/sys/module/apparmor/parameters/enabled", 16);
  return parameter && parameter->starts_with('Y');
}

bool selinux_enabled() {
  struct statfs fs{};
  return ::statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

}  // namespace runtime::security
