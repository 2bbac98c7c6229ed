#include "runtime/trace/trace.hpp"

#include <gtest/gtest.h>

#include "oci/json/document.hpp"

namespace runtime::trace {
namespace {

constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

base::Result<void> succeed() { return {}; }
base::Result<void> fail() { return base::fail(base::ErrorKind::Invalid, "no such thing"); }

TEST(Traceparent, TraceAndParentAreRead) {
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace[0], 0x0a);
  EXPECT_EQ(context->trace[15], 0x9c);
  ASSERT_TRUE(context->parent);
  EXPECT_EQ((*context->parent)[7], 0x31);
}

TEST(Traceparent, OtherFormsAreNone) {
  for (const std::string_view each : {"", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                                      "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                                      "00-0af7651916cd43dd8448eb211c80319cxb7ad6b7169203331-01"}) {
    EXPECT_FALSE(parse_traceparent(each)) << each;
  }
  EXPECT_TRUE(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x"));
}

TEST(Recorder, PhasesNestAndKeepTheirErrors) {
  Recorder recorder;
  const auto done = phase(&recorder, "outer", [&]() -> base::Result<void> {
    static_cast<void>(phase(&recorder, "first", succeed));
    return phase(&recorder, "second", fail);
  });
  EXPECT_FALSE(done);
  const std::vector<Phase>& phases = recorder.phases();
  ASSERT_EQ(phases.size(), 3U);
  EXPECT_FALSE(phases[0].parent);
  EXPECT_EQ(phases[1].parent, std::size_t{0});
  EXPECT_EQ(phases[2].parent, std::size_t{0});
  EXPECT_EQ(phases[1].error, "");
  EXPECT_EQ(phases[2].error, "no such thing");
  EXPECT_LE(phases[0].start, phases[1].start);
  EXPECT_LE(phases[1].end, phases[2].start);
  EXPECT_LE(phases[2].end, phases[0].end);
}

TEST(Recorder, WithoutOneTheWorkIsDoneAllTheSame) {
  EXPECT_TRUE(phase(nullptr, "x", succeed));
  EXPECT_FALSE(phase(nullptr, "x", fail));
}

TEST(Trace, IsOneLineOfSpansWithTheCallersTrace) {
  Recorder recorder;
  static_cast<void>(phase(&recorder, "create", [&]() -> base::Result<void> {
    return phase(&recorder, "plan \"x\"", fail);
  }));
  const auto context = parse_traceparent(kParent);
  ASSERT_TRUE(context);
  const std::string text = to_json(recorder, identify(recorder, *context, "c1"));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
  const auto document = oci::json::Document::parse(text);
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_NE(text.find("\"parentSpanId\":\"b7ad6b7169203331\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"message\":\"no such thing\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"container.id\""), std::string::npos) << text;
}

}  // namespace
}  // namespace runtime::trace
