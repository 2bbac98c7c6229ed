#include "runtime/namespaces/user_namespace.hpp"

#include <unistd.h>

#include "base/file.hpp"

namespace runtime::namespaces {
namespace {

constexpr std::size_t kMaxIdMap = std::size_t{64} << 10;

/// Removes the next word and the space before it; is it the expected one?
bool take_word(std::string_view& text, std::string_view expected) {
  const std::size_t begin = text.find_first_not_of(" \n");
  if (begin == text.npos) return false;
  text.remove_prefix(begin);
  const std::string_view word = text.substr(0, text.find_first_of(" \n"));
  text.remove_prefix(word.size());
  return word == expected;
}

}  // namespace

bool maps_everything(std::string_view uid_map) {
  return take_word(uid_map, "0") && take_word(uid_map, "0") && take_word(uid_map, "4294967295") &&
         uid_map.find_first_not_of(" \n") == uid_map.npos;
}

bool is_host_root() {
  if (::geteuid() != 0) return false;
  // A kernel without user namespaces has no such file.
  const base::Result<std::string> map = base::read_file("/proc/self/uid_map", kMaxIdMap);
  return !map || maps_everything(*map);
}

}  // namespace runtime::namespaces
