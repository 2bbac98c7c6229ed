#include "runtime/checkpoint/stdio.hpp"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>

#include "base/file.hpp"
#include "oci/json/document.hpp"
#include "oci/json/writer.hpp"

namespace runtime::checkpoint {
namespace {

constexpr std::size_t kMaxFdinfo = std::size_t{64} << 10;
constexpr std::size_t kMaxDescriptors = 64;

/// "mnt_id:\t31" of proc_pid_fdinfo(5).
std::optional<int> mount_of(int fd) {
  constexpr std::string_view kLabel = "mnt_id:\t";
  const std::string text =
      base::read_file("/proc/self/fdinfo/" + std::to_string(fd), kMaxFdinfo).value_or("");
  const std::size_t at = text.find(kLabel);
  if (at == std::string::npos) return std::nullopt;
  int out = 0;
  const char* const begin = text.data() + at + kLabel.size();
  const auto parsed = std::from_chars(begin, text.data() + text.size(), out);
  return parsed.ec == std::errc{} ? std::optional(out) : std::nullopt;
}

std::string describe(int fd) {
  std::array<char, PATH_MAX> link{};
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t length = ::readlink(path.c_str(), link.data(), link.size());
  if (length <= 0) return {};
  std::string target(link.data(), static_cast<std::size_t>(length));
  if (!target.starts_with('/')) return target;
  struct stat status{};
  const auto mount = mount_of(fd);
  if (!mount || ::fstat(fd, &status) != 0) return target;
  std::array<char, 64> key{};
  std::snprintf(key.data(), key.size(), "file[%x:%lx]", static_cast<unsigned>(*mount),
                static_cast<unsigned long>(status.st_ino));
  return key.data();
}

}  // namespace

std::vector<std::string> describe_stdio() {
  return {describe(STDIN_FILENO), describe(STDOUT_FILENO), describe(STDERR_FILENO)};
}

bool is_external_file(std::string_view key) { return key.starts_with("file["); }

bool is_inheritable(std::string_view key) {
  return key.starts_with("pipe:") || is_external_file(key);
}

std::string to_json(const std::vector<std::string>& keys) {
  oci::json::Writer writer;
  writer.begin_array();
  for (const std::string& each : keys) writer.value(each);
  writer.end_array();
  return writer.take();
}

base::Result<std::vector<std::string>> parse_descriptors(std::string_view json) {
  const auto document = TRY(oci::json::Document::parse(json));
  std::vector<std::string> out;
  bool all_strings = document.root().is_array();
  document.root().for_each_element([&](oci::json::Value element) {
    const auto text = element.string();
    all_strings = all_strings && text && out.size() < kMaxDescriptors;
    if (all_strings) out.emplace_back(*text);
  });
  if (!all_strings) return base::fail(base::ErrorKind::Invalid, "not a short array of strings");
  return out;
}

}  // namespace runtime::checkpoint
