#include "runtime/resctrl/statistics.hpp"

#include <gtest/gtest.h>

#include "runtime/resctrl/fake_resctrl.hpp"

namespace runtime::resctrl {
namespace {

TEST(ReadStatistics, TellsSchemataLimitsAndTheCountersOfEachDomain) {
  const FakeResctrl fake;
  fake.put("gold/schemata", "    MB:0= 20;1=100\n    L3:0=0000f;1=fffff\n");
  fake.put("gold/mon_groups/c1/mon_data/mon_L3_01/llc_occupancy", "65536\n");
  fake.put("gold/mon_groups/c1/mon_data/mon_L3_00/llc_occupancy", "131072\n");
  fake.put("gold/mon_groups/c1/mon_data/mon_L3_00/mbm_total_bytes", "9000\n");
  fake.put("gold/mon_groups/c1/mon_data/mon_L3_00/mbm_local_bytes", "Unavailable\n");

  const auto read = read_statistics(
      {fake.root(), fake.at("gold"), fake.at("gold/mon_groups/c1"), false}, read_host(fake.root()));
  ASSERT_TRUE(read);
  EXPECT_EQ(line_of(read->schemata, "L3"), "L3:0=0000f;1=fffff");
  EXPECT_EQ(line_of(read->root_schemata, "MB"), "MB:0=100;1=100");
  EXPECT_EQ(line_of(read->schemata, "L2"), "");
  ASSERT_TRUE(read->cache && read->bandwidth);
  EXPECT_EQ(read->cache->cbm_mask, "fffff");
  EXPECT_EQ(read->cache->num_closids, 16u);
  EXPECT_EQ(read->bandwidth->min_bandwidth, 10u);
  EXPECT_EQ(read->domains, (std::vector<DomainCounters>{{131072, 9000, 0}, {65536, 0, 0}}));
}

TEST(ReadStatistics, WithoutAGroupOfItsOwnTheClassIsCounted) {
  const FakeResctrl fake;
  fake.fill("gold");
  fake.put("gold/mon_data/mon_L3_00/llc_occupancy", "7\n");
  const auto read =
      read_statistics({fake.root(), fake.at("gold"), "", false}, read_host(fake.root()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->domains, (std::vector<DomainCounters>{{7, 0, 0}}));
}

TEST(ReadStatistics, AGroupThatIsGoneIsAnError) {
  const FakeResctrl fake;
  EXPECT_FALSE(read_statistics({fake.root(), fake.at("gone"), "", false}, read_host(fake.root())));
}

}  // namespace
}  // namespace runtime::resctrl
