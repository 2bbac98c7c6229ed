#include "runtime/namespaces/net_devices.hpp"

#include <gtest/gtest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "runtime/namespaces/rtnetlink.hpp"

namespace runtime::namespaces {
namespace {

constexpr std::array kFour{std::byte{10}, std::byte{0}, std::byte{0}, std::byte{7}};

/// A message's payload: what the kernel sends behind nlmsghdr.
std::vector<std::byte> address_message(ifaddrmsg header, std::uint32_t flags) {
  NetlinkMessage message(RTM_NEWADDR, 0);
  message.set_header(header);
  message.add(IFA_LOCAL, std::span<const std::byte>(kFour));
  message.add(IFA_LABEL, std::string_view("veth0:1"));
  message.add(IFA_FLAGS, flags);
  const auto bytes = message.bytes().subspan(sizeof(nlmsghdr));
  return {bytes.begin(), bytes.end()};
}

ifaddrmsg header_for(unsigned index) {
  ifaddrmsg header{};
  header.ifa_family = AF_INET;
  header.ifa_prefixlen = 24;
  header.ifa_index = index;
  return header;
}

TEST(NetDevices, APermanentGlobalAddressMoves) {
  DeviceAddress out;
  ASSERT_TRUE(
      parse_address(address_message(header_for(5), IFA_F_PERMANENT | IFA_F_NOPREFIXROUTE), 5, out));
  EXPECT_EQ(out.family, AF_INET);
  EXPECT_EQ(out.prefix_length, 24);
  EXPECT_EQ(out.flags, std::uint32_t{IFA_F_NOPREFIXROUTE});
  ASSERT_EQ(out.attributes.size(), 1U) << "the label has the old name in it";
  EXPECT_EQ(out.attributes[0].type, IFA_LOCAL);
  EXPECT_TRUE(std::ranges::equal(out.attributes[0].value, kFour));
}

TEST(NetDevices, OtherAddressesStay) {
  DeviceAddress out;
  EXPECT_FALSE(parse_address(address_message(header_for(5), IFA_F_PERMANENT), 6, out));
  EXPECT_FALSE(parse_address(address_message(header_for(5), 0), 5, out)) << "not permanent";
  ifaddrmsg local = header_for(5);
  local.ifa_scope = RT_SCOPE_LINK;
  EXPECT_FALSE(parse_address(address_message(local, IFA_F_PERMANENT), 5, out));
  const std::vector<std::byte> whole = address_message(header_for(5), IFA_F_PERMANENT);
  EXPECT_FALSE(parse_address(std::span(whole).first(4), 5, out)) << "truncated";
}

TEST(NetDevices, ADeviceThatIsNotThereIsNamed) {
  const auto planned = plan_net_devices({{"nosuchdev0", {}}});
  ASSERT_FALSE(planned);
  EXPECT_NE(planned.error().message().find("nosuchdev0"), std::string::npos);
}

TEST(Rtnetlink, ATruncatedAttributeEndsTheList) {
  NetlinkMessage message(RTM_NEWADDR, 0);
  message.add(1, std::uint32_t{7});
  message.add(2, std::string_view("abc"));
  const auto bytes = message.bytes().subspan(sizeof(nlmsghdr));
  EXPECT_EQ(parse_attributes(bytes).size(), 2U);
  EXPECT_EQ(parse_attributes(bytes.first(bytes.size() - 1)).size(), 1U);
  EXPECT_EQ(parse_attributes(bytes.first(3)).size(), 0U);
}

}  // namespace
}  // namespace runtime::namespaces
