// D-Bus messages from outside: whatever decodes has to encode to a message that decodes to the
// same, and its body may be read as anything.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "runtime/dbus/message.hpp"
#include "runtime/dbus/wire.hpp"

namespace {

void read_body(std::string_view body, std::string_view types) {
  runtime::dbus::Reader in(body);
  for (const char type : types) {
    if (!in.skip(type)) return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Safety: bytes may be viewed as char.
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto message = runtime::dbus::decode(bytes);
  if (!message) return 0;
  read_body(message->body, message->signature);
  static_cast<void>(runtime::dbus::Reader(message->body).string_variant());
  const auto again = runtime::dbus::decode(runtime::dbus::encode(*message));
  if (!again || *again != *message) std::abort();
  return 0;
}
