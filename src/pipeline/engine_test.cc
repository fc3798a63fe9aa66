#include "pipeline/engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "pipeline/test_components.h"

namespace kelp::pipeline {
namespace {

class EngineTest : public testing::Test {
 protected:
  void Make(EngineOptions options = {}) {
    engine_ =
        std::make_unique<Engine>(AgentServices{.env = &RealEnv(), .metrics = &metrics_}, options);
  }
  // Each pipeline is given as flow YAML; the problems of applying them.
  std::string Apply(const std::vector<std::string>& yamls) {
    config::Problems problems;
    std::vector<PipelineConfig> configs;
    for (const std::string& yaml : yamls) {
      configs.push_back(ParsePipeline(registry_, *config::ParseYaml(yaml, "t.yaml"), "", problems));
    }
    EXPECT_EQ(problems.ToString(), "");
    engine_->Apply(std::move(configs), problems);
    return problems.ToString();
  }
  int StepAll() {
    int steps = 0;
    while (steps < 10000 && engine_->Step()) ++steps;
    return steps;
  }
  static ScriptedInput& In(const std::string& name) { return *ScriptedInput::All().at(name); }
  static HoldOutput& Out(const std::string& name) { return *HoldOutput::All().at(name); }

  MetricRegistry metrics_;
  const Registry registry_ = TestRegistry();
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineTest, DeliversEveryRowInOrderAndMovesThePosition) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 5}], outputs: [{type: hold}]}"});
  StepAll();
  EXPECT_EQ(Out("p").bodies, (std::vector<std::string>{"pa:1", "pa:2", "pa:3", "pa:4", "pa:5"}));
  EXPECT_EQ(In("p").sources[0]->acked, 50u);
  EXPECT_EQ(engine_->memory().used(), 0u);
}

TEST_F(EngineTest, FilteredRowsStillMoveThePositionAndAreCounted) {
  Make();
  Apply(
      {"{name: p, inputs: [{type: scripted, rows: 5}], processors: [{type: keep_even}], "
       "outputs: [{type: hold}]}"});
  StepAll();
  EXPECT_EQ(Out("p").bodies, (std::vector<std::string>{"pa:2", "pa:4"}));
  EXPECT_EQ(In("p").sources[0]->acked, 50u);
  EXPECT_EQ(metrics_.Value("processor_dropped_rows_total",
                           {{"pipeline", "p"}, {"component", "keep_even"}, {"reason", "odd"}}),
            3);
}

TEST_F(EngineTest, RowsWithoutATimeGetThatOfTheirArrival) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold, hold: true}]}"});
  const UnixNanos before = RealEnv().clock().Now();
  StepAll();
  EXPECT_GE(Out("p").held[0].first->time(1), before);
}

TEST_F(EngineTest, PositionsWaitForTheOldestBatch) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 6}], outputs: [{type: hold, hold: true}]}"});
  StepAll();
  ASSERT_EQ(Out("p").held.size(), 3u);
  Out("p").AckOne(1);
  Out("p").AckOne(1);
  EXPECT_EQ(In("p").sources[0]->acked, 0u);
  Out("p").AckOne(0);
  EXPECT_EQ(In("p").sources[0]->acked, 60u);
}

TEST_F(EngineTest, EveryRequiredOutputMustAckAndOptionalOnesNeed) {
  Make();
  Apply(
      {"{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}, "
       "{type: hold, hold: true}, {type: hold, hold: true, room: 0, required: false}]}"});
  StepAll();
  EXPECT_EQ(In("p").sources[0]->acked, 0u);
  EXPECT_EQ(
      metrics_.Value("output_skipped_rows_total", {{"pipeline", "p"}, {"component", "hold#3"}}), 2);
}

TEST_F(EngineTest, AFullOutputHoldsItsOwnPipelineOnly) {
  Make();
  Apply(
      {"{name: stuck, inputs: [{type: scripted, rows: 100}], "
       "outputs: [{type: hold, hold: true, room: 2}]}",
       "{name: free, inputs: [{type: scripted, rows: 100}], outputs: [{type: hold}]}"});
  StepAll();
  EXPECT_EQ(Out("stuck").held.size(), 2u);
  EXPECT_EQ(Out("free").bodies.size(), 100u);
  Out("stuck").AckOne(0);
  StepAll();
  EXPECT_EQ(Out("stuck").held.size(), 2u);
  EXPECT_EQ(Out("stuck").bodies.size(), 6u);
}

TEST_F(EngineTest, MemoryStaysUnderItsBudgetAndAShareStaysFreeForOthers) {
  Make({.memory_limit = 4_MiB});
  std::vector<std::string> pipelines;
  for (int i = 0; i < 5; ++i) {
    pipelines.push_back("{name: s" + std::to_string(i) +
                        ", inputs: [{type: scripted, rows: 1000, held_bytes: 200000}], "
                        "outputs: [{type: hold, hold: true}]}");
  }
  pipelines.push_back(
      "{name: free, inputs: [{type: scripted, rows: 100}], outputs: [{type: hold}]}");
  Apply(pipelines);
  StepAll();
  EXPECT_EQ(Out("free").bodies.size(), 100u);
  EXPECT_LE(engine_->memory().peak(), 4u << 20);
  EXPECT_GT(engine_->memory().used(), 1u << 20);
  const size_t before = Out("s0").bodies.size();
  while (!Out("s0").held.empty()) Out("s0").AckOne(0);
  StepAll();
  EXPECT_GT(Out("s0").bodies.size(), before);
}

