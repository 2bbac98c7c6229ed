#include "shim/bootstrap/command_line.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace shim::bootstrap {
namespace {

base::Result<CommandLine> parse(std::vector<std::string_view> words) {
  return parse_command_line(words);
}

TEST(CommandLine, ReadsWhatContainerdWrites) {
  const auto line =
      parse({"-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock",
             "-publish-binary", "/usr/bin/containerd", "-id", "c1", "-debug", "start"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->action, Action::Start);
  EXPECT_EQ(line->name_space, "k8s.io");
  EXPECT_EQ(line->address, "/run/containerd/containerd.sock");
  EXPECT_EQ(line->publish_binary, "/usr/bin/containerd");
  EXPECT_EQ(line->id, "c1");
  EXPECT_TRUE(line->debug);
}

TEST(CommandLine, FlagsAreGos) {
  const auto line = parse({"--namespace=n", "-id=c", "-debug=false", "--bundle", "-odd", "delete"});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->action, Action::Delete);
  EXPECT_EQ(line->bundle, "-odd");
  EXPECT_FALSE(line->debug);
  EXPECT_FALSE(parse({"-debug=yes"}));
  EXPECT_FALSE(parse({"-id"}));
  EXPECT_FALSE(parse({"-unheard-of", "x"}));
  EXPECT_EQ(parse({"-id", "c", "-namespace", "n", "--", "start"})->action, Action::Start);
}

TEST(CommandLine, QuestionsNeedNoId) {
  EXPECT_EQ(parse({"-info"})->action, Action::Info);
  EXPECT_EQ(parse({"-v"})->action, Action::Version);
  EXPECT_EQ(parse({"-version"})->action, Action::Version);
  EXPECT_EQ(parse({})->action, Action::None);
  EXPECT_FALSE(parse({"stop"}));
}

TEST(CommandLine, NamesThatLeaveADirectoryAreRefused) {
  for (const std::string_view bad : {"", ".", "..", "a/b", "../a", "-a", "a b", "a\n"}) {
    EXPECT_FALSE(parse({"-namespace", "n", "-id", bad, "start"})) << bad;
    EXPECT_FALSE(parse({"-namespace", bad, "-id", "c", "start"})) << bad;
  }
  const std::string longest(255, 'a');
  EXPECT_TRUE(parse({"-namespace", "n", "-id", longest, "start"}));
  EXPECT_FALSE(parse({"-namespace", "n", "-id", longest + "a", "start"}));
}

}  // namespace
}  // namespace shim::bootstrap
