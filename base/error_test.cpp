#include "base/result.hpp"

#include <gtest/gtest.h>

namespace base {
namespace {

Result<int> open_nothing() {
  errno = ENOENT;
  return fail_errno("open", "/nowhere");
}

Result<int> outer() { return TRY(with_context(open_nothing(), "read config")) + 1; }

TEST(Error, NamesStepsCallSubjectAndReasonInThatOrder) {
  Result<int> result = with_context(outer(), "create c1");

  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message(),
            "create c1: read config: open /nowhere: no such file or directory");
  EXPECT_EQ(result.error().kind(), ErrorKind::NotFound);
  EXPECT_EQ(result.error().sys_errno(), ENOENT);
}

TEST(Error, TextWithoutSystemCallStandsAlone) {
  const Error error(ErrorKind::Invalid, "process.args: must not be empty");
  EXPECT_EQ(error.message(), "process.args: must not be empty");
  EXPECT_EQ(error.sys_errno(), 0);
}

}  // namespace
}  // namespace base
