#include "shim/loop/operation.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/file.hpp"

namespace shim::loop {
namespace {

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe(ends.data()), 0);
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  void write() const { EXPECT_EQ(::write(writer.get(), "x", 1), 1); }

  base::UniqueFd reader;
  base::UniqueFd writer;
};

class OperationTest : public ::testing::Test {
 protected:
  base::Result<Outcome> run(const Operations::Work& work) {
    std::optional<base::Result<Outcome>> result;
    operations_.begin(work, [&](base::Result<Outcome> outcome) {
      result.emplace(std::move(outcome));
      loop_.stop();
    });
    if (!result) {
      EXPECT_TRUE(loop_.run());
    }
    ::waitpid(-1, nullptr, 0);
    return std::move(*result);
  }

  Loop loop_ = Loop::make().value();
  Operations operations_{loop_};
};

TEST_F(OperationTest, BringsBackTextAndDescriptorOfAnotherProcess) {
  const auto outcome = run([]() -> base::Result<Outcome> {
    return Outcome{std::to_string(::getpid()), TRY(base::open_file("/dev/null", O_RDONLY))};
  });
  ASSERT_TRUE(outcome);
  EXPECT_NE(outcome->text, std::to_string(::getpid()));
  EXPECT_TRUE(outcome->descriptor);
  EXPECT_EQ(operations_.size(), 0U);
}

TEST_F(OperationTest, AnErrorKeepsKindAndText) {
  const auto outcome = run([]() -> base::Result<Outcome> {
    return base::fail(base::ErrorKind::WrongState, "container not running");
  });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), base::ErrorKind::WrongState);
  EXPECT_EQ(outcome.error().message(), "container not running");
}

TEST_F(OperationTest, ADeadOperationIsAnError) {
  const auto outcome = run([]() -> base::Result<Outcome> { ::_exit(3); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind(), base::ErrorKind::Internal);
}

TEST_F(OperationTest, AnEventThatIsLeftOfOneThatWasCollectedIsNotTakenForTheNextOnes) {
  const Pipe first;
  const Pipe second;
  const Pipe go;
  std::optional<base::Result<Outcome>> last;
  // Both are ready when the loop begins, this one first.
  first.write();
  ASSERT_TRUE(loop_.watch(first.reader.get(), EPOLLIN, [&](std::uint32_t) {
    loop_.forget(first.reader.get());
    operations_.collect();
  }));
  const auto wait_for_go = [&]() -> base::Result<Outcome> {
    pollfd waiting{go.reader.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 3000) != 1) return base::fail(base::ErrorKind::System, "no go");
    return Outcome{};
  };
  operations_.begin([]() -> base::Result<Outcome> { return Outcome{}; },
                    [&](const base::Result<Outcome>&) {
                      operations_.begin(wait_for_go, [&](base::Result<Outcome> outcome) {
                        last.emplace(std::move(outcome));
                        loop_.stop();
                      });
                      ASSERT_TRUE(loop_.watch(second.writer.get(), EPOLLOUT, [&](std::uint32_t) {
                        loop_.forget(second.writer.get());
                        go.write();
                      }));
                    });
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_ALL, 0, &ended, WEXITED), 0);
  ASSERT_TRUE(loop_.run());
  ::waitpid(-1, nullptr, 0);
  EXPECT_TRUE(last && *last);
}

TEST(Loop, AHandlerMayForgetItself) {
  Loop loop = Loop::make().value();
  Pipe pipe;
  int calls = 0;
  ASSERT_TRUE(loop.watch(pipe.reader.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    loop.forget(pipe.reader.get());
    pipe.reader.reset();
    loop.stop();
  }));
  pipe.write();
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace shim::loop
