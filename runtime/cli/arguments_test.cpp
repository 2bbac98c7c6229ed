#include "runtime/cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runtime::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Option kOptions[] = {
    {"bundle", 'b', OptionKind::Value, "DIR", "the bundle"},
    {"env", 'e', OptionKind::List, "K=V", "environment"},
    {"detach", 'd', OptionKind::Flag, {}, "do not wait"},
    {"old", 0, OptionKind::Flag, {}, {}},
};

base::Result<Arguments> parse(std::vector<std::string> words,
                              Reading reading = Reading::OptionsAnywhere) {
  return parse_arguments(kOptions, words, reading);
}

TEST(ParseArguments, OneDashIsAsGoodAsTwo) {
  EXPECT_TRUE(parse({"-detach"})->flag("detach"));
  EXPECT_EQ(parse({"-bundle", "/b"})->value("bundle"), "/b");
}

TEST(ParseArguments, ValuesFollowAnEqualsSignOrASpace) {
  EXPECT_EQ(parse({"--bundle=/b"})->value("bundle"), "/b");
  EXPECT_EQ(parse({"--bundle", "/b"})->value("bundle"), "/b");
  EXPECT_EQ(parse({"-b", "/b"})->value("bundle"), "/b");
  EXPECT_EQ(parse({"-b=/b=c"})->value("bundle"), "/b=c");
  EXPECT_EQ(parse({"--bundle="})->value("bundle"), "");
}

TEST(ParseArguments, AValueMayLookLikeAnOption) {
  EXPECT_EQ(parse({"--bundle", "-"})->value("bundle"), "-");
  EXPECT_EQ(parse({"--bundle", "--detach"})->value("bundle"), "--detach");
}

TEST(ParseArguments, FlagsTakeTruthOnlyByAnEqualsSign) {
  EXPECT_FALSE(parse({"--detach=false"})->flag("detach"));
  EXPECT_TRUE(parse({"--detach=1"})->flag("detach"));
  EXPECT_THAT(parse({"--detach", "false"})->positional(), ElementsAre("false"));
}

TEST(ParseArguments, TheLastValueCountsAndListsKeepAll) {
  EXPECT_EQ(parse({"-b", "1", "-b", "2"})->value("bundle"), "2");
  EXPECT_THAT(parse({"-e", "A=1", "--env=B=2"})->list("env"), ElementsAre("A=1", "B=2"));
}

TEST(ParseArguments, OptionsMayFollowPositionalArguments) {
  const auto arguments = parse({"id", "--bundle", "/b"});

  EXPECT_THAT(arguments->positional(), ElementsAre("id"));
  EXPECT_EQ(arguments->value("bundle"), "/b");
}

TEST(ParseArguments, UnlessTheCommandStopsThere) {
  const auto arguments =
      parse({"-d", "id", "ls", "--detach", "--unknown"}, Reading::StopAtPositional);

  EXPECT_THAT(arguments->positional(), ElementsAre("id", "ls", "--detach", "--unknown"));
}

TEST(ParseArguments, TwoDashesEndTheOptions) {
  EXPECT_THAT(parse({"--", "--detach"})->positional(), ElementsAre("--detach"));
  EXPECT_THAT(parse({"-"})->positional(), ElementsAre("-"));
}

TEST(ParseArguments, MistakesAreToldInTheWordsOfGo) {
  EXPECT_EQ(parse({"--nope"}).error().message(), "flag provided but not defined: -nope");
  EXPECT_EQ(parse({"--nope=1"}).error().message(), "flag provided but not defined: -nope");
  EXPECT_EQ(parse({"--bundle"}).error().message(), "flag needs an argument: -bundle");
  EXPECT_EQ(parse({"--detach=x"}).error().message(), "invalid boolean value \"x\" for -detach");
}

TEST(ParseArguments, HelpIsKnownEverywhere) {
  EXPECT_TRUE(parse({"-h"})->flag("help"));
  EXPECT_TRUE(parse({"--help"})->flag("help"));
}

TEST(DescribeOptions, ShowsWhatHasAHelpText) {
  const std::string text = describe_options(kOptions);

  EXPECT_THAT(text, HasSubstr("  -b, --bundle DIR  the bundle\n"));
  EXPECT_THAT(text, HasSubstr("  -d, --detach      do not wait\n"));
  EXPECT_THAT(text, Not(HasSubstr("old")));
}

}  // namespace
}  // namespace runtime::cli
