#include "oci/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oci/state.hpp"
#include "oci/write.hpp"

namespace oci {
namespace {

// Every field that config.json for linux has, each with a value of its own.
constexpr const char* kEverything = R"({
  "ociVersion": "1.3.0",
  "process": {
    "terminal": true, "consoleSize": {"height": 24, "width": 80},
    "user": {"uid": 1, "gid": 2, "umask": 18, "additionalGids": [3, 4]},
    "args": ["sh", "-c"], "env": ["A=1"], "cwd": "/w",
    "capabilities": {"bounding": ["CAP_A"], "effective": ["CAP_B"], "inheritable": ["CAP_C"],
                     "permitted": ["CAP_D"], "ambient": ["CAP_E"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 7}],
    "noNewPrivileges": true, "apparmorProfile": "prof", "oomScoreAdj": -5, "selinuxLabel": "lab",
    "scheduler": {"policy": "SCHED_DEADLINE", "nice": -1, "priority": 2,
                  "flags": ["SCHED_FLAG_RECLAIM"], "runtime": 10, "deadline": 20, "period": 30},
    "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 4},
    "execCPUAffinity": {"initial": "0-1", "final": "1"}
  },
  "root": {"path": "rootfs", "readonly": true},
  "hostname": "h", "domainname": "d",
  "mounts": [{"destination": "/m", "type": "bind", "source": "/s", "options": ["bind", "ro"],
              "uidMappings": [{"containerID": 1, "hostID": 2, "size": 3}],
              "gidMappings": [{"containerID": 4, "hostID": 5, "size": 6}]}],
  "hooks": {"prestart": [{"path": "/1", "args": ["x"], "env": ["E=1"], "timeout": 9}],
            "createRuntime": [{"path": "/2"}], "createContainer": [{"path": "/3"}],
            "startContainer": [{"path": "/4"}], "poststart": [{"path": "/5"}],
            "poststop": [{"path": "/6"}]},
  "annotations": {"k": "v"},
  "linux": {
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
    "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 1}],
    "sysctl": {"net.ipv4.ip_forward": "1"},
    "resources": {
      "devices": [{"allow": false, "access": "rwm"},
                  {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}],
      "memory": {"limit": 1, "reservation": 2, "swap": -1, "kernel": 4, "kernelTCP": 5,
                 "swappiness": 6, "disableOOMKiller": false, "useHierarchy": true,
                 "checkBeforeUpdate": true},
      "cpu": {"shares": 1, "quota": -2, "burst": 3, "period": 4, "realtimeRuntime": 5,
              "realtimePeriod": 6, "cpus": "0", "mems": "0", "idle": 1},
      "pids": {"limit": 0},
      "blockIO": {"weight": 10, "leafWeight": 11,
                  "weightDevice": [{"major": 8, "minor": 0, "weight": 500, "leafWeight": 300}],
                  "throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 600}],
                  "throttleWriteBpsDevice": [{"major": 8, "minor": 2, "rate": 601}],
                  "throttleReadIOPSDevice": [{"major": 8, "minor": 3, "rate": 602}],
                  "throttleWriteIOPSDevice": [{"major": 8, "minor": 4, "rate": 603}]},
      "hugepageLimits": [{"pageSize": "2MB", "limit": 9}],
      "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
      "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
      "unified": {"memory.high": "1024"}
    },
    "cgroupsPath": "/c",
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/var/run/netns/x"},
                   {"type": "mount"}, {"type": "ipc"}, {"type": "uts"}, {"type": "user"},
                   {"type": "cgroup"}, {"type": "time"}],
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438,
                 "uid": 0, "gid": 1}],
    "netDevices": {"eth1": {"name": "in0"}, "eth2": {}},
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38,
                "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"],
                "flags": ["SECCOMP_FILTER_FLAG_LOG"],
                "listenerPath": "/l", "listenerMetadata": "meta",
                "syscalls": [{"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
                             {"names": ["clone"], "action": "SCMP_ACT_TRACE", "errnoRet": 5,
                              "args": [{"index": 0, "value": 2114060288, "valueTwo": 1,
                                        "op": "SCMP_CMP_MASKED_EQ"}]}]},
    "rootfsPropagation": "slave",
    "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"], "mountLabel": "ml",
    "intelRdt": {"closID": "g", "schemata": ["L3:0=f"], "l3CacheSchema": "L3:0=ff",
                 "memBwSchema": "MB:0=70", "enableMonitoring": true},
    "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]},
    "personality": {"domain": "LINUX32", "flags": ["x"]},
    "timeOffsets": {"monotonic": {"secs": -3, "nanosecs": 4}}
  }
})";

std::string error_of(std::string_view json) {
  const auto spec = parse_spec(json);
  return spec ? "" : spec.error().message();
}

// Without spaces outside of strings; kEverything has none inside.
std::string squeezed(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST(ParseSpec, EveryFieldSurvivesReadingAndWriting) {
  const auto spec = parse_spec(kEverything);
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(to_json(*spec), squeezed(kEverything));
}

TEST(ParseSpec, FieldsLandWhereTheyBelong) {
  const auto spec = parse_spec(kEverything);
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->process->rlimits[0].hard, UINT64_MAX);
  EXPECT_EQ(spec->process->rlimits[0].soft, 7U);
  EXPECT_EQ(spec->process->oom_score_adj, -5);
  EXPECT_EQ(spec->process->user.additional_gids, (std::vector<std::uint32_t>{3, 4}));
  EXPECT_EQ(spec->linux.resources.pids.limit, 0);
  EXPECT_FALSE(spec->linux.resources.devices[0].major.has_value());
  EXPECT_EQ(spec->linux.find_namespace(NamespaceType::Network)->path, "/var/run/netns/x");
  EXPECT_EQ(spec->linux.seccomp->syscalls[1].args[0].op, SeccompOperator::MaskedEqual);
}

