// fd_readdir: getdents64(2) translated. The kernel's position in the directory is the guest's
// cookie, so nothing is remembered between calls.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

// linux_dirent64 of getdents(2): what a record begins with.
struct LinuxDirent {
  std::uint64_t ino;
  std::int64_t next;
  std::uint16_t record_length;
  std::uint8_t type;
};
constexpr std::size_t kNameOffset = 19;
static_assert(offsetof(LinuxDirent, type) + 1 == kNameOffset);

// One batch, on the host's stack.
constexpr std::size_t kBatch = std::size_t{32} << 10;
// The longest record: a name of 255 bytes.
constexpr std::size_t kSmallestBatch = 512;

Filetype filetype_of_entry(int directory, const char* name, std::uint8_t type) {
  // DT_* are the file type bits of st_mode, shifted.
  if (type != DT_UNKNOWN) return filetype_of(static_cast<std::uint32_t>(DTTOIF(type)));
  struct stat status{};
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return Filetype::Unknown;
  return filetype_of(status.st_mode);
}

/// Guest memory that is filled from its start; what does not fit is cut.
class Room {
 public:
  explicit Room(std::span<std::byte> bytes) : rest_(bytes), size_(bytes.size()) {}

  bool full() const { return rest_.empty(); }
  std::size_t used() const { return size_ - rest_.size(); }
  std::size_t left() const { return rest_.size(); }
  void put(const void* from, std::size_t size) {
    const std::size_t count = std::min(size, rest_.size());
    if (count == 0) return;
    std::memcpy(rest_.data(), from, count);
    rest_ = rest_.subspan(count);
  }

 private:
  std::span<std::byte> rest_;
  std::size_t size_;
};

void put_entries(int directory, std::span<const std::byte> batch, Room& room) {
  while (!batch.empty() && !room.full()) {
    LinuxDirent entry;
    std::memcpy(&entry, batch.data(), kNameOffset);
    // Safety: the kernel ends each name with a NUL inside its record.
    const char* const name = reinterpret_cast<const char*>(batch.data() + kNameOffset);
    Dirent guest{};
    guest.next = static_cast<std::uint64_t>(entry.next);
    guest.ino = entry.ino;
    guest.name_length = static_cast<Size>(std::strlen(name));
    guest.filetype = filetype_of_entry(directory, name, entry.type);
    room.put(&guest, sizeof(guest));
    room.put(name, guest.name_length);
    batch = batch.subspan(entry.record_length);
  }
}

}  // namespace

Result<void> fd_readdir(Call& call, Fd fd, Address buffer, Size size, std::uint64_t cookie,
                        Address used) {
  const DescriptorRef directory = TRY(call.descriptors().get_directory(fd, rights::kFdReaddir));
  const auto out = TRY(call.out<Size>(used));
  Room room(TRY(call.bytes(buffer, size)));
  const int host = directory->fd.get();
  const auto lock = call.descriptors().lock_directory_positions();
  if (::lseek(host, static_cast<off_t>(cookie), SEEK_SET) < 0) return fail_from_host();
  std::array<std::byte, kBatch> batch;
  while (!room.full()) {
    // No more than about as much as the guest has room for: the rest would be read again.
    const std::size_t wanted = std::clamp(room.left(), kSmallestBatch, batch.size());
    // Safety: glibc's readdir would keep a stream of its own; the arguments are getdents64(2)'s.
    const long got = ::syscall(SYS_getdents64, host, batch.data(), wanted);
    if (got < 0) return fail_from_host();
    if (got == 0) break;
    put_entries(host, std::span(batch).first(static_cast<std::size_t>(got)), room);
  }
  out.set(static_cast<Size>(room.used()));
  return {};
}

}  // namespace engine::wasi
