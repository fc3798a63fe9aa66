#include "output/file/file_output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "output/common/testing.h"
#include "output/file/failing_files.h"

namespace kelp::output {
namespace {

using testing::Eventually;
using testing::NewAck;
using testing::NewBatch;

class FileOutputTest : public ::testing::Test {
 protected:
  FileOutputTest() {
    dir_ = ::testing::TempDir() + "kelp_file_output_" + std::to_string(::getpid());
    std::filesystem::remove_all(dir_);
    config_.path = dir_ + "/out.log";
    config_.format = RowFormat::kRaw;
  }
  ~FileOutputTest() override {
    output_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Start() {
    output_ = std::make_unique<FileOutput>(config_, fixture_.Context(env_));
    const Status status = output_->Start(fixture_.host);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::string Text() const {
    std::ifstream in(config_.path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string dir_;
  testing::FailingEnv env_;
  testing::Fixture fixture_;
  FileOutputConfig config_;
  std::unique_ptr<FileOutput> output_;
};

TEST_F(FileOutputTest, WritesRawBodiesAndAcknowledges) {
  Start();
  output_->Write(NewBatch({"one", "", "three"}), NewAck(fixture_.acks));
  EXPECT_EQ(Text(), "one\n\nthree\n");
  EXPECT_EQ(fixture_.acks->done, 1);
  EXPECT_EQ(fixture_.Metric("output_sent_rows_total"), 3);
  EXPECT_EQ(fixture_.Metric("output_sent_bytes_total"), 11);
  EXPECT_EQ(fixture_.Metric("output_queue_bytes"), 0);
}

TEST_F(FileOutputTest, WritesOneJsonObjectPerRow) {
  config_.format = RowFormat::kJson;
  Start();
  output_->Write(NewBatch({"hello"}, 1, 42), NewAck(fixture_.acks));
  const std::string text = Text();
  EXPECT_EQ(text.find("{\"time\":\"2023-11-14T22:13:20.000000000Z\",\"body\":\"hello\""), 0u)
      << text;
  EXPECT_NE(text.find("\"origin\":{\"id\":\"00000000000000000000000000000001\",\"offset\":"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.back(), '\n');
}

TEST_F(FileOutputTest, GivesRowsWithoutATimeTheTimeOfTheirArrival) {
  config_.format = RowFormat::kJson;
  Start();
  const UnixNanos before = RealEnv().clock().Now();
  output_->Write(NewBatch({"first", "second"}, 1, 1, kNoTime), NewAck(fixture_.acks));
  std::stringstream lines(Text());
  for (const std::string body : {"first", "second"}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    const Result<UnixNanos> time = ParseRfc3339(line.substr(9, 30));
    ASSERT_TRUE(time.ok()) << line;
    EXPECT_GE(*time, before);
    EXPECT_EQ(line.substr(39, 10 + body.size()), "\",\"body\":\"" + body) << line;
    EXPECT_EQ(line.back(), '}');
  }
}

TEST_F(FileOutputTest, KeepsTheBatchWhileTheDiskIsFull) {
  Start();
  env_.failing.append_fails_after = 2;
  output_->Write(NewBatch({"first"}), NewAck(fixture_.acks));
  output_->Write(NewBatch({"second"}), NewAck(fixture_.acks));
  EXPECT_FALSE(output_->HasRoom());
  EXPECT_EQ(fixture_.acks->done, 0);
  EXPECT_EQ(Text(), "");
  env_.failing.append_fails_after.reset();
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 2 && output_->HasRoom(); }));
  EXPECT_EQ(Text(), "first\nsecond\n");
  EXPECT_TRUE(Eventually([&] { return fixture_.host.room_available > 0; }));
  EXPECT_GE(fixture_.Metric("output_retries_total", {{"reason", "write"}}), 1);
}

TEST_F(FileOutputTest, GivesUpNothingSilentlyWhenItStopsWhileTheDiskIsFull) {
  Start();
  env_.failing.append_fails_after = 0;
  output_->Write(NewBatch({"kept"}), NewAck(fixture_.acks));
  output_->Stop(0s);
  EXPECT_EQ(fixture_.acks->done, 0);
  EXPECT_EQ(fixture_.acks->lost, 1);
  EXPECT_EQ(Text(), "");
}

TEST_F(FileOutputTest, TriesOnceMoreWhenItStops) {
  Start();
  env_.failing.append_fails_after = 0;
  output_->Write(NewBatch({"late"}), NewAck(fixture_.acks));
  env_.failing.append_fails_after.reset();
  output_->Stop(0s);
  EXPECT_EQ(fixture_.acks->done, 1);
  EXPECT_EQ(Text(), "late\n");
}

TEST_F(FileOutputTest, AcknowledgesAfterTheSyncWhenAskedTo) {
  config_.sync = FileSyncMode::kInterval;
  config_.sync_interval = 1h;
  Start();
  output_->Write(NewBatch({"x"}), NewAck(fixture_.acks));
  EXPECT_EQ(Text(), "x\n");
  EXPECT_EQ(fixture_.acks->done, 0);
  output_->Stop(1s);
  EXPECT_EQ(fixture_.acks->done, 1);
  EXPECT_GE(env_.failing.syncs, 1);
}

TEST_F(FileOutputTest, HoldsAcksBackWhileSyncFails) {
  config_.sync = FileSyncMode::kInterval;
  config_.sync_interval = 10ms;
  Start();
  env_.failing.fail_sync = true;
  output_->Write(NewBatch({"x"}), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return env_.failing.syncs >= 1; }));
  EXPECT_EQ(fixture_.acks->done, 0);
  env_.failing.fail_sync = false;
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
}

TEST_F(FileOutputTest, KeepsTheOrderOfEachOriginWithManyWriters) {
  Start();
  constexpr int kWriters = 4, kBatches = 200;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kBatches; ++i) {
        if (i == 50 && w == 0) env_.failing.append_fails_after = 3;
        if (i == 60 && w == 0) env_.failing.append_fails_after.reset();
        output_->Write(NewBatch({std::to_string(w) + " " + std::to_string(i)}),
                       NewAck(fixture_.acks));
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == kWriters * kBatches; }));
  std::vector<int> next(kWriters, 0);
  std::stringstream text(Text());
  int w = 0, i = 0, lines = 0;
  while (text >> w >> i) {
    EXPECT_EQ(i, next[static_cast<size_t>(w)]++);
    ++lines;
  }
  EXPECT_EQ(lines, kWriters * kBatches);
}

