#include "runtime/cli/log.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "base/temp_dir.hpp"

namespace runtime::cli {
namespace {

TEST(FormatLogLine, JsonIsOneObjectPerLine) {
  EXPECT_EQ(format_log_line(LogFormat::Json, LogLevel::Error, "no \"x\"\n", "T"),
            "{\"level\":\"error\",\"msg\":\"no \\\"x\\\"\\n\",\"time\":\"T\"}\n");
}

TEST(FormatLogLine, TextStaysOnOneLine) {
  EXPECT_EQ(format_log_line(LogFormat::Text, LogLevel::Warning, "a\nb\x01", "T"),
            "time=\"T\" level=warning msg=\"a\\nb\\x01\"\n");
}

TEST(Log, AppendsToItsFile) {
  const base::TempDir temp;
  const std::string path = temp.path() / "log.json";
  ASSERT_TRUE(base::write_atomic(path, "before\n", 0644));
  Log log;
  ASSERT_TRUE(log.open(path, LogFormat::Json, false));

  log.debug("unseen");
  log.warning("w");
  log.error("e");

  const std::string text = *base::read_file(path, 4096);
  EXPECT_TRUE(text.starts_with("before\n{\"level\":\"warning\",\"msg\":\"w\"")) << text;
  EXPECT_NE(text.find("{\"level\":\"error\",\"msg\":\"e\""), std::string::npos) << text;
  EXPECT_EQ(text.find("unseen"), std::string::npos);
}

TEST(Log, AFileThatCannotBeOpenedIsAnError) {
  Log log;

  const auto opened = log.open("/no/such/dir/log", LogFormat::Text, false);

  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message(), "open log: open /no/such/dir/log: no such file or directory");
}

}  // namespace
}  // namespace runtime::cli
