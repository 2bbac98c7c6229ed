// The compiler from bodies to machine code that runs: semantics that LLVM could lose, and
// properties of the output that the runtime relies on.
#include "engine/compiler/compile.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <csignal>

#include "engine/compiler/sample_code.hpp"
#include "engine/structure/trap.hpp"

namespace engine::compiler {
namespace {

using enum ValType;
using testing::ElementsAre;

CompileOptions test_options() {
  CompileOptions options;
  options.cpu = host_cpu_level().value_or(CpuLevel::V2);
  options.verify = true;
  return options;
}

artifact::CompiledCode must_compile(const Module& module,
                                    const CompileOptions& options = test_options()) {
  auto code = compile(module, options);
  if (!code) {
    ADD_FAILURE() << code.error().message();
    return {};
  }
  return *std::move(code);
}

std::vector<std::uint64_t> run(const Module& module, std::vector<std::uint64_t> arguments,
                               std::uint32_t function = 0) {
  const auto code = must_compile(module);
  if (code.text.empty()) return {};
  return SampleInstance(module, code).call(function, std::move(arguments));
}

// (loop: sum += n; n -= 1; br_if n) returning the sum
const std::vector<std::uint8_t> kSumBody = {1,    1,    0x7f,                       // local 1: i32
                                            0x03, 0x40,                             // loop
                                            0x20, 1,    0x20, 0,    0x6a, 0x21, 1,  // sum += n
                                            0x20, 0,    0x41, 1,    0x6b, 0x22, 0,  // n -= 1
                                            0x0d, 0,    0x0b, 0x20, 1,    0x0b};

TEST(Compile, ALoopCarriesItsLocals) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32}, {I32}), kSumBody);
  EXPECT_THAT(run(sample.get(), {100}), ElementsAre(5050));
}

TEST(Compile, RecursionCallsByOwnConvention) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32}, {I32}),
                      {0,    0x20, 0, 0x41, 2, 0x49, 0x04, 0x7f, 0x20, 0, 0x05, 0x20, 0,   0x41, 1,
                       0x6b, 0x10, 0, 0x20, 0, 0x41, 2,    0x6b, 0x10, 0, 0x6a, 0x0b, 0x0b});
  EXPECT_THAT(run(sample.get(), {20}), ElementsAre(6765));
}

TEST(Compile, IfWithoutElseKeepsTheLocal) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32, I32}, {I32}),
                      {0, 0x20, 0, 0x04, 0x40, 0x41, 7, 0x21, 1, 0x0b, 0x20, 1, 0x0b});
  EXPECT_THAT(run(sample.get(), {1, 3}), ElementsAre(7));
  EXPECT_THAT(run(sample.get(), {0, 3}), ElementsAre(3));
}

TEST(Compile, BranchTableWithRepeatedLabels) {
  SampleModule sample;
  // block block br_table 0 1 0 (default 1) end return 10 end 20
  sample.add_function(sample.add_type({I32}, {I32}),
                      {0, 0x02, 0x40, 0x02, 0x40, 0x20, 0,    0x0e, 3,  0,   1,
                       0, 1,    0x0b, 0x41, 10,   0x0f, 0x0b, 0x41, 20, 0x0b});
  EXPECT_THAT(run(sample.get(), {0}), ElementsAre(10));
  EXPECT_THAT(run(sample.get(), {1}), ElementsAre(20));
  EXPECT_THAT(run(sample.get(), {2}), ElementsAre(10));
  EXPECT_THAT(run(sample.get(), {9}), ElementsAre(20));
}

TEST(Compile, ManyResultsTravelThroughTheStore) {
  SampleModule sample;
  const auto five = sample.add_type({I32}, {I32, I32, I32, I32, I32});
  sample.add_function(five, {0, 0x20, 0, 0x41, 2, 0x41, 3, 0x41, 4, 0x41, 5, 0x0b}, true);
  sample.add_function(five, {0, 0x20, 0, 0x10, 0, 0x0b});
  EXPECT_THAT(run(sample.get(), {1}, 1), ElementsAre(1, 2, 3, 4, 5));
}

TEST(Compile, MixedResultsStayInRegisters) {
  SampleModule sample;
  const auto type = sample.add_type({I64, F64}, {F64, I64, I32});
  sample.add_function(type, {0, 0x20, 1, 0x20, 0, 0x41, 9, 0x0b});
  sample.add_function(type, {0, 0x20, 0, 0x20, 1, 0x10, 0, 0x0b});
  const auto number = std::bit_cast<std::uint64_t>(2.5);
  EXPECT_THAT(run(sample.get(), {77, number}, 1), ElementsAre(number, 77, 9));
}

