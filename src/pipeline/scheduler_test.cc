// Fairness, counted in turns: who waits how many turns of others.
#include "pipeline/scheduler.h"

#include <gtest/gtest.h>

#include "pipeline/test_components.h"

namespace kelp::pipeline {
namespace {

class SchedulerTest : public testing::Test {
 protected:
  void Make(const std::vector<std::string>& yamls, ByteSize memory = 64_MiB) {
    engine_ = std::make_unique<Engine>(AgentServices{.env = &RealEnv(), .metrics = &metrics_},
                                       EngineOptions{.memory_limit = memory});
    config::Problems problems;
    std::vector<PipelineConfig> configs;
    for (const std::string& yaml : yamls) {
      configs.push_back(ParsePipeline(registry_, *config::ParseYaml(yaml, "t.yaml"), "", problems));
    }
    engine_->Apply(std::move(configs), problems);
    EXPECT_EQ(problems.ToString(), "");
  }
  static ScriptedInput& In(const std::string& name) { return *ScriptedInput::All().at(name); }
  static HoldOutput& Out(const std::string& name) { return *HoldOutput::All().at(name); }
  // Turns until the source is read once more.
  int TurnsUntilRead(const ScriptedSource& source) {
    const int before = source.reads;
    int turns = 0;
    while (source.reads == before && turns < 1000 && engine_->Step()) ++turns;
    return turns;
  }
  // A row comes for the i-th origin of a pipeline.
  static void Grow(const std::string& name, size_t i) {
    In(name).sources[i]->Grant(1);
    In(name).host().Ready(In(name).ids[i]);
  }

  MetricRegistry metrics_;
  const Registry registry_ = TestRegistry();
  std::unique_ptr<Engine> engine_;
};

constexpr const char* kPlain = "outputs: [{type: hold}]}";

TEST_F(SchedulerTest, ASlowFileWaitsOneTurnOfAFastOneBesideIt) {
  Make({std::string("{name: p, inputs: [{type: scripted, origins: 10, rows: 1}], ") + kPlain});
  while (engine_->Step()) {
  }
  In("p").sources[0]->Grant(100000);
  In("p").host().Ready(In("p").ids[0]);
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 3; ++i) engine_->Step();
    const size_t slow = 1 + static_cast<size_t>(round) % 9;
    Grow("p", slow);
    EXPECT_LE(TurnsUntilRead(*In("p").sources[slow]), 2) << round;
  }
}

TEST_F(SchedulerTest, NinetyNineSlowFilesWaitOneRoundThoughTheOutputIsSlow) {
  Make(
      {"{name: p, inputs: [{type: scripted, origins: 100, rows: 1}], "
       "outputs: [{type: hold, hold: true, room: 1}]}"});
  const auto turn = [&] {
    const bool done = engine_->Step();
    if (!Out("p").held.empty()) Out("p").AckOne(0);
    return done;
  };
  while (turn()) {
  }
  In("p").sources[0]->Grant(100000);
  In("p").host().Ready(In("p").ids[0]);
  for (size_t i = 1; i < 100; ++i) Grow("p", i);
  for (int i = 0; i < 101; ++i) turn();
  for (const auto& source : In("p").sources) EXPECT_GE(source->reads, 2);
}

TEST_F(SchedulerTest, APipelineWaitsOneTurnOfEachOther) {
  std::vector<std::string> pipelines;
  for (int i = 0; i < 8; ++i) {
    pipelines.push_back("{name: fast" + std::to_string(i) +
                        ", inputs: [{type: scripted, origins: 5, rows: 100000}], " + kPlain);
  }
  pipelines.push_back(std::string("{name: slow, inputs: [{type: scripted, rows: 1}], ") + kPlain);
  Make(pipelines);
  for (int i = 0; i < 50; ++i) engine_->Step();
  for (int round = 0; round < 10; ++round) {
    Grow("slow", 0);
    EXPECT_LE(TurnsUntilRead(*In("slow").sources[0]), 9);
  }
}

TEST_F(SchedulerTest, AFullOutputCostsTheOthersNoTurn) {
  Make(
      {"{name: stuck, inputs: [{type: scripted, origins: 50, rows: 1000}], "
       "outputs: [{type: hold, hold: true, room: 0}]}",
       std::string("{name: p, inputs: [{type: scripted, rows: 1}], ") + kPlain});
  while (engine_->Step()) {
  }
  Grow("p", 0);
  EXPECT_EQ(TurnsUntilRead(*In("p").sources[0]), 1);
  EXPECT_EQ(In("stuck").sources[0]->reads, 0);
}

// Three pipelines hold all they may and wait; as memory comes back, they get it in turn.
TEST_F(SchedulerTest, PipelinesThatWaitForMemoryGetItInTurn) {
  std::vector<std::string> pipelines;
  for (const char* name : {"a", "b", "c"}) {
    pipelines.push_back(std::string("{name: ") + name +
                        ", inputs: [{type: scripted, rows: 100000, held_bytes: 200000}], "
                        "outputs: [{type: hold, hold: true}]}");
  }
  Make(pipelines, 4_MiB);
  while (engine_->Step()) {
  }
  const int before[] = {In("a").sources[0]->reads, In("b").sources[0]->reads,
                        In("c").sources[0]->reads};
  for (int round = 0; round < 30; ++round) {
    for (const char* name : {"a", "b", "c"}) Out(name).AckOne(0);
    while (engine_->Step()) {
    }
  }
  int i = 0;
  for (const char* name : {"a", "b", "c"}) {
    EXPECT_NEAR(In(name).sources[0]->reads - before[i++], 30, 3) << name;
  }
  EXPECT_LE(engine_->memory().peak(), 4u << 20);
}

}  // namespace
}  // namespace kelp::pipeline
