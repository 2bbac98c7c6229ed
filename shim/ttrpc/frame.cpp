#include "shim/ttrpc/frame.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace shim::ttrpc {
namespace {

void put_u32(std::byte* out, std::uint32_t value) {
  for (int k = 0; k < 4; ++k) out[k] = static_cast<std::byte>(value >> (24 - 8 * k));
}

std::uint32_t get_u32(const std::byte* in) {
  std::uint32_t value = 0;
  for (int k = 0; k < 4; ++k) value = (value << 8) | std::to_integer<std::uint32_t>(in[k]);
  return value;
}

}  // namespace

std::array<std::byte, kHeaderSize> encode_header(const FrameHeader& header) {
  std::array<std::byte, kHeaderSize> out;
  put_u32(out.data(), header.length);
  put_u32(out.data() + 4, header.stream_id);
  out[8] = static_cast<std::byte>(header.type);
  out[9] = static_cast<std::byte>(header.flags);
  return out;
}

FrameHeader decode_header(std::span<const std::byte, kHeaderSize> bytes) {
  return {.length = get_u32(bytes.data()),
          .stream_id = get_u32(bytes.data() + 4),
          .type = std::to_integer<std::uint8_t>(bytes[8]),
          .flags = std::to_integer<std::uint8_t>(bytes[9])};
}

bool FrameReader::feed(std::span<const std::byte>& bytes) {
  if (header_bytes_ < kHeaderSize) {
    const std::size_t count = std::min(bytes.size(), kHeaderSize - header_bytes_);
    std::ranges::copy(bytes.first(count), header_buffer_.begin() + header_bytes_);
    bytes = bytes.subspan(count);
    header_bytes_ += count;
    if (header_bytes_ < kHeaderSize) return false;
    frame_.header = decode_header(header_buffer_);
    missing_ = frame_.header.length;
  }
  const std::size_t count = std::min(bytes.size(), missing_);
  if (!frame_.oversized()) {
    const auto* first = reinterpret_cast<const char*>(bytes.data());  // Safety: bytes as characters
    frame_.data.append(first, count);
  }
  bytes = bytes.subspan(count);
  missing_ -= count;
  return missing_ == 0;
}

Frame FrameReader::take() {
  header_bytes_ = 0;
  return std::exchange(frame_, {});
}

void FrameWriter::push(FrameType type, std::uint32_t stream_id, std::uint8_t flags,
                       std::string_view data) {
  const auto header = encode_header({.length = static_cast<std::uint32_t>(data.size()),
                                     .stream_id = stream_id,
                                     .type = static_cast<std::uint8_t>(type),
                                     .flags = flags});
  std::string frame;
  frame.reserve(kHeaderSize + data.size());
  for (const std::byte byte : header) frame.push_back(static_cast<char>(byte));
  frame.append(data);
  size_ += frame.size();
  frames_.push_back(std::move(frame));
}

base::Result<void> FrameWriter::write_to(int socket) {
  while (!frames_.empty()) {
    const std::string& frame = frames_.front();
    const ssize_t count = ::send(socket, frame.data() + written_, frame.size() - written_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return {};
      return base::fail_errno("send");
    }
    written_ += static_cast<std::size_t>(count);
    size_ -= static_cast<std::size_t>(count);
    if (written_ < frame.size()) continue;
    written_ = 0;
    frames_.pop_front();
  }
  return {};
}

}  // namespace shim::ttrpc
