#include "base/protobuf_wire.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace base::protobuf {

static_assert(std::endian::native == std::endian::little, "fixed values are copied as they lie");

void Writer::varint(std::uint64_t value) {
  while (value >= 0x80) {
    out_.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out_.push_back(static_cast<char>(value));
}

void Writer::tag(std::uint32_t number, WireType type) {
  varint((std::uint64_t{number} << 3) | static_cast<std::uint8_t>(type));
}

void Writer::fixed64(std::uint64_t value) {
  std::array<char, sizeof(value)> raw;
  std::memcpy(raw.data(), &value, sizeof(value));
  out_.append(raw.data(), raw.size());
}

void Writer::bytes(std::string_view value) {
  varint(value.size());
  out_.append(value);
}

std::optional<std::uint64_t> Reader::varint() {
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < 10 && k < left_.size(); ++k) {
    const auto byte = static_cast<std::uint8_t>(left_[k]);
    if (k == 9 && byte > 1) return std::nullopt;  // more than 64 bits
    value |= std::uint64_t{byte & 0x7fU} << (7 * k);
    if (byte < 0x80) {
      left_.remove_prefix(k + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::optional<Tag> Reader::tag() {
  const auto raw = varint();
  if (!raw || *raw > UINT32_MAX || (*raw >> 3) == 0) return std::nullopt;
  const auto type = static_cast<std::uint8_t>(*raw & 7);
  if (type != 0 && type != 1 && type != 2 && type != 5) return std::nullopt;
  return Tag{static_cast<std::uint32_t>(*raw >> 3), static_cast<WireType>(type)};
}

std::optional<std::uint64_t> Reader::fixed64() {
  std::uint64_t value = 0;
  if (left_.size() < sizeof(value)) return std::nullopt;
  std::memcpy(&value, left_.data(), sizeof(value));
  left_.remove_prefix(sizeof(value));
  return value;
}

std::optional<std::string_view> Reader::bytes() {
  const auto length = varint();
  if (!length || *length > left_.size()) return std::nullopt;
  const std::string_view out = left_.substr(0, *length);
  left_.remove_prefix(*length);
  return out;
}

bool Reader::skip(WireType type) {
  switch (type) {
    case WireType::Varint:
      return varint().has_value();
    case WireType::Fixed64:
      return fixed64().has_value();
    case WireType::Bytes:
      return bytes().has_value();
    case WireType::Fixed32:
      if (left_.size() < 4) return false;
      left_.remove_prefix(4);
      return true;
  }
  return false;
}

}  // namespace base::protobuf
