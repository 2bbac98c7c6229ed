#include "shim/bootstrap/start_input.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "base/file.hpp"
#include "base/unique_fd.hpp"
#include "shim/bootstrap/answer.hpp"
#include "shim/protocol/codec.hpp"
#include "shim/protocol/options.hpp"

namespace shim::bootstrap {
namespace {

using protocol::Any;
using protocol::BootstrapParams;

CommandLine line_of(std::string id, std::string name_space) {
  CommandLine line;
  line.id = std::move(id);
  line.name_space = std::move(name_space);
  return line;
}

BootstrapParams params_of(std::string id, std::string name_space) {
  BootstrapParams params;
  params.instance_id = std::move(id);
  params.name_space = std::move(name_space);
  return params;
}

TEST(StartInput, NothingIsNothing) {
  const auto input = parse_start_input("", line_of("c", "n"));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->params);
  EXPECT_FALSE(input->options);
  EXPECT_EQ(choose_dialect(*input, {}, ""), Dialect::Address);
}

TEST(StartInput, OptionsAloneAreTheOldDialect) {
  const Any options = protocol::pack(protocol::RuncOptions{});
  const auto input = parse_start_input(protocol::encode(options), line_of("c", "n"));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->params);
  EXPECT_EQ(input->options, options);
  EXPECT_EQ(choose_dialect(*input, {}, ""), Dialect::Address);
  EXPECT_EQ(choose_dialect(*input, {}, "3"), Dialect::Json);
  EXPECT_EQ(choose_dialect(*input, Options{.runc = {}, .shim_version = 3}, ""), Dialect::Json);
}

TEST(StartInput, ParametersAreKnownByIdAndNamespace) {
  BootstrapParams params = params_of("c", "n");
  params.socket_dir = "/run/s";
  const Any options = protocol::pack(protocol::RuntimeOptions{"t", "", "Root = '/r'"});
  params.extensions = {{Any{"something.else", "x"}}, {}, {options}};
  const auto input = parse_start_input(protocol::encode(params), line_of("c", "n"));
  ASSERT_TRUE(input);
  ASSERT_TRUE(input->params);
  EXPECT_EQ(input->params->socket_dir, "/run/s");
  EXPECT_EQ(input->options, options);
  EXPECT_EQ(choose_dialect(*input, Options{.runc = {}, .shim_version = 3}, "3"), Dialect::Protobuf);
}

TEST(StartInput, AnAnyThatReadsAsParametersIsAnAny) {
  // Both messages begin with two strings: this one names another id.
  const auto input = parse_start_input(protocol::encode(params_of("d", "n")), line_of("c", "n"));
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->params);
  EXPECT_EQ(input->options, (Any{"d", "n"}));
}

TEST(StartInput, RubbishIsRefused) {
  EXPECT_FALSE(parse_start_input("{\"id\":1}", line_of("c", "n")));
  EXPECT_FALSE(parse_start_input(std::string_view("\x0a\xff", 2), line_of("c", "n")));
}

TEST(StandardInput, IsReadToItsEnd) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const base::UniqueFd reader(ends[0]);
  base::UniqueFd writer(ends[1]);
  ASSERT_TRUE(base::write_all(writer.get(), std::string(5000, 'x'), "pipe"));
  writer.reset();
  EXPECT_EQ(read_standard_input(reader.get())->size(), 5000U);
}

TEST(StandardInput, MayBeClosedOrEmpty) {
  EXPECT_EQ(read_standard_input(1023).value_or("?"), "");
  const auto null = base::open_file("/dev/null", 0);
  EXPECT_EQ(read_standard_input(null->get()).value_or("?"), "");
}

TEST(StandardInput, ATerminalIsNotRead) {
  const base::UniqueFd terminal(::posix_openpt(O_RDWR | O_NOCTTY));
  if (!terminal) GTEST_SKIP() << "no pseudo-terminals here";
  EXPECT_EQ(read_standard_input(terminal.get()).value_or("?"), "");
}

TEST(StandardInput, HasALimit) {
  const auto zero = base::open_file("/dev/zero", 0);
  const auto read = read_standard_input(zero->get());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind(), base::ErrorKind::LimitExceeded);
}

TEST(StartAnswer, IsByteForByteWhatEachDaemonTakes) {
  EXPECT_EQ(start_answer(Dialect::Address, "/run/s/x"), "unix:///run/s/x");
  EXPECT_EQ(start_answer(Dialect::Json, "/run/s/x"),
            R"({"version":3,"address":"unix:///run/s/x","protocol":"ttrpc"})");
  EXPECT_EQ(start_answer(Dialect::Protobuf, "/run/s/x"),
            "\x08\x03\x12\x0funix:///run/s/x\x1a\x05ttrpc");
}

}  // namespace
}  // namespace shim::bootstrap
