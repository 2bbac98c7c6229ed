#include "oci/json/writer.hpp"

#include <gtest/gtest.h>

#include "oci/json/document.hpp"

namespace oci::json {
namespace {

TEST(Writer, SeparatesAndNests) {
  Writer out;
  out.begin_object();
  out.member("a", 1);
  out.key("b");
  out.begin_array();
  out.value("x");
  out.value(true);
  out.null();
  out.begin_object();
  out.end_object();
  out.end_array();
  out.member("c", std::uint64_t{18446744073709551615ULL});
  out.end_object();
  EXPECT_EQ(out.take(), R"({"a":1,"b":["x",true,null,{}],"c":18446744073709551615})");
}

TEST(Writer, IndentsWhenAsked) {
  Writer out("  ");
  out.begin_object();
  out.key("a");
  out.begin_array();
  out.value(-1);
  out.end_array();
  out.key("b");
  out.begin_array();
  out.end_array();
  out.end_object();
  EXPECT_EQ(out.take(), "{\n  \"a\": [\n    -1\n  ],\n  \"b\": []\n}");
}

TEST(Writer, WhatItQuotesReadsBackTheSame) {
  std::string text;
  for (int c = 1; c < 0x80; ++c) text += static_cast<char>(c);
  text += "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80";
  Writer out;
  out.begin_array();
  out.value(text);
  out.end_array();
  const auto document = Document::parse(out.take());
  ASSERT_TRUE(document);
  document->root().for_each_element([&](Value value) { EXPECT_EQ(value.string(), text); });
}

TEST(Writer, BytesThatAreNotUtf8BecomeReplacementCharacters) {
  const auto quoted = [](std::string_view text) {
    Writer out;
    out.value(text);
    return out.take();
  };
  EXPECT_EQ(quoted("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(quoted("\xC0\xAF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // overlong
  EXPECT_EQ(quoted("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                  // cut short
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");  // surrogate
}

}  // namespace
}  // namespace oci::json
