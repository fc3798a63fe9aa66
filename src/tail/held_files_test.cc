// Deleted files that are held open until they are read, and the ceilings on them.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class HeldFilesTest : public testing::TailTest {
 protected:
  // A file that nobody reads, deleted.
  void DeleteUnread(const std::string& name, const std::string& text) {
    dir_.Append(name, text);
    StepOnly(2);
    dir_.Remove(name);
    StepOnly(2);
  }
  void StepOnly(int times) {
    for (int i = 0; i < times; ++i) tail_->Step(Duration(0));
  }
  void PassUnread(Duration d) {
    for (Duration passed{0}; passed < d; passed += 500ms) {
      env_.Advance(500ms);
      StepOnly(2);
    }
  }
};

TEST_F(HeldFilesTest, TheOldestGoesWhenThereAreTooMany) {
  tail_options_.held_files_max = 2;
  Start();
  for (int i = 0; i < 4; ++i) {
    DeleteUnread("f" + std::to_string(i) + ".log", "line " + std::to_string(i) + "\nhalf");
    PassUnread(1s);
  }
  PassUnread(2s);
  Settle();
  Pass(20s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"line 2", "line 3", "half", "half"}));
  ASSERT_EQ(host_->losses.size(), 2u);
  EXPECT_EQ(host_->losses[0].cause, "held_files_max");
  EXPECT_EQ(host_->losses[0].bytes, 11u);
  EXPECT_EQ(host_->losses[0].lines, 1u);
  EXPECT_EQ(metrics_.Value("tail_open_files"), 0);
}

TEST_F(HeldFilesTest, TheOldestGoesWhenTheyHoldTooMuch) {
  tail_options_.held_bytes_max = 1000;
  Start();
  DeleteUnread("a.log", std::string(600, 'a') + "\n");
  PassUnread(1s);
  DeleteUnread("b.log", std::string(600, 'b') + "\n");
  PassUnread(3s);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{std::string(600, 'b')}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "held_bytes_max");
  EXPECT_EQ(host_->losses[0].bytes, 601u);
}

TEST_F(HeldFilesTest, NoneIsHeldForEver) {
  tail_options_.held_age_max = 60s;
  Start();
  DeleteUnread("a.log", "one\ntwo\n");
  PassUnread(50s);
  EXPECT_TRUE(host_->losses.empty());
  PassUnread(15s);
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "held_age_max");
  EXPECT_EQ(host_->losses[0].lines, 2u);
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  EXPECT_EQ(followed_.value(), 0);
}

TEST_F(HeldFilesTest, OneThatIsReadInTimeLosesNothing) {
  tail_options_.held_files_max = 1;
  Start();
  for (int i = 0; i < 5; ++i) {
    DeleteUnread("f" + std::to_string(i) + ".log", "line\n");
    Pass(1s);
  }
  EXPECT_EQ(host_->rows.size(), 5u);
  EXPECT_TRUE(host_->losses.empty());
}

}  // namespace
}  // namespace kelp::tail
