#include <gtest/gtest.h>

#include "runtime/cgroup/device_rules.hpp"
#include "runtime/systemd/properties.hpp"

namespace runtime::systemd {
namespace {

constexpr const char* kGroups =
    "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n  1 ramdisk\n  8 sd\n";

oci::DeviceRule rule(bool allow, oci::DeviceRuleType type, std::optional<std::int64_t> major,
                     std::optional<std::int64_t> minor, const char* access) {
  return {allow, type, major, minor, access};
}

TEST(DeviceProperties, EveryContainersListIsStrict) {
  const auto properties = device_properties(cgroup::default_device_rules(), kGroups);
  ASSERT_TRUE(properties);
  ASSERT_EQ(properties->size(), 2u);
  EXPECT_EQ(properties->at(0), (Property{"DevicePolicy", "strict", 0}));
  EXPECT_EQ(properties->at(1).name, "DeviceAllow");
  EXPECT_EQ(std::get<dbus::StringPairs>(properties->at(1).value),
            (dbus::StringPairs{{"char-*", "m"},
                               {"block-*", "m"},
                               {"/dev/char/1:3", "rwm"},
                               {"/dev/char/1:5", "rwm"},
                               {"/dev/char/1:7", "rwm"},
                               {"/dev/char/1:8", "rwm"},
                               {"/dev/char/1:9", "rwm"},
                               {"/dev/char/5:0", "rwm"},
                               {"/dev/char/5:2", "rwm"},
                               {"char-pts", "rwm"},
                               {"/dev/char/10:200", "rwm"}}));
}

TEST(DeviceProperties, AGroupOfBlockDevicesIsNotTheOneOfCharacterDevices) {
  const oci::DeviceRule rules[] = {rule(true, oci::DeviceRuleType::Block, 1, std::nullopt, "r"),
                                   rule(true, oci::DeviceRuleType::Block, 8, std::nullopt, "rw")};
  const auto properties = device_properties(rules, kGroups);
  ASSERT_TRUE(properties);
  EXPECT_EQ(std::get<dbus::StringPairs>(properties->at(1).value),
            (dbus::StringPairs{{"block-ramdisk", "r"}, {"block-sd", "rw"}}));
}

TEST(DeviceProperties, WhatTheManagerCannotSayIsLeftClosed) {
  const oci::DeviceRule rules[] = {rule(true, oci::DeviceRuleType::Char, 250, std::nullopt, "rwm"),
                                   rule(true, oci::DeviceRuleType::Char, std::nullopt, 7, "rwm")};
  const auto properties = device_properties(rules, kGroups);
  ASSERT_TRUE(properties);
  EXPECT_TRUE(std::get<dbus::StringPairs>(properties->at(1).value).empty());
}

TEST(DeviceProperties, AContainerThatMayUseEverythingHasNoList) {
  const oci::DeviceRule rules[] = {
      rule(true, oci::DeviceRuleType::All, std::nullopt, std::nullopt, "rwm")};
  const auto properties = device_properties(rules, kGroups);
  ASSERT_TRUE(properties);
  EXPECT_EQ(*properties, (Properties{{"DevicePolicy", "auto", 0}}));
}

}  // namespace
}  // namespace runtime::systemd
