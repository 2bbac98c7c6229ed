#include "engine/wasi/errno.hpp"

namespace engine::wasi {

Errno errno_from_host(int host_errno) {
  switch (host_errno) {
#define WASI_ERRNO(name, number, host) \
  case host:                           \
    return Errno::name;
#include "engine/wasi/errno.def"
#undef WASI_ERRNO
    default:
      return Errno::Io;
  }
}

}  // namespace engine::wasi
