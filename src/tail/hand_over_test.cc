// Records that span a rotation.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

constexpr char kTime[] = "2026-11-20T23:49:27.5Z ";

class HandOverTest : public testing::TailTest {
 protected:
  FollowOptions Cri() {
    FollowOptions options = Options();
    options.decoder = framing::MakeCriDecoder;
    return options;
  }
  void Line(const std::string& name, const std::string& rest) {
    dir_.Append(name, kTime + rest + "\n");
  }
};

TEST_F(HandOverTest, PiecesBeforeAndBehindARotationAreOneRow) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P tw");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Line("a.log", "stdout F three");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  EXPECT_EQ(host_->rows[1].origin, host_->rows[2].origin);
}

TEST_F(HandOverTest, AKillBeforeTheRowWasDeliveredRepeatsIt) {
  Line("a.log", "stdout F one");
  Start(Cri());
  AckAndStore();
  Line("a.log", "stdout P tw");
  Line("a.log", "stderr F err");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "err", "two"}));
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  Stop();
  Start(Cri());
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"err", "two"}));
}

TEST_F(HandOverTest, AKillAfterTheRowWasDeliveredDoesNotRepeatIt) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P tw");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  Restart(Cri());
  Pass(10s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  Line("a.log", "stdout F three");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"three"}));
}

TEST_F(HandOverTest, WithoutASuccessorTheRestIsSentAfterSilence) {
  Line("a.log", "stdout P on");
  Start(Cri());
  dir_.Rename("a.log", "a.log.1");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"on"}));
}

}  // namespace
}  // namespace kelp::tail
