// poll_oneoff: clocks and descriptors in one ppoll(2).
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "engine/wasi/clock.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

// Bounds what the host allocates for one call, to about 10 MiB.
constexpr Size kMaxSubscriptions = 65536;

Subscription to_preview1(const SubscriptionUnstable& from) {
  Subscription out{};
  out.userdata = from.userdata;
  out.type = from.type;
  out.subject = from.type == EventType::Clock ? from.clock
                                              : static_cast<std::uint32_t>(from.identifier_or_fd);
  out.timeout = from.timeout;
  out.precision = from.precision;
  out.flags = from.flags;
  return out;
}
Subscription to_preview1(const Subscription& from) { return from; }

template <typename Guest>
Result<std::vector<Subscription>> read_subscriptions(const Call& call, Address at, Size count) {
  if (count == 0 || count > kMaxSubscriptions) return fail(Errno::Inval);
  TRY(call.bytes(at, std::uint64_t{count} * sizeof(Guest)));
  std::vector<Subscription> out(count);
  for (Size i = 0; i < count; ++i) {
    out[i] = to_preview1(TRY(call.read<Guest>(at + i * static_cast<Address>(sizeof(Guest)))));
  }
  return out;
}

Event event_of(const Subscription& subscription, Errno error) {
  Event out{};
  out.userdata = subscription.userdata;
  out.error = static_cast<std::uint16_t>(error);
  out.type = subscription.type;
  return out;
}

std::uint64_t now(clockid_t clock) {
  timespec value{};
  ::clock_gettime(clock, &value);
  return nanoseconds(value);
}

std::uint64_t bytes_to_read(const Descriptor& descriptor) {
  const int fd = descriptor.fd.get();
  if (descriptor.filetype == Filetype::RegularFile) {
    struct stat status{};
    const off_t at = ::lseek(fd, 0, SEEK_CUR);
    const bool known = at >= 0 && ::fstat(fd, &status) == 0;
    return known && at < status.st_size ? static_cast<std::uint64_t>(status.st_size - at) : 0;
  }
  int count = 0;
  return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::uint64_t>(count) : 0;
}

/// The subscriptions of one call, ready to be waited for.
class Poll {
 public:
  Poll(DescriptorTable& descriptors, std::span<const Subscription> subscriptions)
      : start_(now(CLOCK_MONOTONIC)) {
    polled_.reserve(subscriptions.size());
    held_.reserve(subscriptions.size());
    waiting_.reserve(subscriptions.size());
    for (const Subscription& subscription : subscriptions) add(descriptors, subscription);
  }

  /// At least one event; errors of single subscriptions are events.
  Result<std::vector<Event>> wait() {
    while (events_.empty()) {
      const std::optional<timespec> timeout = time_left();
      const int ready =
          ::ppoll(polled_.data(), polled_.size(), timeout ? &*timeout : nullptr, nullptr);
      if (ready < 0 && errno != EINTR) return fail_from_host();
      if (ready > 0) collect_descriptors();
      collect_clocks();
    }
    return std::move(events_);
  }

 private:
  struct Clock {
    Subscription subscription;
    clockid_t clock;
    bool absolute;
  };
  struct Waiting {
    Subscription subscription;
    std::uint32_t entry;
    short wanted;
  };
  static constexpr std::uint32_t kNoEntry = UINT32_MAX;

  void add(DescriptorTable& descriptors, const Subscription& subscription) {
    switch (subscription.type) {
      case EventType::Clock:
        return add_clock(subscription);
      case EventType::FdRead:
      case EventType::FdWrite:
        return add_descriptor(descriptors, subscription);
    }
    events_.push_back(event_of(subscription, Errno::Inval));
  }

  void add_clock(const Subscription& subscription) {
    const Result<clockid_t> clock = host_clock(subscription.subject);
    if (!clock) {
      events_.push_back(event_of(subscription, clock.error()));
    } else if (*clock != CLOCK_REALTIME && *clock != CLOCK_MONOTONIC) {
      // CPU clocks stand still while their process waits.
      events_.push_back(event_of(subscription, Errno::NotSup));
    } else {
      clocks_.push_back(
          {subscription, *clock, (subscription.flags & kSubscriptionAbsoluteTime) != 0});
    }
  }

