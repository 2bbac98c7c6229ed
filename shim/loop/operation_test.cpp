#include "shim/loop/operation.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

#include "base/file.hpp"

namespace shim::loop {
namespace {

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

TEST(Loop, AHandlerMayForgetItself) {
  Loop loop = Loop::make().value();
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  base::UniqueFd reader(ends[0]);
  const base::UniqueFd writer(ends[1]);
  int calls = 0;
  ASSERT_TRUE(loop.watch(reader.get(), EPOLLIN, [&](std::uint32_t) {
    ++calls;
    loop.forget(reader.get());
    reader.reset();
    loop.stop();
  }));
  ASSERT_EQ(::write(writer.get(), "x", 1), 1);
  ASSERT_TRUE(loop.run());
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace shim::loop
