#include "runtime/trace/trace.hpp"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <span>

#include "oci/json/writer.hpp"

namespace runtime::trace {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Names, not secrets: without entropy they are all zero, which a collector refuses.
void fill(std::span<std::uint8_t> id) {
  if (::getrandom(id.data(), id.size(), GRND_NONBLOCK) < 0) std::ranges::fill(id, std::uint8_t{0});
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

/// False for anything but lower case digits, and for zero, which stands for no id.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  if (text.size() != out.size() * 2) return false;
  bool is_zero = true;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t high = kDigits.find(text[2 * i]);
    const std::size_t low = kDigits.find(text[2 * i + 1]);
    if (high == kDigits.npos || low == kDigits.npos) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
    is_zero = is_zero && out[i] == 0;
  }
  return !is_zero;
}

/// OTLP's JSON has 64-bit numbers as strings.
void write_attribute(oci::json::Writer& writer, std::string_view key, std::string_view kind,
                     std::string_view value) {
  writer.begin_object();
  writer.member("key", key);
  writer.key("value");
  writer.begin_object();
  writer.member(kind, value);
  writer.end_object();
  writer.end_object();
}

void write_status(oci::json::Writer& writer, const std::string& error) {
  constexpr int kOk = 1;
  constexpr int kError = 2;
  writer.key("status");
  writer.begin_object();
  writer.member("code", error.empty() ? kOk : kError);
  if (!error.empty()) writer.member("message", error);
  writer.end_object();
}

void write_span(oci::json::Writer& writer, const Phase& phase, const SpanId& own,
                const std::optional<SpanId>& parent, const Identity& identity) {
  const auto unix_time = [&identity](std::uint64_t monotonic) {
    return std::to_string(static_cast<std::int64_t>(monotonic) + identity.realtime_offset);
  };
  constexpr int kInternal = 1;
  writer.begin_object();
  writer.member("traceId", hex(identity.context.trace));
  writer.member("spanId", hex(own));
  if (parent) writer.member("parentSpanId", hex(*parent));
  writer.member("name", phase.name);
  writer.member("kind", kInternal);
  writer.member("startTimeUnixNano", unix_time(phase.start));
  writer.member("endTimeUnixNano", unix_time(phase.end));
  writer.key("attributes");
  writer.begin_array();
  write_attribute(writer, "monotonic.start", "intValue", std::to_string(phase.start));
  write_attribute(writer, "monotonic.end", "intValue", std::to_string(phase.end));
  writer.end_array();
  write_status(writer, phase.error);
  writer.end_object();
}

}  // namespace

std::size_t Recorder::begin(std::string_view name) {
  Phase phase{std::string(name), std::nullopt, 0, 0, ""};
  if (!open_.empty()) phase.parent = open_.back();
  phase.start = static_cast<std::uint64_t>(clock_now(CLOCK_MONOTONIC));
  phases_.push_back(std::move(phase));
  open_.push_back(phases_.size() - 1);
  return phases_.size() - 1;
}

void Recorder::end(std::size_t phase, std::string error) {
  phases_[phase].end = static_cast<std::uint64_t>(clock_now(CLOCK_MONOTONIC));
  phases_[phase].error = std::move(error);
  std::erase(open_, phase);
}

std::optional<Context> parse_traceparent(std::string_view text) {
  constexpr std::size_t kLength = 55;
  // Later versions may append fields; ff is not a version.
  const bool is_form = text.size() >= kLength && text[2] == '-' && text[35] == '-' &&
                       text[52] == '-' && (text.size() == kLength || text[kLength] == '-') &&
                       !text.starts_with("ff");
  if (!is_form || (text.starts_with("00") && text.size() != kLength)) return std::nullopt;
  Context out;
  SpanId parent{};
  if (!read_hex(text.substr(3, 32), out.trace) || !read_hex(text.substr(36, 16), parent)) {
    return std::nullopt;
  }
  out.parent = parent;
  return out;
}

Context make_context() {
  Context out;
  fill(out.trace);
  return out;
}

Identity identify(const Recorder& recorder, Context context, std::string container) {
  Identity out{context, std::move(container), 0, {}};
  out.realtime_offset = clock_now(CLOCK_REALTIME) - clock_now(CLOCK_MONOTONIC);
  out.spans.resize(recorder.phases().size());
  for (SpanId& each : out.spans) fill(each);
  return out;
}

std::string to_json(const Recorder& recorder, const Identity& identity) {
  oci::json::Writer writer;
  writer.begin_object();
  writer.key("resourceSpans");
  writer.begin_array();
  writer.begin_object();
  writer.key("resource");
  writer.begin_object();
  writer.key("attributes");
  writer.begin_array();
  write_attribute(writer, "service.name", "stringValue", "wherry");
  write_attribute(writer, "process.pid", "intValue", std::to_string(::getpid()));
  if (!identity.container.empty()) {
    write_attribute(writer, "container.id", "stringValue", identity.container);
  }
  writer.end_array();
  writer.end_object();
  writer.key("scopeSpans");
  writer.begin_array();
  writer.begin_object();
  writer.key("spans");
  writer.begin_array();
  for (std::size_t i = 0; i < recorder.phases().size(); ++i) {
    const Phase& phase = recorder.phases()[i];
    const std::optional<SpanId> parent =
        phase.parent ? identity.spans[*phase.parent] : identity.context.parent;
    write_span(writer, phase, identity.spans[i], parent, identity);
  }
  writer.end_array();
  writer.end_object();
  writer.end_array();
  writer.end_object();
  writer.end_array();
  writer.end_object();
  return writer.take() + '\n';
}

}  // namespace runtime::trace
