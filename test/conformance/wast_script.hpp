// A script of the core test suite as wabt's wast2json writes it: one JSON file, with the modules it
// names beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/execution/value.hpp"

namespace conformance {

enum class NanPattern : std::uint8_t { None, Canonical, Arithmetic };

/// A value, or a set of them: each lane of `lane_bits` is either these bits or a NaN of the
/// pattern. Numbers are one lane.
struct Pattern {
  engine::ValType type = engine::ValType::I32;
  unsigned lane_bits = 32;
  std::vector<std::uint64_t> lanes;
  std::vector<NanPattern> nans;  ///< as many as lanes
  bool any_reference = false;    ///< not null
};

struct Action {
  bool is_get = false;
  std::string module;  ///< empty: the last one
  std::string field;
  std::vector<Pattern> arguments;
};

struct Command {
  std::string type;  ///< "module", "assert_return", …
  std::uint64_t line = 0;
  std::string name;      ///< of a module
  std::string filename;  ///< of a module, beside the script
  std::string as;        ///< register
  std::string text;      ///< expected message
  bool is_text = false;  ///< the module is in the text format
  Action action;
  std::vector<Pattern> expected;
};

struct Script {
  std::string source;  ///< the .wast file
  std::string folder;  ///< where the modules are
  std::vector<Command> commands;
};

base::Result<Script> read_script(const std::string& path);

/// The one value of a pattern without NaN patterns.
engine::VmValue bits_of(const Pattern& pattern);
bool matches(const Pattern& pattern, const engine::execution::Value& value);
/// "f32 0x7fc00000"
std::string describe(const engine::execution::Value& value);

/// External references are the host's numbers; null is 0, so number n is n + 1.
inline std::uint64_t external_reference(std::uint64_t number) { return number + 1; }

}  // namespace conformance