TEST(Compile, TailCallsDoNotGrowTheStack) {
  SampleModule sample;
  // f(n, a..) = n == 0 ? a : return_call f(n - 1, a + 1)
  sample.add_function(sample.add_type({I32, I32}, {I32}),
                      {0,    0x20, 0,    0x45, 0x04, 0x40, 0x20, 1,    0x0f, 0x0b, 0x20, 0,
                       0x41, 1,    0x6b, 0x20, 1,    0x41, 1,    0x6a, 0x12, 0,    0x0b});
  EXPECT_THAT(run(sample.get(), {100'000'000, 0}), ElementsAre(100'000'000));
}

TEST(Compile, IndirectCallsReachTheElement) {
  SampleModule sample;
  sample.add_table();
  const auto type = sample.add_type({I32}, {I32});
  sample.add_function(type, {0, 0x20, 0, 0x41, 1, 0x6a, 0x0b});
  sample.add_function(type, {0, 0x20, 0, 0x41, 2, 0x11, 0, 0, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  instance.set_element(2, 0);
  EXPECT_THAT(instance.call(1, {41}), ElementsAre(42));
}

TEST(Compile, MemoryAccessesUseAddressPlusOffset) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({I32, I64}, {I64}),
                      {0, 0x20, 0, 0x20, 1, 0x37, 0, 16, 0x20, 0, 0x29, 0, 17, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  EXPECT_THAT(instance.call(0, {8, 0x1122334455667788}), ElementsAre(0x0011223344556677));
  EXPECT_EQ(instance.memory()[24], std::byte{0x88});
}

TEST(Compile, OverlappingSmallCopyIsAMove) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({}, {I32}),
                      {0, 0x41, 1, 0x41, 0, 0x41, 31, 0xfc, 10, 0, 0, 0x41, 31, 0x2d, 0, 0, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  for (int i = 0; i < 32; ++i) instance.memory()[i] = static_cast<std::byte>(i);
  EXPECT_THAT(instance.call(0, {}), ElementsAre(30));
}

TEST(Compile, ADroppedLoadStillFaults) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({I32}, {}), {0, 0x20, 0, 0x2c, 0, 0, 0x1a, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  instance.call(0, {65535});
  // A sanitizer has a handler of its own there.
  EXPECT_EXIT((std::signal(SIGSEGV, SIG_DFL), instance.call(0, {65536})),
              testing::KilledBySignal(SIGSEGV), "");
}

TEST(Compile, AnEndlessLoopIsKept) {
  SampleModule sample;
  sample.add_function(sample.add_type({}, {}), {0, 0x03, 0x40, 0x0c, 0, 0x0b, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  EXPECT_EXIT((alarm(1), instance.call(0, {})), testing::KilledBySignal(SIGALRM), "");
}

TEST(Compile, MultiplicationByOneQuietsANaN) {
  SampleModule sample;
  sample.add_function(sample.add_type({F32}, {F32}),
                      {0, 0x20, 0, 0x43, 0, 0, 0x80, 0x3f, 0x94, 0x0b});
  EXPECT_THAT(run(sample.get(), {0x7fa00000}), ElementsAre(0x7fe00000));
}

TEST(Compile, DemotionOfAPromotionQuietsANaN) {
  SampleModule sample;
  sample.add_function(sample.add_type({F32}, {F32}), {0, 0x20, 0, 0xbb, 0xb6, 0x0b});
  EXPECT_THAT(run(sample.get(), {0x7fa00000}), ElementsAre(0x7fe00000));
}

TEST(Compile, MinimumOrdersZerosAndQuietsNaNs) {
  SampleModule sample;
  sample.add_function(sample.add_type({F32, F32}, {F32}), {0, 0x20, 0, 0x20, 1, 0x96, 0x0b});
  EXPECT_THAT(run(sample.get(), {0x00000000, 0x80000000}), ElementsAre(0x80000000));
  EXPECT_THAT(run(sample.get(), {0x80000000, 0x00000000}), ElementsAre(0x80000000));
  EXPECT_THAT(run(sample.get(), {0x3f800000, 0x7fa00000}), ElementsAre(0x7fe00000));
}

TEST(Compile, RemainderByMinusOneIsZero) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32, I32}, {I32}), {0, 0x20, 0, 0x20, 1, 0x6f, 0x0b});
  EXPECT_THAT(run(sample.get(), {0x80000000, 0xffffffff}), ElementsAre(0));
}

