// The command line in the dialect of runc's users (Go's package flag with urfave/cli): -name and
// --name are the same, values follow after "=" or as the next word, options may stand behind
// positional arguments unless a command stops at the first of these.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace runtime::cli {

/// Flag: "--tty", "--tty=false". Value: the last one counts. List: all of them count.
enum class OptionKind : std::uint8_t { Flag, Value, List };

struct Option {
  std::string_view name;
  char letter = 0;  ///< a second, short name; 0: none
  OptionKind kind = OptionKind::Flag;
  std::string_view placeholder = {};  ///< of the value in help texts
  std::string_view help = {};         ///< empty: understood, but not shown
};

enum class Reading : std::uint8_t {
  OptionsAnywhere,
  StopAtPositional,  ///< what follows the first positional argument belongs to somebody else
};

/// What was given. Names asked for must be in the table that was parsed with.
class Arguments {
 public:
  bool flag(std::string_view name) const;
  std::optional<std::string> value(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  const std::vector<std::string>& positional() const { return positional_; }

 private:
  friend base::Result<Arguments> parse_arguments(std::span<const Option> options,
                                                 std::span<const std::string> words,
                                                 Reading reading);
  struct Given {
    std::string_view name;
    std::string value;
  };
  std::vector<Given> given_;
  std::vector<std::string> positional_;
};

/// Invalid, in the words of Go's package flag: "flag provided but not defined: -x", "flag needs an
/// argument: -x", "invalid boolean value \"x\" for -debug". Everything behind "--" is positional;
/// so is "-". --help (-h) is known to every table: see Arguments::flag("help").
base::Result<Arguments> parse_arguments(std::span<const Option> options,
                                        std::span<const std::string> words, Reading reading);

/// Two columns, as help texts show them.
std::string describe_options(std::span<const Option> options);

}  // namespace runtime::cli
