#include "runtime/workload/module_file.hpp"

#include <unistd.h>

#include <array>

namespace runtime::workload {

base::Result<FileKind> kind_of_file(int fd, std::string_view subject) {
  constexpr std::string_view kModule("\0asm\1\0\0\0", 8);
  constexpr std::string_view kComponent("\0asm\x0d\0\1\0", 8);
  std::array<char, 8> head{};
  ssize_t got = 0;
  do {
    got = ::pread(fd, head.data(), head.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return base::fail_errno("read", subject);
  const std::string_view text(head.data(), static_cast<std::size_t>(got));
  if (text == kModule) return FileKind::Module;
  return text == kComponent ? FileKind::Component : FileKind::Other;
}

}  // namespace runtime::workload
