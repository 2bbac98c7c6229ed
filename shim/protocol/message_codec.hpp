// The two visitors that walk a message's fields: one writes, one stores the field that has just
// been read. The lists of fields (fields(visit, message)) lie beside the explicit instantiations.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/protobuf_wire.hpp"
#include "base/result.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::protocol {

namespace wire = base::protobuf;

template <typename T, typename Struct>
concept Is = std::same_as<std::remove_const_t<T>, Struct>;

template <typename T>
concept Scalar = std::integral<T> || std::is_enum_v<T>;

/// int32 and enums travel with their sign extended to 64 bits.
template <Scalar T>
std::uint64_t to_varint(T value) {
  if constexpr (std::is_enum_v<T>) {
    return to_varint(static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::signed_integral<T>) {
    return static_cast<std::uint64_t>(std::int64_t{value});
  } else {
    return value;
  }
}

template <Scalar T>
T from_varint(std::uint64_t value) {
  if constexpr (std::same_as<T, bool>) {
    return value != 0;
  } else {
    return static_cast<T>(value);  // the low bits, as protobuf has it
  }
}

class FieldEncoder {
 public:
  template <Scalar T>
  void operator()(std::uint32_t number, const T& value) {
    if (to_varint(value) == 0) return;
    out_.tag(number, wire::WireType::Varint);
    out_.varint(to_varint(value));
  }
  void operator()(std::uint32_t number, const double& value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    if (bits == 0) return;
    out_.tag(number, wire::WireType::Fixed64);
    out_.fixed64(bits);
  }
  void operator()(std::uint32_t number, const std::string& value) {
    if (!value.empty()) element(number, value);
  }
  template <typename Message>
  void operator()(std::uint32_t number, const std::optional<Message>& value) {
    if (value) element(number, encode(*value));
  }
  void operator()(std::uint32_t number, const std::vector<std::string>& values) {
    for (const std::string& value : values) element(number, value);
  }
  void operator()(std::uint32_t number, const std::vector<std::uint64_t>& values) {
    if (values.empty()) return;
    wire::Writer packed;
    for (const std::uint64_t value : values) packed.varint(value);
    element(number, packed.take());
  }
  template <typename Message>
  void operator()(std::uint32_t number, const std::vector<Message>& values) {
    for (const Message& value : values) element(number, encode(value));
  }
  void operator()(std::uint32_t number, const std::map<std::string, std::string>& values) {
    for (const auto& [key, value] : values) {
      FieldEncoder entry;
      entry.element(1, key);  // also when empty, as protobuf does
      entry.element(2, value);
      element(number, entry.take());
    }
  }
  std::string take() { return out_.take(); }

 private:
  void element(std::uint32_t number, std::string_view value) {
    out_.tag(number, wire::WireType::Bytes);
    out_.bytes(value);
  }

  wire::Writer out_;
};

/// What became of the fields of a message.
enum class Decoded : std::uint8_t { Well, Malformed, TooMany };

template <typename Message>
Decoded merge(Message& message, std::string_view bytes);

/// Takes the value of one field, for which a tag was read, into the member with that number.
class FieldDecoder {
 public:
  FieldDecoder(wire::Tag tag, wire::Reader& in) : tag_(tag), in_(in) {}

  template <typename Member>
  void operator()(std::uint32_t number, Member& member) {
    if (number != tag_.number) return;
    found_ = true;
    outcome_ = read(member);
  }
  Decoded finish() {
    if (!found_ && !in_.skip(tag_.type)) return Decoded::Malformed;
    return outcome_;
  }

 private:
  template <Scalar T>
  Decoded read(T& member) {
    const auto value = tag_.type == wire::WireType::Varint ? in_.varint() : std::nullopt;
    if (!value) return Decoded::Malformed;
    member = from_varint<T>(*value);
    return Decoded::Well;
  }
  Decoded read(double& member) {
    const auto bits = tag_.type == wire::WireType::Fixed64 ? in_.fixed64() : std::nullopt;
    if (!bits) return Decoded::Malformed;
    member = std::bit_cast<double>(*bits);
    return Decoded::Well;
  }
  Decoded read(std::string& member) {
    const auto value = bytes();
    if (!value) return Decoded::Malformed;
    member = *value;
    return Decoded::Well;
  }
  template <typename Message>
  Decoded read(std::optional<Message>& member) {
    const auto value = bytes();
    if (!value) return Decoded::Malformed;
    if (!member) member.emplace();
    return merge(*member, *value);
  }
  Decoded read(std::vector<std::string>& member) {
    if (member.size() == kMaxElements) return Decoded::TooMany;
    return read(member.emplace_back());
  }
  Decoded read(std::vector<std::uint64_t>& member) {
    if (tag_.type == wire::WireType::Varint) return read_number(member, in_);
    const auto packed = bytes();
    if (!packed) return Decoded::Malformed;
    for (wire::Reader numbers(*packed); !numbers.at_end();) {
      const Decoded outcome = read_number(member, numbers);
      if (outcome != Decoded::Well) return outcome;
    }
    return Decoded::Well;
  }
  template <typename Message>
  Decoded read(std::vector<Message>& member) {
    if (member.size() == kMaxElements) return Decoded::TooMany;
    const auto value = bytes();
    return value ? merge(member.emplace_back(), *value) : Decoded::Malformed;
  }
  Decoded read(std::map<std::string, std::string>& member) {
    if (member.size() == kMaxElements) return Decoded::TooMany;
    const auto entry = bytes();
    if (!entry) return Decoded::Malformed;
    std::string key;
    std::string value;
    for (wire::Reader fields(*entry); !fields.at_end();) {
      const auto tag = fields.tag();
      if (!tag) return Decoded::Malformed;
      FieldDecoder decoder(*tag, fields);
      decoder(1, key);
      decoder(2, value);
      const Decoded outcome = decoder.finish();
      if (outcome != Decoded::Well) return outcome;
    }
    member.insert_or_assign(std::move(key), std::move(value));
    return Decoded::Well;
  }

  static Decoded read_number(std::vector<std::uint64_t>& member, wire::Reader& in) {
    if (member.size() == kMaxElements) return Decoded::TooMany;
    const auto value = in.varint();
    if (!value) return Decoded::Malformed;
    member.push_back(*value);
    return Decoded::Well;
  }
  std::optional<std::string_view> bytes() {
    return tag_.type == wire::WireType::Bytes ? in_.bytes() : std::nullopt;
  }

  wire::Tag tag_;
  wire::Reader& in_;
  bool found_ = false;
  Decoded outcome_ = Decoded::Well;
};

template <typename Message>
Decoded merge(Message& message, std::string_view bytes) {
  wire::Reader in(bytes);
  while (!in.at_end()) {
    const auto tag = in.tag();
    if (!tag) return Decoded::Malformed;
    FieldDecoder decoder(*tag, in);
    fields(decoder, message);
    const Decoded outcome = decoder.finish();
    if (outcome != Decoded::Well) return outcome;
  }
  return Decoded::Well;
}

template <typename Message>
std::string encode(const Message& message) {
  FieldEncoder encoder;
  fields(encoder, message);
  return encoder.take();
}

base::Error decode_error(Decoded outcome);

template <typename Message>
base::Result<Message> decode(std::string_view bytes) {
  Message message;
  const Decoded outcome = bytes.size() > kMaxMessage ? Decoded::TooMany : merge(message, bytes);
  if (outcome != Decoded::Well) return std::unexpected(decode_error(outcome));
  return message;
}

/// Instantiates the codec of one message; behind its fields().
#define MESSAGE(type)                       \
  template std::string encode(const type&); \
  template base::Result<type> decode(std::string_view)

}  // namespace shim::protocol
