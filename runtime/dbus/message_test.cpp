#include "runtime/dbus/message.hpp"

#include <gtest/gtest.h>

#include "runtime/dbus/wire.hpp"

namespace runtime::dbus {
namespace {

Message sample_call() {
  Writer body;
  body.string("a.scope");
  body.variant(std::uint64_t{7});
  Message out;
  out.serial = 3;
  out.path = "/org/freedesktop/systemd1";
  out.interface = "org.freedesktop.systemd1.Manager";
  out.member = "StopUnit";
  out.destination = "org.freedesktop.systemd1";
  out.signature = "sv";
  out.body = body.take();
  return out;
}

TEST(DbusMessage, ComesBackAsItWas) {
  const Message message = sample_call();
  const auto back = decode(encode(message));
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(*back, message);
}

// The bytes of dbus-send(1) for Hello, as strace shows them, with our order of fields.
TEST(DbusMessage, HasTheLayoutOfTheSpecification) {
  Message hello;
  hello.serial = 1;
  hello.path = "/a";
  hello.member = "Hello";
  using namespace std::string_literals;
  const std::string expected = "l\1\0\1"s + "\0\0\0\0"s + "\1\0\0\0"s +
                               "\x1e\0\0\0"s +  // fixed part, length of fields
                               "\1\1o\0"s + "\2\0\0\0/a\0"s + "\0\0\0\0\0"s +  // path, padded to 8
                               "\3\1s\0"s + "\5\0\0\0Hello\0"s + "\0\0"s;  // member, padded to 8
  EXPECT_EQ(encode(hello), expected);
}

TEST(DbusMessage, IsRefusedAtEveryLengthButItsOwn) {
  const std::string bytes = encode(sample_call());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode(bytes + '\0'));
}

TEST(DbusMessage, TellsItsSizeFromTheFirstBytes) {
  const std::string bytes = encode(sample_call());
  const auto size = message_size(std::string_view(bytes).substr(0, kFixedHeader));
  ASSERT_TRUE(size);
  EXPECT_EQ(*size, bytes.size());
}

TEST(DbusMessage, ABodyOfGigabytesIsRefusedBeforeItIsRead) {
  std::string bytes = encode(sample_call());
  bytes[7] = '\x7f';
  const auto size = message_size(std::string_view(bytes).substr(0, kFixedHeader));
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().kind(), base::ErrorKind::LimitExceeded);
}

TEST(DbusMessage, TheOtherByteOrderIsRefused) {
  std::string bytes = encode(sample_call());
  bytes[0] = 'B';
  EXPECT_FALSE(decode(bytes));
}

TEST(DbusMessage, AReplyToNothingIsRefused) {
  Message reply;
  reply.type = MessageType::Reply;
  reply.serial = 1;
  EXPECT_FALSE(decode(encode(reply)));
  reply.reply_to = 1;
  EXPECT_TRUE(decode(encode(reply)));
}

TEST(DbusWire, PadsEachTypeToItsOwnSize) {
  Writer out;
  out.number(std::uint8_t{1});
  out.number(std::uint32_t{2});
  out.number(std::uint8_t{3});
  out.number(std::uint64_t{4});
  EXPECT_EQ(out.size(), 24U);
}

TEST(DbusWire, ArraysCountTheirElementsOnly) {
  Writer out;
  out.number(std::uint8_t{1});
  const Writer::Mark mark = out.begin_array(8);
  out.number(std::uint64_t{5});
  out.end_array(mark);
  const std::string bytes = out.take();
  ASSERT_EQ(bytes.size(), 16U);
  EXPECT_EQ(bytes[4], 8);
}

TEST(DbusWire, VariantsCarryTheSignatureOfTheirValue) {
  EXPECT_EQ(signature_of(Value(std::uint64_t{1})), "t");
  EXPECT_EQ(signature_of(Value(true)), "b");
  EXPECT_EQ(signature_of(Value(std::string("x"))), "s");
  EXPECT_EQ(signature_of(Value(StringPairs{})), "a(ss)");
  EXPECT_EQ(signature_of(Value(std::vector<std::uint8_t>{})), "ay");
}

TEST(DbusWire, AStringThatEndsBehindItsMessageIsRefused) {
  using namespace std::string_literals;
  EXPECT_FALSE(Reader("\xff\xff\xff\xff"s + "abc").string());
  EXPECT_FALSE(Reader("\3\0\0\0abc"s).string());
  EXPECT_FALSE(Reader("\3\0\0\0a\0c\0"s).string());
  EXPECT_EQ(Reader("\3\0\0\0abc\0"s).string().value_or(""), "abc");
}

TEST(DbusWire, PaddingIsZero) {
  using namespace std::string_view_literals;
  Reader in("\1\0\7\0\2\0\0\0"sv);
  ASSERT_TRUE(in.number<std::uint8_t>());
  EXPECT_FALSE(in.number<std::uint32_t>());
}

}  // namespace
}  // namespace runtime::dbus
