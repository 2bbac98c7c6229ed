// D-Bus messages as data: docs/formats/dbus.md (D-Bus specification 0.41, "Message Protocol").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace runtime::dbus {

inline constexpr std::size_t kMaxMessage = std::size_t{1} << 20;
/// The part of a message from which its size can be told.
inline constexpr std::size_t kFixedHeader = 16;

enum class MessageType : std::uint8_t { Call = 1, Reply = 2, Error = 3, Signal = 4 };

/// Empty texts and zeros are absent fields.
struct Message {
  MessageType type = MessageType::Call;
  std::uint32_t serial = 0;
  std::uint32_t reply_to = 0;
  std::string path;
  std::string interface;
  std::string member;
  std::string error;
  std::string destination;
  std::string sender;
  std::string signature;  ///< of the body
  std::string body;

  bool operator==(const Message&) const = default;
};

std::string encode(const Message& message);

/// The size of the message that begins with these kFixedHeader bytes; Invalid when they begin none,
/// LimitExceeded above kMaxMessage.
base::Result<std::size_t> message_size(std::string_view head);

/// One whole message. Invalid for anything that breaks the format, with the field in the text.
base::Result<Message> decode(std::string_view bytes);

}  // namespace runtime::dbus
