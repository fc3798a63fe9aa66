#include "pipeline/ledger.h"

#include <gtest/gtest.h>

#include <random>

#include "pipeline/engine.h"
#include "pipeline/test_components.h"

namespace kelp::pipeline {
namespace {

class LedgerTest : public testing::Test {
 protected:
  LedgerTest()
      : engine_(std::make_unique<Engine>(AgentServices{.env = &RealEnv(), .metrics = &metrics_},
                                         EngineOptions{})) {}

  void Apply(const std::string& yaml) {
    config::Problems problems;
    std::vector<PipelineConfig> configs;
    configs.push_back(ParsePipeline(registry_, *config::ParseYaml(yaml, "t.yaml"), "", problems));
    EXPECT_EQ(problems.ToString(), "");
    engine_->Apply(std::move(configs), problems);
  }
  void StepAll() {
    while (engine_->Step()) {
    }
  }
  static HoldOutput& Out(const std::string& key) { return *HoldOutput::All().at(key); }
  static ScriptedInput& In(const std::string& name) { return *ScriptedInput::All().at(name); }
  // The sum of all entries; each of them must add up.
  LedgerFigures Sum() {
    LedgerFigures sum;
    for (const LedgerEntry& entry : engine_->Ledger()) {
      EXPECT_TRUE(entry.AddsUp()) << entry.name;
      sum.Add(entry.figures);
    }
    EXPECT_TRUE(sum.AddsUp());
    return sum;
  }

