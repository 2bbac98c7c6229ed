#include "shim/bootstrap/options.hpp"

#include <strings.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/file.hpp"
#include "shim/bootstrap/toml.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::bootstrap {
namespace {

using protocol::RuncOptions;

struct Ignored {};
struct ShimVersion {};

struct Key {
  std::string_view name;
  std::variant<bool RuncOptions::*, std::string RuncOptions::*, std::uint32_t RuncOptions::*,
               ShimVersion, Ignored>
      target;
};

// Ignored: what CRI reads itself, and a key that runc's shim has given up.
constexpr std::array kKeys{
    Key{"NoPivotRoot", &RuncOptions::no_pivot_root},
    Key{"NoNewKeyring", &RuncOptions::no_new_keyring},
    Key{"ShimCgroup", &RuncOptions::shim_cgroup},
    Key{"IoUid", &RuncOptions::io_uid},
    Key{"IoGid", &RuncOptions::io_gid},
    Key{"BinaryName", &RuncOptions::binary_name},
    Key{"Root", &RuncOptions::root},
    Key{"SystemdCgroup", &RuncOptions::systemd_cgroup},
    Key{"CriuImagePath", &RuncOptions::criu_image_path},
    Key{"CriuWorkPath", &RuncOptions::criu_work_path},
    Key{"TaskApiAddress", &RuncOptions::task_api_address},
    Key{"TaskApiVersion", &RuncOptions::task_api_version},
    Key{"ShimVersion", ShimVersion{}},
    Key{"CriuPath", Ignored{}},
    Key{"TypeUrl", Ignored{}},
    Key{"ConfigPath", Ignored{}},
};

const Key* find_key(const std::string& name) {
  const auto* found = std::ranges::find_if(kKeys, [&](const Key& key) {
    return key.name.size() == name.size() &&
           ::strncasecmp(key.name.data(), name.data(), name.size()) == 0;
  });
  return found == kKeys.end() ? nullptr : found;
}

std::unexpected<base::Error> wrong(const TomlEntry& entry, std::string_view why) {
  return base::fail(base::ErrorKind::Invalid, "line " + std::to_string(entry.line) + ": " +
                                                  entry.key + ": " + std::string(why));
}

/// Stores an entry's value where its key says.
struct Store {
  const TomlEntry& entry;
  Options& options;

  base::Result<void> operator()(bool RuncOptions::* member) const {
    const auto* value = std::get_if<bool>(&entry.value);
    if (value == nullptr) return wrong(entry, "must be true or false");
    options.runc.*member = *value;
    return {};
  }
  base::Result<void> operator()(std::string RuncOptions::* member) const {
    const auto* value = std::get_if<std::string>(&entry.value);
    if (value == nullptr) return wrong(entry, "must be a string");
    if (value->find('\0') != std::string::npos) return wrong(entry, "holds a NUL character");
    options.runc.*member = *value;
    return {};
  }
  base::Result<void> operator()(std::uint32_t RuncOptions::* member) const {
    const auto* value = std::get_if<std::int64_t>(&entry.value);
    if (value == nullptr || *value < 0 || *value > std::numeric_limits<std::uint32_t>::max()) {
      return wrong(entry, "must be an integer from 0 to 4294967295");
    }
    options.runc.*member = static_cast<std::uint32_t>(*value);
    return {};
  }
  base::Result<void> operator()(ShimVersion) const {
    const auto* value = std::get_if<std::int64_t>(&entry.value);
    if (value == nullptr || (*value != 2 && *value != 3)) return wrong(entry, "must be 2 or 3");
    options.shim_version = static_cast<std::uint32_t>(*value);
    return {};
  }
  base::Result<void> operator()(Ignored) const { return {}; }
};

base::Result<Options> read_runtime_options(const protocol::Any& any) {
  const auto options = TRY(protocol::unpack<protocol::RuntimeOptions>(any));
  if (!options.config_body.empty()) {
    return base::with_context(parse_options_toml(options.config_body), "config_body");
  }
  if (options.config_path.empty()) return Options{};
  const std::string text = TRY(base::read_file(options.config_path, kMaxToml));
  return base::with_context(parse_options_toml(text), options.config_path);
}

base::Result<Options> read_any(const protocol::Any& any) {
  if (any.holds(protocol::RuntimeOptions::kTypeName)) return read_runtime_options(any);
  if (any.holds(RuncOptions::kTypeName)) return Options{TRY(protocol::unpack<RuncOptions>(any))};
  return base::fail(base::ErrorKind::Invalid, "unknown type " + any.type_url);
}

}  // namespace

bool is_options(const protocol::Any& any) {
  return any.holds(protocol::RuntimeOptions::kTypeName) || any.holds(RuncOptions::kTypeName);
}

base::Result<Options> read_options(const std::optional<protocol::Any>& any) {
  if (!any || any->type_url.empty()) return Options{};
  return base::with_context(read_any(*any), "runtime options");
}

base::Result<Options> parse_options_toml(std::string_view text) {
  if (text.size() > kMaxToml) return base::fail(base::ErrorKind::LimitExceeded, "text too long");
  Options options;
  std::set<const Key*> seen;
  for (const TomlEntry& entry : TRY(parse_toml(text))) {
    const Key* key = find_key(entry.key);
    if (key == nullptr) return wrong(entry, "unknown option");
    if (!seen.insert(key).second) return wrong(entry, "comes twice");
    TRY(std::visit(Store{entry, options}, key->target));
  }
  return options;
}

}  // namespace shim::bootstrap
