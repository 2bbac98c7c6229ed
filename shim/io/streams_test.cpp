#include "shim/io/streams.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/file.hpp"
#include "base/temp_dir.hpp"
#include "shim/io/terminal_copy.hpp"

namespace shim::io {
namespace {

class StreamsTest : public ::testing::Test {
 protected:
  std::string fifo(const std::string& name) {
    const std::string path = directory_.path() / name;
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  static std::string read_now(int fd) {
    std::array<char, 64> bytes{};
    const ssize_t got = ::read(fd, bytes.data(), bytes.size());
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
  }
  base::TempDir directory_;
};

TEST_F(StreamsTest, OpeningWaitsForNobodyAndTheProcessesEndsBlock) {
  const Streams streams = open_streams({fifo("in"), fifo("out"), fifo("err"), false}, {}).value();
  for (const base::UniqueFd* each : {&streams.in, &streams.out, &streams.err}) {
    EXPECT_EQ(::fcntl(each->get(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST_F(StreamsTest, WhatADeadProcessPrintedStaysForAReaderThatComesLaterAndEndsThere) {
  const std::string path = fifo("out");
  Streams streams = open_streams({"", path, "", false}, {}).value();
  ASSERT_EQ(::write(streams.out.get(), "last words", 10), 10);
  streams.give_away();
  const base::UniqueFd late = base::open_file(path, O_RDONLY | O_NONBLOCK).value();
  EXPECT_EQ(read_now(late.get()), "last words");
  std::array<char, 1> byte{};
  EXPECT_EQ(::read(late.get(), byte.data(), 1), 0);
}

TEST_F(StreamsTest, InputEndsWhenTheShimLetsGoOfIt) {
  Streams streams = open_streams({fifo("in"), "", "", false}, {}).value();
  pollfd state{streams.in.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&state, 1, 0), 0);
  streams.in_writer.reset();
  EXPECT_EQ(read_now(streams.in.get()), "");
}

TEST_F(StreamsTest, AFileUriIsAppendedTo) {
  const std::string path = directory_.path() / "logs/out.log";
  for (const char* text : {"one", "two"}) {
    const Streams streams = open_streams({"", "file://" + path, "", false}, {}).value();
    ASSERT_EQ(::write(streams.out.get(), text, 3), 3);
  }
  EXPECT_EQ(base::read_file(path, 64).value(), "onetwo");
}

TEST_F(StreamsTest, UnknownSchemesAndMissingFifosAreErrors) {
  EXPECT_EQ(open_streams({"", "npipe://x", "", false}, {}).error().kind(),
            base::ErrorKind::Invalid);
  const auto missing = open_streams({"", directory_.path() / "none", "", false}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().sys_errno(), ENOENT);
}

TEST(Logger, TheUriNamesProgramAndArguments) {
  const Logger logger = parse_logger("binary:///usr/bin/log?id=7&quiet=&x").value();
  EXPECT_EQ(logger.program, "/usr/bin/log");
  EXPECT_EQ(logger.arguments, (std::vector<std::string>{"id", "7", "quiet", "x"}));
  EXPECT_FALSE(parse_logger("binary://log"));
}

TEST_F(StreamsTest, ALoggerGetsTheOutputAndSaysWhenItIsReady) {
  const std::string program = directory_.path() / "logger";
  const std::string kept = directory_.path() / "kept";
  ASSERT_TRUE(base::write_atomic(
      program,
      "#!/bin/sh\nexec 5>&-\necho $CONTAINER_ID $1 >" + kept + "\ncat <&3 >>" + kept + "\n", 0755));
  Streams streams = open_streams({"", "binary://" + program + "?key=v", "", false}, {}).value();
  ASSERT_TRUE(start_logger(*streams.logger, "c1", "k8s.io"));
  ASSERT_EQ(::write(streams.out.get(), "text", 4), 4);
  streams.give_away();
  ::wait(nullptr);
  EXPECT_EQ(base::read_file(kept, 64).value(), "c1 key\ntext");
}

TEST_F(StreamsTest, ATerminalIsDrainedBeforeItsFifoEnds) {
  const std::string path = fifo("out");
  Streams streams = open_streams({"", path, "", true}, {}).value();
  base::UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  ASSERT_TRUE(master);
  ASSERT_EQ(::grantpt(master.get()) + ::unlockpt(master.get()), 0);
  base::UniqueFd slave(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  loop::Loop loop = loop::Loop::make().value();
  bool done = false;
  const auto copy = TerminalCopy::make(loop, std::move(master), {}, std::move(streams.out), [&] {
                      done = true;
                      loop.stop();
                    }).value();
  EXPECT_TRUE(copy->resize(80, 25));
  const std::string text(100'000, 'x');
  std::thread process([&, fd = std::move(slave)] {
    EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  });
  std::string seen;
  const base::UniqueFd reader = base::open_file(path, O_RDONLY).value();
  std::thread daemon([&] {
    for (std::string part = read_now(reader.get()); !part.empty(); part = read_now(reader.get())) {
      seen += part;
    }
  });
  EXPECT_TRUE(loop.run());
  process.join();
  daemon.join();
  EXPECT_TRUE(done);
  EXPECT_EQ(seen, text);
}

}  // namespace
}  // namespace shim::io
