// The structures of preview 1 as they lie in guest memory (WASI preview1/witx/typenames.witx) and
// the values of its enumerations. Guests and hosts are little-endian; the padding is spelled out,
// so that nothing of the host's stack reaches the guest.
#pragma once

#include <cstddef>
#include <cstdint>

namespace engine::wasi {

enum class Filetype : std::uint8_t {
  Unknown = 0,
  BlockDevice = 1,
  CharacterDevice = 2,
  Directory = 3,
  RegularFile = 4,
  SocketDgram = 5,
  SocketStream = 6,
  SymbolicLink = 7,
};

enum class ClockId : std::uint32_t { Realtime = 0, Monotonic = 1, ProcessCpu = 2, ThreadCpu = 3 };

namespace fdflags {
inline constexpr std::uint32_t kAppend = 1U << 0;
inline constexpr std::uint32_t kDsync = 1U << 1;
inline constexpr std::uint32_t kNonblock = 1U << 2;
inline constexpr std::uint32_t kRsync = 1U << 3;
inline constexpr std::uint32_t kSync = 1U << 4;
inline constexpr std::uint32_t kAll = 0x1f;
}  // namespace fdflags

namespace oflags {
inline constexpr std::uint32_t kCreat = 1U << 0;
inline constexpr std::uint32_t kDirectory = 1U << 1;
inline constexpr std::uint32_t kExcl = 1U << 2;
inline constexpr std::uint32_t kTrunc = 1U << 3;
inline constexpr std::uint32_t kAll = 0xf;
}  // namespace oflags

namespace fstflags {
inline constexpr std::uint32_t kAtim = 1U << 0;
inline constexpr std::uint32_t kAtimNow = 1U << 1;
inline constexpr std::uint32_t kMtim = 1U << 2;
inline constexpr std::uint32_t kMtimNow = 1U << 3;
inline constexpr std::uint32_t kAll = 0xf;
}  // namespace fstflags

inline constexpr std::uint32_t kLookupSymlinkFollow = 1;

struct Iovec {
  std::uint32_t buffer;
  std::uint32_t length;
};
static_assert(sizeof(Iovec) == 8);

inline constexpr std::uint8_t kPrestatSocket = 1;

struct Prestat {
  std::uint8_t tag;  ///< 0: directory, the only kind that the specification knows
  std::uint8_t padding[3];
  std::uint32_t name_length;
};
static_assert(sizeof(Prestat) == 8 && offsetof(Prestat, name_length) == 4);

struct Fdstat {
  Filetype filetype;
  std::uint8_t padding0;
  std::uint16_t flags;
  std::uint32_t padding1;
  std::uint64_t rights_base;
  std::uint64_t rights_inheriting;
};
static_assert(sizeof(Fdstat) == 24 && offsetof(Fdstat, flags) == 2);
static_assert(offsetof(Fdstat, rights_base) == 8 && offsetof(Fdstat, rights_inheriting) == 16);

struct Filestat {
  std::uint64_t dev;
  std::uint64_t ino;
  Filetype filetype;
  std::uint8_t padding[7];
  std::uint64_t nlink;
  std::uint64_t size;
  std::uint64_t atim;
  std::uint64_t mtim;
  std::uint64_t ctim;
};
static_assert(sizeof(Filestat) == 64 && offsetof(Filestat, filetype) == 16);
static_assert(offsetof(Filestat, nlink) == 24 && offsetof(Filestat, ctim) == 56);

/// filestat of `wasi_unstable`: a shorter link count.
struct FilestatUnstable {
  std::uint64_t dev;
  std::uint64_t ino;
  Filetype filetype;
  std::uint8_t padding[3];
  std::uint32_t nlink;
  std::uint64_t size;
  std::uint64_t atim;
  std::uint64_t mtim;
  std::uint64_t ctim;
};
static_assert(sizeof(FilestatUnstable) == 56 && offsetof(FilestatUnstable, nlink) == 20);

struct Dirent {
  std::uint64_t next;
  std::uint64_t ino;
  std::uint32_t name_length;
  Filetype filetype;
  std::uint8_t padding[3];
};
static_assert(sizeof(Dirent) == 24 && offsetof(Dirent, filetype) == 20);

enum class EventType : std::uint8_t { Clock = 0, FdRead = 1, FdWrite = 2 };

inline constexpr std::uint16_t kSubscriptionAbsoluteTime = 1;

struct Subscription {
  std::uint64_t userdata;
  EventType type;
  std::uint8_t padding0[7];
  std::uint32_t subject;  ///< of a clock its id; else the descriptor, and the rest is unused
  std::uint32_t padding1;
  std::uint64_t timeout;  ///< nanoseconds
  std::uint64_t precision;
  std::uint16_t flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(Subscription) == 48 && offsetof(Subscription, subject) == 16);
static_assert(offsetof(Subscription, timeout) == 24 && offsetof(Subscription, flags) == 40);

/// subscription of `wasi_unstable`: clocks carry an identifier of the guest's own in front.
struct SubscriptionUnstable {
  std::uint64_t userdata;
  EventType type;
  std::uint8_t padding0[7];
  std::uint64_t identifier_or_fd;
  std::uint32_t clock;
  std::uint32_t padding1;
  std::uint64_t timeout;
  std::uint64_t precision;
  std::uint16_t flags;
  std::uint8_t padding2[6];
};
static_assert(sizeof(SubscriptionUnstable) == 56 && offsetof(SubscriptionUnstable, clock) == 24);
static_assert(offsetof(SubscriptionUnstable, flags) == 48);

inline constexpr std::uint16_t kEventHangup = 1;

struct Event {
  std::uint64_t userdata;
  std::uint16_t error;
  EventType type;
  std::uint8_t padding0[5];
  std::uint64_t nbytes;
  std::uint16_t flags;
  std::uint8_t padding1[6];
};
static_assert(sizeof(Event) == 32 && offsetof(Event, type) == 10 && offsetof(Event, nbytes) == 16);
static_assert(offsetof(Event, flags) == 24);

}  // namespace engine::wasi
