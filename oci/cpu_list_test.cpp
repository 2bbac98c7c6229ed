#include "oci/cpu_list.hpp"

#include <gtest/gtest.h>

namespace oci {
namespace {

TEST(CpuList, RangesAndSinglesBecomeBits) {
  EXPECT_EQ(*parse_cpu_list("0-3, 7\n"), (std::vector<unsigned long>{0x8F}));
  EXPECT_EQ(*parse_cpu_list("64,"), (std::vector<unsigned long>{0, 1}));
  EXPECT_TRUE(parse_cpu_list("")->empty());
}

TEST(CpuList, NonsenseIsRefused) {
  for (const char* list : {"a", "3-1", "1-", "-1", "1--2", "8192", "99999999999999999999", "0x1"}) {
    EXPECT_FALSE(parse_cpu_list(list)) << list;
  }
}

}  // namespace
}  // namespace oci
