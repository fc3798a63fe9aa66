#include "input/file/file_input.h"

#include <gtest/gtest.h>

namespace kelp::input {
namespace {

TEST(FileInputTest, ReadsItsKeys) {
  const auto config = FileInputConfig::ConfigSchema().ParseText(R"(
include: [/var/log/*.log, "/srv/{a,b}/**/*.txt"]
exclude: /var/log/debug.log
start_at: {last: 1MiB}
on_lost_checkpoints: end
format: cri
line_bytes_max: 1MiB
scan_interval: 2s
)");
  ASSERT_TRUE(config.ok()) << config.status().message();
  ASSERT_EQ(config->include.size(), 2u);
  EXPECT_EQ(config->include[1].alternatives().size(), 2u);
  EXPECT_EQ(config->exclude[0].ToString(), "/var/log/debug.log");
  EXPECT_EQ(config->start_at.kind, tail::StartAt::Kind::kLast);
  EXPECT_EQ(config->start_at.last, 1_MiB);
  EXPECT_EQ(config->on_lost_checkpoints, tail::OnLostCheckpoints::kEnd);
  EXPECT_EQ(config->format, framing::Format::kCri);
  EXPECT_EQ(config->scan_interval, 2s);
}

TEST(FileInputTest, SaysWhatIsWrong) {
  const auto message = [](const char* yaml) {
    const auto config = FileInputConfig::ConfigSchema().ParseText(yaml);
    return config.ok() ? std::string("ok") : std::string(config.status().message());
  };
  EXPECT_NE(message("include: [var/log/x]").find("absolute path"), std::string::npos);
  EXPECT_NE(message("include: ['/var/{a,b']").find("'{' has no '}'"), std::string::npos);
  EXPECT_NE(message("include: [/a]\nstart_at: middle").find("beginning, end, or {last: SIZE}"),
            std::string::npos);
  EXPECT_NE(message("include: [/a]\nstart_at: {last: 5}").find("\"5\""), std::string::npos);
  EXPECT_NE(message("exclude: [/a]").find("include"), std::string::npos);
}

TEST(FileInputTest, PrintsItsStartPositionAsItWasWritten) {
  for (const std::string text : {"beginning", "end"}) {
    const auto config =
        FileInputConfig::ConfigSchema().ParseText("include: [/a]\nstart_at: " + text);
    ASSERT_TRUE(config.ok());
    EXPECT_EQ(config->start_at.ToConfig().text(), text);
  }
}

}  // namespace
}  // namespace kelp::input
