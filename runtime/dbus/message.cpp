// The header of D-Bus messages, which is itself a D-Bus value.
#include "runtime/dbus/message.hpp"

#include <algorithm>
#include <array>

#include "runtime/dbus/wire.hpp"

namespace runtime::dbus {
namespace {

constexpr std::size_t kMaxFields = std::size_t{64} << 10;
constexpr std::uint8_t kReplyTo = 5;
constexpr std::uint8_t kSignature = 8;

struct TextField {
  std::uint8_t code;
  char type;
  std::string Message::* member;
};

constexpr std::array kTextFields{
    TextField{1, 'o', &Message::path},        TextField{2, 's', &Message::interface},
    TextField{3, 's', &Message::member},      TextField{4, 's', &Message::error},
    TextField{6, 's', &Message::destination}, TextField{7, 's', &Message::sender},
    TextField{8, 'g', &Message::signature},
};

std::unexpected<base::Error> broken(const std::string& what) {
  return base::fail(base::ErrorKind::Invalid, "D-Bus message: " + what);
}

std::size_t aligned(std::size_t size) { return (size + 7) / 8 * 8; }

void put_field(Writer& out, const TextField& field, const std::string& text) {
  out.align(8);
  out.number(field.code);
  out.signature(std::string_view(&field.type, 1));
  if (field.code == kSignature) {
    out.signature(text);
  } else {
    out.string(text);
  }
}

base::Result<void> read_field(Reader& in, Message& message) {
  const std::uint8_t code = TRY(in.number<std::uint8_t>());
  const std::string type = TRY(in.signature());
  if (type.size() != 1) return broken("header field " + std::to_string(code) + " is compound");
  if (code == kReplyTo) {
    if (type != "u") return broken("header field 5 is no number");
    message.reply_to = TRY(in.number<std::uint32_t>());
    return {};
  }
  const auto field = std::ranges::find(kTextFields, code, &TextField::code);
  if (field == kTextFields.end()) return in.skip(type[0]);
  if (type[0] != field->type) {
    return broken("header field " + std::to_string(code) + " has type " + type);
  }
  message.*field->member = code == kSignature ? TRY(in.signature()) : TRY(in.string());
  return {};
}

base::Result<void> check_fields(const Message& message) {
  switch (message.type) {
    case MessageType::Call:
      if (message.path.empty() || message.member.empty()) return broken("an incomplete call");
      return {};
    case MessageType::Reply:
      if (message.reply_to == 0) return broken("a reply to nothing");
      return {};
    case MessageType::Error:
      if (message.reply_to == 0 || message.error.empty()) return broken("an incomplete error");
      return {};
    case MessageType::Signal:
      if (message.path.empty() || message.interface.empty() || message.member.empty()) {
        return broken("an incomplete signal");
      }
      return {};
  }
  return {};
}

}  // namespace

std::string encode(const Message& message) {
  Writer out;
  out.number(static_cast<std::uint8_t>('l'));
  out.number(static_cast<std::uint8_t>(message.type));
  out.number(std::uint8_t{0});
  out.number(std::uint8_t{1});
  out.number(static_cast<std::uint32_t>(message.body.size()));
  out.number(message.serial);
  const Writer::Mark fields = out.begin_array(8);
  for (const TextField& field : kTextFields) {
    const std::string& text = message.*field.member;
    if (!text.empty()) put_field(out, field, text);
  }
  if (message.reply_to != 0) {
    out.align(8);
    out.number(kReplyTo);
    out.signature("u");
    out.number(message.reply_to);
  }
  out.end_array(fields);
  out.align(8);
  return out.take() + message.body;
}

base::Result<std::size_t> message_size(std::string_view head) {
  Reader in(head);
  if (TRY(in.number<std::uint8_t>()) != 'l') return broken("not little-endian");
  static_cast<void>(TRY(in.number<std::uint8_t>()));
  static_cast<void>(TRY(in.number<std::uint8_t>()));
  if (TRY(in.number<std::uint8_t>()) != 1) return broken("not of version 1");
  const std::size_t body = TRY(in.number<std::uint32_t>());
  static_cast<void>(TRY(in.number<std::uint32_t>()));
  const std::size_t fields = TRY(in.number<std::uint32_t>());
  const std::size_t size = aligned(kFixedHeader + fields) + body;
  if (fields > kMaxFields || size > kMaxMessage) {
    return base::fail(base::ErrorKind::LimitExceeded,
                      "D-Bus message of " + std::to_string(size) + " bytes");
  }
  return size;
}

base::Result<Message> decode(std::string_view bytes) {
  const std::size_t size = TRY(message_size(bytes.substr(0, kFixedHeader)));
  if (size != bytes.size()) return broken("not as long as it says");
  Reader in(bytes);
  Message message;
  static_cast<void>(TRY(in.number<std::uint8_t>()));
  const std::uint8_t type = TRY(in.number<std::uint8_t>());
  message.type = static_cast<MessageType>(type);
  static_cast<void>(TRY(in.number<std::uint8_t>()));
  static_cast<void>(TRY(in.number<std::uint8_t>()));
  const std::uint32_t body = TRY(in.number<std::uint32_t>());
  message.serial = TRY(in.number<std::uint32_t>());
  const std::uint32_t fields = TRY(in.number<std::uint32_t>());
  Reader header(bytes.substr(0, kFixedHeader + fields));
  while (header.position() < kFixedHeader) static_cast<void>(TRY(header.number<std::uint8_t>()));
  while (!header.at_end()) {
    TRY(header.align(8));
    TRY(read_field(header, message));
  }
  if (message.serial == 0) return broken("serial 0");
  TRY(check_fields(message));
  message.body = bytes.substr(size - body);
  return message;
}

}  // namespace runtime::dbus
