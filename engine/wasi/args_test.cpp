#include "engine/wasi/fake_guest.hpp"

namespace engine::wasi {
namespace {

WasiOptions with_arguments(std::vector<std::string> arguments) {
  WasiOptions out;
  out.arguments = std::move(arguments);
  out.environment = {"A=1", "EMPTY="};
  return out;
}

TEST(Arguments, ArriveInOrderWithTheirEndings) {
  FakeGuest guest(with_arguments({"app", "", "two words"}));
  ASSERT_EQ(guest.call<args_sizes_get>(FakeGuest::kResult, FakeGuest::kResult + 4), Errno::Success);
  EXPECT_EQ(guest.get<Size>(FakeGuest::kResult), 3U);
  ASSERT_EQ(guest.get<Size>(FakeGuest::kResult + 4), 15U);
  ASSERT_EQ(guest.call<args_get>(FakeGuest::kIovs, FakeGuest::kBuffer), Errno::Success);
  EXPECT_EQ(guest.text(FakeGuest::kBuffer, 15), std::string_view("app\0\0two words\0", 15));
  EXPECT_EQ(guest.get<Address>(FakeGuest::kIovs + 8), FakeGuest::kBuffer + 5);
}

TEST(Arguments, TheEnvironmentIsASecondList) {
  FakeGuest guest(with_arguments({}));
  ASSERT_EQ(guest.call<environ_sizes_get>(FakeGuest::kResult, FakeGuest::kResult + 4),
            Errno::Success);
  EXPECT_EQ(guest.get<Size>(FakeGuest::kResult), 2U);
  ASSERT_EQ(guest.call<environ_get>(FakeGuest::kIovs, FakeGuest::kBuffer), Errno::Success);
  EXPECT_EQ(guest.text(FakeGuest::kBuffer, 11), std::string_view("A=1\0EMPTY=\0", 11));
}

TEST(Arguments, NothingIsWrittenWhereTheyDoNotFit) {
  FakeGuest guest(with_arguments({"app", "argument"}));
  const Address near_end = FakeGuest::kMemory - 6;
  EXPECT_EQ(guest.call<args_get>(FakeGuest::kIovs, near_end), Errno::Fault);
  EXPECT_EQ(guest.call<args_get>(near_end, FakeGuest::kBuffer), Errno::Fault);
  EXPECT_EQ(guest.call<args_sizes_get>(0xfffffffeU, FakeGuest::kResult), Errno::Fault);
  EXPECT_EQ(guest.memory, std::vector<std::byte>(FakeGuest::kMemory));
}

TEST(Arguments, ANulInsideOneIsRefusedAtTheStart) {
  WasiOptions options = with_arguments({std::string("a\0b", 3)});
  options.memory_of = [](const VmContext*) { return std::span<std::byte>(); };
  EXPECT_EQ(make_context(std::move(options)).error().kind(), base::ErrorKind::Invalid);
}

}  // namespace
}  // namespace engine::wasi
