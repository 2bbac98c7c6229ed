#include "shim/service/bundle_notes.hpp"

#include <charconv>

#include "base/file.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::service {
namespace {

constexpr std::size_t kMaxPath = 4096;
constexpr char kOptionsFile[] = "/shim-options";
constexpr char kInitFile[] = "/init.pid";  // the name that runc's shim uses
constexpr char kSocketFile[] = "/shim-socket";

}  // namespace

base::Result<void> remember_options(const std::string& bundle,
                                    const protocol::RuncOptions& options) {
  return base::write_atomic(bundle + kOptionsFile, protocol::encode(options), 0600);
}

protocol::RuncOptions recall_options(const std::string& bundle) {
  const auto text = base::read_file(bundle + kOptionsFile, protocol::kMaxMessage);
  if (!text) return {};
  return protocol::decode<protocol::RuncOptions>(*text).value_or(protocol::RuncOptions{});
}

base::Result<void> remember_init(const std::string& bundle, pid_t pid) {
  return base::write_atomic(bundle + kInitFile, std::to_string(pid), 0600);
}

pid_t recall_init(const std::string& bundle) {
  const auto text = base::read_file(bundle + kInitFile, kMaxPath);
  pid_t pid = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), pid);
  return pid;
}

base::Result<void> remember_socket(const std::string& bundle, const std::string& socket) {
  return base::write_atomic(bundle + kSocketFile, socket, 0600);
}

std::string recall_socket(const std::string& bundle) {
  return base::read_file(bundle + kSocketFile, kMaxPath).value_or(std::string());
}

}  // namespace shim::service
