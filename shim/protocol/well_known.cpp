#include "shim/protocol/well_known.hpp"

#include <ctime>

#include "shim/protocol/shared_fields.hpp"

namespace shim::protocol {

bool Any::holds(std::string_view name) const {
  const std::string_view url = type_url;
  if (!url.ends_with(name)) return false;
  return url.size() == name.size() || url[url.size() - name.size() - 1] == '/';
}

Timestamp now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return {time.tv_sec, static_cast<std::int32_t>(time.tv_nsec)};
}

base::Error decode_error(Decoded outcome) {
  if (outcome == Decoded::TooMany) {
    return {base::ErrorKind::LimitExceeded, "message too large"};
  }
  return {base::ErrorKind::Invalid, "malformed message"};
}

MESSAGE(Empty);
MESSAGE(Timestamp);
MESSAGE(Any);
MESSAGE(Mount);
MESSAGE(ProcessInfo);
MESSAGE(ProcessDetails);

}  // namespace shim::protocol
