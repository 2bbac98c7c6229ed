// proc_*, random_get and clocks.
#include "engine/structure/trap.hpp"
#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

void exit_entry(FakeGuest& guest, std::int32_t code);

class Exits : public ::testing::Test {
 protected:
  FakeGuest guest_{WasiOptions{}};
};

TEST_F(Exits, WithoutAHookTheCallerTrapsAndTheCodeIsKept) {
  exit_entry(guest_, 33);
  EXPECT_EQ(guest_.store.pending_trap, static_cast<std::uint32_t>(Trap::HostFailure));
  EXPECT_EQ(guest_.context.exit_code, 33U);
}

TEST(ExitHook, IsGivenTheCode) {
  std::uint32_t seen = 0;
  WasiOptions options;
  options.exit = [](void* data, std::uint32_t code) { *static_cast<std::uint32_t*>(data) = code; };
  options.exit_data = &seen;
  FakeGuest guest(std::move(options));
  exit_entry(guest, 5);
  EXPECT_EQ(seen, 5U);
}

TEST_F(Exits, RaisedSignalsHaveTheirDefaultActions) {
  EXPECT_EQ(guest_.call<proc_raise>(16U), Errno::Success);  // CHLD
  EXPECT_FALSE(guest_.context.exit_code.has_value());
  EXPECT_EQ(guest_.call<proc_raise>(18U), Errno::NotSup);  // STOP
  EXPECT_EQ(guest_.call<proc_raise>(31U), Errno::Inval);
  EXPECT_EQ(guest_.call<proc_raise>(30U), Errno::Success);  // SYS, Linux's 31
  EXPECT_EQ(guest_.context.exit_code, 159U);
}

TEST_F(Exits, RandomBytesFillTheBufferAndNothingElse) {
  ASSERT_EQ(guest_.call<random_get>(FakeGuest::kBuffer, 64U), Errno::Success);
  const std::string zeros(64, '\0');
  EXPECT_NE(guest_.text(FakeGuest::kBuffer, 64), zeros);
  EXPECT_EQ(guest_.text(FakeGuest::kBuffer + 64, 64), zeros);
  EXPECT_EQ(guest_.text(FakeGuest::kBuffer - 64, 64), zeros);
  EXPECT_EQ(guest_.call<random_get>(FakeGuest::kBuffer, 0x8001U), Errno::Fault);
  EXPECT_EQ(guest_.call<random_get>(0U, 0xffffffffU), Errno::Fault);
}

TEST_F(Exits, ClocksTellTheTimeAndRefuseOtherNumbers) {
  ASSERT_EQ(guest_.call<clock_time_get>(0U, 1, FakeGuest::kResult), Errno::Success);
  // 2020-01-01.
  EXPECT_GT(guest_.get<std::uint64_t>(FakeGuest::kResult), 1'577'836'800'000'000'000U);
  ASSERT_EQ(guest_.call<clock_res_get>(1U, FakeGuest::kResult), Errno::Success);
  EXPECT_GT(guest_.get<std::uint64_t>(FakeGuest::kResult), 0U);
  EXPECT_EQ(guest_.call<clock_time_get>(4U, 1, FakeGuest::kResult), Errno::Inval);
}

void exit_entry(FakeGuest& guest, std::int32_t code) {
  VmContext context{};
  context.store = &guest.store;
  context.instance = &guest.memory;
  VmHostFunction self{.function = nullptr, .data = &guest.context, .caller = &context};
  HostEntry<&proc_exit>::call(&self, code);
}

}  // namespace
}  // namespace engine::wasi
