// Lines without their end, and records that are held: when they are sent although nothing came.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class HalfLineTest : public testing::TailTest {};

TEST_F(HalfLineTest, IsSentAfterSilence) {
  dir_.Append("a.log", "one\ntw");
  FollowOptions options = Options();
  options.half_line_timeout = 3s;
  Start(options);
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Append("a.log", "o, and mo");
  Pass(2500ms);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"})) << "it is still written";
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two, and mo"}));
  dir_.Append("a.log", "re\nthree\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two, and mo", "re", "three"}));
}

TEST_F(HalfLineTest, ItsNewlineAloneIsNoRecord) {
  dir_.Append("a.log", "one");
  Start();
  Pass(7s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Append("a.log", "\ntwo\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(HalfLineTest, IsCutAtTheSamePlaceAfterARestart) {
  dir_.Append("a.log", "one\ntw");
  Start();
  AckAndStore();
  Pass(7s);
  ASSERT_EQ(host_->Bodies(), (Bodies{"one", "tw"}));
  const auto rows = host_->rows;
  Stop();  // "tw" was not acknowledged
  dir_.Append("a.log", "o\nthree\n");
  Start();
  ASSERT_EQ(host_->Bodies(), (Bodies{"tw", "o", "three"}));
  EXPECT_EQ(host_->rows[0].origin, rows[1].origin);
  EXPECT_EQ(host_->rows[0].end, rows[1].end);
}

TEST_F(HalfLineTest, TheCutIsStoredBeforeTheRowIsSent) {
  dir_.Append("a.log", "one");
  Start();
  for (int i = 0; i < 20 && host_->rows.empty(); ++i) {
    env_.Advance(500ms);
    Settle();
  }
  ASSERT_EQ(host_->Bodies(), (Bodies{"one"}));
  EXPECT_EQ(store_.Contents().begin()->second.cuts, std::vector<uint64_t>{3});
  AckAndStore();
  EXPECT_TRUE(store_.Contents().begin()->second.cuts.empty());
}

TEST_F(HalfLineTest, WaitsForMoreWhileTheFileIsIdleWithoutTurns) {
  dir_.Append("a.log", "half");
  FollowOptions options = Options();
  options.half_line_timeout = 1h;
  Start(options);
  Pass(2s);
  size_t turns = 0;
  for (int i = 0; i < 20; ++i) {
    env_.Advance(500ms);
    tail_->Step(Duration(0));
    turns += host_->ReadAll();
  }
  EXPECT_EQ(turns, 0u);
}

TEST_F(HalfLineTest, OneThatIsWrittenAnewDoesNotStopReading) {
  dir_.Append("a.log", "one\nhal");
  Start();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 4), 0);
  dir_.Append("a.log", "two\nthree\n");  // longer than before when it is seen
  Pass(2s);
  ASSERT_GE(host_->rows.size(), 2u);
  EXPECT_EQ(host_->rows[host_->rows.size() - 2].body, "two");
  EXPECT_EQ(host_->rows.back().body, "three");
}

}  // namespace
}  // namespace kelp::tail