TEST(Compile, ATrapCarriesItsCodeAndPosition) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32, I32}, {I32}), {0, 0x20, 0, 0x20, 1, 0x6e, 0x0b});
  const auto code = must_compile(sample.get());
  const std::array<std::uint8_t, 5> trap = {0x67, 0x0f, 0xb9, 0x40,
                                            static_cast<std::uint8_t>(Trap::IntegerDivideByZero)};
  const auto equal = [](std::byte a, std::uint8_t b) { return std::to_integer<unsigned>(a) == b; };
  const auto found = std::ranges::search(code.text, trap, equal);
  ASSERT_FALSE(found.empty());
  const auto place = static_cast<std::uint32_t>(found.begin() - code.text.begin());
  const auto after =
      std::ranges::upper_bound(code.positions, place, {}, &artifact::CodePosition::text_offset);
  ASSERT_NE(after, code.positions.begin());
  EXPECT_EQ(std::prev(after)->module_offset, 5U);  // of i32.div_u
}

TEST(Compile, ATrapInAnInlinedFunctionKnowsItsCallers) {
  SampleModule sample;
  const auto type = sample.add_type({I32}, {I32});
  sample.add_function(type, {0, 0x41, 7, 0x20, 0, 0x6e, 0x0b}, false);  // 7 / x
  sample.add_function(type, {0, 0x20, 0, 0x10, 0, 0x0b}, false);
  sample.add_function(type, {0, 0x20, 0, 0x10, 1, 0x0b});
  const auto code = must_compile(sample.get());
  EXPECT_EQ(code.functions[0].size, 0U);
  EXPECT_EQ(code.functions[1].size, 0U);
  const std::array trap = {std::byte{0x67}, std::byte{0x0f}, std::byte{0xb9}, std::byte{0x40}};
  const auto found = std::ranges::search(code.text, trap);
  ASSERT_FALSE(found.empty());
  const auto place = static_cast<std::uint32_t>(found.begin() - code.text.begin());
  const auto behind = [place](const auto& entry) { return entry.text_offset > place; };
  const auto position = std::ranges::find_if(code.positions, behind);
  ASSERT_NE(position, code.positions.begin());
  EXPECT_EQ(std::prev(position)->module_offset, 5U);
  const auto inlined = std::ranges::find_if(code.inlined, behind);
  ASSERT_NE(inlined, code.inlined.begin());
  ASSERT_LT(std::prev(inlined)->site, code.sites.size());
  const artifact::InlineSite& inner = code.sites[std::prev(inlined)->site];
  EXPECT_EQ(inner.function, 0U);
  EXPECT_EQ(inner.module_offset, 10U);  // of the call in function 1
  ASSERT_LT(inner.site, code.sites.size());
  const artifact::InlineSite& outer = code.sites[inner.site];
  EXPECT_EQ(outer.function, 1U);
  EXPECT_EQ(outer.module_offset, 16U);
  EXPECT_EQ(outer.site, artifact::kNoSite);
}

TEST(Compile, EqualTrapsKeepTheirOwnPositions) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32, I32}, {I32}),
                      {0, 0x20, 0, 0x20, 1, 0x6e, 0x20, 0, 0x6e, 0x0b});
  const auto code = must_compile(sample.get());
  const auto divisions = std::ranges::count_if(code.positions, [](const auto& entry) {
    return entry.module_offset == 5 || entry.module_offset == 8;
  });
  EXPECT_GE(divisions, 2);
  std::size_t traps = 0;
  for (std::size_t i = 0; i + 4 < code.text.size(); ++i) {
    traps += code.text[i] == std::byte{0x0f} && code.text[i + 1] == std::byte{0xb9} &&
             code.text[i + 3] == static_cast<std::byte>(Trap::IntegerDivideByZero);
  }
  EXPECT_EQ(traps, 2U);
}

/// A loop over memory 0, which the caller adds.
artifact::CompiledCode loop_over_memory(SampleModule& sample) {
  // do { mem[p] += 7; p += 4 } while (p != 4096)
  sample.add_function(
      sample.add_type({}, {}),
      {1, 1,    0x7f, 0x03, 0x40, 0x20, 0,    0x20, 0,    0x28, 2,    0,    0x41, 7, 0x6a, 0x36, 2,
       0, 0x20, 0,    0x41, 4,    0x6a, 0x22, 0,    0x41, 0x80, 0x20, 0x47, 0x0d, 0, 0x0b, 0x0b});
  CompileOptions options = test_options();
  options.cpu = CpuLevel::V3;
  return must_compile(sample.get(), options);
}

/// vpaddd on 256 bits: VEX with L set, opcode fe.
bool adds_vectors(const artifact::CompiledCode& code) {
  bool found = false;
  for (std::size_t i = 0; i + 2 < code.text.size(); ++i) {
    found = found || (code.text[i] == std::byte{0xc5} &&
                      (code.text[i + 1] & std::byte{0x07}) == std::byte{0x05} &&
                      code.text[i + 2] == std::byte{0xfe});
  }
  return found;
}

