#include "output/stdout/stdout_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "output/common/testing.h"

namespace kelp::output {
namespace {

using testing::Eventually;
using testing::NewAck;
using testing::NewBatch;

class StdoutOutputTest : public ::testing::Test {
 protected:
  StdoutOutputTest() {
    EXPECT_EQ(::pipe2(pipe_, O_CLOEXEC), 0);
    output_ = std::make_unique<StdoutOutput>(StdoutOutputConfig{RowFormat::kRaw},
                                             fixture_.Context(), pipe_[1]);
    EXPECT_TRUE(output_->Start(fixture_.host).ok());
  }
  ~StdoutOutputTest() override {
    output_.reset();
    if (pipe_[0] >= 0) ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  std::string ReadBytes(size_t n) {
    std::string text(n, '\0');
    size_t done = 0;
    while (done < n) {
      const ssize_t got = ::read(pipe_[0], text.data() + done, n - done);
      if (got <= 0) break;
      done += static_cast<size_t>(got);
    }
    text.resize(done);
    return text;
  }

  int pipe_[2] = {-1, -1};
  testing::Fixture fixture_;
  std::unique_ptr<StdoutOutput> output_;
};

TEST_F(StdoutOutputTest, WritesLinesAndAcknowledges) {
  output_->Write(NewBatch({"one", "two"}), NewAck(fixture_.acks));
  EXPECT_EQ(ReadBytes(8), "one\ntwo\n");
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  EXPECT_EQ(fixture_.Metric("output_sent_rows_total"), 2);
}

TEST_F(StdoutOutputTest, HasNoRoomWhileTheReaderSleeps) {
  const std::string megabyte(1u << 20, 'x');
  for (int i = 0; i < 5; ++i) output_->Write(NewBatch({megabyte}), NewAck(fixture_.acks));
  EXPECT_FALSE(output_->HasRoom());
  EXPECT_EQ(fixture_.acks->done, 0);
  const std::string text = ReadBytes(5 * (megabyte.size() + 1));
  EXPECT_EQ(text.size(), 5 * (megabyte.size() + 1));
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 5 && output_->HasRoom(); }));
  EXPECT_GE(fixture_.host.room_available, 1);
}

TEST_F(StdoutOutputTest, SurvivesAReaderThatWentAway) {
  ::close(std::exchange(pipe_[0], -1));
  output_->Write(NewBatch({"nobody"}), NewAck(fixture_.acks));
  output_->Stop(50ms);
  EXPECT_EQ(fixture_.acks->done, 0);
  EXPECT_EQ(fixture_.acks->lost, 1);
}

TEST_F(StdoutOutputTest, StopDoesNotWaitForASleepingReaderLongerThanItsGrace) {
  output_->Write(NewBatch({std::string(1u << 20, 'x')}), NewAck(fixture_.acks));
  output_->Write(NewBatch({"behind it"}), NewAck(fixture_.acks));
  output_->Stop(10ms);
  EXPECT_EQ(fixture_.acks->done, 0);
  EXPECT_EQ(fixture_.acks->lost, 2);
}

TEST_F(StdoutOutputTest, DrainsWhenItStops) {
  for (int i = 0; i < 10; ++i) {
    output_->Write(NewBatch({std::to_string(i)}), NewAck(fixture_.acks));
  }
  output_->Stop(5s);
  EXPECT_EQ(ReadBytes(20), "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_EQ(fixture_.acks->done, 10);
}

}  // namespace
}  // namespace kelp::output
