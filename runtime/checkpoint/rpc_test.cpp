#include "runtime/checkpoint/rpc.hpp"

#include <gtest/gtest.h>

namespace runtime::checkpoint {
namespace {

using namespace std::string_literals;

TEST(Request, OfAVersionHasATypeAlone) { EXPECT_EQ(encode_version_request(), "\x08\x0a"s); }

TEST(Request, AConsentIsATrueNotification) { EXPECT_EQ(encode_consent(), "\x08\x06\x18\x01"s); }

TEST(Request, AFeatureCheckNamesWhatIsWanted) {
  EXPECT_EQ(encode_feature_check({true, false}), "\x08\x09\x2a\x02\x08\x01"s);
}

TEST(Request, OptionsAreWhatProtocMakesOfThem) {
  RpcOptions options;
  options.images_directory = 7;
  options.pid = 300;
  options.log_file = "d";
  options.root = "/r";
  options.external_mounts = {{"/a", "/b"}};
  options.cgroup_mode = CgroupMode::Ignore;
  options.inherited = {{"k", 4}};

  const std::string wanted =
      "\x08\x07\x10\xac\x02"                          // images_dir_fd, pid
      "\x48\x04\x52\x01\x64\x60\x01\x6a\x02/r"        // log_level, log_file, notify_scripts, root
      "\xba\x01\x08\x0a\x02/a\x12\x02/b\xc0\x01\x01"  // ext_mnt, manage_cgroups
      "\xda\x01\x05\x0a\x01k\x10\x04"                 // inherit_fd
      "\x90\x02\x00"                                  // manage_cgroups_mode, present though 0
      "\xb0\x02\x00"                                  // empty_ns
      "\x90\x03\x01"s;                                // orphan_pts_master
  EXPECT_EQ(encode_request(RequestType::Dump, options),
            "\x08\x01\x12"s + static_cast<char>(wanted.size()) + wanted);
}

TEST(Response, ANotificationHasItsScriptAndPid) {
  const auto response = decode_response("\x08\x06\x10\x01\x2a\x10\x0a\x0cpost-restore\x10\x05"s);

  ASSERT_TRUE(response);
  EXPECT_EQ(response->type, RequestType::Notify);
  EXPECT_TRUE(response->success);
  EXPECT_EQ(response->script, "post-restore");
  EXPECT_EQ(response->pid, 5);
}

TEST(Response, AFailureSaysWhy) {
  const auto response = decode_response("\x08\x01\x10\x00\x38\x03\x4a\x03why"s);

  ASSERT_TRUE(response);
  EXPECT_FALSE(response->success);
  EXPECT_EQ(response->error, 3);
  EXPECT_EQ(response->error_text, "why");
}

TEST(Response, AVersionIsOneNumber) {
  const auto response = decode_response("\x08\x0a\x10\x01\x52\x06\x08\x03\x10\x11\x20\x01"s);

  ASSERT_TRUE(response);
  EXPECT_EQ(response->version, 31701);
}

TEST(Response, EveryCutOfOneIsRefusedOrHarmless) {
  const std::string whole = "\x08\x06\x10\x01\x2a\x04\x0a\x02xy"s;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto response = decode_response(whole.substr(0, length));
    EXPECT_TRUE(!response || response->script.empty()) << length;
  }
  EXPECT_FALSE(decode_response(""));
}

}  // namespace
}  // namespace runtime::checkpoint
