#include "shim/protocol/methods.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "shim/protocol/status.hpp"

namespace shim::protocol {
namespace {

TEST(Methods, BothVersionsOfTheTaskServiceHaveTheSame) {
  EXPECT_EQ(find_method(*find_service("containerd.task.v2.Task"), "Create"), Method::TaskCreate);
  EXPECT_EQ(find_method(*find_service("containerd.task.v3.Task"), "Create"), Method::TaskCreate);
  EXPECT_EQ(find_method(Service::TaskV3, "Shutdown"), Method::TaskShutdown);
}

TEST(Methods, AMethodBelongsToItsServiceOnly) {
  EXPECT_EQ(find_service("containerd.task.v1.Task"), std::nullopt);
  EXPECT_EQ(find_method(Service::TaskV2, "CreateSandbox"), std::nullopt);
  EXPECT_EQ(find_method(Service::SandboxV1, "Create"), std::nullopt);
  EXPECT_EQ(find_method(Service::SandboxV1, "SandboxMetrics"), Method::SandboxSandboxMetrics);
}

TEST(StatusOf, AMissingFileIsNoMissingContainer) {
  EXPECT_EQ(status_of(base::Error("open", "/x", ENOENT)),
            (Status{Code::Unknown, "open /x: no such file or directory"}));
  EXPECT_EQ(status_of(base::Error("mkdir", "/x", EEXIST)).code, Code::Unknown);
  EXPECT_EQ(status_of(base::Error(base::ErrorKind::NotFound, "no container c")),
            (Status{Code::NotFound, "no container c"}));
}

TEST(StatusOf, KindsThatWereChosenOutliveTheErrno) {
  base::Error error("mount", "/x", EPERM);
  EXPECT_EQ(status_of(error).code, Code::Unknown);
  error.set_kind(base::ErrorKind::WrongState);
  EXPECT_EQ(status_of(error).code, Code::FailedPrecondition);
}

}  // namespace
}  // namespace shim::protocol
