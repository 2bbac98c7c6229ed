// The addresses in a DNS answer (RFC 1035, 4.1; RFC 3596). c-ares has functions for this too; in
// Debian's archive they come with its getnameinfo, and that with glibc's NSS.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "engine/wasi/name_files.hpp"

namespace engine::wasi {

/// The records of the family's type (A or AAAA) that belong to the name that was asked for, or to
/// what its CNAMEs lead to. Nothing when the message is malformed.
std::optional<ResolvedHost> parse_dns_answer(std::span<const unsigned char> message, int family);

}  // namespace engine::wasi
