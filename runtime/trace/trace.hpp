// What a command did when: its phases with monotonic times, as one trace of OpenTelemetry. The form
// is docs/formats/trace.md. Whoever gets no recorder pays for a comparison with nullptr.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::trace {

struct Phase {
  std::string name;
  std::optional<std::size_t> parent;  ///< index of the phase that it is a part of
  std::uint64_t start = 0;            ///< CLOCK_MONOTONIC, nanoseconds
  std::uint64_t end = 0;
  std::string error;  ///< empty: it succeeded
};

/// The phases of one command, in the order of their beginnings. For one thread; what a child
/// process records is lost.
class Recorder {
 public:
  std::size_t begin(std::string_view name);
  void end(std::size_t phase, std::string error);
  const std::vector<Phase>& phases() const { return phases_; }

 private:
  std::vector<Phase> phases_;
  std::vector<std::size_t> open_;
};

/// Runs `work`, which returns a Result, as a phase. `recorder` may be nullptr.
template <typename Work>
auto phase(Recorder* recorder, std::string_view name, Work work) -> decltype(work()) {
  if (recorder == nullptr) return work();
  const std::size_t index = recorder->begin(name);
  auto result = work();
  recorder->end(index, result ? std::string() : result.error().message());
  return result;
}

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// Whose part a command's trace is.
struct Context {
  TraceId trace{};
  std::optional<SpanId> parent;
};

/// W3C Trace Context's header traceparent, "00-<trace>-<span>-<flags>"; nothing for other texts.
std::optional<Context> parse_traceparent(std::string_view text);
/// A trace of its own.
Context make_context();

struct Identity {
  Context context;
  std::string container;             ///< id; may be empty
  std::int64_t realtime_offset = 0;  ///< nanoseconds from CLOCK_MONOTONIC to the Unix epoch
  std::vector<SpanId> spans;         ///< one for each phase
};

/// An identity for these phases, with random span ids.
Identity identify(const Recorder& recorder, Context context, std::string container);

/// One line with the newline at its end.
std::string to_json(const Recorder& recorder, const Identity& identity);

}  // namespace runtime::trace
