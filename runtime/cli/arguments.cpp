// Parsing of command lines.
#include "runtime/cli/arguments.hpp"

#include <algorithm>

namespace runtime::cli {
namespace {

constexpr Option kHelp{"help", 'h', OptionKind::Flag, {}, "show this text"};

const Option* find_option(std::span<const Option> options, std::string_view name) {
  const auto is_it = [&](const Option& each) {
    return each.name == name || (each.letter != 0 && name == std::string_view(&each.letter, 1));
  };
  const auto at = std::ranges::find_if(options, is_it);
  if (at != options.end()) return &*at;
  return is_it(kHelp) ? &kHelp : nullptr;
}

std::unexpected<base::Error> wrong(std::string text) {
  return base::fail(base::ErrorKind::Invalid, std::move(text));
}

// What Go's strconv.ParseBool takes.
std::optional<bool> parse_bool(std::string_view text) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace

bool Arguments::flag(std::string_view name) const {
  return value(name).value_or("false") == "true";
}

std::optional<std::string> Arguments::value(std::string_view name) const {
  const auto at = std::ranges::find(given_.rbegin(), given_.rend(), name, &Given::name);
  if (at == given_.rend()) return std::nullopt;
  return at->value;
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  std::vector<std::string> out;
  for (const Given& each : given_) {
    if (each.name == name) out.push_back(each.value);
  }
  return out;
}

base::Result<Arguments> parse_arguments(std::span<const Option> options,
                                        std::span<const std::string> words, Reading reading) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    const bool ends_options = word == "--";
    if (ends_options || word.size() < 2 || word[0] != '-') {
      const bool rest_is_positional = ends_options || reading == Reading::StopAtPositional;
      if (!rest_is_positional) {
        out.positional_.push_back(words[i]);
        continue;
      }
      const auto rest = words.subspan(i + (ends_options ? 1 : 0));
      out.positional_.insert(out.positional_.end(), rest.begin(), rest.end());
      break;
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    const std::size_t equals = word.find('=');
    const std::string name(word.substr(0, equals));
    const Option* option = find_option(options, name);
    if (option == nullptr) return wrong("flag provided but not defined: -" + name);

    std::optional<std::string> value;
    if (equals != std::string_view::npos) value = std::string(word.substr(equals + 1));
    if (option->kind == OptionKind::Flag) {
      const auto truth = parse_bool(value.value_or("true"));
      if (!truth) return wrong("invalid boolean value \"" + *value + "\" for -" + name);
      value = *truth ? "true" : "false";
    } else if (!value) {
      if (i + 1 == words.size()) return wrong("flag needs an argument: -" + name);
      value = words[++i];
    }
    out.given_.push_back({option->name, *std::move(value)});
  }
  return out;
}

std::string describe_options(std::span<const Option> options) {
  std::vector<std::pair<std::string, std::string_view>> rows;
  const auto add = [&](const Option& option) {
    if (option.help.empty()) return;
    std::string left = option.letter != 0 ? std::string{'-', option.letter, ',', ' '} : "    ";
    left += "--" + std::string(option.name);
    if (!option.placeholder.empty()) left += ' ' + std::string(option.placeholder);
    rows.emplace_back(left, option.help);
  };
  std::ranges::for_each(options, add);
  add(kHelp);
  std::size_t width = 0;
  for (const auto& [left, right] : rows) width = std::max(width, left.size());
  std::string out;
  for (const auto& [left, right] : rows) {
    out += "  " + left + std::string(width - left.size() + 2, ' ') + std::string(right) + '\n';
  }
  return out;
}

}  // namespace runtime::cli
