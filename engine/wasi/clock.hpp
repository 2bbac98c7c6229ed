// WASI's clocks as Linux's.
#pragma once

#include <ctime>

#include "engine/wasi/errno.hpp"

namespace engine::wasi {

/// Inval for a number that is no clock.
Result<clockid_t> host_clock(std::uint32_t clock);

/// Negative times are 0; a time past 2554 (realtime) is cut.
std::uint64_t nanoseconds(const timespec& time);
timespec to_timespec(std::uint64_t nanoseconds);

}  // namespace engine::wasi