TEST_F(EngineTest, TurnsAlternateBetweenPipelinesAndOrigins) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 20, origins: 2}], outputs: [{type: hold}]}",
         "{name: q, inputs: [{type: scripted, rows: 20}], outputs: [{type: hold}]}"});
  for (int i = 0; i < 8; ++i) engine_->Step();
  EXPECT_EQ(In("p").sources[0]->reads, 2);
  EXPECT_EQ(In("p").sources[1]->reads, 2);
  EXPECT_EQ(In("q").sources[0]->reads, 4);
}

TEST_F(EngineTest, AFinishedSourceIsDoneOnlyAfterItsLastAck) {
  Make();
  Apply(
      {"{name: p, inputs: [{type: scripted, rows: 2, finishes: true}], "
       "outputs: [{type: hold, hold: true}]}"});
  StepAll();
  EXPECT_FALSE(In("p").sources[0]->done);
  Out("p").AckOne(0);
  EXPECT_TRUE(In("p").sources[0]->done);
  EXPECT_EQ(engine_->Statuses()[0].origins, 0u);
}

TEST_F(EngineTest, ARemovedSourceIsReadNoMore) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 20}], outputs: [{type: hold}]}"});
  engine_->Step();
  In("p").host().Remove(In("p").ids[0]);
  EXPECT_EQ(StepAll(), 0);
  EXPECT_TRUE(In("p").sources[0]->done);
}

TEST_F(EngineTest, ReadyWakesAnIdleSource) {
  Make();
  Apply({"{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}"});
  StepAll();
  In("p").sources[0]->Grant(2);
  EXPECT_EQ(StepAll(), 0);
  In("p").host().Ready(In("p").ids[0]);
  EXPECT_EQ(StepAll(), 1);
  EXPECT_EQ(Out("p").bodies.size(), 4u);
}

TEST_F(EngineTest, OnlyChangedPipelinesAreReplaced) {
  Make();
  const std::string a = "{name: a, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}";
  const std::string b = "{name: b, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}";
  Apply({a, b});
  StepAll();
  Input* const input_a = &In("a");
  const auto old_source = In("b").sources[0];
  Apply({a, "{name: b, inputs: [{type: scripted, rows: 3}], outputs: [{type: hold}]}"});
  StepAll();
  EXPECT_EQ(&In("a"), input_a);
  EXPECT_TRUE(old_source->done);
  EXPECT_EQ(Out("b").bodies.size(), 3u);
  Apply({a});
  EXPECT_EQ(engine_->Statuses().size(), 1u);
  EXPECT_EQ(metrics_.Value("pipeline_read_rows_total", {{"pipeline", "b"}}), 0);
}

TEST_F(EngineTest, ThePipelineStaysWhenItsSuccessorCannotBeCreated) {
  Make();
  Apply({"{name: a, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}"});
  StepAll();
  Input* const input = &In("a");
  const std::string problems =
      Apply({"{name: a, inputs: [{type: scripted, rows: 2}], "
             "processors: [{type: keep_even, broken: true}], outputs: [{type: hold}]}"});
  EXPECT_NE(problems.find("asked to be broken"), std::string::npos) << problems;
  EXPECT_EQ(&In("a"), input);
  EXPECT_TRUE(engine_->Ready());
}

TEST_F(EngineTest, APipelineThatCannotStartIsReportedAndDoesNotStopOthers) {
  Make();
  Apply({"{name: a, inputs: [{type: scripted, fails_to_start: true}], outputs: [{type: hold}]}",
         "{name: b, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}"});
  StepAll();
  EXPECT_EQ(engine_->Statuses()[0].state, PipelineState::kFailed);
  EXPECT_EQ(engine_->Statuses()[0].message, "asked not to start");
  EXPECT_EQ(Out("b").bodies.size(), 2u);
  EXPECT_FALSE(engine_->Ready());
}

TEST_F(EngineTest, ATapSeesProcessedRowsWhileItLives) {
  Make();
  Apply(
      {"{name: p, inputs: [{type: scripted, rows: 4}], processors: [{type: keep_even}], "
       "outputs: [{type: hold}]}"});
  uint32_t seen = 0;
  auto tap = engine_->Tap("p", [&](const Batch& batch) { seen += batch.selected_count(); });
  ASSERT_TRUE(tap.ok());
  StepAll();
  EXPECT_EQ(seen, 2u);
  tap->reset();
  In("p").sources[0]->Grant(4);
  In("p").host().Ready(In("p").ids[0]);
  StepAll();
  EXPECT_EQ(seen, 2u);
  EXPECT_EQ(engine_->Tap("none", [](const Batch&) {}).status().code(), Code::kNotFound);
}

TEST_F(EngineTest, WorkersDeliverEverythingAndStopClean) {
  Make({.workers = 3, .memory_limit = 2_MiB});
  engine_->Start();
  Apply({"{name: p, inputs: [{type: scripted, rows: 3000, origins: 8}], outputs: [{type: hold}]}"});
  const auto delivered = [] {
    MutexLock lock(Out("p").mu_);
    return Out("p").bodies.size();
  };
  while (delivered() < 24000) std::this_thread::yield();
  const auto sources = In("p").sources;
  std::map<char, int> last;
  {
    MutexLock lock(Out("p").mu_);
    for (const std::string& body : Out("p").bodies) {
      const int n = std::stoi(body.substr(3));
      EXPECT_GT(n, last[body[1]]) << body;
      last[body[1]] = n;
    }
  }
  engine_->Stop(1s);
  for (const auto& source : sources) EXPECT_TRUE(source->done);
}

}  // namespace
}  // namespace kelp::pipeline
