// The encodings here were made by protoc from the same field tables.
#include "shim/protocol/codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "shim/protocol/bootstrap.hpp"
#include "shim/protocol/cgroup1.hpp"
#include "shim/protocol/cgroup2.hpp"
#include "shim/protocol/events.hpp"
#include "shim/protocol/options.hpp"
#include "shim/protocol/task.hpp"

namespace shim::protocol {
namespace {

using ::testing::ElementsAre;

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t k = 0; k + 1 < hex.size(); k += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(k, 2)), nullptr, 16)));
  }
  return out;
}

template <typename Message>
base::ErrorKind kind_of_failure(std::string_view bytes) {
  const auto decoded = decode<Message>(bytes);
  EXPECT_FALSE(decoded);
  return decoded ? base::ErrorKind::Internal : decoded.error().kind();
}

TEST(Codec, CreateRequestIsReadAndWrittenByteForByte) {
  const std::string bytes = from_hex(
      "0a02633112022f621a2c0a076f7665726c617912076f7665726c6179220b6c6f7765726469723d2f61220b757070"
      "65726469723d2f751a0a0a0462696e641a022f74200132022f6f52200a1a636f6e7461696e6572642e72756e632e"
      "76312e4f7074696f6e7312024801");
  const auto request = decode<CreateTaskRequest>(bytes);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->id, "c1");
  EXPECT_EQ(request->bundle, "/b");
  ASSERT_EQ(request->rootfs.size(), 2U);
  EXPECT_THAT(request->rootfs[0].options, ElementsAre("lowerdir=/a", "upperdir=/u"));
  EXPECT_EQ(request->rootfs[1].target, "/t");
  EXPECT_TRUE(request->terminal);
  EXPECT_EQ(request->stdout_path, "/o");
  ASSERT_TRUE(request->options);
  const auto options = unpack<RuncOptions>(*request->options);
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->systemd_cgroup);
  EXPECT_EQ(encode(*request), bytes);
}

TEST(Codec, TimesMayLieBefore1970) {
  const std::string bytes = from_hex("120b088092b8c398feffffff01");
  const auto response = decode<WaitResponse>(bytes);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->exited_at, (Timestamp{-62135596800, 0}));
  EXPECT_EQ(encode(*response), bytes);
  EXPECT_EQ(encode(DeleteResponse{300, 137, Timestamp{1700000000, 5}}),
            from_hex("08ac021089011a080880e2cfaa061005"));
}

TEST(Codec, MapsAreWrittenInTheOrderOfTheirKeys) {
  UpdateTaskRequest request;
  request.id = "c";
  request.annotations = {{"b", ""}, {"a", "1"}};
  const std::string bytes = from_hex("0a01631a060a01611201311a050a01621200");
  EXPECT_EQ(encode(request), bytes);
  EXPECT_EQ(decode<UpdateTaskRequest>(bytes)->annotations, request.annotations);
}

TEST(Codec, MetricsHaveAllOfSixtyFourBits) {
  cgroup1::Metrics metrics;
  metrics.cpu.emplace().usage.emplace();
  metrics.cpu->usage->total = std::numeric_limits<std::uint64_t>::max();
  metrics.cpu->usage->per_cpu = {1, 300};
  metrics.memory.emplace().usage.emplace().limit = 9223372036854771712U;
  const std::string bytes =
      from_hex("1a120a1008ffffffffffffffffff01220301ac02220d8a020a0880e0ffffffffffff7f");
  EXPECT_EQ(encode(metrics), bytes);
  EXPECT_THAT(decode<cgroup1::Metrics>(bytes)->cpu->usage->per_cpu, ElementsAre(1, 300));
}

TEST(Codec, PressureIsADouble) {
  cgroup2::Metrics metrics;
  metrics.cpu.emplace().psi.emplace().some = cgroup2::PSIData{1.5, 0, 0, 7};
  metrics.memory.emplace().psi.emplace().full = cgroup2::PSIData{0, 0, -0.25, 0};
  const std::string bytes =
      from_hex("120f3a0d0a0b09000000000000f83f2007220eb2020b120919000000000000d0bf");
  EXPECT_EQ(encode(metrics), bytes);
  EXPECT_EQ(decode<cgroup2::Metrics>(bytes)->memory->psi->full->avg300, -0.25);
}

