// Against the kernel of this machine: needs root and a mounted cgroup file system.
#include "runtime/cgroup/cgroup.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "runtime/cgroup/device_rules.hpp"

namespace runtime::cgroup {
namespace {

class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    auto host = detect_host();
    if (!host) GTEST_SKIP() << host.error().message();
    host_ = *std::move(host);
    const std::string name = "/wherry-test-" + std::to_string(::getpid());
    paths_ = *place(host_, name + "/c1", "unused");
    auto made = Cgroup(paths_).create();
    if (!made) GTEST_SKIP() << made.error().message();
    for (const auto& [controller, path] : paths_) parents_.insert({controller, parent(path)});
  }
  void TearDown() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    if (!paths_.empty()) (void)Cgroup(paths_).remove();
    if (!parents_.empty()) (void)Cgroup(parents_).remove();
  }

  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  // A process that waits, in the cgroup.
  void start_child() {
    child_ = ::fork();
    if (child_ == 0) {
      for (;;) ::pause();
    }
    const auto added = Cgroup(paths_).add(child_);
    ASSERT_TRUE(added) << added.error().message();
  }
  std::string read(const char* controller, const char* file) {
    return base::read_file(paths_.at(controller) + '/' + file, 4096).value_or("");
  }

  Host host_;
  Paths paths_;
  Paths parents_;
  pid_t child_ = -1;
};

TEST_F(CgroupTest, AddedProcessesAreListed) {
  start_child();

  EXPECT_EQ(*Cgroup(paths_).pids(), std::vector<pid_t>{child_});
}

TEST_F(CgroupTest, ACgroupInWhichSomethingLivesIsNotUnused) {
  start_child();

  const auto again = Cgroup(paths_).check_unused();

  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message(), "container's cgroup is not empty: 1 process(es) found");
}

TEST_F(CgroupTest, KillEndsFrozenProcessesToo) {
  start_child();
  ASSERT_TRUE(Cgroup(paths_).freeze());
  EXPECT_TRUE(*Cgroup(paths_).frozen());

  const auto killed = Cgroup(paths_).kill_all(SIGKILL);

  ASSERT_TRUE(killed) << killed.error().message();
  int status = 0;
  EXPECT_EQ(::waitpid(child_, &status, 0), child_);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  child_ = -1;
}

TEST_F(CgroupTest, ThawLetsThemRun) {
  start_child();
  ASSERT_TRUE(Cgroup(paths_).freeze());

  ASSERT_TRUE(Cgroup(paths_).thaw());

  EXPECT_FALSE(*Cgroup(paths_).frozen());
  ::kill(child_, SIGTERM);
  int status = 0;
  EXPECT_EQ(::waitpid(child_, &status, 0), child_);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  child_ = -1;
}

TEST_F(CgroupTest, LimitsReachTheKernel) {
  if (host_.version_of("pids") != Version::V1) GTEST_SKIP() << "needs the v1 controllers";
  oci::Resources resources;
  resources.memory.limit = 64 << 20;
  resources.pids.limit = 7;

  const auto applied = Cgroup(paths_).apply(*plan_resources(resources, host_));

  ASSERT_TRUE(applied) << applied.error().message();
  EXPECT_EQ(read("memory", "memory.limit_in_bytes"), "67108864\n");
  EXPECT_EQ(read("pids", "pids.max"), "7\n");
  EXPECT_EQ(read("devices", "devices.list").find("a *:*"), std::string::npos);
  EXPECT_NE(read("devices", "devices.list").find("c 1:3 rwm"), std::string::npos);
}

TEST_F(CgroupTest, AValueThatTheKernelRefusesNamesItsJsonPath) {
  oci::Resources resources;
  resources.cpu.cpus = "4095";
  const auto plan = plan_resources(resources, host_);
  if (!plan) GTEST_SKIP() << plan.error().message();

  const auto applied = Cgroup(paths_).apply(*plan);

  ASSERT_FALSE(applied);
  EXPECT_TRUE(applied.error().message().starts_with("linux.resources.cpu.cpus: write"))
      << applied.error().message();
}

TEST_F(CgroupTest, FilesThatTheKernelLacksAreNamed) {
  oci::Resources resources;
  resources.block_io.leaf_weight = 100;
  const auto plan = plan_resources(resources, host_);
  if (!plan) GTEST_SKIP() << plan.error().message();

  const auto applied = Cgroup(paths_).apply(*plan);

  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().kind(), base::ErrorKind::Unsupported);
  EXPECT_TRUE(applied.error().message().starts_with("linux.resources.blockIO.leafWeight: "));
}

TEST_F(CgroupTest, TheVerifierTakesTheDeviceProgramAndReplacesIt) {
  if (!paths_.contains("")) GTEST_SKIP() << "needs cgroup v2";
  const auto rules = default_device_rules();

  for (int round = 0; round < 2; ++round) {
    const auto attached = attach_device_program(paths_.at(""), compile_device_program(rules));
    ASSERT_TRUE(attached) << attached.error().message();
  }

  start_child();  // fork and a new process still work
}

TEST_F(CgroupTest, TheDeviceProgramDeniesWhatIsNotAllowed) {
  if (!paths_.contains("")) GTEST_SKIP() << "needs cgroup v2";
  const std::vector<oci::DeviceRule> only_null{{true, oci::DeviceRuleType::Char, 1, 3, "rw"}};
  ASSERT_TRUE(attach_device_program(paths_.at(""), compile_device_program(only_null)));

  child_ = ::fork();
  if (child_ == 0) {
    const bool joined = base::write_existing(paths_.at("") + "/cgroup.procs", "0").has_value();
    const bool null = base::open_file("/dev/null", 2).has_value();
    const auto zero = base::open_file("/dev/zero", 0);
    ::_exit(joined && null && !zero && zero.error().sys_errno() == EPERM ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child_, &status, 0);
  child_ = -1;
  EXPECT_EQ(status, 0);
}

TEST_F(CgroupTest, RemoveTakesTheTreeAndIsRepeatable) {
  std::filesystem::create_directory(paths_.begin()->second + "/below");

  ASSERT_TRUE(Cgroup(paths_).remove());

  for (const auto& [controller, path] : paths_) EXPECT_FALSE(std::filesystem::exists(path)) << path;
  EXPECT_TRUE(Cgroup(paths_).remove());
  EXPECT_TRUE(Cgroup(paths_).pids()->empty());
}

TEST_F(CgroupTest, AFailingCreateRemovesWhatItMade) {
  Paths broken = paths_;
  for (auto& [controller, path] : broken) path = parent(path) + "/c2/deep";
  broken["no-such-controller"] = "/proc/no/such";

  ASSERT_FALSE(Cgroup(broken).create());

  for (const auto& [controller, path] : paths_) {
    EXPECT_FALSE(std::filesystem::exists(parent(path) + "/c2")) << path;
  }
}

}  // namespace
}  // namespace runtime::cgroup
