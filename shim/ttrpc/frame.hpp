// Frames of ttrpc: a header of ten bytes and its data; read from a stream in any pieces, written
// whole. docs/formats/ttrpc.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace shim::ttrpc {

inline constexpr std::size_t kHeaderSize = 10;
inline constexpr std::size_t kMaxData = std::size_t{4} << 20;

enum class FrameType : std::uint8_t { Request = 1, Response = 2, Data = 3 };

inline constexpr std::uint8_t kRemoteClosed = 1;
inline constexpr std::uint8_t kRemoteOpen = 2;
inline constexpr std::uint8_t kNoData = 4;

struct FrameHeader {
  std::uint32_t length = 0;  ///< of the data, as the peer says
  std::uint32_t stream_id = 0;
  std::uint8_t type = 0;  ///< a FrameType, or a type unknown to us
  std::uint8_t flags = 0;
};

std::array<std::byte, kHeaderSize> encode_header(const FrameHeader& header);
FrameHeader decode_header(std::span<const std::byte, kHeaderSize> bytes);

struct Frame {
  FrameHeader header;
  /// Empty when the header announced more than kMaxData: such data is read and thrown away.
  std::string data;
  bool oversized() const { return header.length > kMaxData; }
};

/// Takes bytes as they come. Memory grows with the data that has arrived, not with what a header
/// announces.
class FrameReader {
 public:
  /// Takes from the front of `bytes` what belongs to the present frame; true when it is whole: then
  /// take() it before the next call.
  bool feed(std::span<const std::byte>& bytes);
  Frame take();
  /// Nothing has come of the next frame.
  bool between_frames() const { return header_bytes_ == 0; }

 private:
  std::array<std::byte, kHeaderSize> header_buffer_{};
  std::size_t header_bytes_ = 0;
  Frame frame_;
  std::size_t missing_ = 0;  // data yet to come
};

/// Frames on their way out of one descriptor: a frame is never interrupted by another.
class FrameWriter {
 public:
  /// `data` is at most kMaxData.
  void push(FrameType type, std::uint32_t stream_id, std::uint8_t flags, std::string_view data);
  /// Writes until the descriptor takes no more. Fails when the peer is gone.
  base::Result<void> write_to(int socket);
  bool empty() const { return frames_.empty(); }
  /// Bytes that wait.
  std::size_t size() const { return size_; }

 private:
  std::list<std::string> frames_;
  std::size_t written_ = 0;  // of the first
  std::size_t size_ = 0;
};

}  // namespace shim::ttrpc
