#include "runtime/cgroup/placement.hpp"

#include <gtest/gtest.h>

namespace runtime::cgroup {
namespace {

Host host() {
  return {Layout::Hybrid,
          {{Version::V1, "/c/cpu", {"cpu", "cpuacct"}, "/"},
           {Version::V1, "/c/memory", {"memory"}, "/own"},
           {Version::V2, "/c/unified", {"hugetlb"}, "/"}}};
}

TEST(Place, AnAbsolutePathLiesBelowTheMountPoints) {
  const auto paths = place(host(), "/pods/p1/c1", "id");

  ASSERT_TRUE(paths) << paths.error().message();
  EXPECT_EQ(*paths, (Paths{{"", "/c/unified/pods/p1/c1"},
                           {"cpu", "/c/cpu/pods/p1/c1"},
                           {"cpuacct", "/c/cpu/pods/p1/c1"},
                           {"memory", "/c/memory/pods/p1/c1"}}));
}

TEST(Place, ARelativePathLiesBelowTheCgroupOfTheRuntime) {
  const auto paths = place(host(), "box", "id");

  EXPECT_EQ(paths->at("memory"), "/c/memory/own/box");
  EXPECT_EQ(paths->at("cpu"), "/c/cpu/box");
}

TEST(Place, WhereThereIsOnlyV2ARelativePathLiesBesideTheRuntime) {
  const Host v2{Layout::V2, {{Version::V2, "/c", {"memory"}, "/system.slice/x.service"}}};
  EXPECT_EQ(place(v2, "box", "id")->at(""), "/c/system.slice/box");
  const Host top{Layout::V2, {{Version::V2, "/c", {"memory"}, "/x"}}};
  EXPECT_EQ(place(top, "box", "id")->at(""), "/c/box");
}

TEST(Place, NoPathMeansTheId) { EXPECT_EQ(place(host(), "", "id")->at("cpu"), "/c/cpu/id"); }

TEST(Place, SlashesAndDotsAreFolded) {
  EXPECT_EQ(place(host(), "//a/./b/", "id")->at("cpu"), "/c/cpu/a/b");
}

TEST(Place, NobodyClimbsOutOfAHierarchy) {
  EXPECT_EQ(place(host(), "../x", "id").error().kind(), base::ErrorKind::Invalid);
  EXPECT_EQ(place(host(), "/a/../../x", "id").error().kind(), base::ErrorKind::Invalid);
}

TEST(Place, TheRootOfAHierarchyIsNoContainersCgroup) {
  EXPECT_EQ(place(host(), "/", "id").error().message(),
            "linux.cgroupsPath: / is the root of the cgroups");
}

TEST(Place, ASliceWithAPrefixIsAPathLikeOthers) {
  const Host v1{Layout::V1, {{Version::V1, "/m", {"memory"}, "/box"}}};

  EXPECT_EQ(place(v1, "test.slice:cri:id", "id")->at("memory"), "/m/box/test.slice:cri:id");
}

}  // namespace
}  // namespace runtime::cgroup
