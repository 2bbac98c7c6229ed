#include "engine/cache/read_only_view.hpp"

#include <fcntl.h>
#include <sys/mount.h>

namespace engine::cache {

base::UniqueFd read_only_view(int directory) {
  base::UniqueFd tree(
      ::open_tree(directory, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!tree) return {};
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (::mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) != 0) {
    return {};
  }
  return tree;
}

}  // namespace engine::cache
