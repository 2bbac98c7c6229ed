// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by nettle.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace base {

using Sha256 = std::array<std::byte, 32>;

Sha256 sha256(std::span<const std::byte> bytes);
Sha256 hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message);
/// From the file's beginning to its end, in blocks; the file's offset does not move.
Result<Sha256> sha256_of_file(int fd, std::string_view subject);
/// Takes the same time wherever the first difference lies.
bool equal_in_constant_time(const Sha256& a, const Sha256& b);
/// 64 lower-case hexadecimal digits.
std::string to_hex(const Sha256& digest);

}  // namespace base
