// What this folder changes about a process, seen by the process itself.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "runtime/security/in_child.hpp"
#include "runtime/security/labels.hpp"
#include "runtime/security/process_attributes.hpp"
#include "runtime/security/rlimits.hpp"
#include "runtime/security/scheduling.hpp"
#include "runtime/security/user.hpp"

namespace runtime::security {
namespace {

base::UniqueFd procfs() { return *base::open_file("/proc", O_RDONLY | O_DIRECTORY); }

std::string message(const base::Result<void>& result) {
  return result ? "" : result.error().message();
}

TEST(Rlimits, BothLimitsAreSet) {
  EXPECT_EQ(in_child([]() -> std::string {
              const auto done = apply_rlimits(
                  {{oci::RlimitType::Core, 4096, 1024}, {oci::RlimitType::Nofile, 100, 50}});
              if (!done) return done.error().message();
              rlimit core{};
              rlimit nofile{};
              ::getrlimit(RLIMIT_CORE, &core);
              ::getrlimit(RLIMIT_NOFILE, &nofile);
              return std::to_string(core.rlim_cur) + "/" + std::to_string(core.rlim_max) + " " +
                     std::to_string(nofile.rlim_cur) + "/" + std::to_string(nofile.rlim_max);
            }),
            "1024/4096 50/100");
}

TEST(Rlimits, RaisingAHardLimitWithoutPrivilegeNamesTheType) {
  EXPECT_EQ(in_child([]() -> std::string {
              (void)apply_rlimits({{oci::RlimitType::Stack, 1 << 20, 1 << 20}});
              if (::geteuid() == 0 && ::setresuid(1000, 1000, 1000) != 0) return "setresuid";
              return message(apply_rlimits({{oci::RlimitType::Stack, 1 << 21, 1 << 20}}));
            }),
            "set rlimits: setrlimit RLIMIT_STACK: operation not permitted");
}

TEST(Scheduling, AThreadTakesPolicyAndNice) {
  EXPECT_EQ(
      in_child([]() -> std::string {
        oci::Scheduler batch;
        batch.policy = oci::SchedulerPolicy::Batch;
        batch.nice = 7;
        batch.flags = {oci::SchedulerFlag::ResetOnFork};
        if (const auto done = apply_scheduler(batch); !done) return done.error().message();
        return std::to_string(::sched_getscheduler(0) == (SCHED_BATCH | SCHED_RESET_ON_FORK)) +
               " " + std::to_string(::getpriority(PRIO_PROCESS, 0));
      }),
      "1 7");
}

TEST(Scheduling, ARefusedPolicyIsNamed) {
  oci::Scheduler iso;
  iso.policy = oci::SchedulerPolicy::Iso;
  EXPECT_EQ(message(apply_scheduler(iso)), "sched_setattr SCHED_ISO: invalid argument");
}

TEST(Scheduling, IoPriorityIsSet) {
  EXPECT_EQ(in_child([]() -> std::string {
              const auto done = apply_io_priority({oci::IoPriorityClass::BestEffort, 6});
              if (!done) return done.error().message();
              return std::to_string(::syscall(SYS_ioprio_get, 1, 0));
            }),
            std::to_string(2 << 13 | 6));
}

TEST(Scheduling, MemoryPolicyIsSet) {
  EXPECT_EQ(in_child([]() -> std::string {
              const auto done = apply_memory_policy(
                  {oci::MemoryPolicyMode::Bind, "0", {oci::MemoryPolicyFlag::StaticNodes}});
              if (!done) return done.error().message();
              int mode = -1;
              unsigned long nodes[16] = {};
              if (::syscall(SYS_get_mempolicy, &mode, nodes, 1024UL, nullptr, 0UL) != 0) {
                return "get_mempolicy";
              }
              return std::to_string(mode == (MPOL_BIND | MPOL_F_STATIC_NODES)) + " " +
                     std::to_string(nodes[0]);
            }),
            "1 1");
}

TEST(Scheduling, AffinityIsAList) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (const auto done = apply_cpu_affinity("0"); !done) return done.error().message();
              cpu_set_t set;
              CPU_ZERO(&set);
              ::sched_getaffinity(0, sizeof set, &set);
              return std::to_string(CPU_COUNT(&set)) + " " + std::to_string(CPU_ISSET(0, &set));
            }),
            "1 1");
  EXPECT_EQ(message(apply_cpu_affinity("8000")), "sched_setaffinity 8000: invalid argument");
  EXPECT_EQ(message(apply_cpu_affinity("")), "");
}

