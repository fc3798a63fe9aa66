#include "net/answer.h"

#include <gtest/gtest.h>

namespace kelp::net {
namespace {

class AnswerTest : public testing::Test {
 protected:
  std::shared_ptr<Answer> answer_ = std::make_shared<Answer>([this] { ++wakes_; }, 100);
  std::shared_ptr<Responder> responder_ = NewResponder(answer_);
  int wakes_ = 0;
};

TEST_F(AnswerTest, GivesTheConnectionWhatTheHandlerSent) {
  EXPECT_TRUE(answer_->Take().empty());
  responder_->Send(Text(201, "x"));
  EXPECT_EQ(wakes_, 1);
  const Answer::Step step = answer_->Take();
  ASSERT_TRUE(step.full);
  EXPECT_EQ(step.full->status, 201);
}

TEST_F(AnswerTest, IgnoresASecondAnswer) {
  responder_->Send(Text(200, "first"));
  responder_->Send(Text(200, "second"));
  responder_->StartStream(200, {});
  EXPECT_EQ(answer_->Take().full->body, "first");
  EXPECT_TRUE(answer_->Take().empty());
}

TEST_F(AnswerTest, AnswersFor500WhenTheHandlerForgot) {
  responder_.reset();
  EXPECT_EQ(answer_->Take().full->status, 500);
}

TEST_F(AnswerTest, CutsOffAStreamThatWasNotFinished) {
  responder_->StartStream(200, {});
  EXPECT_TRUE(responder_->Write("part"));
  responder_.reset();
  EXPECT_TRUE(answer_->Take().abandoned);
}

TEST_F(AnswerTest, StreamsPiecesInOrder) {
  responder_->StartStream(200, {});
  EXPECT_TRUE(responder_->Write("a"));
  EXPECT_TRUE(responder_->Write("bc"));
  EXPECT_EQ(responder_->queued_bytes(), 3u);
  responder_->Finish();
  const Answer::Step step = answer_->Take();
  EXPECT_TRUE(step.head && step.finished);
  EXPECT_EQ(step.chunks, (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(step.chunk_bytes, 3u);
  answer_->Written(3);
  EXPECT_EQ(responder_->queued_bytes(), 0u);
  EXPECT_FALSE(responder_->Write("late"));
}

TEST_F(AnswerTest, CutsOffASlowReader) {
  responder_->StartStream(200, {});
  EXPECT_TRUE(responder_->Write(std::string(60, 'x')));
  EXPECT_FALSE(responder_->Write(std::string(60, 'x')));
  EXPECT_TRUE(answer_->overflowed());
  EXPECT_FALSE(responder_->WaitDrained(0, 1h));
}

TEST_F(AnswerTest, LetsOneOversizedPieceThroughAnEmptyQueue) {
  responder_->StartStream(200, {});
  EXPECT_TRUE(responder_->Write(std::string(500, 'x')));
}

TEST_F(AnswerTest, TellsWhenThePeerIsGone) {
  int calls = 0;
  responder_->OnClose([&] { ++calls; });
  EXPECT_TRUE(answer_->wants_watch());
  responder_->StartStream(200, {});
  answer_->Close();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(responder_->Write("x"));
  responder_->OnClose([&] { ++calls; });
  EXPECT_EQ(calls, 2);
  const int wakes = wakes_;
  responder_->Finish();
  EXPECT_EQ(wakes_, wakes);
}

TEST_F(AnswerTest, IsSilentAfterACompleteAnswer) {
  int calls = 0;
  responder_->OnClose([&] { ++calls; });
  responder_->Send(Text(200, ""));
  answer_->Complete();
  answer_->Close();
  responder_->OnClose([&] { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST_F(AnswerTest, WaitsUntilTheQueueIsDrained) {
  responder_->StartStream(200, {});
  responder_->Write("abc");
  EXPECT_FALSE(responder_->WaitDrained(2, 1ms));
  answer_->Written(1);
  EXPECT_TRUE(responder_->WaitDrained(2, 1h));
}

}  // namespace
}  // namespace kelp::net
