#include "runtime/checkpoint/log_quote.hpp"

#include <gtest/gtest.h>

namespace runtime::checkpoint {
namespace {

using Lines = std::vector<std::string>;

TEST(LogQuote, AnErrorComesWithTheLinesBeforeIt) {
  const Lines quoted = quote_errors("1\n2\n3\n4\n5\n6\n7 Error (x)\n8\n");

  EXPECT_EQ(quoted, (Lines{"2:2", "3:3", "4:4", "5:5", "6:6", "7:7 Error (x)"}));
}

TEST(LogQuote, NeighboursAreNotRepeatedAndGapsAreMarked) {
  const Lines quoted = quote_errors("Error a\nError b\n3\n4\n5\n6\n7\n8\n9\nError c");

  EXPECT_EQ(quoted, (Lines{"1:Error a", "2:Error b", "...", "5:5", "6:6", "7:7", "8:8", "9:9",
                           "10:Error c"}));
}

TEST(LogQuote, ALogWithoutErrorsSaysNothing) { EXPECT_TRUE(quote_errors("fine\nfine\n").empty()); }

}  // namespace
}  // namespace runtime::checkpoint
