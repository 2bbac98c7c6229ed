#include "shim/ttrpc/envelope.hpp"

#include <gtest/gtest.h>

namespace shim::ttrpc {
namespace {

TEST(Envelope, RequestsComeBackAsTheyWere) {
  const RequestBody request{"containerd.task.v2.Task",
                            "Wait",
                            "payload",
                            5'000'000'000,
                            {{"containerd-namespace-ttrpc", "k8s.io"}}};
  const auto back = decode_request(encode_request(request));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->service, request.service);
  EXPECT_EQ(back->method, "Wait");
  EXPECT_EQ(back->payload, "payload");
  EXPECT_EQ(back->timeout_nano, 5'000'000'000);
  ASSERT_EQ(back->metadata.size(), 1U);
  EXPECT_EQ(back->metadata[0].value, "k8s.io");
}

TEST(Envelope, SuccessHasNoStatus) {
  EXPECT_EQ(encode_response({}, "p"), std::string("\x12\x01p"));
  EXPECT_EQ(encode_response({Code::NotFound, "x"}, {}), std::string("\x0a\x05\x08\x05\x12\x01x"));
  EXPECT_EQ(decode_response("\x0a\x05\x08\x05\x12\x01x")->status, (Status{Code::NotFound, "x"}));
}

TEST(Envelope, MessagesAreMadeValidUtf8AndBounded) {
  const auto message_of = [](std::string text) {
    return decode_response(encode_response({Code::Unknown, std::move(text)}, {}))->status.message;
  };
  EXPECT_EQ(message_of("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x9a\xa2");
  EXPECT_EQ(message_of("a\xff"
                       "b\xc0\x80"
                       "c\xed\xa0\x80"
                       "d\xe2\x82"),
            "a?b??c???d??");
  EXPECT_EQ(message_of("\xf4\x90\x80\x80 \xe0\x80\x80"), "???? ???");
  EXPECT_LE(message_of(std::string(100'000, 'x')).size(), kMaxStatusMessage);
}

TEST(Envelope, NamesAndMetadataHaveLimits) {
  RequestBody request{"s", "m", {}, 0, {}};
  request.metadata.assign(kMaxMetadataPairs, {"k", "v"});
  EXPECT_TRUE(decode_request(encode_request(request)));
  request.metadata.emplace_back("k", "v");
  EXPECT_FALSE(decode_request(encode_request(request)));
  request.metadata.assign(1, {"k", std::string(kMaxMetadata, 'v')});
  EXPECT_FALSE(decode_request(encode_request(request)));
  request.metadata.clear();
  request.method = std::string(kMaxName + 1, 'm');
  EXPECT_FALSE(decode_request(encode_request(request)));
}

}  // namespace
}  // namespace shim::ttrpc
