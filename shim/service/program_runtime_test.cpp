#include "shim/service/program_runtime.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace shim::service {
namespace {

TEST(LastError, IsTheMessageOfTheLastErrorOfTheLog) {
  EXPECT_EQ(last_error(R"({"level":"error","msg":"first","time":"t"}
{"level":"warning","msg":"not this","time":"t"}
{"level":"error","msg":"unable to start: no such file","time":"t"}
not json
)"),
            "unable to start: no such file");
  EXPECT_EQ(last_error(""), "");
}

/// A program that notes its command line, writes an error to its log and fails.
TEST(ProgramRuntime, AsksTheProgramAndTellsWhatItLogged) {
  const base::TempDir directory;
  const std::string program = directory.path() / "other-runtime";
  ASSERT_TRUE(base::write_atomic(program,
                                 "#!/bin/sh\n"
                                 "echo \"$@\" >>" +
                                     (directory.path() / "calls").native() +
                                     "\n"
                                     "echo '{\"level\":\"error\",\"msg\":\"no freezer\"}' >$2\n"
                                     "exit 3\n",
                                 0755));
  protocol::RuncOptions options;
  options.binary_name = program;
  options.root = "/root-of-it";
  options.systemd_cgroup = true;
  const auto paused = ProgramRuntime(options, "k8s.io").pause("c1");
  ASSERT_FALSE(paused);
  EXPECT_NE(paused.error().message().find("pause: no freezer"), std::string::npos)
      << paused.error().message();
  const std::string calls = base::read_file(directory.path() / "calls", 4096).value();
  EXPECT_NE(calls.find("--log-format json --root /root-of-it/k8s.io --systemd-cgroup pause c1\n"),
            std::string::npos)
      << calls;
}

TEST(ProgramRuntime, AProgramThatIsNotThereIsNamed) {
  protocol::RuncOptions options;
  options.binary_name = "/no/such/runtime";
  const auto started = ProgramRuntime(options, "k8s.io").start("c1");
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message().find("/no/such/runtime"), std::string::npos);
}

TEST(ProgramRuntime, FindsTheCgroupsOfAProcess) {
  if (::access("/proc/self/cgroup", R_OK) != 0) GTEST_SKIP() << "no /proc";
  const auto paths = ProgramRuntime({}, "k8s.io").cgroup("c1", ::getpid());
  ASSERT_TRUE(paths);
  for (const auto& [controller, path] : *paths) {
    EXPECT_EQ(::access(path.c_str(), F_OK), 0) << controller << " " << path;
  }
}

}  // namespace
}  // namespace shim::service
