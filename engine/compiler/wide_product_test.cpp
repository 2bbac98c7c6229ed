// The recognition of compiler-rt's __multi3: it must accept the real body, and nothing near it.
#include "engine/compiler/wide_product.hpp"

#include <gtest/gtest.h>

#include "engine/compiler/sample_code.hpp"

namespace engine::compiler {
namespace {

using enum ValType;

/// As clang 19 compiles __multi3 for wasm32, from `i64.const`s on in their longest form.
std::vector<std::uint8_t> multi3_body() {
  return {
      1,    1,    0x7e,                                                              // local 5: i64
      0x20, 0,    0x20, 4,    0x20, 1,    0x7e, 0x20, 2,    0x20, 3,    0x7e, 0x7c,  // a*bh + ah*b
      0x20, 3,    0x42, 0x20, 0x88, 0x22, 2,                                         // b1
      0x20, 1,    0x42, 0x20, 0x88, 0x22, 4,    0x7e, 0x7c,                          // + a1*b1
      0x20, 3,    0x42, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x83, 0x22, 3,                 // b0
      0x20, 1,    0x42, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x83, 0x22, 1,                 // a0
      0x7e, 0x22, 5,    0x42, 0x20, 0x88,                                            // a0*b0 >> 32
      0x20, 3,    0x20, 4,    0x7e, 0x7c, 0x22, 3,    0x42, 0x20, 0x88, 0x7c, 0x20,
      3,    0x42, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x83, 0x20, 2,    0x20, 1,    0x7e,
      0x7c, 0x22, 1,    0x42, 0x20, 0x88, 0x7c, 0x37, 3,    8,  // high
      0x20, 0,    0x20, 1,    0x42, 0x20, 0x86, 0x20, 5,    0x42, 0xff, 0xff, 0xff,
      0xff, 0x0f, 0x83, 0x84, 0x37, 3,    0,    0x0b};
}

bool recognised(std::vector<std::uint8_t> body) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({I32, I64, I64, I64, I64}, {}), std::move(body));
  return is_wide_product(sample.get(), 0);
}

TEST(WideProduct, CompilerRtsBodyIsRecognised) { EXPECT_TRUE(recognised(multi3_body())); }

TEST(WideProduct, NoBodyWithOneByteChangedIsRecognised) {
  const std::vector<std::uint8_t> original = multi3_body();
  for (std::size_t i = 3; i < original.size(); ++i) {
    for (const int change : {1, 2, 4, -1}) {
      std::vector<std::uint8_t> body = original;
      body[i] = static_cast<std::uint8_t>(body[i] + change);
      // The alignment hint is free, and reading a copy of the same value changes nothing.
      const bool is_alignment = i > 0 && original[i - 1] == 0x37;
      if (is_alignment) continue;
      EXPECT_FALSE(recognised(body)) << "byte " << i << " changed by " << change;
    }
  }
}

TEST(WideProduct, TheProductIsRightAfterReplacement) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({I32, I64, I64, I64, I64}, {}), multi3_body());
  auto code = compile(sample.get(), {.verify = true});
  ASSERT_TRUE(code) << code.error().message();
  SampleInstance instance(sample.get(), *code);
  const std::uint64_t a = 0xfedcba9876543210;
  const std::uint64_t b = 0x0f1e2d3c4b5a6978;
  instance.call(0, {64, a, 3, b, 0xffffffffffffffff});
  __extension__ using Wide = unsigned __int128;
  const Wide expected = ((Wide{3} << 64) | a) * ((Wide{0xffffffffffffffff} << 64) | b);
  Wide found = 0;
  std::memcpy(&found, instance.memory() + 64, sizeof found);
  EXPECT_TRUE(found == expected);
}

}  // namespace
}  // namespace engine::compiler
