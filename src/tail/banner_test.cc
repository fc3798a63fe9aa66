// Programs whose files all begin with the same lines, more than files are told apart by.
#include "tail/packing.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;
using testing::Gzip;
using testing::Zstd;

class BannerTest : public testing::TailTest {
 protected:
  // A generation of a.log, after what the one before it holds.
  void Write(const std::string& lines) {
    LetATickPass();
    dir_.Append("a.log", banner_ + "\n" + lines);
  }
  void Compress(const std::string& to) {
    const Result<std::string> text = ReadFile(env_.files(), dir_ / "a.log");
    ASSERT_TRUE(text.ok());
    dir_.Write(to, to.ends_with(".zst") ? Zstd(*text) : Gzip(*text));
    dir_.Remove("a.log");
  }
  // Bodies but for the banners.
  Bodies Lines() const {
    Bodies lines = host_->Bodies();
    std::erase(lines, banner_);
    return lines;
  }

  const std::string banner_ = std::string(1500, 'b');
};

TEST_F(BannerTest, AllGenerationsAreRead) {
  Write("one\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "two\n");
  Compress("a.log.3.gz");
  for (const std::string name : {"a.log.2.zst", "a.log.1.gz"}) {
    Write(name + "\n");
    Compress(name);
  }
  Write("last\n");
  Start();
  EXPECT_EQ(host_->Bodies(),
            (Bodies{"two", banner_, "a.log.2.zst", banner_, "a.log.1.gz", banner_, "last"}));
  Pass(30s);
  EXPECT_EQ(host_->rows.size(), 7u);
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

// The first is read to its end, the second to its middle; both are compressed while nobody looks.
TEST_F(BannerTest, TheRestIsReadInTheFileThatItBelongsTo) {
  Write("one\n");
  Start();
  dir_.Rename("a.log", "a.log.1");
  Write("two\n");
  Settle();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "three\n");
  dir_.Rename("a.log", "newer");
  dir_.Rename("a.log.1", "a.log");
  Compress("a.log.2.gz");
  LetATickPass();
  dir_.Rename("newer", "a.log");
  Compress("a.log.1.gz");
  Write("four\n");
  Start();
  Pass(3s);
  EXPECT_EQ(Lines(), (Bodies{"three", "four"}));
}

// Rows of it were sent, none of them was stored as delivered: it is known by what was seen of it.
TEST_F(BannerTest, AFileOfWhichNothingIsStoredIsFoundAgain) {
  Write("one\n");
  Start();
  AckAndStore();
  dir_.Remove("a.log");
  Write("two\n");
  Settle();
  ASSERT_EQ(Lines(), (Bodies{"one", "two"}));
  const OriginId second = host_->rows.back().origin;
  Stop();
  Compress("a.log.2.gz");
  Write("three\n");
  Compress("a.log.1.gz");
  // The name says nothing of its age.
  dir_.Rename("a.log.2.gz", "a.log-20261121.gz");
  dir_.Rename("a.log.1.gz", "a.log-20261120.gz");
  Start();
  Pass(3s);
  ASSERT_EQ(host_->rows.size(), 4u);
  for (const auto& row : host_->rows) {
    if (row.body == banner_) continue;
    EXPECT_EQ(row.origin == second, row.body == "two") << row.body;
  }
}

// Further was read of another generation than this one goes.
TEST_F(BannerTest, AShortGenerationIsNotTakenForACopyThatWasCut) {
  Write("one\n");
  Start();
  AckAndStore();
  dir_.Remove("a.log");
  Write("two is long enough that the other ends before it\n");
  Settle();
  AckAndStore();
  Stop();
  dir_.Remove("a.log");
  Write("3\n");
  Compress("a.log.1.gz");
  Start();
  Pass(3s);
  EXPECT_EQ(Lines(), (Bodies{"3"}));
}

}  // namespace
}  // namespace kelp::tail