TEST(Codec, OptionsSkipTheNumberThatIsNotUsed) {
  const std::string bytes = from_hex("080120e80732046372756e48016803");
  const auto options = decode<RuncOptions>(bytes);
  ASSERT_TRUE(options);
  EXPECT_EQ(options->io_uid, 1000U);
  EXPECT_EQ(options->binary_name, "crun");
  EXPECT_TRUE(options->systemd_cgroup);
  EXPECT_EQ(options->task_api_version, 3U);
  EXPECT_EQ(encode(*options), bytes);
}

TEST(Codec, LogLevelsAreNegativeToo) {
  const std::string bytes =
      from_hex("0a02633112066b38732e696f18fcffffffffffffffff0142080a060a0174120176");
  const auto params = decode<BootstrapParams>(bytes);
  ASSERT_TRUE(params);
  EXPECT_EQ(params->log_level, -4);
  EXPECT_EQ(params->extensions.at(0).value, (Any{"t", "v"}));
  EXPECT_EQ(encode(*params), bytes);
}

TEST(Codec, UnknownFieldsOfEveryTypeAreSkipped) {
  // Numbers 20 to 23: a varint, eight bytes, a string, four bytes; then the id.
  const std::string bytes = from_hex("a00105a9010102030405060708b20102ffffbd01010203040a0163");
  EXPECT_EQ(decode<WaitRequest>(bytes)->id, "c");
}

TEST(Codec, AMessageThatComesTwiceIsMergedAndOfAScalarTheLastCounts) {
  const std::string bytes = from_hex("0801080212020801120210020803");
  const auto response = decode<WaitResponse>(bytes);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->exit_status, 3U);
  EXPECT_EQ(response->exited_at, (Timestamp{1, 2}));
}

TEST(Codec, MalformedInputIsRefused) {
  for (const std::string_view hex : {
           "0a",                        // no length
           "0a05",                      // length beyond the end
           "0affffffffffffffffff01",    // length of 2^64 - 1
           "08",                        // a string as a number, and cut
           "0801",                      // a string as a number
           "0b",                        // a group
           "00",                        // number 0
           "0f",                        // wire type 7
           "a201",                      // unknown field, cut
           "a00180808080808080808002",  // a varint of more than 64 bits
           "ffffffffff7f",              // a tag of more than 32 bits
       }) {
    EXPECT_EQ(kind_of_failure<WaitRequest>(from_hex(hex)), base::ErrorKind::Invalid) << hex;
  }
  EXPECT_EQ(kind_of_failure<CreateTaskRequest>(from_hex("1a0322050a")), base::ErrorKind::Invalid)
      << "a nested string may not leave its message";
}

TEST(Codec, RepeatedFieldsAndMessagesHaveLimits) {
  std::string bytes;
  for (std::size_t k = 0; k < kMaxElements; ++k) bytes += from_hex("1a00");
  ASSERT_TRUE(decode<CreateTaskRequest>(bytes));
  bytes += from_hex("1a00");
  EXPECT_EQ(kind_of_failure<CreateTaskRequest>(bytes), base::ErrorKind::LimitExceeded);
  EXPECT_EQ(kind_of_failure<WaitRequest>(std::string(kMaxMessage + 1, '\0')),
            base::ErrorKind::LimitExceeded);
}

TEST(Any, TypesAreComparedBehindTheLastSlash) {
  EXPECT_TRUE((Any{"containerd.runc.v1.Options", ""}).holds("containerd.runc.v1.Options"));
  EXPECT_TRUE((Any{"type.googleapis.com/containerd.runc.v1.Options", ""})
                  .holds("containerd.runc.v1.Options"));
  EXPECT_FALSE((Any{"xcontainerd.runc.v1.Options", ""}).holds("containerd.runc.v1.Options"));
  EXPECT_FALSE((Any{"", ""}).holds("containerd.runc.v1.Options"));
  EXPECT_TRUE((Any{kProcessType, ""}).holds(kProcessType));
  EXPECT_FALSE(unpack<RuncOptions>(pack(TaskExit{})));
}

}  // namespace
}  // namespace shim::protocol