TEST_F(FileOutputTest, StartsAgainAfterAStop) {
  Start();
  output_->Write(NewBatch({"a"}), NewAck(fixture_.acks));
  output_->Stop(1s);
  ASSERT_TRUE(output_->Start(fixture_.host).ok());
  output_->Write(NewBatch({"b"}), NewAck(fixture_.acks));
  EXPECT_EQ(Text(), "a\nb\n");
}

TEST_F(FileOutputTest, DoesNotStartWhereItCannotWrite) {
  std::filesystem::create_directories(dir_);
  std::ofstream(dir_ + "/plain") << "x";
  config_.path = dir_ + "/plain/out.log";
  FileOutput output(config_, fixture_.Context(env_));
  const Status status = output.Start(fixture_.host);
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(dir_ + "/plain"), std::string_view::npos) << status.message();
}

TEST(FileOutputConfig, ReadsAllKeys) {
  const auto config = FileOutput::ConfigSchema().ParseText(
      "path: /x/y\nformat: raw\nrotate_size: 1MiB\nrotate_keep: 2\nsync: interval\n"
      "sync_interval: 5s");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->format, RowFormat::kRaw);
  EXPECT_EQ(config->rotate_size, 1_MiB);
  EXPECT_EQ(config->sync, FileSyncMode::kInterval);
}

TEST(FileOutputConfig, RefusesADirectoryAsPath) {
  EXPECT_FALSE(FileOutput::ConfigSchema().ParseText("path: /var/log/").ok());
  EXPECT_FALSE(FileOutput::ConfigSchema().ParseText("format: raw").ok());
}

}  // namespace
}  // namespace kelp::output
