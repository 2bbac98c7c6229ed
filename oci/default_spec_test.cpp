#include "oci/default_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci/features.hpp"
#include "oci/parse.hpp"
#include "oci/write.hpp"

namespace oci {
namespace {

TEST(DefaultSpec, ReadsBackTheSame) {
  const std::string text = to_json(default_spec(true), "\t");
  const auto parsed = parse_spec(text);
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(to_json(*parsed, "\t"), text);
  EXPECT_THAT(text, testing::HasSubstr("\n\t\"ociVersion\": \"1.3.0\""));
}

TEST(DefaultSpec, RootlessDropsWhatNeedsRoot) {
  Spec spec = default_spec(true);
  make_rootless(spec, 1000, 1001);
  EXPECT_EQ(spec.linux.find_namespace(NamespaceType::Network), nullptr);
  ASSERT_NE(spec.linux.find_namespace(NamespaceType::User), nullptr);
  EXPECT_EQ(spec.linux.uid_mappings[0].host_id, 1000U);
  EXPECT_EQ(spec.linux.gid_mappings[0].host_id, 1001U);
  const std::string text = to_json(spec);
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("gid=5")));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("resources")));
  EXPECT_THAT(text,
              testing::HasSubstr(
                  R"({"destination":"/sys","type":"none","source":"/sys","options":["rbind")"));
}

TEST(Features, UnknownsAreLeftOutAndSwitchesNest) {
  Features features = spec_features();
  features.linux.apparmor_enabled = false;
  features.linux.idmap_enabled = true;
  features.linux.cgroup.v1 = true;
  const std::string text = to_json(features);
  EXPECT_THAT(text, testing::HasSubstr(R"("cgroup":{"v1":true})"));
  EXPECT_THAT(text, testing::HasSubstr(R"("apparmor":{"enabled":false})"));
  EXPECT_THAT(text, testing::HasSubstr(R"("mountExtensions":{"idmap":{"enabled":true}})"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("selinux")));
  EXPECT_THAT(text, testing::HasSubstr(R"("namespaces":["pid","network",)"));
}

}  // namespace
}  // namespace oci
