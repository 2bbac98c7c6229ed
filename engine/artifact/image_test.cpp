// Which segments become part of the memory image.
#include "engine/artifact/image.hpp"

#include <gtest/gtest.h>

#include "engine/artifact/format.hpp"
#include "engine/artifact/sample_module.hpp"

namespace engine::artifact {
namespace {

DataSegment at(std::uint32_t address, std::uint32_t from, std::uint32_t size,
               std::uint32_t memory = 0) {
  DataSegment out;
  out.memory = memory;
  out.offset = i32_constant(address);
  out.data_offset = from;
  out.data_size = size;
  return out;
}

Module with(std::vector<DataSegment> data, std::uint64_t pages = 1) {
  Module out = sample_module();
  out.memories[0].limits.min = pages;
  out.data = std::move(data);
  return out;
}

TEST(PlanImages, LaterSegmentsOverwriteEarlierOnes) {
  const ImagePlan plan = plan_images(with({at(4096, 0, 5), at(4098, 7, 2)}));
  EXPECT_EQ(plan.memories[0].at, 4096U);
  EXPECT_EQ(plan.memories[0].size, kPage);
  EXPECT_EQ(std::memcmp(plan.bytes.data(), "hewoo", 5), 0);
}

TEST(PlanImages, StopsAtTheFirstSegmentThatCouldTrap) {
  const ImagePlan plan = plan_images(with({at(0, 0, 5), at(65533, 0, 5), at(16, 0, 5)}));
  EXPECT_EQ(plan.in_image, (std::vector<bool>{true, false, false}));
  EXPECT_EQ(plan.bytes[16], std::byte{0});
}

TEST(PlanImages, LeavesImportedMemoriesAlone) {
  Module module = with({at(0, 0, 5)});
  module.imported_memories = 1;
  const ImagePlan plan = plan_images(module);
  EXPECT_FALSE(plan.in_image[0]);
  EXPECT_EQ(plan.memories[0].size, 0U);
}

TEST(PlanImages, CopiesWhatIsFarApart) {
  const std::uint32_t far = 200U << 20;
  const ImagePlan plan = plan_images(with({at(0, 0, 5), at(far, 0, 5)}, 65536));
  EXPECT_EQ(plan.in_image, (std::vector<bool>{false, false}));
  EXPECT_TRUE(plan.bytes.empty());
}

TEST(PlanImages, GivesEachMemoryItsOwn) {
  Module module = with({at(0, 0, 5), at(8192, 7, 5, 1)});
  module.memories.push_back({{1, std::nullopt}});
  const ImagePlan plan = plan_images(module);
  EXPECT_EQ(plan.memories[1].at, 8192U);
  EXPECT_EQ(std::memcmp(plan.bytes.data() + plan.memories[1].offset, "world", 5), 0);
}

}  // namespace
}  // namespace engine::artifact
