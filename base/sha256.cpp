#include "base/sha256.hpp"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <unistd.h>

#include <vector>

namespace base {
namespace {

const std::uint8_t* octets(const std::byte* bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes);  // Safety: same size, unsigned char aliases
}
std::uint8_t* octets(std::byte* bytes) { return reinterpret_cast<std::uint8_t*>(bytes); }

}  // namespace

Sha256 sha256(std::span<const std::byte> bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), octets(bytes.data()));
  Sha256 digest;
  sha256_digest(&context, digest.size(), octets(digest.data()));
  return digest;
}

Sha256 hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> message) {
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, key.size(), octets(key.data()));
  hmac_sha256_update(&context, message.size(), octets(message.data()));
  Sha256 digest;
  hmac_sha256_digest(&context, digest.size(), octets(digest.data()));
  return digest;
}

Result<Sha256> sha256_of_file(int fd, std::string_view subject) {
  sha256_ctx context;
  sha256_init(&context);
  std::vector<std::byte> block(std::size_t{256} * 1024);
  off_t offset = 0;
  while (true) {
    const ssize_t got = ::pread(fd, block.data(), block.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read", subject);
    if (got == 0) break;
    sha256_update(&context, static_cast<std::size_t>(got), octets(block.data()));
    offset += got;
  }
  Sha256 digest;
  sha256_digest(&context, digest.size(), octets(digest.data()));
  return digest;
}

bool equal_in_constant_time(const Sha256& a, const Sha256& b) {
  return memeql_sec(a.data(), b.data(), a.size()) != 0;
}

std::string to_hex(const Sha256& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(2 * digest.size());
  for (const std::byte byte : digest) {
    out += kDigits[std::to_integer<unsigned>(byte >> 4)];
    out += kDigits[std::to_integer<unsigned>(byte & std::byte{15})];
  }
  return out;
}

}  // namespace base
