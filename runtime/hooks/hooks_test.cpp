#include "runtime/hooks/hooks.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace runtime::hooks {
namespace {

oci::Hook shell(const std::string& script) {
  oci::Hook hook;
  hook.path = "/bin/sh";
  hook.args = {"sh", "-c", script};
  return hook;
}

std::string error_of(const oci::Hook& hook) {
  const auto done = run("createRuntime", std::span(&hook, 1), "{}");
  return done ? "" : done.error().message();
}

// Within two seconds; a zombie that nobody has reaped yet is dead.
bool dies(const std::string& pid_line) {
  const std::string path = "/proc/" + pid_line.substr(0, pid_line.find('\n')) + "/stat";
  for (int tries = 0; tries < 200; ++tries) {
    const auto stat = base::read_file(path, 4096);
    if (!stat || stat->contains(") Z")) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

class Hooks : public ::testing::Test {
 protected:
  std::string path(const char* name) const { return temp_.path() / name; }
  std::string content(const char* name) const {
    return base::read_file(path(name), 65536).value_or("<missing>");
  }
  base::TempDir temp_;
};

TEST_F(Hooks, GetTheStateOnStdin) {
  const std::vector<oci::Hook> list{shell("cat > " + path("out"))};

  ASSERT_TRUE(run("prestart", list, "{\"id\":\"c1\"}"));

  EXPECT_EQ(content("out"), "{\"id\":\"c1\"}");
}

TEST_F(Hooks, MayLeaveALargeStateUnread) {
  const std::vector<oci::Hook> list{shell("exit 0")};

  EXPECT_TRUE(run("prestart", list, std::string(1 << 20, 'x')));
}

TEST_F(Hooks, RunInOrderAndStopAtTheFirstFailure) {
  const std::vector<oci::Hook> list{shell("printf 1 >> " + path("out")),
                                    shell("printf 2 >> " + path("out") + "; exit 3"),
                                    shell("printf 3 >> " + path("out"))};

  const auto done = run("createRuntime", list, "{}");

  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message(), "error running createRuntime hook #1: /bin/sh: exit status 3");
  EXPECT_EQ(content("out"), "12");
}

TEST_F(Hooks, AllRunWhenFailuresAreWarnings) {
  const std::vector<oci::Hook> list{shell("exit 1"), shell("printf 2 >> " + path("out")),
                                    shell("kill -9 $$")};

  const auto warnings = run_all("poststop", list, "{}");

  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_EQ(warnings[0], "error running poststop hook #0: /bin/sh: exit status 1");
  EXPECT_EQ(warnings[1], "error running poststop hook #2: /bin/sh: killed by signal 9");
  EXPECT_EQ(content("out"), "2");
}

TEST_F(Hooks, TheErrorEndsWithWhatTheHookSaid) {
  EXPECT_EQ(error_of(shell("echo one; echo two >&2; exit 1")),
            "error running createRuntime hook #0: /bin/sh: exit status 1: one two");
}

TEST_F(Hooks, OfALotOfOutputOnlyTheEndIsKept) {
  const std::string error =
      error_of(shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 1"));

  EXPECT_LT(error.size(), 4096u);
  EXPECT_TRUE(error.ends_with("0123456789"));
}

TEST_F(Hooks, AMissingProgramIsNamedWithTheCall) {
  oci::Hook hook;
  hook.path = "/no/such/hook";

  EXPECT_EQ(error_of(hook),
            "error running createRuntime hook #0: execve /no/such/hook: no such file or directory");
}

TEST_F(Hooks, ATimeoutKillsTheHookAndWhatItStarted) {
  oci::Hook hook = shell("sleep 50 & echo $! > " + path("pid") + "; wait");
  hook.timeout = 1;
  const auto before = std::chrono::steady_clock::now();

  const std::string error = error_of(hook);

  EXPECT_EQ(error, "error running createRuntime hook #0: /bin/sh: no end after 1 s");
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  EXPECT_TRUE(dies(content("pid")));
}

TEST_F(Hooks, WhatAHookLeavesInTheBackgroundIsNotWaitedFor) {
  const auto before = std::chrono::steady_clock::now();

  EXPECT_EQ(error_of(shell("sleep 5 & exit 0")), "");

  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4));
}

TEST_F(Hooks, HaveTheEnvironmentThatTheSpecGivesThem) {
  oci::Hook hook = shell("printf %s \"$A$HOME\" > " + path("out"));
  hook.env = {"A=1"};

  EXPECT_EQ(error_of(hook), "");

  EXPECT_EQ(content("out"), "1");
}

TEST_F(Hooks, InheritNoDescriptor) {
  const base::UniqueFd leak(::dup(0));  // without close-on-exec
  ASSERT_TRUE(leak);

  EXPECT_EQ(error_of(shell("ls /proc/self/fd | tr '\\n' ' ' > " + path("out"))), "");

  EXPECT_EQ(content("out"), "0 1 2 3 ");  // 3 is ls's own, of the directory
}

}  // namespace
}  // namespace runtime::hooks
