#include "runtime/cgroup/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/temp_dir.hpp"

namespace runtime::cgroup {
namespace {

using ::testing::ElementsAre;

class ReadStatistics : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    std::ofstream(temp_.path() / file) << text;
  }
  base::TempDir temp_;
};

TEST_F(ReadStatistics, OfV1ComeFromManyFiles) {
  write("cpuacct.usage", "3000\n");
  write("cpuacct.usage_percpu", "1000 2000 \n");
  write("cpuacct.stat", "user 2\nsystem 1\n");
  write("cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 77\n");
  write("memory.usage_in_bytes", "4096\n");
  write("memory.limit_in_bytes", "9223372036854771712\n");
  write("memory.max_usage_in_bytes", "8192\n");
  write("memory.failcnt", "5\n");
  write("memory.stat", "cache 100\nrss 200\n");
  write("pids.current", "3\n");
  write("pids.max", "max\n");
  Paths paths;
  for (const char* name : {"cpu", "cpuacct", "memory", "pids"}) paths[name] = temp_.path();

  const Statistics statistics = read_statistics(paths);

  EXPECT_EQ(statistics.cpu.total, 3000u);
  EXPECT_THAT(statistics.cpu.per_cpu, ElementsAre(1000, 2000));
  EXPECT_EQ(statistics.cpu.user, 20'000'000u);
  EXPECT_EQ(statistics.cpu.throttled_periods, 4u);
  EXPECT_EQ(statistics.cpu.throttled_time, 77u);
  EXPECT_EQ(statistics.memory.memory.usage, 4096u);
  EXPECT_EQ(statistics.memory.memory.limit, UINT64_MAX);
  EXPECT_EQ(statistics.memory.memory.failures, 5u);
  EXPECT_EQ(statistics.memory.cache, 100u);
  EXPECT_EQ(statistics.pids.current, 3u);
  EXPECT_EQ(statistics.pids.limit, 0u);
}

TEST_F(ReadStatistics, OfV2ComeFromOneDirectory) {
  write("cpu.stat", "usage_usec 5\nuser_usec 3\nsystem_usec 2\nthrottled_usec 7\n");
  write("memory.current", "4096\n");
  write("memory.max", "8192\n");
  write("memory.stat", "anon 1\nfile 2\n");
  write("io.stat", "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n");

  const Statistics statistics = read_statistics({{"", temp_.path()}});

  EXPECT_EQ(statistics.cpu.total, 5000u);
  EXPECT_EQ(statistics.cpu.throttled_time, 7000u);
  EXPECT_EQ(statistics.memory.memory.limit, 8192u);
  EXPECT_EQ(statistics.memory.cache, 2u);
  EXPECT_THAT(statistics.io_bytes,
              ElementsAre(IoEntry{8, 0, "Read", 10}, IoEntry{8, 0, "Write", 20}));
  EXPECT_THAT(statistics.io_operations,
              ElementsAre(IoEntry{8, 0, "Read", 1}, IoEntry{8, 0, "Write", 2}));
}

TEST_F(ReadStatistics, OfNothingAreZeros) {
  const Statistics statistics = read_statistics({{"", temp_.path() / "gone"}});

  EXPECT_EQ(statistics.cpu.total, 0u);
  EXPECT_EQ(statistics.memory.memory.usage, 0u);
}

TEST(ParseV1Io, SkipsTotalsAndNonsense) {
  EXPECT_THAT(parse_v1_io("8:0 Read 5\n8:0 Total 5\nTotal 5\nx:y Read 1\n\n"),
              ElementsAre(IoEntry{8, 0, "Read", 5}, IoEntry{8, 0, "Total", 5}));
}

TEST(ParseKeyed, SkipsWhatIsNoPair) {
  EXPECT_EQ(parse_keyed("a 1\nb\n c\nd x\ne 2"),
            (std::map<std::string, std::uint64_t>{{"a", 1}, {"e", 2}}));
}

}  // namespace
}  // namespace runtime::cgroup
