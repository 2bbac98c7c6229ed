#include "engine/wasi/clock.hpp"

#include "base/result.hpp"
#include "engine/wasi/functions.hpp"

namespace engine::wasi {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

Result<clockid_t> host_clock(std::uint32_t clock) {
  switch (static_cast<ClockId>(clock)) {
    case ClockId::Realtime:
      return CLOCK_REALTIME;
    case ClockId::Monotonic:
      return CLOCK_MONOTONIC;
    case ClockId::ProcessCpu:
      return CLOCK_PROCESS_CPUTIME_ID;
    case ClockId::ThreadCpu:
      return CLOCK_THREAD_CPUTIME_ID;
  }
  return fail(Errno::Inval);
}

std::uint64_t nanoseconds(const timespec& time) {
  if (time.tv_sec < 0) return 0;
  const auto seconds = static_cast<std::uint64_t>(time.tv_sec);
  if (seconds >= UINT64_MAX / kSecond) return UINT64_MAX;
  return seconds * kSecond + static_cast<std::uint64_t>(time.tv_nsec);
}

timespec to_timespec(std::uint64_t nanoseconds) {
  timespec out{};
  out.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
  out.tv_nsec = static_cast<long>(nanoseconds % kSecond);
  return out;
}

Result<void> clock_res_get(Call& call, std::uint32_t clock, Address resolution) {
  const auto out = TRY(call.out<std::uint64_t>(resolution));
  timespec value{};
  if (::clock_getres(TRY(host_clock(clock)), &value) != 0) return fail_from_host();
  out.set(nanoseconds(value));
  return {};
}

Result<void> clock_time_get(Call& call, std::uint32_t clock, std::uint64_t /*precision*/,
                            Address time) {
  const auto out = TRY(call.out<std::uint64_t>(time));
  timespec value{};
  if (::clock_gettime(TRY(host_clock(clock)), &value) != 0) return fail_from_host();
  out.set(nanoseconds(value));
  return {};
}

}  // namespace engine::wasi
