#include "shim/bootstrap/command_line.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace shim::bootstrap {
namespace {

constexpr std::size_t kMaxIdentifier = 255;

struct StringFlag {
  std::string_view name;
  std::string CommandLine::* member;  // null: taken and ignored
};

constexpr std::array kStringFlags{
    StringFlag{"namespace", &CommandLine::name_space},
    StringFlag{"id", &CommandLine::id},
    StringFlag{"address", &CommandLine::address},
    StringFlag{"publish-binary", &CommandLine::publish_binary},
    StringFlag{"bundle", &CommandLine::bundle},
    StringFlag{"socket", &CommandLine::socket},
    StringFlag{"debug-socket", nullptr},
};

enum class Switch : std::uint8_t { Debug, Info, Version };

struct SwitchFlag {
  std::string_view name;
  Switch what;
};

constexpr std::array kSwitchFlags{
    SwitchFlag{"debug", Switch::Debug},
    SwitchFlag{"info", Switch::Info},
    SwitchFlag{"v", Switch::Version},
    SwitchFlag{"version", Switch::Version},
};

base::Result<void> invalid(std::string text) {
  return base::fail(base::ErrorKind::Invalid, std::move(text));
}

/// The spellings that Go's flag package takes.
std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::array<std::string_view, 6> kTrue{"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::array<std::string_view, 6> kFalse{"0", "f", "F", "false", "FALSE", "False"};
  if (std::ranges::find(kTrue, text) != kTrue.end()) return true;
  if (std::ranges::find(kFalse, text) != kFalse.end()) return false;
  return std::nullopt;
}

/// The words still to be read.
class Words {
 public:
  explicit Words(std::span<const std::string_view> words) : words_(words) {}
  bool empty() const { return words_.empty(); }
  std::string_view take() {
    const std::string_view word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  bool next_is_flag() const {
    return !empty() && words_.front().size() > 1 && words_.front()[0] == '-';
  }

 private:
  std::span<const std::string_view> words_;
};

void apply_switch(CommandLine& line, Switch what, bool on) {
  switch (what) {
    case Switch::Debug:
      line.debug = on;
      return;
    case Switch::Info:
      if (on) line.action = Action::Info;
      return;
    case Switch::Version:
      if (on) line.action = Action::Version;
      return;
  }
}

base::Result<void> read_flag(CommandLine& line, std::string_view word, Words& words) {
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  std::optional<std::string_view> value;
  if (equals != std::string_view::npos) value = word.substr(equals + 1);

  const auto* flag = std::ranges::find(kSwitchFlags, name, &SwitchFlag::name);
  if (flag != kSwitchFlags.end()) {
    const auto on = parse_bool(value.value_or("true"));
    if (!on) return invalid("flag -" + std::string(name) + ": not a boolean");
    apply_switch(line, flag->what, *on);
    return {};
  }
  const auto* text_flag = std::ranges::find(kStringFlags, name, &StringFlag::name);
  if (text_flag == kStringFlags.end()) return invalid("unknown flag -" + std::string(name));
  if (!value) {
    if (words.empty()) return invalid("flag -" + std::string(name) + " needs a value");
    value = words.take();
  }
  if (text_flag->member != nullptr) line.*text_flag->member = *value;
  return {};
}

base::Result<void> check_identifier(std::string_view what, std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  };
  const auto allowed = [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
  if (text.empty()) return invalid(std::string(what) + " cannot be empty");
  if (text.size() > kMaxIdentifier || !alphanumeric(text[0]) ||
      !std::ranges::all_of(text, allowed)) {
    return invalid(std::string(what) + " is not an identifier");
  }
  return {};
}

}  // namespace

base::Result<CommandLine> parse_command_line(std::span<const std::string_view> arguments) {
  CommandLine line;
  Words words(arguments);
  while (words.next_is_flag()) {
    const std::string_view word = words.take();
    if (word == "--") break;
    TRY(read_flag(line, word, words));
  }
  const bool decided = line.action == Action::Info || line.action == Action::Version;
  if (decided || words.empty()) return line;
  const std::string_view action = words.take();
  if (action != "start" && action != "delete") {
    return base::fail(base::ErrorKind::Invalid, "unknown action " + std::string(action));
  }
  line.action = action == "start" ? Action::Start : Action::Delete;
  TRY(check_identifier("namespace", line.name_space));
  TRY(check_identifier("id", line.id));
  return line;
}

}  // namespace shim::bootstrap
