// What is known of a file before it was read: files that are cut, emptied, begun with nothing.
#include <fcntl.h>
#include <unistd.h>

#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class FileEvidenceTest : public testing::TailTest {};

TEST_F(FileEvidenceTest, WhatIsLeftOfACutFileIsNotSentAgain) {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += "line " + std::to_string(i) + "\n";
  dir_.Append("a.log", text);
  Start();
  AckAndStore();
  const size_t rows = host_->rows.size();
  // In the middle of a line.
  constexpr size_t kLeft = 200'003;
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), kLeft), 0);
  Settle();
  dir_.Append("a.log", "\nnew\n");
  Pass(3s);
  ASSERT_GT(host_->rows.size(), rows);
  EXPECT_EQ(host_->rows.back().body, "new");
  EXPECT_GT(host_->rows[rows].begin, Marks::PlaceBefore(kLeft) - 20);
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(FileEvidenceTest, WhatBeginsAsBeforeIsSentAgainWhenItIsShort) {
  dir_.Append("a.log", "a banner\nthat is always the same\nsomething else\n");
  Start();
  AckAndStore();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  dir_.Append("a.log", "a banner\nthat is always the same\n");
  Pass(3s);
  EXPECT_EQ(host_->rows.size(), 5u);
}

TEST_F(FileEvidenceTest, WhatIsCutOffUnreadIsReported) {
  dir_.Append("a.log", "one\n");
  Start();
  tail_->Step(Duration(0));
  dir_.Append("a.log", "two\nthree\n");
  tail_->Step(Duration(0));  // seen, but not read
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 8), 0);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 6u);
}

TEST_F(FileEvidenceTest, WhatOnlyTheReaderSawCutOffIsReported) {
  const std::string one(2000, 'x');
  dir_.Append("a.log", one + "\n");
  Start();
  dir_.Append("a.log", "half a line");
  tail_->Step(Duration(0));
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 2005), 0);
  host_->ReadAll();
  dir_.Append("a.log", " of another line that is longer\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{one, "half of another line that is longer"}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 7u);
}

TEST_F(FileEvidenceTest, FilesThatBeginWithTheSameLinesAreToldApart) {
  const std::string banner =
      "a banner that is longer than what a guard looks at, and always the same";
  dir_.Append("a.log", banner + "\n1970-01-01 half a li");
  Start();
  ASSERT_EQ(host_->Bodies(), (Bodies{banner}));
  // Copied and emptied, and longer again before anybody looks.
  dir_.Write("a.log.1", banner + "\n1970-01-01 half a line\n");
  dir_.Write("a.log", banner + "\n1970-01-02 the first line of another file\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{banner, "1970-01-01 half a line", banner,
                                     "1970-01-02 the first line of another file"}));
  EXPECT_TRUE(host_->losses.empty());
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

