#include "engine/wasi/dns_answer.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <string>

namespace engine::wasi {
namespace {

std::string number16(unsigned value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
}

std::string name(std::string_view dotted) {
  std::string out;
  while (!dotted.empty()) {
    const std::string_view label = dotted.substr(0, dotted.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    dotted.remove_prefix(std::min(label.size() + 1, dotted.size()));
  }
  return out + '\0';
}

std::string record(const std::string& owner, unsigned type, const std::string& data) {
  return owner + number16(type) + number16(1) + std::string(4, '\0') +
         number16(static_cast<unsigned>(data.size())) + data;
}

std::string message(unsigned answers, const std::string& records) {
  return number16(7) + number16(0x8180) + number16(1) + number16(answers) + std::string(4, '\0') +
         name("www.example.org") + number16(1) + number16(1) + records;
}

const std::string kAsked("\xc0\x0c", 2);  // a pointer to the question's name
const std::string kAddress("\x0a\x00\x00\x05", 4);

std::optional<ResolvedHost> parse(const std::string& text, int family = AF_INET) {
  // Safety: unsigned char may alias any object.
  return parse_dns_answer(
      std::span(reinterpret_cast<const unsigned char*>(text.data()), text.size()), family);
}

TEST(DnsAnswer, AddressesOfTheNameThatWasAskedFor) {
  const auto host =
      parse(message(2, record(kAsked, 1, kAddress) + record(kAsked, 1, "\x0a\x01\x01\x06")));
  ASSERT_TRUE(host);
  ASSERT_EQ(host->addresses.size(), 2U);
  EXPECT_EQ(host->addresses[0], *parse_ip("10.0.0.5", AF_INET));
  EXPECT_EQ(host->canonical, "www.example.org");
}

TEST(DnsAnswer, AnAliasLeadsOn) {
  const auto host = parse(message(3, record(kAsked, 5, name("a.example.net")) +
                                         record(name("A.Example.net"), 5, name("b.example.net")) +
                                         record(name("b.example.net"), 1, kAddress)));
  ASSERT_TRUE(host);
  EXPECT_EQ(host->addresses.size(), 1U);
  EXPECT_EQ(host->canonical, "b.example.net");
}

TEST(DnsAnswer, OtherNamesTypesAndSizesAreLeftOut) {
  const auto host = parse(message(
      4, record(name("evil.example.org"), 1, kAddress) + record(kAsked, 28, std::string(16, '\1')) +
             record(kAsked, 1, "\x0a\x01\x01") + record(kAsked, 16, "text")));
  ASSERT_TRUE(host);
  EXPECT_TRUE(host->addresses.empty());
  EXPECT_EQ(
      parse(message(1, record(kAsked, 28, std::string(16, '\1'))), AF_INET6)->addresses.size(), 1U);
}

TEST(DnsAnswer, EveryCutIsMalformed) {
  const std::string whole = message(
      2, record(kAsked, 5, name("a.example.net")) + record(name("a.example.net"), 1, kAddress));
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse(whole.substr(0, size))) << size;
  }
}

TEST(DnsAnswer, PointersThatRunInCirclesEnd) {
  std::string circle = message(1, "");
  const auto here = static_cast<unsigned>(circle.size());
  circle += record(number16(0xc000U | here), 1, kAddress);
  EXPECT_FALSE(parse(circle));
  EXPECT_FALSE(parse(message(65535, record(kAsked, 1, kAddress))));
}

}  // namespace
}  // namespace engine::wasi
