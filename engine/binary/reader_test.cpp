#include "engine/binary/reader.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "engine/binary/module_bytes.hpp"
#include "engine/structure/limits.hpp"

namespace engine::binary {
namespace {

Reader over(const Bytes& bytes) { return Reader(bytes, 0, bytes.size()); }

template <typename T>
std::string text_of(const Result<T>& result) {
  return result ? "no error" : result.error().text;
}

TEST(Reader, TakesUnsignedNumbersToTheEdgeOfTheirWidth) {
  const Bytes largest = bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f});
  EXPECT_EQ(over(largest).u32().value(), 0xffffffffU);
  const Bytes large = bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1});
  EXPECT_EQ(over(large).u64().value(), 0xffffffffffffffffU);
}

TEST(Reader, TakesUnsignedNumbersWithPaddingWithinTheirWidth) {
  const Bytes padded = bytes_of({0x83, 0x80, 0x80, 0x80, 0});
  EXPECT_EQ(over(padded).u32().value(), 3U);
}

TEST(Reader, TakesSignedNumbersToTheEdgeOfTheirWidth) {
  const Bytes lowest = bytes_of({0x80, 0x80, 0x80, 0x80, 0x78});
  EXPECT_EQ(over(lowest).s32().value(), std::numeric_limits<std::int32_t>::min());
  const Bytes highest = bytes_of({0xff, 0xff, 0xff, 0xff, 0x07});
  EXPECT_EQ(over(highest).s32().value(), std::numeric_limits<std::int32_t>::max());
  const Bytes low64 = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f});
  EXPECT_EQ(over(low64).s64().value(), std::numeric_limits<std::int64_t>::min());
  const Bytes minus_one = bytes_of({0x7f});
  EXPECT_EQ(over(minus_one).s64().value(), -1);
}

TEST(Reader, RefusesUnsignedNumbersBeyondTheirWidth) {
  const Bytes u32 = bytes_of({0xff, 0xff, 0xff, 0xff, 0x1f});
  EXPECT_EQ(text_of(over(u32).u32()), "integer too large");
  const Bytes u64 = bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2});
  EXPECT_EQ(text_of(over(u64).u64()), "integer too large");
}

TEST(Reader, RefusesSignedNumbersWhoseSpareBitsAreNotTheSign) {
  const Bytes positive = bytes_of({0xff, 0xff, 0xff, 0xff, 0x0f});
  EXPECT_EQ(text_of(over(positive).s32()), "integer too large");
  const Bytes negative = bytes_of({0x80, 0x80, 0x80, 0x80, 0x70});
  EXPECT_EQ(text_of(over(negative).s32()), "integer too large");
  const Bytes s64 = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7e});
  EXPECT_EQ(text_of(over(s64).s64()), "integer too large");
}

TEST(Reader, RefusesNumbersOfTooManyBytes) {
  const Bytes six = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0});
  EXPECT_EQ(text_of(over(six).u32()), "integer representation too long");
  EXPECT_EQ(text_of(over(six).s32()), "integer representation too long");
  const Bytes eleven = bytes_of({0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0});
  EXPECT_EQ(text_of(over(eleven).s64()), "integer representation too long");
}

TEST(Reader, RefusesNumbersThatTheInputCutsOff) {
  const Bytes none;
  EXPECT_EQ(text_of(over(none).u32()), "unexpected end");
  const Bytes open = bytes_of({0x80});
  EXPECT_EQ(text_of(over(open).u32()), "unexpected end");
  EXPECT_EQ(text_of(over(open).s32()), "unexpected end");
  const Bytes three = bytes_of({1, 2, 3});
  EXPECT_EQ(text_of(over(three).fixed_u32()), "unexpected end");
}

TEST(Reader, NeverLooksBeyondItsOwnEnd) {
  const Bytes bytes = bytes_of({0x80, 0x01});
  Reader first(bytes, 0, 1);
  EXPECT_EQ(text_of(first.u32()), "unexpected end");
  Reader empty(bytes, 1, 1);
  EXPECT_EQ(empty.peek(), 0);
  EXPECT_EQ(text_of(empty.take(1)), "unexpected end");
}

TEST(Reader, RefusesNamesLongerThanWhatFollows) {
  const Bytes bytes = bytes_of({3, 'a', 'b'});
  EXPECT_EQ(text_of(over(bytes).name()), "length out of bounds");
}

TEST(Reader, RefusesNamesAboveTheLimit) {
  Bytes bytes = bytes_of({0xa1, 0x8d, 0x06});  // 100,001
  bytes.resize(bytes.size() + kMaxNameLength + 1, std::byte{'a'});
  const auto name = over(bytes).name();
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().kind, ErrorKind::LimitExceeded);
}

TEST(Reader, RefusesCountsThatTheRestCannotHold) {
  const Bytes bytes = bytes_of({3, 0, 0, 0, 0, 0});
  EXPECT_EQ(over(bytes).count(10, "things", 1).value(), 3U);
  EXPECT_EQ(text_of(over(bytes).count(10, "things", 2)), "unexpected end");
  EXPECT_EQ(text_of(over(bytes).count(2, "things", 1)), "3 things, the limit is 2");
}

TEST(Reader, KnowsTheSevenValueTypesOnly) {
  for (const int type : {0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f}) {
    const Bytes bytes = bytes_of({type});
    EXPECT_EQ(over(bytes).value_type().value(), static_cast<ValType>(type));
  }
  for (const int type : {0x7a, 0x71, 0x6e, 0x40, 0x00}) {
    const Bytes bytes = bytes_of({type});
    EXPECT_EQ(text_of(over(bytes).value_type()), "malformed value type") << type;
  }
  const Bytes number = bytes_of({0x7f});
  EXPECT_EQ(text_of(over(number).reference_type()), "malformed reference type");
}

TEST(Utf8, TakesTheEdgesOfEveryLength) {
  for (const char* text :
       {"", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesOverlongForms) {
  for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesSurrogatesAndWhatIsAboveTheLastCodePoint) {
  for (const char* text :
       {"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

TEST(Utf8, RefusesSequencesThatAreCutOffOrBegunInTheMiddle) {
  for (const char* text : {"\x80", "\xbf", "\xc2", "\xe0\xa0", "\xf0\x90\x80", "\xc2 ", "\xff"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
}

}  // namespace
}  // namespace engine::binary
