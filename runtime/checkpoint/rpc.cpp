#include "runtime/checkpoint/rpc.hpp"

#include "base/protobuf_wire.hpp"

namespace runtime::checkpoint {
namespace {

namespace wire = base::protobuf;
using wire::WireType;

/// criu's own level of messages, "debug": its log is the only explanation of a failure.
constexpr std::uint64_t kLogLevel = 4;

class Message {
 public:
  void number(std::uint32_t field, std::uint64_t value) {
    out_.tag(field, WireType::Varint);
    out_.varint(value);
  }
  void flag(std::uint32_t field, bool value) {
    if (value) number(field, 1);
  }
  void text(std::uint32_t field, std::string_view value) {
    out_.tag(field, WireType::Bytes);
    out_.bytes(value);
  }
  void text_if_any(std::uint32_t field, std::string_view value) {
    if (!value.empty()) text(field, value);
  }
  /// Two strings, as 1 and 2: ext_mount_map, cgroup_root, join_namespace.
  void pairs(std::uint32_t field, const std::vector<Pair>& values) {
    for (const Pair& each : values) {
      Message inner;
      inner.text(1, each.key);
      inner.text(2, each.value);
      text(field, inner.take());
    }
  }
  std::string take() { return out_.take(); }

 private:
  wire::Writer out_;
};

/// In the order of the numbers of criu_opts.
std::string encode(const RpcOptions& options) {
  Message out;
  out.number(1, static_cast<std::uint64_t>(std::int64_t{options.images_directory}));
  if (options.pid != 0) out.number(2, static_cast<std::uint64_t>(options.pid));
  out.flag(3, options.leave_running);
  out.flag(4, options.external_unix_sockets);
  out.flag(5, options.tcp_established);
  out.flag(6, options.evasive_devices);
  out.flag(7, options.shell_job);
  out.flag(8, options.file_locks);
  out.number(9, kLogLevel);
  out.text(10, options.log_file);
  if (options.page_server) {
    Message server;
    server.text(1, options.page_server->address);
    server.number(2, static_cast<std::uint64_t>(options.page_server->port));
    out.text(11, server.take());
  }
  out.flag(12, true);
  out.text(13, options.root);
  out.text_if_any(14, options.parent_image);
  out.flag(15, !options.parent_image.empty());
  out.flag(16, options.auto_dedup);
  if (options.work_directory >= 0) {
    out.number(17, static_cast<std::uint64_t>(options.work_directory));
  }
  out.flag(18, options.link_remap);
  out.pairs(23, options.external_mounts);
  out.flag(24, true);
  out.pairs(25, options.cgroup_roots);
  out.flag(26, options.restore_as_sibling);
  for (const InheritedDescriptor& each : options.inherited) {
    Message inner;
    inner.text(1, each.key);
    inner.number(2, static_cast<std::uint64_t>(each.number));
    out.text(27, inner.take());
  }
  out.number(34, static_cast<std::uint64_t>(options.cgroup_mode));
  for (const std::string& each : options.external) out.text(37, each);
  out.number(38, options.empty_namespaces);
  out.pairs(39, options.joined_namespaces);
  out.text_if_any(44, options.freezer);
  out.flag(46, options.tcp_skip_in_flight);
  out.flag(48, options.lazy_pages);
  out.flag(50, true);
  out.text_if_any(51, options.config_file);
  out.text_if_any(53, options.lsm_profile);
  out.text_if_any(63, options.lsm_mount_context);
  return out.take();
}

Message request(RequestType type) {
  Message out;
  out.number(1, static_cast<std::uint64_t>(type));
  return out;
}

/// One field with its value; the value of a type that is not asked for is empty.
struct Field {
  std::uint32_t number = 0;
  std::uint64_t varint = 0;
  std::string_view bytes;
};

/// Calls `visit` for each field of a message; false when it is malformed.
template <typename Visit>
bool for_each_field(std::string_view bytes, Visit visit) {
  wire::Reader in(bytes);
  while (!in.at_end()) {
    const auto tag = in.tag();
    if (!tag) return false;
    Field field{tag->number, 0, {}};
    if (tag->type == WireType::Varint) {
      const auto value = in.varint();
      if (!value) return false;
      field.varint = *value;
    } else if (tag->type == WireType::Bytes) {
      const auto value = in.bytes();
      if (!value) return false;
      field.bytes = *value;
    } else if (!in.skip(tag->type)) {
      return false;
    }
    if (!visit(field)) return false;
  }
  return true;
}

bool read_notification(std::string_view bytes, Response& out) {
  return for_each_field(bytes, [&out](const Field& field) {
    if (field.number == 1) out.script = field.bytes;
    if (field.number == 2) out.pid = static_cast<pid_t>(field.varint);
    return true;
  });
}

bool read_features(std::string_view bytes, Response& out) {
  return for_each_field(bytes, [&out](const Field& field) {
    if (field.number == 1) out.features.memory_tracking = field.varint != 0;
    if (field.number == 2) out.features.lazy_pages = field.varint != 0;
    return true;
  });
}

bool read_version(std::string_view bytes, Response& out) {
  return for_each_field(bytes, [&out](const Field& field) {
    constexpr std::uint64_t kLargest = 999;
    const int part = static_cast<int>(field.varint < kLargest ? field.varint : kLargest);
    if (field.number == 1) out.version += part * 10000;
    if (field.number == 2) out.version += part * 100;
    if (field.number == 4) out.version += part;
    return true;
  });
}

}  // namespace

std::string encode_request(RequestType type, const RpcOptions& options) {
  Message out = request(type);
  out.text(2, encode(options));
  return out.take();
}

std::string encode_version_request() { return request(RequestType::Version).take(); }

std::string encode_feature_check(const Features& wanted) {
  Message features;
  features.flag(1, wanted.memory_tracking);
  features.flag(2, wanted.lazy_pages);
  Message out = request(RequestType::FeatureCheck);
  out.text(5, features.take());
  return out.take();
}

std::string encode_consent() {
  Message out = request(RequestType::Notify);
  out.flag(3, true);
  return out.take();
}

base::Result<Response> decode_response(std::string_view bytes) {
  Response out;
  bool has_type = false;
  const bool is_well_formed = for_each_field(bytes, [&](const Field& field) {
    switch (field.number) {
      case 1:
        has_type = true;
        out.type = static_cast<RequestType>(field.varint);
        return true;
      case 2:
        out.success = field.varint != 0;
        return true;
      case 5:
        return read_notification(field.bytes, out);
      case 7:
        out.error = static_cast<int>(field.varint);
        return true;
      case 8:
        return read_features(field.bytes, out);
      case 9:
        out.error_text = field.bytes;
        return true;
      case 10:
        return read_version(field.bytes, out);
      default:
        return true;
    }
  });
  if (!is_well_formed || !has_type) {
    return base::fail(base::ErrorKind::Invalid, "criu sent what is no answer");
  }
  return out;
}

std::string_view name_of(RequestType type) {
  switch (type) {
    case RequestType::Dump:
      return "DUMP";
    case RequestType::Restore:
      return "RESTORE";
    case RequestType::PreDump:
      return "PRE_DUMP";
    case RequestType::Notify:
      return "NOTIFY";
    case RequestType::FeatureCheck:
      return "FEATURE_CHECK";
    case RequestType::Version:
      return "VERSION";
    case RequestType::Empty:
      break;
  }
  return "EMPTY";
}

}  // namespace runtime::checkpoint
