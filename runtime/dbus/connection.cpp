// The socket, and the conversation on it. One process makes a handful of calls and ends, so nothing
// here is asynchronous; the socket is non-blocking only because of the deadlines.
#include "runtime/dbus/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "runtime/dbus/wire.hpp"

namespace runtime::dbus {
namespace {

constexpr std::size_t kMaxGreeting = 4096;
constexpr std::size_t kMaxMessagesPerAnswer = 65536;

base::Result<base::UniqueFd> connect_to(const std::string& path) {
  base::UniqueFd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!out) return base::fail_errno("socket", path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return base::fail(base::ErrorKind::Invalid, path + ": too long for a socket");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  // Safety: the sockets API takes every address family as a sockaddr.
  if (::connect(out.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return base::fail_errno("connect", path);
  }
  return out;
}

Message bus_call(const char* member, const std::string& text) {
  Message out;
  out.path = "/org/freedesktop/DBus";
  out.interface = "org.freedesktop.DBus";
  out.destination = "org.freedesktop.DBus";
  out.member = member;
  if (text.empty()) return out;
  Writer body;
  body.string(text);
  out.signature = "s";
  out.body = body.take();
  return out;
}

// Names of errors that a caller can act on, by their last part.
base::ErrorKind kind_of(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  if (last == "UnitExists") return base::ErrorKind::AlreadyExists;
  if (last == "NoSuchUnit" || last == "ServiceUnknown") return base::ErrorKind::NotFound;
  if (last == "UnknownMethod") return base::ErrorKind::Unsupported;
  return base::ErrorKind::Invalid;
}

// The text of an error message is its first argument, if that is a string.
base::Error error_of(const Message& answer) {
  std::string text;
  if (answer.signature.starts_with('s')) text = Reader(answer.body).string().value_or("");
  return {kind_of(answer.error), answer.error + (text.empty() ? "" : ": " + text)};
}

}  // namespace

std::string path_of_address(std::string_view address) {
  constexpr std::string_view kPrefix = "unix:path=";
  while (!address.empty()) {
    const std::string_view one = address.substr(0, address.find(';'));
    if (one.starts_with(kPrefix)) {
      const std::string_view rest = one.substr(kPrefix.size());
      return std::string(rest.substr(0, rest.find(',')));
    }
    address.remove_prefix(std::min(one.size() + 1, address.size()));
  }
  return {};
}

base::Result<Connection> Connection::open(const Address& address, const std::string& sender,
                                          Clock::time_point end) {
  Connection out(TRY(connect_to(address.path)));
  TRY(base::with_context(out.authenticate(end), "authenticate at " + address.path));
  if (address.is_bus) TRY(base::with_context(out.enter_bus(sender, end), "D-Bus " + address.path));
  return out;
}

base::Result<void> Connection::authenticate(Clock::time_point end) {
  // BEGIN goes before OK has come: what systemd reads together with BEGIN it takes up only when
  // more comes, so a call must not follow BEGIN right away. After OK it has read that far.
  TRY(send(std::string_view("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n", 29), end));
  for (std::size_t line = 0;;) {
    const std::size_t line_end = buffer_.find("\r\n", line);
    if (line_end == std::string::npos) {
      if (buffer_.size() > kMaxGreeting) {
        return base::fail(base::ErrorKind::LimitExceeded, "a greeting without end");
      }
      TRY(fill(end));
      continue;
    }
    const std::string text = buffer_.substr(line, line_end - line);
    line = line_end + 2;
    if (text == "DATA" || text.starts_with("DATA ")) continue;
    if (!text.starts_with("OK ")) return base::fail(base::ErrorKind::Invalid, "refused: " + text);
    buffer_.erase(0, line);
    return {};
  }
}

base::Result<void> Connection::enter_bus(const std::string& sender, Clock::time_point end) {
  TRY(call(bus_call("Hello", ""), end));
  TRY(call(bus_call("AddMatch", "type='signal',sender='" + sender + "',member='JobRemoved'"), end));
  return {};
}

base::Result<void> Connection::wait(short events, Clock::time_point end) const {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd socket{socket_.get(), events, 0};
    const int ready = left > 0 ? ::poll(&socket, 1, static_cast<int>(left)) : 0;
    if (ready > 0) return {};
    if (ready == 0) return base::fail(base::ErrorKind::System, "D-Bus: no answer in time");
    if (errno != EINTR) return base::fail_errno("poll", "D-Bus socket");
  }
}

base::Result<void> Connection::send(std::string_view bytes, Clock::time_point end) const {
  while (!bytes.empty()) {
    const ssize_t done = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (done >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(done));
    } else if (errno == EAGAIN) {
      TRY(wait(POLLOUT, end));
    } else if (errno != EINTR) {
      return base::fail_errno("send", "D-Bus socket");
    }
  }
  return {};
}

base::Result<void> Connection::fill(Clock::time_point end) {
  std::array<char, 4096> piece{};
  while (true) {
    const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), 0);
    if (got > 0) {
      buffer_.append(piece.data(), static_cast<std::size_t>(got));
      return {};
    }
    if (got == 0) return base::fail(base::ErrorKind::System, "D-Bus: the peer hung up");
    if (errno == EAGAIN) {
      TRY(wait(POLLIN, end));
    } else if (errno != EINTR) {
      return base::fail_errno("recv", "D-Bus socket");
    }
  }
}

base::Result<Message> Connection::receive(Clock::time_point end) {
  while (buffer_.size() < kFixedHeader) TRY(fill(end));
  const std::size_t size = TRY(message_size(std::string_view(buffer_).substr(0, kFixedHeader)));
  while (buffer_.size() < size) TRY(fill(end));
  base::Result<Message> out = decode(std::string_view(buffer_).substr(0, size));
  buffer_.erase(0, size);
  return out;
}

base::Result<Message> Connection::call(Message message, Clock::time_point end) {
  message.serial = ++serial_;
  TRY(send(encode(message), end));
  for (std::size_t count = 0; count < kMaxMessagesPerAnswer; ++count) {
    Message answer = TRY(receive(end));
    if (answer.type == MessageType::Signal) {
      signals_.push_back(std::move(answer));
      continue;
    }
    if (answer.reply_to != serial_) continue;
    if (answer.type == MessageType::Reply) return answer;
    if (answer.type == MessageType::Error) return std::unexpected(error_of(answer));
  }
  return base::fail(base::ErrorKind::LimitExceeded, "D-Bus: too many messages before an answer");
}

base::Result<Message> Connection::wait_for_signal(const std::function<bool(const Message&)>& wanted,
                                                  Clock::time_point end) {
  for (Message& kept : std::exchange(signals_, {})) {
    if (wanted(kept)) return std::move(kept);
  }
  for (std::size_t count = 0; count < kMaxMessagesPerAnswer; ++count) {
    Message next = TRY(receive(end));
    if (next.type == MessageType::Signal && wanted(next)) return next;
  }
  return base::fail(base::ErrorKind::LimitExceeded, "D-Bus: too many messages before a signal");
}

}  // namespace runtime::dbus
