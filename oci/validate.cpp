// config.md: root, mounts, hooks, hostname; the sections with rules of their own are in the other
// validate_*.cpp files.
#include "oci/validate.hpp"

#include <algorithm>
#include <utility>

#include "oci/invalid.hpp"
#include "oci/validate_linux.hpp"

namespace oci {
namespace {

base::Result<void> check_uts(const Spec& spec) {
  if (spec.linux.find_namespace(NamespaceType::Uts) != nullptr) return {};
  if (!spec.hostname.empty()) {
    return invalid("hostname", "unable to set hostname without a private UTS namespace");
  }
  if (!spec.domainname.empty()) {
    return invalid("domainname", "unable to set domainname without a private UTS namespace");
  }
  return {};
}

bool has_option(const Mount& mount, std::string_view a, std::string_view b) {
  return std::any_of(mount.options.begin(), mount.options.end(),
                     [&](const std::string& option) { return option == a || option == b; });
}

base::Result<void> check_id_mapped_mount(const Spec& spec, const Mount& mount,
                                         const std::string& at) {
  const bool has_mappings = !mount.uid_mappings.empty() || !mount.gid_mappings.empty();
  if (!has_mappings && !has_option(mount, "idmap", "ridmap")) return {};
  if (!has_option(mount, "bind", "rbind")) {
    return invalid(at, "id-mapped mounts are only supported for bind-mounts");
  }
  if (has_mappings) {
    if (mount.uid_mappings.empty() || mount.gid_mappings.empty()) {
      return invalid(at, "id-mapped mounts must have both uid and gid mappings specified");
    }
    return {};
  }
  // Without mappings of its own a mount takes those of the container's user namespace.
  if (spec.linux.find_namespace(NamespaceType::User) == nullptr) {
    return invalid(at,
                   "id-mapped mounts must have both uid and gid mappings specified, or a user "
                   "namespace");
  }
  return {};
}

base::Result<void> check_mounts(const Spec& spec, Warnings& warnings) {
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const Mount& mount = spec.mounts[i];
    const std::string at = element("mounts", i);
    if (mount.destination.empty()) return invalid(at + ".destination", "must not be empty");
    if (!is_absolute(mount.destination)) {
      warnings.push_back(at + ".destination: mount destination " + mount.destination +
                         " is not absolute; it is taken as relative to /");
    }
    TRY(check_id_mapped_mount(spec, mount, at));
  }
  return {};
}

base::Result<void> check_hooks(const Hooks& hooks) {
  const std::pair<std::string_view, const std::vector<Hook>*> kinds[] = {
      {"hooks.prestart", &hooks.prestart},
      {"hooks.createRuntime", &hooks.create_runtime},
      {"hooks.createContainer", &hooks.create_container},
      {"hooks.startContainer", &hooks.start_container},
      {"hooks.poststart", &hooks.poststart},
      {"hooks.poststop", &hooks.poststop},
  };
  for (const auto& [path, list] : kinds) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Hook& hook = (*list)[i];
      if (!is_absolute(hook.path)) {
        return invalid(element(path, i) + ".path", "must be an absolute path");
      }
      if (hook.timeout && *hook.timeout <= 0) {
        return invalid(element(path, i) + ".timeout", "must be greater than zero");
      }
    }
  }
  return {};
}

/// MAJOR.MINOR.PATCH, and whatever follows after '-' or '+'. Which of them it is does not matter.
bool is_version(std::string_view text) {
  text = text.substr(0, text.find_first_of("-+"));
  for (int part = 0; part < 3; ++part) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return false;
    text.remove_prefix(digits);
    if (part == 2) return text.empty();
    if (!text.starts_with('.')) return false;
    text.remove_prefix(1);
  }
  return false;
}

}  // namespace

base::Result<Warnings> validate(const Spec& spec) {
  if (!spec.oci_version.empty() && !is_version(spec.oci_version)) {
    return invalid("ociVersion", "not a version of SemVer 2.0.0");
  }
  if (!spec.process) return invalid("process", "process property must not be empty");
  Warnings warnings = TRY(validate(*spec.process));
  if (!spec.root) return invalid("root", "root must be specified");
  if (spec.root->path.empty()) return invalid("root.path", "must not be empty");
  TRY(check_uts(spec));
  TRY(check_mounts(spec, warnings));
  TRY(check_hooks(spec.hooks));
  TRY(check_namespaces(spec.linux));
  TRY(check_linux(spec.linux, warnings));
  TRY(check_resources(spec.linux.resources));
  TRY(check_sysctl(spec.linux));
  if (spec.linux.seccomp) TRY(check_seccomp(*spec.linux.seccomp));
  return warnings;
}

base::Result<void> validate_rootless(const Spec& spec) {
  const Namespace* user = spec.linux.find_namespace(NamespaceType::User);
  if (user == nullptr) {
    return invalid("linux.namespaces", "rootless container requires user namespaces");
  }
  if (user->path.empty()) {
    if (spec.linux.uid_mappings.empty()) {
      return invalid("linux.uidMappings", "rootless containers requires at least one UID mapping");
    }
    if (spec.linux.gid_mappings.empty()) {
      return invalid("linux.gidMappings", "rootless containers requires at least one GID mapping");
    }
  }
  if (!spec.linux.net_devices.empty()) {
    return invalid("linux.netDevices", "network devices are not supported for rootless containers");
  }
  for (std::size_t i = 0; i < spec.mounts.size(); ++i) {
    const Mount& mount = spec.mounts[i];
    if (!mount.uid_mappings.empty() || !mount.gid_mappings.empty() ||
        has_option(mount, "idmap", "ridmap")) {
      return invalid(element("mounts", i),
                     "id-mapped mounts are not supported for rootless containers");
    }
  }
  return {};
}

}  // namespace oci
