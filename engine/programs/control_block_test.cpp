#include "engine/programs/control_block.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/file.hpp"

namespace engine::programs {
namespace {

ControlBlock sample() {
  ControlBlock block;
  block.confine = true;
  block.artifact = 7;
  block.filter = {{6, 0, 0, 0x7fff0000}};
  block.preopens = {{8, true, "/data"}, {9, false, "."}};
  block.sockets = {10, 11};
  block.socket_rules = "deny unix";
  block.module_name = "app.wasm";
  return block;
}

std::string bytes_of(const ControlBlock& block) {
  const base::UniqueFd fd = write_control_block(block).value();
  return base::read_all(fd.get(), kMaxControlBlock, "control").value();
}

TEST(ControlBlock, ComesBackAsItWas) {
  const std::string text = bytes_of(sample());
  const ControlBlock block = parse_control_block(std::as_bytes(std::span(text))).value();

  EXPECT_TRUE(block.confine);
  EXPECT_FALSE(block.is_container);
  EXPECT_EQ(block.artifact, 7);
  EXPECT_EQ(block.broker, -1);
  ASSERT_EQ(block.filter.size(), 1U);
  EXPECT_EQ(block.filter[0].k, 0x7fff0000U);
  ASSERT_EQ(block.preopens.size(), 2U);
  EXPECT_EQ(block.preopens[0].guest_path, "/data");
  EXPECT_TRUE(block.preopens[0].read_only);
  EXPECT_EQ(block.preopens[1].directory, 9);
  EXPECT_EQ(block.sockets, (std::vector{10, 11}));
  EXPECT_EQ(block.socket_rules, "deny unix");
  EXPECT_EQ(block.module_name, "app.wasm");
}

TEST(ControlBlock, IsRefusedAtEveryOtherLength) {
  const std::string text = bytes_of(sample());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_control_block(std::as_bytes(std::span(text.data(), size)))) << size;
  }
  const std::string longer = text + "x";
  EXPECT_FALSE(parse_control_block(std::as_bytes(std::span(longer))));
}

TEST(ControlBlock, CannotBeWrittenAfterwards) {
  const base::UniqueFd fd = write_control_block(sample()).value();
  EXPECT_FALSE(base::write_all(fd.get(), "x", "control"));
}

}  // namespace
}  // namespace engine::programs
