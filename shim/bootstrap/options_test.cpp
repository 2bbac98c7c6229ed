#include "shim/bootstrap/options.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "shim/bootstrap/toml.hpp"
#include "shim/protocol/codec.hpp"

namespace shim::bootstrap {
namespace {

using protocol::Any;

std::string message_of_failure(std::string_view toml) {
  const auto options = parse_options_toml(toml);
  return options ? "no failure" : options.error().message();
}

TEST(Toml, KnowsStringsIntegersAndBooleans) {
  const auto entries = parse_toml(
      "# options\n\n a = \"x\\t\\\"\\u00e9\\U0001F6A2\" # tail\r\n'b c' = 'C:\\n#'\n\"d\" = true\n"
      "e = -1_000\nf = 0xFf\ng = 0o17\nh=0b11\ni = +5");
  ASSERT_TRUE(entries) << entries.error().message();
  ASSERT_EQ(entries->size(), 8U);
  EXPECT_EQ(entries->at(0).value, TomlValue("x\t\"\xc3\xa9\xf0\x9f\x9a\xa2"));
  EXPECT_EQ(entries->at(0).line, 3U);
  EXPECT_EQ(entries->at(1).key, "b c");
  EXPECT_EQ(entries->at(1).value, TomlValue("C:\\n#"));
  EXPECT_EQ(entries->at(2).value, TomlValue(true));
  EXPECT_EQ(entries->at(3).value, TomlValue(std::int64_t{-1000}));
  EXPECT_EQ(entries->at(4).value, TomlValue(std::int64_t{255}));
  EXPECT_EQ(entries->at(5).value, TomlValue(std::int64_t{15}));
  EXPECT_EQ(entries->at(6).value, TomlValue(std::int64_t{3}));
  EXPECT_EQ(entries->at(7).value, TomlValue(std::int64_t{5}));
}

TEST(Toml, WhatItDoesNotKnowIsRefusedWithItsLine) {
  for (const std::string_view bad : {"[table]",
                                     "[[t]]",
                                     "a.b = 1",
                                     "a = [1]",
                                     "a = {}",
                                     "a = 1.5",
                                     "a = 1979-05-27",
                                     "a = inf",
                                     "a = \"\"\"x\"\"\"",
                                     "a = '''x'''",
                                     "a",
                                     "a =",
                                     "= 1",
                                     "a = 1 2",
                                     "a = \"x",
                                     "a = 'x",
                                     "a = \"\\q\"",
                                     "a = \"\\ud800\"",
                                     "a = \"\\u12\"",
                                     "a = \"\\U00110000\"",
                                     "a = 01",
                                     "a = 1_",
                                     "a = _1",
                                     "a = 1__0",
                                     "a = 0x",
                                     "a = 0x-1",
                                     "a = --1",
                                     "a = +-1",
                                     "a = -",
                                     "a = -_1",
                                     "a = 99999999999999999999",
                                     "a = yes",
                                     "a = \"\x01\"",
                                     "a = \"\\"}) {
    const auto entries = parse_toml("x = 1\n" + std::string(bad) + "\n");
    ASSERT_FALSE(entries) << bad;
    EXPECT_TRUE(entries.error().message().starts_with("line 2: ")) << entries.error().message();
  }
}

TEST(Options, AreReadFromContainerdsTable) {
  const auto options = parse_options_toml(
      "BinaryName = \"/usr/bin/crun\"\nIoGid = 4294967295\nNoPivotRoot = true\nSystemdCgroup = "
      "true\n"
      "Root = '/run/r'\nTypeUrl = \"x\"\nshimversion = 3\n");
  ASSERT_TRUE(options) << options.error().message();
  EXPECT_EQ(options->runc.binary_name, "/usr/bin/crun");
  EXPECT_EQ(options->runc.io_gid, 4294967295U);
  EXPECT_TRUE(options->runc.no_pivot_root);
  EXPECT_TRUE(options->runc.systemd_cgroup);
  EXPECT_EQ(options->runc.root, "/run/r");
  EXPECT_EQ(options->shim_version, 3U);
}

TEST(Options, ErrorsNameLineKeyAndReason) {
  EXPECT_EQ(message_of_failure("\nSystemdCgroups = true"),
            "line 2: SystemdCgroups: unknown option");
  EXPECT_EQ(message_of_failure("SystemdCgroup = 'true'"),
            "line 1: SystemdCgroup: must be true or false");
  EXPECT_EQ(message_of_failure("Root = 1"), "line 1: Root: must be a string");
  EXPECT_EQ(message_of_failure("Root = \"a\\u0000b\""), "line 1: Root: holds a NUL character");
  EXPECT_EQ(message_of_failure("IoUid = -1"),
            "line 1: IoUid: must be an integer from 0 to 4294967295");
  EXPECT_EQ(message_of_failure("IoUid = 4294967296"),
            "line 1: IoUid: must be an integer from 0 to 4294967295");
  EXPECT_EQ(message_of_failure("ShimVersion = 1"), "line 1: ShimVersion: must be 2 or 3");
  EXPECT_EQ(message_of_failure("Root = 'a'\nroot = 'b'"), "line 2: root: comes twice");
  EXPECT_EQ(message_of_failure(std::string(kMaxToml + 1, '\n')), "text too long");
}

TEST(Options, ComeAsRuncsMessageToo) {
  protocol::RuncOptions sent;
  sent.root = "/r";
  sent.systemd_cgroup = true;
  Any any = protocol::pack(sent);
  EXPECT_EQ(read_options(any)->runc.root, "/r");
  any.type_url = "type.googleapis.com/" + any.type_url;
  EXPECT_TRUE(read_options(any)->runc.systemd_cgroup);
}

TEST(Options, ComeFromAFileWhenThereIsNoText) {
  const base::TempDir directory;
  const std::string path = directory.path() / "options.toml";
  ASSERT_TRUE(base::write_atomic(path, "SystemdCgroup = true\n", 0600));
  EXPECT_TRUE(
      read_options(protocol::pack(protocol::RuntimeOptions{"", path, ""}))->runc.systemd_cgroup);
  EXPECT_FALSE(read_options(protocol::pack(protocol::RuntimeOptions{"", path, "Root = '/r'"}))
                   ->runc.systemd_cgroup);
  EXPECT_FALSE(read_options(protocol::pack(protocol::RuntimeOptions{"", path + "x", ""})));
}

TEST(Options, NoneAreDefaultsAndOthersAreRefused) {
  EXPECT_EQ(read_options(std::nullopt).value(), Options{});
  EXPECT_EQ(read_options(Any{}).value(), Options{});
  EXPECT_EQ(read_options(protocol::pack(protocol::RuntimeOptions{})).value(), Options{});
  const auto other = read_options(Any{"containerd.linux.runc.RuncOptions", ""});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().message(),
            "runtime options: unknown type containerd.linux.runc.RuncOptions");
  EXPECT_FALSE(read_options(Any{"containerd.runc.v1.Options", "\xff"}));
}

}  // namespace
}  // namespace shim::bootstrap
