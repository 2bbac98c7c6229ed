// Reads wabt's JSON; numbers are decimal strings of their bits.
#include "test/conformance/wast_script.hpp"

#include <array>
#include <charconv>
#include <filesystem>

#include "base/file.hpp"
#include "oci/json/document.hpp"

namespace conformance {
namespace {

using engine::ValType;
using oci::json::Value;

constexpr std::size_t kMaxScript = std::size_t{16} << 20;

std::string text_of(const Value& object, std::string_view name) {
  const auto member = object.find(name);
  return member && member->string() ? std::string(*member->string()) : std::string();
}

std::optional<ValType> type_named(std::string_view name) {
  for (const ValType type : {ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128,
                             ValType::FuncRef, ValType::ExternRef}) {
    if (engine::type_name(type) == name) return type;
  }
  return std::nullopt;
}

unsigned lane_bits(std::string_view lane_type) {
  unsigned bits = 0;
  if (!lane_type.empty()) {
    std::from_chars(lane_type.data() + 1, lane_type.data() + lane_type.size(), bits);
  }
  return bits;
}

bool add_lane(Pattern& out, std::string_view text) {
  std::uint64_t bits = 0;
  NanPattern nan = NanPattern::None;
  if (text == "nan:canonical") {
    nan = NanPattern::Canonical;
  } else if (text == "nan:arithmetic") {
    nan = NanPattern::Arithmetic;
  } else {
    const auto end = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return false;
  }
  out.lanes.push_back(bits);
  out.nans.push_back(nan);
  return true;
}

bool read_reference(Pattern& out, const std::optional<Value>& value) {
  out.lane_bits = 64;
  if (!value || !value->string()) {
    out.any_reference = true;
    return true;
  }
  if (*value->string() == "null") return add_lane(out, "0");
  if (!add_lane(out, *value->string())) return false;
  out.lanes.back() = external_reference(out.lanes.back());
  return true;
}

std::optional<Pattern> read_pattern(const Value& object) {
  Pattern out;
  const auto type = type_named(text_of(object, "type"));
  if (!type) return std::nullopt;
  out.type = *type;
  const auto value = object.find("value");
  if (engine::is_ref(*type)) {
    return read_reference(out, value) ? std::optional(out) : std::nullopt;
  }
  // assert_trap lists types only.
  if (!value) return out;
  bool good = true;
  if (*type == ValType::V128) {
    out.lane_bits = lane_bits(text_of(object, "lane_type"));
    value->for_each_element(
        [&](const Value& lane) { good = good && lane.string() && add_lane(out, *lane.string()); });
    good = good && out.lane_bits * out.lanes.size() == 128;
  } else {
    out.lane_bits = lane_bits(text_of(object, "type"));
    good = value->string() && add_lane(out, *value->string());
  }
  return good ? std::optional(out) : std::nullopt;
}

bool read_patterns(const std::optional<Value>& array, std::vector<Pattern>& out) {
  bool good = true;
  if (!array) return good;
  array->for_each_element([&](const Value& one) {
    auto pattern = read_pattern(one);
    good = good && pattern.has_value();
    if (pattern) out.push_back(std::move(*pattern));
  });
  return good;
}

std::optional<Command> read_command(const Value& object) {
  Command out;
  out.type = text_of(object, "type");
  if (const auto line = object.find("line")) out.line = line->unsigned_integer().value_or(0);
  out.name = text_of(object, "name");
  out.filename = text_of(object, "filename");
  out.as = text_of(object, "as");
  out.text = text_of(object, "text");
  out.is_text = text_of(object, "module_type") == "text";
  if (const auto action = object.find("action")) {
    out.action.is_get = text_of(*action, "type") == "get";
    out.action.module = text_of(*action, "module");
    out.action.field = text_of(*action, "field");
    if (!read_patterns(action->find("args"), out.action.arguments)) return std::nullopt;
  }
  if (!read_patterns(object.find("expected"), out.expected)) return std::nullopt;
  return out;
}

std::uint64_t lane_of(const engine::VmValue& bits, unsigned lane_bits, std::size_t lane) {
  const std::size_t at = lane * lane_bits;
  const std::uint64_t half = at < 64 ? bits.low : bits.high;
  const std::uint64_t shifted = half >> (at % 64);
  return lane_bits == 64 ? shifted : shifted & ((std::uint64_t{1} << lane_bits) - 1);
}

/// Core spec, scripts: canonical is the quiet bit alone, arithmetic at least the quiet bit; the
/// sign does not count.
bool is_nan(NanPattern pattern, unsigned lane_bits, std::uint64_t bits) {
  const std::uint64_t quiet = lane_bits == 32 ? 0x7fc00000 : 0x7ff8000000000000;
  const std::uint64_t sign = std::uint64_t{1} << (lane_bits - 1);
  return pattern == NanPattern::Canonical ? (bits & ~sign) == quiet : (bits & quiet) == quiet;
}

}  // namespace

base::Result<Script> read_script(const std::string& path) {
  const std::string text = TRY(base::read_file(path, kMaxScript));
  const auto document = TRY(base::with_context(oci::json::Document::parse(text), path));
  Script out;
  out.source = text_of(document.root(), "source_filename");
  out.folder = std::filesystem::path(path).parent_path();
  const auto commands = document.root().find("commands");
  if (!commands) return base::fail(base::ErrorKind::Invalid, path + ": no commands");
  bool good = true;
  commands->for_each_element([&](const Value& one) {
    auto command = read_command(one);
    good = good && command.has_value();
    if (command) out.commands.push_back(std::move(*command));
  });
  if (!good) return base::fail(base::ErrorKind::Invalid, path + ": unreadable command");
  return out;
}

engine::VmValue bits_of(const Pattern& pattern) {
  engine::VmValue out{};
  for (std::size_t lane = 0; lane < pattern.lanes.size(); ++lane) {
    const std::size_t at = lane * pattern.lane_bits;
    (at < 64 ? out.low : out.high) |= pattern.lanes[lane] << (at % 64);
  }
  return out;
}

bool matches(const Pattern& pattern, const engine::execution::Value& value) {
  if (pattern.type != value.type) return false;
  if (pattern.any_reference) return value.bits.low != 0;
  for (std::size_t lane = 0; lane < pattern.lanes.size(); ++lane) {
    const std::uint64_t bits = lane_of(value.bits, pattern.lane_bits, lane);
    const NanPattern nan = pattern.nans[lane];
    if (nan == NanPattern::None ? bits != pattern.lanes[lane]
                                : !is_nan(nan, pattern.lane_bits, bits)) {
      return false;
    }
  }
  return true;
}

std::string describe(const engine::execution::Value& value) {
  const auto hexadecimal = [](std::uint64_t bits) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    return std::string(digits.data(), end.ptr);
  };
  std::string out(engine::type_name(value.type));
  if (value.type == ValType::V128) {
    return out + " 0x" + hexadecimal(value.bits.high) + ":" + hexadecimal(value.bits.low);
  }
  return out + " 0x" + hexadecimal(value.bits.low);
}

}  // namespace conformance