  MetricRegistry metrics_;
  const Registry registry_ = TestRegistry();
  std::unique_ptr<Engine> engine_;
};

TEST_F(LedgerTest, TellsWhatBecameOfEveryRow) {
  Apply(
      "{name: p, inputs: [{type: scripted, rows: 4}], processors: [{type: keep_even}], "
      "outputs: [{type: hold, hold: true}]}");
  StepAll();
  LedgerFigures sum = Sum();
  EXPECT_EQ(sum.read_rows, 4u);
  EXPECT_EQ(sum.read_bytes, 40u);
  EXPECT_EQ(sum.filtered.Get("keep_even"), 2u);
  EXPECT_EQ(sum.in_flight_rows, 2u);
  EXPECT_EQ(sum.in_flight_bytes, 40u);
  Out("p").AckOne(0);
  Out("p").GiveUpOne(0, {}, "refused");
  sum = Sum();
  EXPECT_EQ(sum.delivered_rows, 1u);
  EXPECT_EQ(sum.dropped.Get("refused"), 1u);
  EXPECT_EQ(sum.in_flight_rows, 0u);
  EXPECT_EQ(sum.acknowledged_bytes, 40u);
  const auto entries = engine_->Ledger("p");
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ(entries->at(0).name, "pa");
  EXPECT_EQ(entries->at(0).position, 40u);
  EXPECT_FALSE(entries->at(0).origin.empty());
  EXPECT_EQ(engine_->Ledger("q").status().code(), Code::kNotFound);
}

TEST_F(LedgerTest, ARowThatTwoOutputsGiveUpIsDroppedOnce) {
  Apply(
      "{name: p, inputs: [{type: scripted, rows: 2}], "
      "outputs: [{type: hold, hold: true}, {type: hold, hold: true}]}");
  StepAll();
  Out("p/hold").GiveUpOne(0, {0}, "refused");
  EXPECT_EQ(Sum().dropped.total(), 0u);  // still in flight
  Out("p/hold#2").GiveUpOne(0, {0, 1}, "too_large");
  const LedgerFigures sum = Sum();
  EXPECT_EQ(sum.dropped.Get("refused"), 1u);
  EXPECT_EQ(sum.dropped.Get("too_large"), 1u);
  EXPECT_EQ(sum.delivered_rows, 0u);
  EXPECT_EQ(metrics_.Value("output_dropped_rows_total",
                           {{"pipeline", "p"}, {"component", "hold#2"}, {"reason", "too_large"}}),
            2);
}

TEST_F(LedgerTest, LossesAreKeptByCauseAndSurviveTheirOrigin) {
  Apply("{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold}]}");
  StepAll();
  InputHost& host = In("p").host();
  const SourceId id = In("p").ids[0];
  host.Lost(id, {.cause = "truncated", .bytes = 100, .lines = 3});
  host.Remove(id);
  host.Lost(id, {.cause = "truncated", .bytes = 10, .lines = 1});
  const auto entries = engine_->Ledger();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_TRUE(entries[0].is_sum);
  EXPECT_EQ(entries[0].ended_origins, 1u);
  EXPECT_EQ(entries[0].figures.lost_bytes.Get("truncated"), 110u);
  EXPECT_EQ(
      metrics_.Value("pipeline_lost_lines_total", {{"pipeline", "p"}, {"cause", "truncated"}}), 4);
}

TEST_F(LedgerTest, AReplacedPipelineGoesOnCounting) {
  Apply("{name: p, inputs: [{type: scripted, rows: 4}], outputs: [{type: hold, hold: true}]}");
  StepAll();
  Out("p").AckOne(0);
  Apply("{name: p, inputs: [{type: scripted, rows: 6}], outputs: [{type: hold}]}");
  StepAll();
  const LedgerFigures sum = Sum();
  EXPECT_EQ(sum.read_rows, 10u);
  EXPECT_EQ(sum.returned_rows, 2u);
  EXPECT_EQ(sum.delivered_rows, 8u);
  EXPECT_EQ(metrics_.Value("pipeline_read_rows_total", {{"pipeline", "p"}}), 10);
}

// Reads, acks in any order, give-ups of any rows by any output, removals, losses and reloads, at
// random; after each of them everything adds up.
TEST_F(LedgerTest, AddsUpAfterEveryStepWhateverHappens) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto upto = [&](size_t n) { return random() % n; };
    int version = 0;
    const auto apply = [&] {
      Apply("{name: p, inputs: [{type: scripted, origins: 3, rows: " +
            std::to_string(10 + ++version) +
            "}], processors: [{type: keep_even}], outputs: [{type: hold, hold: true}, "
            "{type: hold, hold: true, room: 5}, {type: hold, hold: true, required: false}], "
            "dead_letter: {type: hold, hold: true}}");
    };
    apply();
    for (int i = 0; i < 400; ++i) {
      const char* const outputs[] = {"p/hold", "p/hold#2", "p/hold#3", "p/dead_letter"};
      HoldOutput& out = Out(outputs[upto(4)]);
      switch (upto(8)) {
        case 0:
        case 1:
        case 2:
          engine_->Step();
          break;
        case 3:
        case 4:
          if (!out.held.empty()) out.AckOne(upto(out.held.size()));
          break;
        case 5:
          if (!out.held.empty()) {
            out.GiveUpOne(upto(out.held.size()), {static_cast<uint32_t>(upto(2))},
                          upto(2) == 0 ? "refused" : "too_large");
          }
          break;
        case 6: {
          const size_t which = upto(3);
          In("p").sources[which]->Grant(upto(5));
          In("p").host().Ready(In("p").ids[which]);
          break;
        }
        default:
          if (upto(10) == 0) In("p").host().Remove(In("p").ids[upto(3)]);
          if (upto(10) == 0) apply();
      }
      Sum();
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST_F(LedgerTest, GivenUpRowsGoToTheDeadLetterOutputWithTheirReason) {
  Apply(
      "{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold, hold: true}], "
      "dead_letter: {type: hold, hold: true}}");
  StepAll();
  Out("p/hold").GiveUpOne(0, {1}, "refused");
  HoldOutput& dead = Out("p/dead_letter");
  ASSERT_EQ(dead.held.size(), 1u);
  const Batch& batch = *dead.held[0].first;
  ASSERT_EQ(batch.rows(), 1u);
  EXPECT_EQ(batch.body().Get(0).text(), "pa:2");
  EXPECT_EQ(batch.FindColumn("kelp.drop_reason")->Get(0).text(), "refused");
  EXPECT_EQ(batch.FindColumn("kelp.drop_output")->Get(0).text(), "hold");
  EXPECT_EQ(batch.row_end(0), 20u);
  EXPECT_EQ(In("p").sources[0]->acked, 0u);
  dead.AckOne(0);
  EXPECT_EQ(In("p").sources[0]->acked, 20u);
  EXPECT_EQ(Sum().dropped.Get("refused"), 1u);
}

TEST_F(LedgerTest, WhatTheDeadLetterOutputRefusesIsCountedAndFinal) {
  Apply(
      "{name: p, inputs: [{type: scripted, rows: 2}], outputs: [{type: hold, hold: true}], "
      "dead_letter: {type: hold, hold: true}}");
  StepAll();
  Out("p/hold").GiveUpOne(0, {}, "refused");
  Out("p/dead_letter").GiveUpOne(0, {}, "too_large");
  EXPECT_EQ(In("p").sources[0]->acked, 20u);
  EXPECT_EQ(Sum().dropped.Get("refused"), 2u);
  EXPECT_EQ(metrics_.Value("output_dropped_rows_total", {{"pipeline", "p"},
                                                         {"component", "dead_letter"},
                                                         {"reason", "dead_letter_refused"}}),
            2);
}

TEST_F(LedgerTest, AFullDeadLetterOutputRestsThePipeline) {
  Apply(
      "{name: p, inputs: [{type: scripted, rows: 10}], outputs: [{type: hold, hold: true}], "
      "dead_letter: {type: hold, hold: true, room: 1}}");
  engine_->Step();
  Out("p/hold").GiveUpOne(0, {}, "refused");
  EXPECT_FALSE(engine_->Step());
  Out("p/dead_letter").AckOne(0);
  EXPECT_TRUE(engine_->Step());
}

}  // namespace
}  // namespace kelp::pipeline
