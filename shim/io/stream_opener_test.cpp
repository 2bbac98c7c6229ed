#include "shim/io/stream_opener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace shim::io {
namespace {

using std::chrono::milliseconds;

class StreamOpenerTest : public ::testing::Test {
 protected:
  StreamOpenerTest() { EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0); }

  void open(StreamOpener& opener) {
    opener.open({"", path_, "", false}, {}, [this](base::Result<Streams> streams) {
      opened_.emplace(std::move(streams));
      loop_.stop();
    });
  }

  base::TempDir directory_;
  std::string path_ = directory_.path() / "out";
  loop::Loop loop_ = loop::Loop::make().value();
  std::optional<base::Result<Streams>> opened_;
};

TEST_F(StreamOpenerTest, NobodyWaitsWhenTheReaderIsThere) {
  const base::UniqueFd reader = base::open_file(path_, O_RDONLY | O_NONBLOCK).value();
  StreamOpener opener(loop_);
  open(opener);
  ASSERT_TRUE(opened_ && *opened_);
}

TEST_F(StreamOpenerTest, AReaderThatComesLateGetsWhatAShortProcessPrinted) {
  StreamOpener opener(loop_, milliseconds(20'000));
  open(opener);
  ASSERT_FALSE(opened_);
  std::string seen;
  std::thread client([&] {
    std::this_thread::sleep_for(milliseconds(20));
    // As a client opens it: blocking.
    seen = base::read_file(path_, 64).value();
  });
  EXPECT_TRUE(loop_.run());
  ASSERT_TRUE(*opened_);
  EXPECT_EQ(::write((*opened_)->out.get(), "last words", 10), 10);
  (*opened_)->give_away();
  client.join();
  EXPECT_EQ(seen, "last words");
}

TEST_F(StreamOpenerTest, AReaderThatNeverComesIsNotWaitedForLonger) {
  StreamOpener opener(loop_, milliseconds(10));
  open(opener);
  ASSERT_FALSE(opened_);
  EXPECT_TRUE(loop_.run());
  ASSERT_TRUE(*opened_);
  EXPECT_EQ(::write((*opened_)->out.get(), "x", 1), 1);
}

TEST_F(StreamOpenerTest, AFifoThatIsRemovedMeanwhileIsAnError) {
  StreamOpener opener(loop_, milliseconds(20'000));
  open(opener);
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  EXPECT_TRUE(loop_.run());
  ASSERT_FALSE(*opened_);
  EXPECT_EQ(opened_->error().sys_errno(), ENOENT);
}

}  // namespace
}  // namespace shim::io