// Memory-mapped logs are made as large as they are going to be, and written to then.
TEST_F(FileEvidenceTest, WhatIsWrittenIntoNulsIsRead) {
  constexpr size_t kSize = 400'000;  // more than one turn
  dir_.Write("a.log", std::string(kSize, '\0'));
  Start();
  const int fd = ::open((dir_ / "a.log").c_str(), O_WRONLY);
  ASSERT_GE(fd, 0);
  off_t at = 0;
  Bodies expected;
  for (int i = 0; i < 50; ++i) {
    const std::string line = "line " + std::to_string(i);
    expected.push_back(line);
    for (const std::string& text : {line, std::string("\n")}) {
      ASSERT_EQ(::pwrite(fd, text.data(), text.size(), at), static_cast<ssize_t>(text.size()));
      at += static_cast<off_t>(text.size());
      Settle();
    }
  }
  EXPECT_EQ(host_->Bodies(), expected);
  AckAndStore();
  Settle();
  EXPECT_EQ(lag_.value(), 0);
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  // Cut to what was written, and rotated.
  ASSERT_EQ(::pwrite(fd, "last\n", 5, at), 5);
  ASSERT_EQ(::ftruncate(fd, at + 5), 0);
  ::close(fd);
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "next\n");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"last", "next"}));
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(FileEvidenceTest, WhatIsWrittenIntoNulsBeforeAnythingWasReadIsRead) {
  const auto step = [&] {
    for (int i = 0; i < 5; ++i) tail_->Step(Duration(0));
  };
  Start();
  dir_.Write("a.log", "one\n" + std::string(100'000, '\0'));
  step();
  const int fd = ::open((dir_ / "a.log").c_str(), O_WRONLY);
  ASSERT_GE(fd, 0);
  const std::string more = "two" + std::string(20'000, 'x') + "\n";
  ASSERT_EQ(::pwrite(fd, more.data(), more.size(), 4), static_cast<ssize_t>(more.size()));
  ::close(fd);
  step();
  Settle();
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", more.substr(0, more.size() - 1)}));
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(FileEvidenceTest, NulsAtTheEndOfARotatedFileHoldNobodyUp) {
  dir_.Write("a.log", "one\nhalf" + std::string(100'000, '\0'));
  Start();
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "two\n");
  Pass(10s);
  ASSERT_FALSE(host_->rows.empty());
  EXPECT_EQ(host_->rows.front().body, "one");
  EXPECT_EQ(host_->rows.back().body, "two");
}

TEST_F(FileEvidenceTest, ALargeHoleIsNotReadThrough) {
  dir_.Write("a.log", "one\n");
  Start();
  constexpr off_t kEnd = off_t{1} << 40;
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), kEnd), 0);
  Settle();
  dir_.Append("a.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(host_->rows[1].end, static_cast<uint64_t>(kEnd) + 4);
}

TEST_F(FileEvidenceTest, AFileOfNulsIsReadOnceThereIsSomethingInIt) {
  dir_.Append("a.log", "");
  Start();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 100'000), 0);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  dir_.Append("a.log", "text\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"text"}));
  EXPECT_EQ(host_->rows[0].end, 100'005u);
}

TEST_F(FileEvidenceTest, WhatWasSeenAndNotReadIsReportedWhenTheFileIsEmptied) {
  dir_.Write("a.log", "one\n");
  Start();
  // Seen, while its output has no room.
  dir_.Append("a.log", "two\n");
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  dir_.Write("a.log", "");
  Pass(3s);
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "truncated");
  EXPECT_EQ(host_->losses[0].bytes, 4u);
}

TEST_F(FileEvidenceTest, AFileThatBeganEmptyIsKnownByWhatWasSeenOfIt) {
  dir_.Write("a.log", "");
  Start();
  dir_.Append("a.log", "one\n");
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  dir_.Write("a.log", "");
  Pass(3s);
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 4u);
}

TEST_F(FileEvidenceTest, WhatIsReadWhileMoreOfTheBeginningIsStoredIsNotTakenForReplaced) {
  dir_.Write("a.log", "");
  Start();
  dir_.Append("a.log", "one\n");
  tail_->Step(Duration(0));
  dir_.Append("a.log", "two\n");
  testing::SharedStore::on_write = [&] {
    testing::SharedStore::on_write = nullptr;
    host_->ReadAll();
  };
  tail_->Step(Duration(0));
  EXPECT_EQ(testing::SharedStore::on_write, nullptr);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(truncated_.value(), 0u);
}

TEST_F(FileEvidenceTest, RowsAreReadOnlyOfABeginningThatWasStored) {
  dir_.Write("a.log", "");
  Start();
  dir_.Append("a.log", "one\n");
  // Its reader sees more while that is being written.
  testing::SharedStore::on_write = [&] {
    testing::SharedStore::on_write = nullptr;
    dir_.Append("a.log", "two\n");
    host_->ReadAll();
  };
  tail_->Step(Duration(0));
  EXPECT_EQ(testing::SharedStore::on_write, nullptr);
  host_->ReadAll();
  ASSERT_EQ(host_->Bodies(), (Bodies{"one"}));
  EXPECT_EQ(store_.Contents().begin()->second.identity.print.bytes, 4u);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(store_.Contents().begin()->second.identity.print.bytes, 8u);
}

}  // namespace
}  // namespace kelp::tail
