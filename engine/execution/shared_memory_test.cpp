// Memories that several threads use at the same time.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "engine/execution/extern.hpp"

namespace engine::execution {
namespace {

TEST(SharedMemory, EveryPageIsGrownByOneThreadOnly) {
  constexpr std::uint64_t kPages = 400;
  constexpr std::size_t kThreads = 4;
  Memory memory = Memory::create({{0, kPages}, true}).value();
  std::vector<std::vector<std::uint64_t>> grown(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : grown) {
    threads.emplace_back([&memory, &mine] {
      while (const auto before = memory.grow(1)) {
        mine.push_back(*before);
        memory.vm.base[*before * kPageSize] = std::byte{1};
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<std::uint64_t> all;
  for (const auto& mine : grown) all.insert(all.end(), mine.begin(), mine.end());
  std::ranges::sort(all);
  ASSERT_EQ(all.size(), kPages);
  for (std::uint64_t page = 0; page < kPages; ++page) EXPECT_EQ(all[page], page);
  EXPECT_EQ(memory.pages(), kPages);
}

TEST(SharedMemory, SaysSoInItsType) {
  EXPECT_TRUE(Memory::create({{1, 2}, true}).value().type().is_shared);
  EXPECT_FALSE(Memory::create({{1, 2}}).value().type().is_shared);
}

}  // namespace
}  // namespace engine::execution
