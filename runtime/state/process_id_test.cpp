#include "runtime/state/process_id.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace runtime::state {
namespace {

class Child {
 public:
  explicit Child(const char* name = "child") : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_NAME, name);
    ::raise(SIGSTOP);
    for (;;) ::pause();
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void wait_until_stopped() const { ::waitpid(pid_, nullptr, WUNTRACED); }

 private:
  pid_t pid_;
};

TEST(ProcessId, ALivingProcessIsAlive) {
  const Child child;

  const auto id = identify(child.pid());

  ASSERT_TRUE(id);
  EXPECT_TRUE(alive(*id));
  EXPECT_TRUE(open_process(*id));
}

TEST(ProcessId, AnotherStartTimeIsAnotherProcess) {
  const Child child;
  ProcessId id = *identify(child.pid());
  id.start_time -= 1;

  EXPECT_FALSE(alive(id));
  EXPECT_EQ(open_process(id).error().kind(), base::ErrorKind::NotFound);
}

TEST(ProcessId, AZombieIsNotAlive) {
  const Child child;
  const ProcessId id = *identify(child.pid());
  siginfo_t info{};

  ::kill(child.pid(), SIGKILL);
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOWAIT), 0);

  EXPECT_FALSE(alive(id));
}

TEST(ProcessId, ParenthesesInTheNameDoNotConfuse) {
  const Child child(") Z 1 (");
  child.wait_until_stopped();

  const auto id = identify(child.pid());

  ASSERT_TRUE(id);
  EXPECT_GT(id->start_time, 0u);
  EXPECT_TRUE(alive(*id));
}

TEST(ProcessId, PidZeroIsNobody) { EXPECT_FALSE(alive({0, 0})); }

}  // namespace
}  // namespace runtime::state
