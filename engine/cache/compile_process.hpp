// Compiling in a process of its own, wherry-compile: LLVM and hostile modules stay out of the
// programs that run as root on the host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace engine::cache {

using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Bytes of function bodies compiled at each optimisation level.
struct CompileReport {
  std::uint64_t bytes_o2 = 0;
  std::uint64_t bytes_o1 = 0;
};

/// Descriptors of the compiler process, besides 0 to 2 which are /dev/null.
inline constexpr int kModuleFd = 3;
inline constexpr int kOutputFd = 4;
inline constexpr int kReportFd = 5;

/// Lines on kReportFd: "progress DONE TOTAL", "levels O2 O1", and "error KIND TEXT" with a kind of
/// engine::kind_name. A report that ends without "levels" or "error" is a compiler that died.
///
/// Runs `program` and waits for it. Invalid, Unsupported or LimitExceeded for what it says of the
/// module; Internal when it died.
base::Result<CompileReport> compile_in_process(const std::string& program, int module, int output,
                                               std::string_view cpu, const Progress& progress);

}  // namespace engine::cache
