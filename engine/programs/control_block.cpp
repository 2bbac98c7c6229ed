#include "engine/programs/control_block.hpp"

#include <fcntl.h>
#include <sys/mman.h>

#include <array>
#include <cstring>

#include "base/byte_reader.hpp"
#include "base/file.hpp"
#include "engine/wasi/socket_policy.hpp"

namespace engine::programs {
namespace {

constexpr std::array<char, 8> kMagic{'W', 'h', 'e', 'r', 'r', 'y', 'X', 'C'};
constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kConfine = 1;
constexpr std::uint32_t kContainer = 2;
constexpr std::uint32_t kReadOnly = 1;
constexpr std::uint32_t kMaxInstructions = 8192;  // 65,536 bytes
constexpr std::uint32_t kMaxPreopens = 256;
constexpr std::uint32_t kMaxSockets = 256;

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t flags;
  std::int32_t artifact;
  std::int32_t broker;
  std::uint32_t filter_flags;
  std::uint32_t instructions;
  std::uint32_t preopens;
  std::uint32_t sockets;
  std::uint32_t name_length;
  std::uint32_t rules_length;
};
static_assert(sizeof(Header) == 48);

struct PreopenRecord {
  std::int32_t directory;
  std::uint32_t flags;
  std::uint32_t path_length;
};

template <typename T>
void append(std::string& out, const T& value) {
  // Safety: bytes of a trivially copyable value.
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

base::Result<std::string> take_text(base::ByteReader& reader, std::uint32_t length) {
  const auto bytes = reader.take(length);
  if (!bytes) return base::fail(base::ErrorKind::Invalid, "control block: text is cut short");
  // Safety: char may alias any object.
  return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
}

std::unexpected<base::Error> short_block() {
  return base::fail(base::ErrorKind::Invalid, "control block: cut short");
}

}  // namespace

base::Result<void> check_socket_rules(std::string_view rules) {
  TRY(wasi::SocketPolicy::parse(rules));
  return {};
}

base::Result<base::UniqueFd> write_control_block(const ControlBlock& block) {
  Header header{kMagic,
                kVersion,
                (block.confine ? kConfine : 0) | (block.is_container ? kContainer : 0),
                block.artifact,
                block.broker,
                block.filter_flags,
                static_cast<std::uint32_t>(block.filter.size()),
                static_cast<std::uint32_t>(block.preopens.size()),
                static_cast<std::uint32_t>(block.sockets.size()),
                static_cast<std::uint32_t>(block.module_name.size()),
                static_cast<std::uint32_t>(block.socket_rules.size())};
  std::string out;
  append(out, header);
  for (const sock_filter& instruction : block.filter) append(out, instruction);
  for (const ControlPreopen& preopen : block.preopens) {
    append(out, PreopenRecord{preopen.directory, preopen.read_only ? kReadOnly : 0,
                              static_cast<std::uint32_t>(preopen.guest_path.size())});
  }
  for (const std::int32_t socket : block.sockets) append(out, socket);
  out += block.module_name;
  out += block.socket_rules;
  for (const ControlPreopen& preopen : block.preopens) out += preopen.guest_path;
  if (out.size() > kMaxControlBlock || block.filter.size() > kMaxInstructions ||
      block.preopens.size() > kMaxPreopens || block.sockets.size() > kMaxSockets) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "control block of " + std::to_string(out.size()) + " bytes");
  }
  base::UniqueFd file(::memfd_create("wherry-control", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return base::fail_errno("memfd_create", "wherry-control");
  TRY(base::write_all(file.get(), out, "wherry-control"));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (::fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) {
    return base::fail_errno("fcntl", "F_ADD_SEALS");
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return base::fail_errno("lseek", "wherry-control");
  return file;
}

base::Result<ControlBlock> parse_control_block(std::span<const std::byte> bytes) {
  base::ByteReader reader(bytes);
  const auto header = reader.value<Header>();
  if (!header || header->magic != kMagic) {
    return base::fail(base::ErrorKind::Invalid, "control block: not one");
  }
  if (header->version != kVersion) {
    return base::fail(base::ErrorKind::Unsupported,
                      "control block of version " + std::to_string(header->version));
  }
  if (header->instructions > kMaxInstructions || header->preopens > kMaxPreopens ||
      header->sockets > kMaxSockets) {
    return base::fail(base::ErrorKind::LimitExceeded, "control block: too many entries");
  }
  ControlBlock out;
  out.confine = (header->flags & kConfine) != 0;
  out.is_container = (header->flags & kContainer) != 0;
  out.artifact = header->artifact;
  out.broker = header->broker;
  out.filter_flags = header->filter_flags;
  for (std::uint32_t i = 0; i < header->instructions; ++i) {
    const auto instruction = reader.value<sock_filter>();
    if (!instruction) return short_block();
    out.filter.push_back(*instruction);
  }
  std::vector<PreopenRecord> records;
  for (std::uint32_t i = 0; i < header->preopens; ++i) {
    const auto record = reader.value<PreopenRecord>();
    if (!record) return short_block();
    records.push_back(*record);
  }
  for (std::uint32_t i = 0; i < header->sockets; ++i) {
    const auto socket = reader.value<std::int32_t>();
    if (!socket) return short_block();
    out.sockets.push_back(*socket);
  }
  out.module_name = TRY(take_text(reader, header->name_length));
  out.socket_rules = TRY(take_text(reader, header->rules_length));
  for (const PreopenRecord& record : records) {
    out.preopens.push_back({record.directory, (record.flags & kReadOnly) != 0,
                            TRY(take_text(reader, record.path_length))});
  }
  if (!reader.at_end()) {
    return base::fail(base::ErrorKind::Invalid, "control block: longer than its counts say");
  }
  return out;
}

}  // namespace engine::programs
