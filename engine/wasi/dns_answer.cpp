#include "engine/wasi/dns_answer.hpp"

#include <ares.h>
#include <strings.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>
#include <string>

namespace engine::wasi {
namespace {

constexpr unsigned kTypeA = 1;
constexpr unsigned kTypeCname = 5;
constexpr unsigned kTypeAaaa = 28;
constexpr unsigned kClassInternet = 1;

class MessageReader {
 public:
  explicit MessageReader(std::span<const unsigned char> message) : message_(message) {}

  bool skip(std::size_t size) {
    if (size > message_.size() - at_) return false;
    at_ += size;
    return true;
  }
  std::optional<unsigned> number16() {
    const std::size_t at = at_;
    if (!skip(2)) return std::nullopt;
    return static_cast<unsigned>(message_[at] << 8 | message_[at + 1]);
  }
  /// c-ares follows the pointers of compressed names, as many as a message can have.
  std::optional<std::string> name() {
    if (at_ >= message_.size()) return std::nullopt;
    char* text = nullptr;
    long size = 0;
    const int status = ares_expand_name(message_.data() + at_, message_.data(),
                                        static_cast<int>(message_.size()), &text, &size);
    if (status != ARES_SUCCESS) return std::nullopt;
    const std::unique_ptr<char, decltype(&free_name)> owned(text, &free_name);
    if (!skip(static_cast<std::size_t>(size))) return std::nullopt;
    return std::string(text);
  }
  std::span<const unsigned char> next(std::size_t size) const {
    return message_.subspan(at_, std::min(size, message_.size() - at_));
  }

 private:
  static void free_name(char* text) { ares_free_string(text); }

  std::span<const unsigned char> message_;
  std::size_t at_ = 0;
};

struct Record {
  std::string owner;
  unsigned type = 0;
  unsigned record_class = 0;
  unsigned size = 0;
};

std::optional<Record> read_record(MessageReader& reader) {
  constexpr std::size_t kTimeToLive = 4;
  Record out;
  auto owner = reader.name();
  if (!owner) return std::nullopt;
  out.owner = std::move(*owner);
  const auto type = reader.number16();
  const auto record_class = reader.number16();
  if (!type || !record_class || !reader.skip(kTimeToLive)) return std::nullopt;
  const auto size = reader.number16();
  if (!size || reader.next(*size).size() != *size) return std::nullopt;
  out.type = *type;
  out.record_class = *record_class;
  out.size = *size;
  return out;
}

/// The header and the question; the number of answers.
std::optional<unsigned> read_question(MessageReader& reader, std::string& name) {
  constexpr std::size_t kIdAndFlags = 4;
  constexpr std::size_t kOtherCounts = 4;
  constexpr std::size_t kTypeAndClass = 4;
  if (!reader.skip(kIdAndFlags)) return std::nullopt;
  const auto questions = reader.number16();
  const auto answers = reader.number16();
  if (!questions || *questions != 1 || !answers || !reader.skip(kOtherCounts)) return std::nullopt;
  auto asked = reader.name();
  if (!asked || !reader.skip(kTypeAndClass)) return std::nullopt;
  name = std::move(*asked);
  return answers;
}

}  // namespace

std::optional<ResolvedHost> parse_dns_answer(std::span<const unsigned char> message, int family) {
  const unsigned wanted = family == AF_INET ? kTypeA : kTypeAaaa;
  const std::size_t address_size = family == AF_INET ? 4 : 16;
  MessageReader reader(message);
  ResolvedHost out;
  const auto answers = read_question(reader, out.canonical);
  if (!answers) return std::nullopt;
  for (unsigned i = 0; i < *answers; ++i) {
    const auto record = read_record(reader);
    if (!record) return std::nullopt;
    MessageReader data = reader;
    if (!reader.skip(record->size)) return std::nullopt;
    if (record->record_class != kClassInternet) continue;
    if (::strcasecmp(record->owner.c_str(), out.canonical.c_str()) != 0) continue;
    if (record->type == kTypeCname) {
      auto target = data.name();
      if (!target) return std::nullopt;
      out.canonical = std::move(*target);
    } else if (record->type == wanted && record->size == address_size) {
      IpAddress& address = out.addresses.emplace_back();
      address.family = family;
      std::ranges::copy(data.next(address_size), address.bytes.begin());
    }
  }
  return out;
}

}  // namespace engine::wasi
