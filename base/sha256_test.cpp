#include "base/sha256.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace base {
namespace {

// The vector "abc" of FIPS 180-4's examples.
constexpr std::string_view kAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, AgreesWithThePublishedVector) {
  EXPECT_EQ(to_hex(sha256(std::as_bytes(std::span(std::string_view("abc"))))), kAbc);
}

TEST(Sha256, OfAFileIsThatOfItsBytesWhereverTheOffsetStands) {
  const TempDir dir;
  const std::string path = dir.path() / "abc";
  ASSERT_TRUE(write_atomic(path, "abc", 0600).has_value());
  const UniqueFd fd = open_file(path, O_RDONLY).value();
  ASSERT_TRUE(read_all(fd.get(), 10, path).has_value());
  EXPECT_EQ(to_hex(sha256_of_file(fd.get(), path).value()), kAbc);
}

// RFC 4231, test case 2.
TEST(HmacSha256, AgreesWithThePublishedVector) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  EXPECT_EQ(to_hex(hmac_sha256(bytes("Jefe"), bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

}  // namespace
}  // namespace base
