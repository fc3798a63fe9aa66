// Files that are written anew, in place or by renaming.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;
using RewrittenTest = testing::TailTest;

TEST_F(RewrittenTest, ARewriteThatGrewPastThePositionIsNoticed) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  dir_.Write("a.log", "another content, longer than before\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "another content, longer than before"}));
}

TEST_F(RewrittenTest, ARewriteOfTheSameSizeIsNoticed) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  dir_.Write("a.log", "ONE\nTWO\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "ONE", "TWO"}));
}

TEST_F(RewrittenTest, ARewriteWhileTheAgentWasDownIsNoticed) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Write("a.log", "ONE\nTWO\nthree\n");
  Start();
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"ONE", "TWO", "three"}));
}

TEST_F(RewrittenTest, TheSameBeginningIsNotTheSameContent) {
  const std::string head(2000, 'h');
  dir_.Append("a.log", head + "\none\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Write("a.log", head + "\nONE\ntwo\n");
  Start();
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{head, "ONE", "two"}));
}

TEST_F(RewrittenTest, AnEditorThatSavesInPlaceAndOneThatRenames) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  dir_.Write("a.log", "one\nTWO\nthree\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "one", "TWO", "three"}));
  dir_.Append("a.log~", "four\n");
  dir_.Rename("a.log~", "a.log");
  Pass(12s);
  EXPECT_EQ(host_->rows.back().body, "four");
  EXPECT_EQ(host_->rows.size(), 6u);
}

}  // namespace
}  // namespace kelp::tail
