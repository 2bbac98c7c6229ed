#include "shim/ttrpc/envelope.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "shim/protocol/message_codec.hpp"

namespace shim::ttrpc {

using protocol::Is;

void fields(auto& visit, Is<Metadata> auto& m) {
  visit(1, m.key);
  visit(2, m.value);
}

void fields(auto& visit, Is<RequestBody> auto& m) {
  visit(1, m.service);
  visit(2, m.method);
  visit(3, m.payload);
  visit(4, m.timeout_nano);
  visit(5, m.metadata);
}

namespace {

/// google.rpc.Status without its details, which nobody reads.
struct WireStatus {
  std::int32_t code = 0;
  std::string message;
};

void fields(auto& visit, Is<WireStatus> auto& m) {
  visit(1, m.code);
  visit(2, m.message);
}

struct WireResponse {
  std::optional<WireStatus> status;
  std::string payload;
};

void fields(auto& visit, Is<WireResponse> auto& m) {
  visit(1, m.status);
  visit(2, m.payload);
}

/// The length of the well-formed UTF-8 sequence that begins `text` (RFC 3629, section 4), or 0.
std::size_t utf8_sequence(std::string_view text) {
  const auto at = [&](std::size_t k) {
    return k < text.size() ? static_cast<std::uint8_t>(text[k]) : std::uint8_t{0};
  };
  const std::uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead < 0xc2   ? 0
                             : lead < 0xe0 ? 2
                             : lead < 0xf0 ? 3
                             : lead < 0xf5 ? 4
                                           : 0;
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
  if (lead == 0xe0) low = 0xa0;   // else overlong
  if (lead == 0xed) high = 0x9f;  // else a surrogate
  if (lead == 0xf0) low = 0x90;   // else overlong
  if (lead == 0xf4) high = 0x8f;  // else above U+10FFFF
  for (std::size_t k = 1; k < length; ++k) {
    if (at(k) < low || at(k) > high) return 0;
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

std::string printable(std::string_view message) {
  std::string out;
  while (!message.empty() && out.size() + 4 <= kMaxStatusMessage) {
    const std::size_t length = utf8_sequence(message);
    if (length == 0) {
      out.push_back('?');
    } else {
      out.append(message.substr(0, length));
    }
    message.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string encode_request(const RequestBody& request) { return protocol::encode(request); }

base::Result<RequestBody> decode_request(std::string_view bytes) {
  RequestBody request = TRY(protocol::decode<RequestBody>(bytes));
  std::size_t metadata = 0;
  for (const Metadata& pair : request.metadata) metadata += pair.key.size() + pair.value.size();
  if (request.service.size() > kMaxName || request.method.size() > kMaxName ||
      request.metadata.size() > kMaxMetadataPairs || metadata > kMaxMetadata) {
    return base::fail(base::ErrorKind::LimitExceeded, "names or metadata too long");
  }
  return request;
}

std::string encode_response(const Status& status, std::string_view payload) {
  WireResponse response;
  if (status.code != Code::Ok) {
    response.status = WireStatus{std::to_underlying(status.code), printable(status.message)};
  }
  response.payload = payload;
  return protocol::encode(response);
}

base::Result<ResponseBody> decode_response(std::string_view bytes) {
  WireResponse response = TRY(protocol::decode<WireResponse>(bytes));
  ResponseBody out;
  if (response.status) {
    out.status = {static_cast<Code>(response.status->code), std::move(response.status->message)};
  }
  out.payload = std::move(response.payload);
  return out;
}

}  // namespace shim::ttrpc
