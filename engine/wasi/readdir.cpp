// fd_readdir: getdents64(2) translated. The kernel's position in the directory is the guest's
// cookie. Guests read few entries at a time and often those again that did not fit, so that the
// last batch is remembered: a seek costs the kernel more than the reading.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
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

LinuxDirent entry_at(std::span<const std::byte> batch) {
  LinuxDirent entry;
  std::memcpy(&entry, batch.data(), kNameOffset);
  return entry;
}

/// The cookie behind the last entry of which something was put into `room`.
std::uint64_t put_entries(int directory, std::span<const std::byte> batch, Room& room) {
  std::uint64_t cookie = 0;
  while (!batch.empty() && !room.full()) {
    const LinuxDirent entry = entry_at(batch);
    // Safety: the kernel ends each name with a NUL inside its record.
    const char* const name = reinterpret_cast<const char*>(batch.data() + kNameOffset);
    cookie = static_cast<std::uint64_t>(entry.next);
    Dirent guest{};
    guest.next = cookie;
    guest.ino = entry.ino;
    guest.name_length = static_cast<Size>(std::strlen(name));
    guest.filetype = filetype_of_entry(directory, name, entry.type);
    room.put(&guest, sizeof(guest));
    room.put(name, guest.name_length);
    batch = batch.subspan(entry.record_length);
  }
  return cookie;
}

/// What of the batch comes after the entry with that cookie; empty when it is not there or the
/// last.
std::span<const std::byte> entries_after(std::span<const std::byte> batch, std::uint64_t cookie) {
  while (!batch.empty()) {
    const LinuxDirent entry = entry_at(batch);
    batch = batch.subspan(entry.record_length);
    if (static_cast<std::uint64_t>(entry.next) == cookie) return batch;
  }
  return {};
}

Result<std::span<const std::byte>> read_batch(int directory, std::uint64_t cookie,
                                              DirectoryBatch& batch) {
  batch.of.reset();
  batch.bytes.resize(DirectoryBatch::kSize);
  if (::lseek(directory, static_cast<off_t>(cookie), SEEK_SET) < 0) return fail_from_host();
  // Safety: glibc's readdir would keep a stream of its own; the arguments are getdents64(2)'s.
  const long got = ::syscall(SYS_getdents64, directory, batch.bytes.data(), batch.bytes.size());
  if (got < 0) return fail_from_host();
  batch.used = static_cast<std::size_t>(got);
  return batch.entries();
}

}  // namespace

Result<void> fd_readdir(Call& call, Fd fd, Address buffer, Size size, std::uint64_t cookie,
                        Address used) {
  const DescriptorRef directory = TRY(call.descriptors().get_directory(fd, rights::kFdReaddir));
  const auto out = TRY(call.out<Size>(used));
  Room room(TRY(call.bytes(buffer, size)));
  const int host = directory->fd.get();
  DirectoryBatch& batch = call.descriptors().last_batch();
  const std::lock_guard lock(batch.mutex);
  // From the start everything is new: that is what rewinding is for.
  std::span<const std::byte> entries;
  if (cookie != 0 && batch.of.lock() == directory) entries = entries_after(batch.entries(), cookie);
  while (!room.full()) {
    if (entries.empty()) entries = TRY(read_batch(host, cookie, batch));
    if (entries.empty()) break;
    batch.of = directory;
    cookie = put_entries(host, entries, room);
    entries = {};
  }
  out.set(static_cast<Size>(room.used()));
  return {};
}

}  // namespace engine::wasi
