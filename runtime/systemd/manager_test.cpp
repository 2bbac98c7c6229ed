#include "runtime/systemd/manager.hpp"

#include <gtest/gtest.h>

namespace runtime::systemd {
namespace {

std::vector<std::string> paths(const std::vector<dbus::Address>& addresses) {
  std::vector<std::string> out;
  for (const dbus::Address& each : addresses)
    out.push_back(each.path + (each.is_bus ? " bus" : ""));
  return out;
}

TEST(ManagerAddresses, ThePrivateSocketComesFirst) {
  EXPECT_EQ(paths(manager_addresses(Instance::System, "/run/user/0", "")),
            (std::vector<std::string>{"/run/systemd/private", "/run/dbus/system_bus_socket bus"}));
}

TEST(ManagerAddresses, AUserHasHisOwnUnlessHeHasNoDirectory) {
  EXPECT_EQ(
      paths(manager_addresses(Instance::User, "/run/user/7", "unix:path=/x")),
      (std::vector<std::string>{"/run/user/7/systemd/private", "/x bus", "/run/user/7/bus bus"}));
  EXPECT_TRUE(manager_addresses(Instance::User, "", "").empty());
}

TEST(InstanceOf, RootOfTheHostHasTheSystems) {
  EXPECT_EQ(instance_of(0, "         0          0 4294967295\n"), Instance::System);
  EXPECT_EQ(instance_of(0, ""), Instance::System);
}

TEST(InstanceOf, EverybodyElseHasHisOwn) {
  EXPECT_EQ(instance_of(1000, "         0          0 4294967295\n"), Instance::User);
  EXPECT_EQ(instance_of(0, "         0       1000          1\n         1     100000      65536\n"),
            Instance::User);
}

}  // namespace
}  // namespace runtime::systemd