  void add_descriptor(DescriptorTable& descriptors, const Subscription& subscription) {
    const Result<DescriptorRef> descriptor =
        descriptors.get(subscription.subject, rights::kPollFdReadwrite);
    if (!descriptor) {
      events_.push_back(event_of(subscription, descriptor.error()));
      return;
    }
    const std::uint32_t entry = entry_of(subscription.subject, *descriptor);
    const short wanted = subscription.type == EventType::FdRead ? POLLIN : POLLOUT;
    polled_[entry].events = static_cast<short>(polled_[entry].events | wanted);
    waiting_.push_back({subscription, entry, wanted});
  }

  /// One for each descriptor: ppoll(2) takes no more of them than may be open, and guests wait for
  /// reading and writing at once.
  std::uint32_t entry_of(std::uint32_t number, const DescriptorRef& descriptor) {
    if (number >= entries_.size()) entries_.resize(std::size_t{number} + 1, kNoEntry);
    std::uint32_t& entry = entries_[number];
    // Another thread may have put something else under the number meanwhile.
    if (entry == kNoEntry || held_[entry] != descriptor) {
      entry = static_cast<std::uint32_t>(polled_.size());
      polled_.push_back({.fd = descriptor->fd.get(), .events = 0, .revents = 0});
      held_.push_back(descriptor);
    }
    return entry;
  }

  std::uint64_t left(const Clock& clock) const {
    const std::uint64_t timeout = clock.subscription.timeout;
    const std::uint64_t passed = clock.absolute ? now(clock.clock) : now(CLOCK_MONOTONIC) - start_;
    return timeout > passed ? timeout - passed : 0;
  }

  std::optional<timespec> time_left() const {
    std::optional<std::uint64_t> shortest;
    for (const Clock& clock : clocks_) {
      shortest = std::min(shortest.value_or(UINT64_MAX), left(clock));
    }
    if (!shortest) return std::nullopt;
    return to_timespec(*shortest);
  }

  void collect_descriptors() {
    for (const Waiting& waiting : waiting_) {
      const short happened = polled_[waiting.entry].revents;
      if ((happened & (waiting.wanted | POLLERR | POLLHUP | POLLNVAL)) == 0) continue;
      const bool bad = (happened & POLLNVAL) != 0;
      Event event = event_of(waiting.subscription, bad ? Errno::BadF : Errno::Success);
      if (event.type == EventType::FdRead && !bad) {
        event.nbytes = bytes_to_read(*held_[waiting.entry]);
      }
      if ((happened & POLLHUP) != 0) event.flags = kEventHangup;
      events_.push_back(event);
    }
  }

  void collect_clocks() {
    for (const Clock& clock : clocks_) {
      if (left(clock) == 0) events_.push_back(event_of(clock.subscription, Errno::Success));
    }
  }

  std::uint64_t start_;
  std::vector<Event> events_;
  std::vector<Clock> clocks_;
  std::vector<Waiting> waiting_;
  std::vector<pollfd> polled_;
  std::vector<DescriptorRef> held_;     // of the same index
  std::vector<std::uint32_t> entries_;  // by the guest's number: its index there
};

template <typename Guest>
Result<void> poll(const Call& call, Address subscriptions, Address events, Size count,
                  Address stored) {
  const auto out = TRY(call.out<Size>(stored));
  const std::vector<Subscription> wanted =
      TRY(read_subscriptions<Guest>(call, subscriptions, count));
  TRY(call.bytes(events, std::uint64_t{count} * sizeof(Event)));
  const std::vector<Event> happened = TRY(Poll(call.descriptors(), wanted).wait());
  for (std::size_t i = 0; i < happened.size(); ++i) {
    const auto at = events + static_cast<Address>(i * sizeof(Event));
    TRY(call.out<Event>(at)).set(happened[i]);
  }
  out.set(static_cast<Size>(happened.size()));
  return {};
}

}  // namespace

Result<void> poll_oneoff(Call& call, Address subscriptions, Address events, Size count,
                         Address stored) {
  return poll<Subscription>(call, subscriptions, events, count, stored);
}

Result<void> poll_oneoff_unstable(Call& call, Address subscriptions, Address events, Size count,
                                  Address stored) {
  return poll<SubscriptionUnstable>(call, subscriptions, events, count, stored);
}

}  // namespace engine::wasi
