// Any bytes as config.json: no crash, no leak; what is accepted is written and read back to the
// same text, and the validator answers.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "oci/parse.hpp"
#include "oci/validate.hpp"
#include "oci/write.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Safety: bytes may be viewed as char.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto spec = oci::parse_spec(text);
  if (!spec) {
    if (spec.error().message().empty()) std::abort();
    return 0;
  }
  const std::string written = oci::to_json(*spec);
  const auto again = oci::parse_spec(written);
  if (!again || oci::to_json(*again) != written) std::abort();
  if (const auto valid = oci::validate(*spec); valid) (void)oci::validate_rootless(*spec);
  return 0;
}