TEST(Compile, ALoopOverMemoryIsVectorised) {
  SampleModule sample;
  sample.add_memory();
  EXPECT_TRUE(adds_vectors(loop_over_memory(sample)));
}

TEST(Compile, AccessesToSharedMemoryAreNotMergedIntoVectors) {
  SampleModule sample;
  sample.add_shared_memory();
  EXPECT_FALSE(adds_vectors(loop_over_memory(sample)));
}

TEST(Compile, APlainAccessToSharedMemoryMayBeUnalignedWhateverItsHintSays) {
  SampleModule sample;
  sample.add_shared_memory();
  sample.add_function(sample.add_type({I32}, {I32}), {0, 0x20, 0, 0x28, 2, 0, 0x0b});
  sample.add_function(sample.add_type({I32}, {I32}), {0, 0x20, 0, 0x28, 0, 0, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  constexpr std::uint32_t kValue = 0x12345678;
  std::memcpy(instance.memory() + 61, &kValue, sizeof(kValue));
  EXPECT_THAT(instance.call(0, {61}), ElementsAre(kValue));
  EXPECT_THAT(instance.call(1, {61}), ElementsAre(kValue));
}

TEST(Compile, ANarrowCompareExchangeComparesAllBitsOfWhatIsExpected) {
  SampleModule sample;
  sample.add_shared_memory();
  // i32.atomic.rmw8.cmpxchg_u at 0
  sample.add_function(sample.add_type({I32, I32}, {I32}),
                      {0, 0x41, 0, 0x20, 0, 0x20, 1, 0xfe, 0x4a, 0, 0, 0x0b});
  const auto code = must_compile(sample.get());
  SampleInstance instance(sample.get(), code);
  instance.memory()[0] = std::byte{0x11};
  EXPECT_THAT(instance.call(0, {0x111, 0x22}), ElementsAre(0x11));
  EXPECT_EQ(instance.memory()[0], std::byte{0x11});
  EXPECT_THAT(instance.call(0, {0x11, 0x22}), ElementsAre(0x11));
  EXPECT_EQ(instance.memory()[0], std::byte{0x22});
}

TEST(Compile, AFillLoopCallsNoLibrary) {
  SampleModule sample;
  sample.add_memory();
  sample.add_function(sample.add_type({I32}, {}),
                      {0, 0x03, 0x40, 0x20, 0,    0x41, 0,    0x3a, 0,    0,   0x20,
                       0, 0x41, 1,    0x6b, 0x22, 0,    0x0d, 0,    0x0b, 0x0b});
  EXPECT_FALSE(must_compile(sample.get()).text.empty());  // an undefined symbol would fail
}

TEST(Compile, OutputIsTheSameForAnyNumberOfThreads) {
  SampleModule sample;
  sample.add_memory();
  const auto type = sample.add_type({I32}, {I32});
  for (std::uint8_t i = 0; i < 30; ++i) {
    const std::uint8_t callee = static_cast<std::uint8_t>((i * 7 + 1) % 30);
    sample.add_function(type, {0, 0x20, 0, 0x41, i, 0x6a, 0x10, callee, 0x0b}, i % 3 == 0);
  }
  CompileOptions options = test_options();
  for (const std::uint32_t chunk :
       {12U, options.chunk_instructions}) {  // several, and one in parts
    options.chunk_instructions = chunk;
    options.threads = 1;
    const auto one = must_compile(sample.get(), options);
    options.threads = 3;
    const auto three = must_compile(sample.get(), options);
    EXPECT_EQ(one.text, three.text);
    EXPECT_EQ(one.rodata, three.rodata);
    EXPECT_EQ(one.positions.size(), three.positions.size());
    EXPECT_EQ(one.inlined.size(), three.inlined.size());
    EXPECT_EQ(one.sites.size(), three.sites.size());
  }
}

TEST(Compile, AGiantRunsWithTheCheapPipeline) {
  SampleModule sample;
  sample.add_function(sample.add_type({I32}, {I32}), kSumBody);
  CompileOptions options = test_options();
  options.giant_instructions = 3;
  const auto code = must_compile(sample.get(), options);
  EXPECT_EQ(code.bytes_o2, 0U);
  EXPECT_EQ(SampleInstance(sample.get(), code).call(0, {10}), std::vector<std::uint64_t>{55});
}

TEST(Compile, FingerprintNamesTheCpu) {
  CompileOptions options;
  options.cpu = CpuLevel::V3;
  const std::string v3 = options_fingerprint(options);
  options.cpu = CpuLevel::V2;
  EXPECT_NE(v3, options_fingerprint(options));
  options.threads = 7;
  const std::string seven = options_fingerprint(options);
  options.threads = 1;
  EXPECT_EQ(seven, options_fingerprint(options));
}

}  // namespace
}  // namespace engine::compiler
