#include "oci/validate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "oci/default_spec.hpp"

namespace oci {
namespace {

using Change = std::function<void(Spec&)>;

// The error of the default spec after `change`; empty when it is valid.
std::string error_after(const Change& change) {
  Spec spec = default_spec(false);
  change(spec);
  const auto result = validate(spec);
  return result ? "" : result.error().message();
}

TEST(Validate, TheDefaultSpecIsValid) {
  EXPECT_EQ(error_after([](Spec&) {}), "");
  Spec spec = default_spec(true);
  make_rootless(spec, 1000, 1000);
  EXPECT_TRUE(validate(spec));
  EXPECT_TRUE(validate_rootless(spec));
}

TEST(Validate, EveryVersionIsTakenAndNone) {
  for (const char* version : {"1.0.2", "1.0.2-dev", "99.0.0+build.1", "0.6.0-rc1", ""}) {
    EXPECT_EQ(error_after([version](Spec& s) { s.oci_version = version; }), "") << version;
  }
}

TEST(Validate, NamesThePathAndRuncsReason) {
  const std::pair<Change, const char*> cases[] = {
      {[](Spec& s) { s.process.reset(); }, "process: process property must not be empty"},
      {[](Spec& s) { s.oci_version = "invalid"; }, "ociVersion: not a version of SemVer 2.0.0"},
      {[](Spec& s) { s.oci_version = "1.0"; }, "ociVersion: not a version of SemVer 2.0.0"},
      {[](Spec& s) { s.oci_version = "1.0.2.3"; }, "ociVersion: not a version of SemVer 2.0.0"},
      {[](Spec& s) { s.root.reset(); }, "root: root must be specified"},
      {[](Spec& s) { s.process->cwd = ""; }, "process.cwd: Cwd property must not be empty"},
      {[](Spec& s) { s.process->cwd = "a"; }, "process.cwd: Cwd must be an absolute path"},
      {[](Spec& s) { s.process->args.clear(); }, "process.args: args must not be empty"},
      {[](Spec& s) { s.process->env = {"OK=1", "BAD"}; },
       "process.env[1]: invalid environment variable: missing '='"},
      {[](Spec& s) { s.process->env = {"=x"}; },
       "process.env[0]: invalid environment variable: name cannot be empty"},
      {[](Spec& s) { s.process->rlimits.push_back({RlimitType::Nofile, 1, 1}); },
       "process.rlimits[1].type: duplicated rlimit RLIMIT_NOFILE"},
      {[](Spec& s) { s.process->rlimits = {{RlimitType::Cpu, 1, 2}}; },
       "process.rlimits[0].soft: RLIMIT_CPU: above the hard limit"},
      {[](Spec& s) { s.process->oom_score_adj = 1001; }, "process.oomScoreAdj: must be from"},
      {[](Spec& s) { s.process->io_priority = IoPriority{IoPriorityClass::Idle, 8}; },
       "process.ioPriority.priority: invalid ioPriority.Priority: 8"},
      {[](Spec& s) { s.process->exec_cpu_affinity = ExecCpuAffinity{"0-", ""}; },
       "process.execCPUAffinity.initial: invalid list item \"0-\""},
      {[](Spec& s) { s.mounts[1].destination = ""; }, "mounts[1].destination: must not be empty"},
      {[](Spec& s) { s.hooks.poststop = {{"rel", {}, {}, {}}}; },
       "hooks.poststop[0].path: must be an absolute path"},
      {[](Spec& s) { s.hooks.prestart = {{"/x", {}, {}, 0}}; },
       "hooks.prestart[0].timeout: must be greater than zero"},
      {[](Spec& s) { s.linux.namespaces.push_back({NamespaceType::Pid, "/p"}); },
       "linux.namespaces[5].type: malformed spec file: duplicated ns \"pid\""},
      {[](Spec& s) { s.linux.namespaces[0].path = "rel"; },
       "linux.namespaces[0].path: must be an absolute path"},
      {[](Spec& s) {
         std::erase_if(s.linux.namespaces, [](auto& n) { return n.type == NamespaceType::Uts; });
       },
       "hostname: unable to set hostname without a private UTS namespace"},
      {[](Spec& s) {
         std::erase_if(s.linux.namespaces, [](auto& n) { return n.type == NamespaceType::Mount; });
       },
       "linux.maskedPaths: unable to restrict sys entries without a private MNT namespace"},
      {[](Spec& s) { s.linux.uid_mappings = {{0, 0, 1}}; },
       "linux.uidMappings: user namespace mappings specified, but user namespace isn't enabled"},
      {[](Spec& s) { s.linux.namespaces.push_back({NamespaceType::User, ""}); },
       "linux.uidMappings: user namespaces enabled, but no namespace path to join nor mappings"},
      {[](Spec& s) { s.linux.time_offsets["monotonic"] = {1, 0}; },
       "linux.timeOffsets: time namespace offsets specified, but time namespace isn't enabled"},
      {[](Spec& s) { s.linux.masked_paths = {"proc"}; },
       "linux.maskedPaths[0]: must be an absolute path"},
      {[](Spec& s) { s.linux.rootfs_propagation = "odd"; },
       "linux.rootfsPropagation: rootfsPropagation=odd is not supported"},
      {[](Spec& s) { s.linux.memory_policy = MemoryPolicy{MemoryPolicyMode::Bind, "", {}}; },
       "linux.memoryPolicy.nodes: memory policy mode requires at least one node but got 0"},
      {[](Spec& s) { s.linux.net_devices["a/b"] = {}; },
       "linux.netDevices[\"a/b\"]: invalid network device name \"a/b\""},
      {[](Spec& s) { s.linux.resources.devices[0].access = "rx"; },
       "linux.resources.devices[0].access: invalid access \"rx\""},
      {[](Spec& s) { s.linux.resources.devices[0].access = "a"; },
       "linux.resources.devices[0].access: invalid access \"a\""},
      {[](Spec& s) { s.linux.resources.hugepage_limits = {{"../x", 1}}; },
       "linux.resources.hugepageLimits[0].pageSize: invalid page size"},
      {[](Spec& s) { s.linux.resources.unified["../cgroup.procs"] = "1"; },
       "linux.resources.unified: unified resource \"../cgroup.procs\" must be a file name"},
      {[](Spec& s) { s.linux.intel_rdt = IntelRdt{"..", {}, "", "", false}; },
       "linux.intelRdt.closID: invalid intelRdt.ClosID \"..\""},
      {[](Spec& s) { s.linux.intel_rdt = IntelRdt{"", {"L3:0=f\nMB:0=9"}, "", "", false}; },
       "linux.intelRdt: a schema must be one line"},
  };
  for (const auto& [change, message] : cases) {
    EXPECT_THAT(error_after(change), testing::StartsWith(message));
  }
}

TEST(Validate, ARelativeMountDestinationIsAWarning) {
  Spec spec = default_spec(false);
  spec.mounts[0].destination = "proc";
  const auto warnings = validate(spec);
  ASSERT_TRUE(warnings);
  EXPECT_THAT(*warnings, testing::ElementsAre(testing::HasSubstr("is not absolute")));
}

TEST(Validate, IdMappedMountsAreBindMountsWithBothMappings) {
  const auto mount = [](std::vector<std::string> options, std::vector<IdMapping> uids,
                        std::vector<IdMapping> gids) {
    return [=](Spec& s) { s.mounts = {{"/m", "none", "/s", options, uids, gids}}; };
  };
  EXPECT_EQ(error_after(mount({"bind"}, {{0, 1, 1}}, {{0, 1, 1}})), "");
  EXPECT_THAT(error_after(mount({}, {{0, 1, 1}}, {{0, 1, 1}})),
              testing::HasSubstr("only supported for bind-mounts"));
  EXPECT_THAT(error_after(mount({"rbind"}, {{0, 1, 1}}, {})),
              testing::HasSubstr("must have both uid and gid mappings specified"));
  EXPECT_THAT(error_after(mount({"rbind", "idmap"}, {}, {})), testing::HasSubstr("mounts[0]"));
}

TEST(Validate, SchedulerFieldsFitThePolicy) {
  const auto scheduler = [](Scheduler value) {
    return [=](Spec& s) { s.process->scheduler = value; };
  };
  EXPECT_EQ(error_after(scheduler({SchedulerPolicy::Fifo, 0, 5, {}, 0, 0, 0})), "");
  EXPECT_EQ(error_after(scheduler({SchedulerPolicy::Deadline, 0, 0, {}, 1, 2, 3})), "");
  EXPECT_THAT(
      error_after(scheduler({SchedulerPolicy::Other, 20, 0, {}, 0, 0, 0})),
      testing::HasSubstr("invalid scheduler.nice: 20 when scheduler.policy is SCHED_OTHER"));
  EXPECT_THAT(error_after(scheduler({SchedulerPolicy::Batch, 0, 1, {}, 0, 0, 0})),
              testing::HasSubstr("can only be specified for SchedFIFO or SchedRR policy"));
  EXPECT_THAT(error_after(scheduler({SchedulerPolicy::Idle, 0, 0, {}, 1, 0, 0})),
              testing::HasSubstr("can only be specified for SchedDeadline policy"));
}

TEST(Validate, SysctlsMustBelongToANamespaceOfTheContainer) {
  const auto sysctl = [](const char* key, bool with_network, bool with_ipc) {
    return error_after([=](Spec& s) {
      std::erase_if(s.linux.namespaces, [=](const Namespace& entry) {
        return (entry.type == NamespaceType::Network && !with_network) ||
               (entry.type == NamespaceType::Ipc && !with_ipc);
      });
      s.linux.sysctl[key] = "1";
    });
  };
  EXPECT_EQ(sysctl("net.ipv4.ip_forward", true, true), "");
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0.1/rp_filter", true, true), "");
  EXPECT_EQ(sysctl("kernel.shmmax", true, true), "");
  EXPECT_EQ(sysctl("fs.mqueue.msg_max", true, true), "");
  EXPECT_EQ(sysctl("kernel.domainname", true, true), "");
  EXPECT_THAT(sysctl("net.ipv4.ip_forward", false, true),
              testing::HasSubstr("not allowed in host network namespace"));
  EXPECT_THAT(sysctl("kernel.shmmax", true, false),
              testing::HasSubstr("is not allowed in the hosts ipc namespace"));
  EXPECT_THAT(sysctl("kernel.hostname", true, true), testing::HasSubstr("conflicts with the OCI"));
  EXPECT_THAT(sysctl("kernel.core_pattern", true, true),
              testing::HasSubstr("is not in a separate kernel namespace"));
  EXPECT_THAT(sysctl("user.max_user_namespaces", true, true),
              testing::HasSubstr("setting ucounts without a user namespace not allowed"));
  EXPECT_THAT(sysctl("net/../kernel/core_pattern", true, true),
              testing::HasSubstr("leaves /proc/sys"));
}

TEST(Validate, SeccompProfilesThatCannotWorkAreRefused) {
  const auto seccomp = [](const std::function<void(Seccomp&)>& change) {
    return error_after([&](Spec& s) {
      s.linux.seccomp.emplace();
      change(*s.linux.seccomp);
    });
  };
  EXPECT_EQ(seccomp([](Seccomp&) {}), "");
  EXPECT_THAT(seccomp([](Seccomp& p) { p.default_action = SeccompAction::Notify; }),
              testing::HasSubstr("SCMP_ACT_NOTIFY cannot be used as default action"));
  EXPECT_THAT(seccomp([](Seccomp& p) {
                p.listener_path = "/l";
                p.syscalls = {{{"write"}, SeccompAction::Notify, {}, {}}};
              }),
              testing::HasSubstr("SCMP_ACT_NOTIFY cannot be used for the write syscall"));
  EXPECT_THAT(seccomp([](Seccomp& p) { p.syscalls = {{{"read"}, SeccompAction::Allow, 5, {}}}; }),
              testing::HasSubstr("syscalls[0].errnoRet: SCMP_ACT_ALLOW takes no errno"));
  EXPECT_THAT(seccomp([](Seccomp& p) {
                p.syscalls = {{{"read"}, SeccompAction::Allow, {}, {{6, 0, 0, {}}}}};
              }),
              testing::HasSubstr("linux.seccomp.syscalls[0].args[0].index"));
}

TEST(ValidateRootless, NeedsAUserNamespaceWithMappings) {
  const auto error = [](const Spec& spec) {
    const auto result = validate_rootless(spec);
    return result ? "" : result.error().message();
  };
  Spec spec = default_spec(false);
  EXPECT_THAT(error(spec), testing::HasSubstr("rootless container requires user namespaces"));
  make_rootless(spec, 1, 2);
  EXPECT_EQ(error(spec), "");
  spec.linux.gid_mappings.clear();
  EXPECT_THAT(error(spec), testing::HasSubstr("requires at least one GID mapping"));
}

}  // namespace
}  // namespace oci
