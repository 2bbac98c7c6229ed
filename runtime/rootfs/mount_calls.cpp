#include "runtime/rootfs/mount_calls.hpp"

#include <fcntl.h>
#include <sys/mount.h>

#include <array>

namespace runtime::rootfs {
namespace {

/// fsconfig failed: the kernel's message, if it left one, says more than errno.
std::unexpected<base::Error> configuration_error(int context, const std::string& type,
                                                 const std::string& parameter) {
  const int saved = errno;
  std::array<char, 256> text{};
  const ssize_t length = ::read(context, text.data(), text.size());
  base::Error error("fsconfig", parameter.empty() ? type : type + " " + parameter, saved);
  if (length > 2) {
    // "e text": the first letter is the severity.
    std::string message(text.data() + 2, static_cast<std::size_t>(length) - 2);
    while (message.ends_with('\n')) message.pop_back();
    error.add_context(std::move(message));
  }
  return std::unexpected(std::move(error));
}

base::Result<void> configure(int context, const std::string& type, const std::string& parameter) {
  const std::size_t equals = parameter.find('=');
  const int failed =
      equals == std::string::npos
          ? ::fsconfig(context, FSCONFIG_SET_FLAG, parameter.c_str(), nullptr, 0)
          : ::fsconfig(context, FSCONFIG_SET_STRING, parameter.substr(0, equals).c_str(),
                       parameter.substr(equals + 1).c_str(), 0);
  if (failed != 0) return configuration_error(context, type, parameter);
  return {};
}

}  // namespace

base::Result<base::UniqueFd> make_file_system(const std::string& type, const std::string& source,
                                              const std::vector<std::string>& parameters,
                                              std::uint64_t attributes) {
  const base::UniqueFd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return base::fail_errno("fsopen", type);
  if (!source.empty() &&
      ::fsconfig(context.get(), FSCONFIG_SET_STRING, "source", source.c_str(), 0) != 0) {
    return configuration_error(context.get(), type, "source=" + source);
  }
  for (const std::string& parameter : parameters) {
    TRY(configure(context.get(), type, parameter));
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return configuration_error(context.get(), type, "");
  }
  base::UniqueFd mount(
      ::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!mount) return base::fail_errno("fsmount", type);
  return mount;
}

base::Result<base::UniqueFd> clone_mount(int directory, const std::string& path,
                                         bool is_recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (path.empty()) flags |= AT_EMPTY_PATH;
  if (is_recursive) flags |= AT_RECURSIVE;
  base::UniqueFd mount(::open_tree(directory, path.c_str(), flags));
  if (!mount) return base::fail_errno("open_tree", path);
  return mount;
}

base::Result<void> set_attributes(int mount, const Attributes& attributes, bool is_recursive,
                                  std::string_view subject) {
  if (attributes.empty()) return {};
  mount_attr request{};
  request.attr_set = attributes.set;
  request.attr_clr = attributes.clear;
  // Atime is a field of several bits: the kernel wants all of them cleared when one is set.
  if ((request.attr_set & MOUNT_ATTR__ATIME) != 0) request.attr_clr |= MOUNT_ATTR__ATIME;
  const unsigned flags = AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0U);
  if (::mount_setattr(mount, "", flags, &request, sizeof(request)) != 0) {
    return base::fail_errno("mount_setattr", subject);
  }
  return {};
}

base::Result<void> set_propagation(int mount, const Propagation& propagation,
                                   std::string_view subject) {
  mount_attr request{};
  request.propagation = propagation.type;
  const unsigned flags = AT_EMPTY_PATH | (propagation.is_recursive ? AT_RECURSIVE : 0U);
  if (::mount_setattr(mount, "", flags, &request, sizeof(request)) != 0) {
    return base::fail_errno("mount_setattr", subject);
  }
  return {};
}

base::Result<void> set_idmap(int mount, int user_namespace, bool is_recursive,
                             std::string_view subject) {
  mount_attr request{};
  request.attr_set = MOUNT_ATTR_IDMAP;
  request.userns_fd = static_cast<std::uint64_t>(user_namespace);
  const unsigned flags = AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0U);
  if (::mount_setattr(mount, "", flags, &request, sizeof(request)) != 0) {
    return base::fail_errno("mount_setattr idmap", subject);
  }
  return {};
}

base::Result<void> attach(int mount, int target, std::string_view subject) {
  if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    return base::fail_errno("move_mount", subject);
  }
  return {};
}

}  // namespace runtime::rootfs