TEST(ParseSpec, UnknownFieldsNullsAndVersionsAreTaken) {
  const auto spec = parse_spec(R"({"ociVersion": "1.99.0", "windows": {"x": [1]}, "root": null,
      "linux": {"resources": null, "new": {"deep": [[]]}, "namespaces": null}})");
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_FALSE(spec->root);
  EXPECT_TRUE(spec->linux.namespaces.empty());
}

TEST(ParseSpec, EmptySeccompIsNoSeccomp) {
  EXPECT_FALSE(parse_spec(R"({"linux": {"seccomp": {}}})")->linux.seccomp);
  EXPECT_FALSE(parse_spec(R"({"linux": {"seccomp": {"defaultAction": "", "syscalls": []}}})")
                   ->linux.seccomp);
  EXPECT_EQ(error_of(R"({"linux": {"seccomp": {"syscalls": [{"names": ["read"]}]}}})"),
            "linux.seccomp.defaultAction: is missing");
}

TEST(ParseSpec, AbsentSeccompFlagsAreNotEmptyFlags) {
  const char* absent = R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW"}}})";
  const char* empty = R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "flags": []}}})";
  EXPECT_FALSE(parse_spec(absent)->linux.seccomp->flags.has_value());
  EXPECT_TRUE(parse_spec(empty)->linux.seccomp->flags.has_value());
}

TEST(ParseSpec, ErrorsNameTheJsonPath) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "config: expected object, got array"},
      {R"(null)", "config: expected object, got null"},
      {R"({"process": 1})", "process: expected object, got number"},
      {R"({"process": {"args": "sh"}})", "process.args: expected array, got string"},
      {R"({"process": {"args": ["a", 2]}})", "process.args[1]: expected string, got number"},
      {R"({"process": {"terminal": "true"}})", "process.terminal: expected boolean, got string"},
      {R"({"process": {"rlimits": [{"type": "RLIMIT_CPU", "hard": -1}]}})",
       "process.rlimits[0].hard: must be an integer from 0 to 18446744073709551615"},
      {R"({"process": {"rlimits": [{"type": "RLIMIT_X"}]}})",
       "process.rlimits[0].type: invalid rlimit type \"RLIMIT_X\""},
      {R"({"process": {"user": {"uid": 4294967296}}})",
       "process.user.uid: must be an integer from 0 to 4294967295"},
      {R"({"process": {"user": {"uid": 1.0}}})",
       "process.user.uid: must be an integer from 0 to 4294967295"},
      {R"({"process": {"oomScoreAdj": "1"}})",
       "process.oomScoreAdj: must be an integer from -2147483648 to 2147483647"},
      {R"({"linux": {"namespaces": [{"type": "pid"}, {"type": "foo"}]}})",
       "linux.namespaces[1].type: invalid namespace type \"foo\""},
      {R"({"linux": {"namespaces": [{"path": "/x"}]}})", "linux.namespaces[0].type: is missing"},
      {R"({"linux": {"sysctl": {"a.b": 1}}})",
       "linux.sysctl[\"a.b\"]: expected string, got number"},
      {R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_NO"}}})",
       "linux.seccomp.defaultAction: invalid seccomp action \"SCMP_ACT_NO\""},
      {R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": ["a"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "op": "<"}]}]}}})",
       "linux.seccomp.syscalls[0].args[0].op: invalid seccomp operator \"<\""},
      {R"({"root": {"path": "a\u0000b"}})", "root.path: contains a NUL byte"},
      {R"({"annotations": {"a\u0000b": "x"}})", "annotations: has a key with a NUL byte"},
  };
  for (const auto& [json, message] : cases) {
    EXPECT_THAT(error_of(json), testing::StartsWith(message)) << json;
  }
}

TEST(ParseProcess, ReadsTheFileOfExec) {
  const auto process = parse_process(R"({"args": ["id"], "cwd": "/", "user": {"uid": 5}})");
  ASSERT_TRUE(process);
  EXPECT_EQ(process->user.uid, 5U);
  const auto refused = parse_process(R"({"cwd": []})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "cwd: expected string, got array");
}

TEST(ParseResources, WhatIsAbsentStaysAbsent) {
  const auto resources = parse_resources(R"({"memory": {"limit": 5}})");
  ASSERT_TRUE(resources);
  EXPECT_EQ(resources->memory.limit, 5);
  EXPECT_FALSE(resources->memory.swap.has_value());
  EXPECT_FALSE(resources->cpu.quota.has_value());
}

TEST(State, ReadsBackWhatItWrites) {
  const State state{"1.3.0", "c1", Status::Running, 42, "/b", {{"k", "v"}}};
  const std::string json = to_json(state);
  EXPECT_EQ(json, R"({"ociVersion":"1.3.0","id":"c1","status":"running","pid":42,"bundle":"/b",)"
                  R"("annotations":{"k":"v"}})");
  const auto parsed = parse_state(json);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(to_json(*parsed), json);
}

TEST(State, ThePayloadOfASeccompListenerHoldsTheContainersState) {
  const ContainerProcessState state{
      "1.3.0", {"seccompFd"}, 7, "meta", {"1.3.0", "c1", Status::Creating, 7, "/b", {}}};
  EXPECT_EQ(to_json(state),
            R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":7,"metadata":"meta","state":)"
            R"({"ociVersion":"1.3.0","id":"c1","status":"creating","pid":7,"bundle":"/b"}})");
}

}  // namespace
}  // namespace oci
