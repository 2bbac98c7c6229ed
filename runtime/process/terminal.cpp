#include "runtime/process/terminal.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/descriptor_passing.hpp"
#include "base/file.hpp"
#include "runtime/rootfs/mount_calls.hpp"

namespace runtime::process {
namespace {

base::Result<base::UniqueFd> open_master(const rootfs::Root& root) {
  base::UniqueFd master = TRY(root.open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NOFOLLOW));
  struct statfs system{};
  if (::fstatfs(master.get(), &system) != 0) return base::fail_errno("fstatfs", "/dev/pts/ptmx");
  const struct stat status = TRY(base::stat_fd(master.get(), "/dev/pts/ptmx"));
  if (system.f_type != DEVPTS_SUPER_MAGIC || !S_ISCHR(status.st_mode) ||
      status.st_rdev != ::makedev(5, 2)) {
    return base::fail(base::ErrorKind::Invalid, "/dev/pts/ptmx is not a pty multiplexer");
  }
  return master;
}

base::Result<void> cover_console(const rootfs::Root& root, int peer) {
  const base::UniqueFd target = TRY(root.make_file("/dev/console"));
  const base::UniqueFd mount = TRY(rootfs::clone_mount(peer, "", false));
  return rootfs::attach(mount.get(), target.get(), "/dev/console");
}

}  // namespace

base::Result<base::UniqueFd> open_terminal(const rootfs::Root& root,
                                           const std::optional<oci::ConsoleSize>& size,
                                           bool covers_console) {
  base::UniqueFd master = TRY(open_master(root));
  int locked = 0;
  if (::ioctl(master.get(), TIOCSPTLCK, &locked) != 0) return base::fail_errno("ioctl(TIOCSPTLCK)");
  const base::UniqueFd peer(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!peer) return base::fail_errno("ioctl(TIOCGPTPEER)");
  if (size) {
    winsize request{};
    request.ws_row = static_cast<unsigned short>(size->height);
    request.ws_col = static_cast<unsigned short>(size->width);
    if (::ioctl(master.get(), TIOCSWINSZ, &request) != 0) {
      return base::fail_errno("ioctl(TIOCSWINSZ)");
    }
  }
  if (covers_console) TRY(cover_console(root, peer.get()));
  if (::ioctl(peer.get(), TIOCSCTTY, 0) != 0) return base::fail_errno("ioctl(TIOCSCTTY)");
  for (int fd = 0; fd <= 2; ++fd) {
    if (::dup2(peer.get(), fd) < 0) return base::fail_errno("dup2", std::to_string(fd));
  }
  return master;
}

base::Result<void> send_descriptor(const std::string& path, int descriptor, std::string_view name) {
  const base::UniqueFd socket = TRY(base::connect_unix(path));
  static_cast<void>(TRY(base::send_with_descriptor(socket.get(), name, descriptor, path)));
  return {};
}

void keep_line_ends(int master) {
  termios settings{};
  if (::tcgetattr(master, &settings) != 0) return;
  settings.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
  ::tcsetattr(master, TCSANOW, &settings);
}

}  // namespace runtime::process
