#include "server/export_stream.h"

#include <gtest/gtest.h>

namespace kelp::server {
namespace {

// Takes what is written as long as it is told to.
class FakeReader final : public net::Responder {
 public:
  void Send(net::HttpResponse) override { ADD_FAILURE() << "an export is a stream"; }
  void StartStream(int status, net::HttpHeaders headers) override {
    EXPECT_EQ(status, 200);
    head = std::move(headers);
    ++starts;
  }
  bool Write(std::string chunk) override {
    if (gone) return false;
    bytes += chunk.size();
    ++pieces;
    return true;
  }
  size_t queued_bytes() const override { return 0; }
  bool WaitDrained(size_t queued_bytes_max, Duration timeout) override {
    EXPECT_EQ(queued_bytes_max, ExportStream::kQueuedBytesMax);
    EXPECT_EQ(timeout, Duration(ExportStream::kPatience));
    return !slow;
  }
  void Finish() override { finished = true; }
  void OnClose(std::function<void()>) override {}

  net::HttpHeaders head;
  int starts = 0;
  int pieces = 0;
  size_t bytes = 0;
  bool gone = false;
  bool slow = false;
  bool finished = false;
};

class ExportStreamTest : public ::testing::Test {
 protected:
  Status Write(size_t bytes) {
    stream_.text().append(bytes, 'x');
    return stream_.Flush();
  }
  const std::shared_ptr<FakeReader> reader_ = std::make_shared<FakeReader>();
  ExportStream stream_{reader_, "text/csv", "a.csv"};
};

TEST_F(ExportStreamTest, SendsLargePiecesAndTheHeadWithTheFirst) {
  EXPECT_TRUE(Write(ExportStream::kPieceBytes - 1).ok());
  EXPECT_FALSE(stream_.started());
  EXPECT_TRUE(Write(1).ok());
  EXPECT_TRUE(stream_.started());
  EXPECT_EQ(reader_->head.Get("Content-Disposition"), "attachment; filename=\"a.csv\"");
  EXPECT_TRUE(Write(10).ok());
  EXPECT_EQ(reader_->pieces, 1);
  EXPECT_TRUE(stream_.Finish().ok());
  EXPECT_EQ(reader_->bytes, ExportStream::kPieceBytes + 10);
  EXPECT_EQ(reader_->starts, 1);
  EXPECT_TRUE(reader_->finished);
}

TEST_F(ExportStreamTest, AnEmptyExportIsAnAnswer) {
  EXPECT_TRUE(stream_.Finish().ok());
  EXPECT_EQ(reader_->starts, 1);
  EXPECT_EQ(reader_->pieces, 0);
  EXPECT_TRUE(reader_->finished);
}

TEST_F(ExportStreamTest, GivesUpAReaderThatIsGoneOrTooSlow) {
  reader_->slow = true;
  EXPECT_EQ(Write(ExportStream::kPieceBytes).code(), Code::kCancelled);
  reader_->slow = false;
  reader_->gone = true;
  EXPECT_EQ(Write(ExportStream::kPieceBytes).code(), Code::kCancelled);
  EXPECT_FALSE(reader_->finished);
}

}  // namespace
}  // namespace kelp::server
