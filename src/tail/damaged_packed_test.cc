// Compressed files that are damaged, end in the middle, or are still being written.
#include <algorithm>
#include <functional>

#include "tail/packing.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Gzip;

class DamagedTest : public testing::TailTest {
 protected:
  // What was written after the first line is rotated, compressed and damaged while nobody looks.
  void Damage(const std::function<void(std::string&)>& harm) {
    dir_.Append("a.log", text_.substr(0, kRead));
    Start();
    AckAndStore();
    Stop();
    dir_.Remove("a.log");
    std::string packed = Gzip(text_);
    harm(packed);
    dir_.Write("a.log.1.gz", packed);
    dir_.Append("a.log", "next\n");
  }
  // Has the system's clock say that the packed file was written long ago.
  void WrittenLongAgo() { env_.AdvanceWall(1h); }
  bool NextWasRead() const { return !host_->rows.empty() && host_->rows.back().body == "next"; }

  static std::string Lines() {
    std::string text;
    for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + "\n";
    return text;
  }
  // A half line that was seen is read again.
  size_t LinesUnread() const {
    const size_t from = text_.rfind('\n', kRead - 1) + 1;
    return static_cast<size_t>(
        std::count(text_.begin() + static_cast<ptrdiff_t>(from), text_.end(), '\n'));
  }
  static constexpr size_t kRead = 2000;
  const std::string text_ = Lines();
};

TEST_F(DamagedTest, WhatIsWholeBeforeItIsReadAndTheNextFileFollowsAtOnce) {
  // Much of it: less may be found by the checksum only, at the end.
  Damage([](std::string& packed) {
    uint32_t noise = 1;
    for (size_t i = packed.size() / 2; i + 8 < packed.size(); ++i) {
      noise = noise * 1664525 + 1013904223;
      packed[i] = static_cast<char>(noise >> 24);
    }
  });
  WrittenLongAgo();
  Start();
  Pass(1s);
  ASSERT_TRUE(NextWasRead());
  EXPECT_GT(host_->rows.size(), 5000u);
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "packed_damaged");
  EXPECT_GT(host_->losses[0].bytes, text_.size() / 4) << "the file tells the size of its text";
  EXPECT_EQ(host_->errors, 0u);
  AckAndStore();
  Pass(100s);
  EXPECT_EQ(host_->losses.size(), 1u) << "said once";
}

TEST_F(DamagedTest, AWrongChecksumIsDamageAndNotAFileThatEndsInTheMiddle) {
  Damage([](std::string& packed) { packed[packed.size() - 7] ^= '\x01'; });
  WrittenLongAgo();
  Start();
  Pass(1s);
  EXPECT_TRUE(NextWasRead());
  EXPECT_EQ(host_->rows.size(), LinesUnread() + 1);
  EXPECT_TRUE(host_->losses.empty()) << "all of the text was read";
}

TEST_F(DamagedTest, OneThatWasCutLongAgoHoldsNobodyUp) {
  Damage([](std::string& packed) { packed.resize(packed.size() / 2); });
  WrittenLongAgo();
  Start();
  Pass(10s);
  EXPECT_TRUE(NextWasRead());
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "packed_damaged");
}

TEST_F(DamagedTest, OneThatIsCutIsWaitedForAsLongAsItMayBeWritten) {
  Damage([](std::string& packed) { packed.resize(packed.size() / 2); });
  Start();
  Pass(30s);
  EXPECT_FALSE(NextWasRead());
  EXPECT_EQ(host_->losses.size(), 0u);
  dir_.Write("a.log.1.gz", Gzip(text_));
  Pass(2s);
  EXPECT_TRUE(NextWasRead());
  EXPECT_EQ(host_->losses.size(), 0u);
}

TEST_F(DamagedTest, AnOutputThatTakesNothingForLongIsNoDamage) {
  Damage([](std::string&) {});
  tail_ = std::make_unique<TailService>(
      env_, metrics_, std::make_unique<testing::SharedStore>(store_), tail_options_);
  host_ = std::make_unique<testing::ReadingHost>();
  follow_ = tail_->Add(Options(), *host_);
  for (int i = 0; i < 300; ++i) {
    tail_->Step(Duration(0));
    env_.Advance(500ms);
  }
  Settle();
  Pass(1s);
  EXPECT_EQ(host_->losses.size(), 0u);
  EXPECT_TRUE(NextWasRead());
}

TEST_F(DamagedTest, OneThatIsMadeWholeWhileItIsWrittenIsReadToItsEnd) {
  const std::string first = Gzip(text_.substr(0, text_.size() / 2));
  const std::string second = Gzip(text_.substr(text_.size() / 2));
  Damage([&](std::string& packed) {
    packed = first + second;
    packed[first.size() + 2] = '\0';  // no way of packing that there is
  });
  Start();
  Pass(1s);
  EXPECT_FALSE(NextWasRead());
  dir_.Write("a.log.1.gz", first + second);
  Pass(2s);
  EXPECT_TRUE(NextWasRead());
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(host_->rows.size(), LinesUnread() + 1);
}

TEST_F(DamagedTest, WhatTheLastPartTellsIsNotTheSizeOfAll) {
  Damage([this](std::string& packed) {
    packed = Gzip(text_.substr(0, 3000)) + Gzip(text_.substr(3000));
    packed.replace(packed.size() / 2, 64, 64, '\xff');
  });
  WrittenLongAgo();
  Start();
  Pass(1s);
  EXPECT_TRUE(NextWasRead());
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 0u) << "nobody knows";
}

}  // namespace
}  // namespace kelp::tail
