// What a frame of ttrpc carries: ttrpc.Request and ttrpc.Response.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "shim/protocol/status.hpp"

namespace shim::ttrpc {

using protocol::Code;
using protocol::Status;

struct Metadata {
  std::string key;
  std::string value;
};

struct RequestBody {
  std::string service;
  std::string method;
  std::string payload;
  /// From the receipt on; 0 for no limit. A late answer does no harm.
  std::int64_t timeout_nano = 0;
  std::vector<Metadata> metadata;
};

struct ResponseBody {
  Status status;
  std::string payload;
};

inline constexpr std::size_t kMaxName = 256;                 ///< of a service or method
inline constexpr std::size_t kMaxMetadataPairs = 128;        ///< of one request
inline constexpr std::size_t kMaxMetadata = 64 * 1024;       ///< bytes of one request
inline constexpr std::size_t kMaxStatusMessage = 32 * 1024;  ///< bytes; longer ones are cut

std::string encode_request(const RequestBody& request);
base::Result<RequestBody> decode_request(std::string_view bytes);
/// The status's message becomes valid UTF-8: containerd refuses anything else.
std::string encode_response(const Status& status, std::string_view payload);
base::Result<ResponseBody> decode_response(std::string_view bytes);

}  // namespace shim::ttrpc
