// Any bytes as each request and answer of the shim's services: no crash, no leak; what is decoded
// encodes to something that decodes to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "shim/protocol/codec.hpp"
#include "shim/protocol/sandbox.hpp"
#include "shim/protocol/task.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

template <typename Message>
void try_message(std::string_view bytes) {
  const auto message = shim::protocol::decode<Message>(bytes);
  if (!message) return require(!message.error().message().empty());
  const std::string once = shim::protocol::encode(*message);
  const auto again = shim::protocol::decode<Message>(once);
  require(again.has_value() && shim::protocol::encode(*again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Safety: char may alias any object.
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  using namespace shim::protocol;
#define METHOD(service, name, request, response) \
  try_message<request>(bytes);                   \
  try_message<response>(bytes);
#include "shim/protocol/methods.def"
#undef METHOD
  return 0;
}
