#include "oci/json/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace oci::json {
namespace {

std::string error_of(std::string_view text) {
  const auto document = Document::parse(text);
  return document ? "" : document.error().message();
}

TEST(Document, KeepsTheOrderOfMembersAndElements) {
  const auto document = Document::parse(R"({"b": [1, {"x": [2]}, "three"], "a": {}, "c": null})");
  ASSERT_TRUE(document);
  std::string seen;
  document->root().for_each_member([&](std::string_view key, Value value) {
    seen += std::string(key) + "=" + std::string(kind_name(value.kind())) + " ";
  });
  EXPECT_EQ(seen, "b=array a=object c=null ");
  int elements = 0;
  document->root().find("b")->for_each_element([&](Value) { ++elements; });
  EXPECT_EQ(elements, 3);
}

TEST(Document, TheLastOfEqualKeysWins) {
  const auto document = Document::parse(R"({"a": [1, 2], "a": "second"})");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().find("a")->string(), "second");
}

TEST(Document, UnescapesStringsInPlace) {
  const auto document = Document::parse(R"(["\u00e9\n\"", "\ud83d\ude00"])");
  ASSERT_TRUE(document);
  std::string all;
  document->root().for_each_element([&](Value element) { all += *element.string(); });
  EXPECT_EQ(all, "\xC3\xA9\n\"\xF0\x9F\x98\x80");
}

TEST(Document, NumbersKeepTheirFullRange) {
  const auto document = Document::parse("[18446744073709551615, -9223372036854775808, 1.5, 1e3]");
  ASSERT_TRUE(document);
  std::vector<Value> values;
  document->root().for_each_element([&](Value element) { values.push_back(element); });
  EXPECT_EQ(values[0].unsigned_integer(), 18446744073709551615ULL);
  EXPECT_FALSE(values[0].signed_integer());
  EXPECT_EQ(values[1].signed_integer(), INT64_MIN);
  EXPECT_FALSE(values[1].unsigned_integer());
  EXPECT_FALSE(values[2].unsigned_integer());
  EXPECT_FALSE(values[3].signed_integer());
}

TEST(Document, MalformedTextIsRefusedWithItsOffset) {
  EXPECT_THAT(error_of("{\"a\": }"), testing::StartsWith("invalid JSON at byte 6"));
  EXPECT_THAT(error_of(""), testing::StartsWith("invalid JSON at byte 0"));
  EXPECT_THAT(error_of("{} x"), testing::StartsWith("invalid JSON at byte 3"));
  EXPECT_THAT(error_of("[\"\xFF\"]"), testing::StartsWith("invalid JSON at byte"));
}

TEST(Document, LoneSurrogatesBecomeReplacementCharacters) {
  const auto document = Document::parse(R"(["\ud800", "\udc00x", "\ud800\u0041"])");
  ASSERT_TRUE(document);
  std::string all;
  document->root().for_each_element([&](Value element) { all += *element.string(); });
  EXPECT_EQ(all,
            "\xEF\xBF\xBD\xEF\xBF\xBDx\xEF\xBF\xBD"
            "A");
}

TEST(Document, TheGrammarIsStrict) {
  for (const char* text : {"01",
                           "-",
                           "+1",
                           ".5",
                           "1.",
                           "1e",
                           "1e+",
                           "0x1",
                           "NaN",
                           "tru",
                           "nulll",
                           "[1,]",
                           "[,1]",
                           "{,}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\" 1}",
                           "'a'",
                           "\"\\x\"",
                           "\"\\u12g4\"",
                           "\"\\",
                           "\"a",
                           "\"a\nb\"",
                           "[",
                           "]",
                           "{\"a\"",
                           "[1 2]",
                           "/**/1",
                           "\xEF\xBB\xBF{}"}) {
    EXPECT_NE(error_of(text), "") << text;
  }
  for (const char* text : {"0", "-0", "0.5e-3", "1E+2", " [ ] ", "{ }", "\"\"", "\r\n\tnull "}) {
    EXPECT_EQ(error_of(text), "") << text;
  }
}

TEST(Document, NothingHidesBehindANulByte) {
  EXPECT_EQ(error_of(std::string_view("{}\0garbage", 10)),
            "invalid JSON at byte 2: unexpected text behind the document");
}

TEST(Document, DepthAndCountAreLimited) {
  const std::string deep(kMaxDepth, '[');
  EXPECT_EQ(error_of(deep + std::string(kMaxDepth, ']')), "");
  EXPECT_THAT(error_of(deep + "[]" + std::string(kMaxDepth, ']')), testing::HasSubstr("levels"));
  EXPECT_THAT(error_of(std::string(1000000, '[')), testing::HasSubstr("levels"));

  std::string many = "[0";
  for (std::size_t i = 0; i < kMaxValues; ++i) many += ",0";
  const auto refused = Document::parse(many + "]");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::LimitExceeded);
}

TEST(Document, SizeIsLimited) {
  const auto refused = Document::parse(std::string(kMaxBytes + 1, ' '));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), base::ErrorKind::LimitExceeded);
}

}  // namespace
}  // namespace oci::json
