// Against the kernel: needs root for mounts and cgroups.
#include "runtime/state/leftovers.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/temp_dir.hpp"
#include "runtime/cgroup/cgroup.hpp"
#include "runtime/state/process_id.hpp"

namespace runtime::state {
namespace {

TEST(RemoveLeftovers, AnEmptyRecordIsDone) { EXPECT_TRUE(remove_leftovers(Record{})); }

TEST(RemoveLeftovers, KillsTheInitItNamesAndNobodyElse) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  Record other;
  other.init = *identify(child);
  other.init->start_time += 1;

  EXPECT_TRUE(remove_leftovers(other));
  EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);

  Record same;
  same.init = *identify(child);
  EXPECT_TRUE(remove_leftovers(same));
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
}

TEST(RemoveLeftovers, RemovesCgroupsProcessesAndMountsAndIsRepeatable) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const auto host = cgroup::detect_host();
  if (!host) GTEST_SKIP() << host.error().message();
  const base::TempDir temp;
  const std::string mount_point = temp.path() / "mount";
  std::filesystem::create_directory(mount_point);
  Record record;
  record.cgroup = *cgroup::place(*host, "/wherry-leftovers-" + std::to_string(::getpid()), "");
  record.mounts = {mount_point, mount_point + "/inner", mount_point + "/never-made"};
  if (!cgroup::Cgroup(record.cgroup).create()) GTEST_SKIP() << "no cgroups to write to";
  ASSERT_EQ(::mount("none", mount_point.c_str(), "tmpfs", 0, nullptr), 0);
  std::filesystem::create_directory(mount_point + "/inner");
  ASSERT_EQ(::mount("none", record.mounts[1].c_str(), "tmpfs", 0, nullptr), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_TRUE(cgroup::Cgroup(record.cgroup).add(child));

  const auto removed = remove_leftovers(record);

  EXPECT_TRUE(removed) << removed.error().message();
  EXPECT_TRUE(std::filesystem::is_empty(mount_point));
  for (const auto& [controller, path] : record.cgroup) {
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, WNOHANG), child);
  EXPECT_TRUE(remove_leftovers(record));
}

}  // namespace
}  // namespace runtime::state