TEST(ProcessAttributes, NoNewPrivilegesAndPersonalityStick) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (!set_no_new_privileges()) return "no_new_privs";
              if (!apply_personality({oci::PersonalityDomain::Linux32, {}})) return "personality";
              return std::to_string(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)) + " " +
                     std::to_string(::personality(0xffffffff) == PER_LINUX32);
            }),
            "1 1");
}

TEST(ProcessAttributes, OomScoreRisesAndWithoutPrivilegeNeverFallsBelowTheMinimum) {
  EXPECT_EQ(in_child([]() -> std::string {
              const base::UniqueFd proc = procfs();
              if (const auto up = write_oom_score_adj(proc.get(), ::getpid(), 321); !up) {
                return up.error().message();
              }
              return *base::read_file("/proc/self/oom_score_adj", 16);
            }),
            "321\n");
  EXPECT_THAT(in_child([]() -> std::string {
                if (::geteuid() == 0 && ::setresuid(1000, 1000, 1000) != 0) return "setresuid";
                ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
                return message(write_oom_score_adj(procfs().get(), ::getpid(), -1000));
              }),
              testing::MatchesRegex("write .*/oom_score_adj: permission denied"));
}

TEST(Labels, NothingAskedForIsNothingDone) {
  EXPECT_EQ(message(apply_apparmor_profile(-1, "")), "");
  EXPECT_EQ(message(apply_selinux_label(-1, "")), "");
}

TEST(Labels, AConfinementThatTheKernelDoesNotHaveIsAnError) {
  const base::UniqueFd proc = procfs();
  if (!apparmor_enabled()) {
    const auto refused = apply_apparmor_profile(proc.get(), "some-profile");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), base::ErrorKind::Unsupported);
    EXPECT_THAT(refused.error().message(), testing::StartsWith("unable to apply apparmor profile"));
  }
  if (!selinux_enabled()) {
    const auto refused = apply_selinux_label(proc.get(), "system_u:system_r:container_t:s0");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), base::ErrorKind::Unsupported);
    EXPECT_THAT(refused.error().message(), testing::StartsWith("can't set process label"));
  }
}

TEST(User, IdsGroupsAndUmaskAreThoseOfTheSpec) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(in_child([]() -> std::string {
              const auto done = apply_user(procfs().get(), {1001, 1002, 027, {5, 6}});
              if (!done) return done.error().message();
              gid_t groups[8];
              const int count = ::getgroups(8, groups);
              std::string out = std::to_string(::getuid()) + ":" + std::to_string(::getgid()) + " ";
              for (int i = 0; i < count; ++i) out += std::to_string(groups[i]) + ",";
              return out + " " + std::to_string(::umask(0)) +
                     (::setuid(0) == 0 ? " root again" : "");
            }),
            "1001:1002 5,6, 23");
}

TEST(User, GroupsStayWhereTheNamespaceForbidsThem) {
  EXPECT_EQ(in_child([]() -> std::string {
              if (::unshare(CLONE_NEWUSER) != 0) return "unshare";
              const std::string map = "0 " + std::to_string(0) + " 1";
              if (!base::write_existing("/proc/self/setgroups", "deny")) return "setgroups";
              if (!base::write_existing("/proc/self/uid_map", map)) return "uid_map";
              if (!base::write_existing("/proc/self/gid_map", map)) return "gid_map";
              const base::UniqueFd proc = procfs();
              if (const auto done = apply_user(proc.get(), {0, 0, {}, {7}}); !done) {
                return done.error().message();
              }
              return message(apply_user(proc.get(), {5, 0, {}, {}}));
            }),
            "cannot setuid to unmapped uid 5 in user namespace");
}

TEST(User, StandardStreamsBecomeTheUsers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const base::TempDir temp;
  const std::string path = temp.path() / "out";
  EXPECT_EQ(in_child([&]() -> std::string {
              const base::UniqueFd file = *base::open_file(path, O_CREAT | O_WRONLY, 0600);
              const base::UniqueFd null = *base::open_file("/dev/null", O_RDWR);
              ::dup2(null.get(), 0);
              ::dup2(file.get(), 1);
              ::dup2(null.get(), 2);
              return message(own_stdio(1234));
            }),
            "");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1234U);
  ASSERT_EQ(::stat("/dev/null", &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
}

}  // namespace
}  // namespace runtime::security
