// Printing of containers.
#include "runtime/cli/container_view.hpp"

#include <array>

#include "base/file.hpp"

namespace runtime::cli {
namespace {

constexpr std::size_t kMaxPasswd = std::size_t{16} << 20;

}  // namespace

std::string_view status_name(oci::Status status) {
  switch (status) {
    case oci::Status::Creating:
      return "creating";
    case oci::Status::Created:
      return "created";
    case oci::Status::Running:
      return "running";
    case oci::Status::Paused:
      return "paused";
    case oci::Status::Stopped:
      break;
  }
  return "stopped";
}

pid_t shown_pid(const state::Record& record, oci::Status status) {
  return record.init && status != oci::Status::Stopped ? record.init->pid : 0;
}

std::string user_name(uid_t uid) {
  const std::string passwd = base::read_file("/etc/passwd", kMaxPasswd).value_or("");
  // "name:password:uid:gid:..."
  for (std::size_t at = 0; at < passwd.size();) {
    const std::size_t end = std::min(passwd.find('\n', at), passwd.size());
    const std::string_view line(passwd.data() + at, end - at);
    at = end + 1;
    const std::size_t name_end = line.find(':');
    if (name_end == std::string_view::npos) continue;
    const std::size_t uid_begin = line.find(':', name_end + 1);
    if (uid_begin == std::string_view::npos) continue;
    const std::size_t uid_end = line.find(':', uid_begin + 1);
    if (line.substr(uid_begin + 1, uid_end - uid_begin - 1) == std::to_string(uid)) {
      return std::string(line.substr(0, name_end));
    }
  }
  return '#' + std::to_string(uid);
}

void write_container(oci::json::Writer& writer, const state::Record& record, oci::Status status) {
  writer.begin_object();
  writer.member("ociVersion", record.oci_version);
  writer.member("id", record.id);
  writer.member("pid", shown_pid(record, status));
  writer.member("status", status_name(status));
  writer.member("bundle", record.bundle);
  writer.member("rootfs", record.rootfs);
  writer.member("created", record.created);
  if (!record.annotations.empty()) {
    writer.key("annotations");
    writer.begin_object();
    for (const auto& [name, content] : record.annotations) writer.member(name, content);
    writer.end_object();
  }
  writer.member("owner", user_name(record.owner));
  writer.end_object();
}

}  // namespace runtime::cli
