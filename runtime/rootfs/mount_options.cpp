// The table of mount options, and its reading.
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <span>

#include "runtime/rootfs/mount_plan.hpp"

// Linux 5.14; newer than glibc 2.36.
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000
#endif

namespace runtime::rootfs {
namespace {

struct AttributeRow {
  std::string_view name;
  std::uint64_t set;
  std::uint64_t clear;
  bool is_recursive;
};
struct UnsetRow {
  std::string_view name;
  std::uint64_t attribute;
};
struct PropagationRow {
  std::string_view name;
  std::uint64_t type;
  bool is_recursive;
};
struct SuperblockRow {
  std::string_view name;
  std::string_view parameter;
};
struct ActionRow {
  std::string_view name;
  bool MountOptions::* field;
};

#define ATTRIBUTE(name, set, clear, recursive) AttributeRow{name, set, clear, recursive},
#define UNSET(...)
#define PROPAGATION(...)
#define SUPERBLOCK(...)
#define ACTION(...)
constexpr std::array kAttributes = {
#include "runtime/rootfs/mount_options.def"
};
#undef ATTRIBUTE
#undef UNSET
#define ATTRIBUTE(...)
#define UNSET(name, attribute) UnsetRow{name, attribute},
constexpr std::array kUnsets = {
#include "runtime/rootfs/mount_options.def"
};
#undef UNSET
#undef PROPAGATION
#define UNSET(...)
#define PROPAGATION(name, type, recursive) PropagationRow{name, type, recursive},
constexpr std::array kPropagations = {
#include "runtime/rootfs/mount_options.def"
};
#undef PROPAGATION
#undef SUPERBLOCK
#define PROPAGATION(...)
#define SUPERBLOCK(name, parameter) SuperblockRow{name, parameter},
constexpr std::array kSuperblocks = {
#include "runtime/rootfs/mount_options.def"
};
#undef SUPERBLOCK
#undef ACTION
#define SUPERBLOCK(...)
#define ACTION(name, field) ActionRow{name, &MountOptions::field},
constexpr std::array kActions = {
#include "runtime/rootfs/mount_options.def"
};
#undef ATTRIBUTE
#undef UNSET
#undef PROPAGATION
#undef SUPERBLOCK
#undef ACTION

template <typename Table>
auto find(const Table& table, std::string_view name) {
  const auto found =
      std::ranges::find_if(table, [name](const auto& row) { return row.name == name; });
  return found == table.end() ? nullptr : &*found;
}

// A later option wins over an earlier one: "ro,rw" is read-write.
void merge(const AttributeRow& row, Attributes& into) {
  into.set = (into.set & ~row.clear) | row.set;
  into.clear = (into.clear & ~row.set) | row.clear;
}

// The three ways of keeping times of access are one field, in which relatime is zero.
void take_back(std::uint64_t attribute, Attributes& from) {
  if (attribute == MOUNT_ATTR_NODIRATIME) {
    from.set &= ~std::uint64_t{MOUNT_ATTR_NODIRATIME};
  } else if ((from.set & MOUNT_ATTR__ATIME) == attribute) {
    from.set &= ~std::uint64_t{MOUNT_ATTR__ATIME};
    from.clear &= ~std::uint64_t{MOUNT_ATTR__ATIME};
  }
}

constexpr std::uint64_t kAllTimes = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
constexpr std::uint64_t kLockable =
    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

}  // namespace

Attributes bind_attributes(const MountOptions& options) {
  if (!options.names_attributes) return {};
  const Attributes& named = options.attributes;
  const bool names_times =
      (named.clear & MOUNT_ATTR__ATIME) != 0 || (named.set & MOUNT_ATTR_NODIRATIME) != 0;
  Attributes out;
  out.set = named.set;
  out.clear = (kLockable | MOUNT_ATTR_NOSYMFOLLOW) & ~named.set;
  if (names_times) out.clear |= kAllTimes;
  return out;
}

std::optional<Attributes> locked_bind_attributes(const MountOptions& options,
                                                 std::uint64_t present) {
  Attributes out = bind_attributes(options);
  if ((present & options.attributes.clear & kLockable) != 0) return std::nullopt;
  if ((out.clear & kAllTimes) != 0 && (out.set & kAllTimes) != (present & kAllTimes)) {
    return std::nullopt;
  }
  out.set &= ~kAllTimes;
  out.clear &= ~(kLockable | kAllTimes);
  return out;
}

MountOptions parse_options(const std::vector<std::string>& options) {
  MountOptions out;
  for (const std::string& option : options) {
    if (const auto* attribute = find(kAttributes, option)) {
      merge(*attribute, attribute->is_recursive ? out.recursive_attributes : out.attributes);
      out.names_attributes |= !attribute->is_recursive;
    } else if (const auto* unset = find(kUnsets, option)) {
      take_back(unset->attribute, out.attributes);
      out.names_attributes = true;
    } else if (const auto* propagation = find(kPropagations, option)) {
      out.propagations.push_back({propagation->type, propagation->is_recursive});
    } else if (const auto* superblock = find(kSuperblocks, option)) {
      if (!superblock->parameter.empty()) out.parameters.emplace_back(superblock->parameter);
    } else if (const auto* action = find(kActions, option)) {
      out.*(action->field) = true;
    } else if (!option.empty()) {
      out.parameters.push_back(option);
    }
  }
  if (out.is_recursive_bind) out.is_bind = true;
  if (out.is_recursive_idmap) out.is_idmap = true;
  return out;
}

std::vector<std::string_view> option_names() {
  std::vector<std::string_view> out;
  const auto add = [&out](const auto& table) {
    for (const auto& row : table) out.push_back(row.name);
  };
  add(kAttributes);
  add(kUnsets);
  add(kPropagations);
  add(kSuperblocks);
  add(kActions);
  std::ranges::sort(out);
  return out;
}

}  // namespace runtime::rootfs
