#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

using std::chrono::steady_clock;

class Polling : public ::testing::Test {
 protected:
  Polling() {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    writer_ = base::UniqueFd(ends[1]);
    WasiOptions options;
    options.stdio[0] = base::UniqueFd(ends[0]);
    options.stdio[1] = base::open_file("/dev/null", O_WRONLY).value();
    guest_.emplace(std::move(options));
  }

  static Subscription clock_in(std::uint64_t nanoseconds, ClockId clock = ClockId::Monotonic) {
    Subscription out{};
    out.userdata = 7;
    out.type = EventType::Clock;
    out.subject = static_cast<std::uint32_t>(clock);
    out.timeout = nanoseconds;
    return out;
  }
  static Subscription readable(Fd fd) {
    Subscription out{};
    out.userdata = 8;
    out.type = EventType::FdRead;
    out.subject = fd;
    return out;
  }
  Errno poll(std::initializer_list<Subscription> subscriptions) {
    Address at = FakeGuest::kPath;
    for (const Subscription& subscription : subscriptions) {
      guest_->put(at, subscription);
      at += static_cast<Address>(sizeof(Subscription));
    }
    return guest_->call<poll_oneoff>(FakeGuest::kPath, FakeGuest::kBuffer, subscriptions.size(),
                                     FakeGuest::kResult);
  }
  Size stored() const { return guest_->get<Size>(FakeGuest::kResult); }
  Event event(Size index) const {
    return guest_->get<Event>(FakeGuest::kBuffer + index * static_cast<Size>(sizeof(Event)));
  }

  base::UniqueFd writer_;
  std::optional<FakeGuest> guest_;
};

TEST_F(Polling, AClockWaitsForItsTime) {
  const auto start = steady_clock::now();
  ASSERT_EQ(poll({clock_in(20'000'000)}), Errno::Success);
  EXPECT_GE(steady_clock::now() - start, std::chrono::milliseconds(20));
  ASSERT_EQ(stored(), 1U);
  EXPECT_EQ(event(0).userdata, 7U);
  EXPECT_EQ(event(0).type, EventType::Clock);
}

TEST_F(Polling, AnAbsoluteTimeInThePastIsNow) {
  Subscription past = clock_in(1, ClockId::Realtime);
  past.flags = kSubscriptionAbsoluteTime;
  ASSERT_EQ(poll({past, clock_in(60'000'000'000)}), Errno::Success);
  EXPECT_EQ(stored(), 1U);
}

TEST_F(Polling, WhatCanBeReadIsReportedWithItsSize) {
  ASSERT_EQ(::write(writer_.get(), "hello", 5), 5);
  ASSERT_EQ(poll({readable(0), clock_in(60'000'000'000)}), Errno::Success);
  ASSERT_EQ(stored(), 1U);
  EXPECT_EQ(event(0).type, EventType::FdRead);
  EXPECT_EQ(event(0).nbytes, 5U);
  EXPECT_EQ(event(0).flags, 0U);
}

TEST_F(Polling, AClosedPipeIsAHangup) {
  writer_.reset();
  ASSERT_EQ(poll({readable(0)}), Errno::Success);
  EXPECT_EQ(event(0).flags, kEventHangup);
}

TEST_F(Polling, ASingleBadSubscriptionIsAnEvent) {
  ASSERT_EQ(poll({readable(99), clock_in(60'000'000'000)}), Errno::Success);
  ASSERT_EQ(stored(), 1U);
  EXPECT_EQ(event(0).error, static_cast<std::uint16_t>(Errno::BadF));
  EXPECT_EQ(event(0).userdata, 8U);
}

TEST_F(Polling, NoneAndTooManySubscriptionsAreInvalid) {
  EXPECT_EQ(poll({}), Errno::Inval);
  EXPECT_EQ(guest_->call<poll_oneoff>(0U, 0U, 65537U, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_->call<poll_oneoff>(0U, 0U, 0xffffffffU, FakeGuest::kResult), Errno::Inval);
  EXPECT_EQ(guest_->call<poll_oneoff>(0U, FakeGuest::kMemory - 8, 1U, FakeGuest::kResult),
            Errno::Fault);
}

TEST_F(Polling, OfOneDescriptorEachDirectionIsAnEventOfItsOwn) {
  Subscription writable = readable(1);
  writable.type = EventType::FdWrite;
  writable.userdata = 9;
  Subscription unwritable = readable(0);
  unwritable.type = EventType::FdWrite;
  ASSERT_EQ(poll({readable(1), writable, readable(0), unwritable}), Errno::Success);
  ASSERT_EQ(stored(), 2U) << "/dev/null is ready for both, the empty pipe for none";
  EXPECT_EQ(event(0).type, EventType::FdRead);
  EXPECT_EQ(event(1).type, EventType::FdWrite);
  EXPECT_EQ(event(1).userdata, 9U);
}

TEST_F(Polling, MoreSubscriptionsThanDescriptorsMayBeOpen) {
  constexpr Size kMost = 65536;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  guest_->memory.resize(std::size_t{8} << 20);
  for (Size i = 0; i < kMost; ++i) {
    guest_->put(FakeGuest::kPath + i * static_cast<Size>(sizeof(Subscription)), readable(0));
  }
  ASSERT_EQ(::write(writer_.get(), "x", 1), 1);
  constexpr Address kEvents = 5U << 20;
  constexpr Address kStored = 7U << 20;
  EXPECT_EQ(guest_->call<poll_oneoff>(FakeGuest::kPath, kEvents, kMost, kStored), Errno::Success);
  EXPECT_EQ(guest_->get<Size>(kStored), kMost);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(Polling, TheOlderSubscriptionIsLonger) {
  SubscriptionUnstable subscription{};
  subscription.userdata = 9;
  subscription.type = EventType::Clock;
  subscription.identifier_or_fd = 1234;
  subscription.clock = static_cast<std::uint32_t>(ClockId::Monotonic);
  subscription.timeout = 1;
  guest_->put(FakeGuest::kPath, subscription);
  ASSERT_EQ(guest_->call<poll_oneoff_unstable>(FakeGuest::kPath, FakeGuest::kBuffer, 1U,
                                               FakeGuest::kResult),
            Errno::Success);
  EXPECT_EQ(event(0).userdata, 9U);
  EXPECT_EQ(event(0).error, 0U);
}

}  // namespace
}  // namespace engine::wasi
