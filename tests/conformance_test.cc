// What every component must do, tried on every component that src/components.cc lists.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "base/env.h"
#include "base/ids.h"
#include "components.h"
#include "pipeline/pipeline_config.h"

namespace kelp {
namespace {

using pipeline::ComponentKind;
using pipeline::Registry;

// A configuration to run each component with; DIR becomes a temporary directory. A component that
// is not here fails the test: add it.
const std::map<std::string, std::string> kRunnable = {
    {"file input", "{type: file, include: [DIR/*.log]}"},
    {"pod_logs input", "{type: pod_logs, root: DIR}"},
    {"add_fields processor", "{type: add_fields, fields: {team: logs}}"},
    {"filter processor", "{type: filter, include: {field: body, regex: a}}"},
    {"parse_json processor", "{type: parse_json}"},
    {"parse_regex processor", "{type: parse_regex, pattern: '^(?<first>\\S+) '}"},
    {"timestamp processor", "{type: timestamp, field: time, formats: [rfc3339]}"},
    {"blackhole output", "{type: blackhole}"},
    {"file output", "{type: file, path: DIR/out.log}"},
    {"kelp output", "{type: kelp, url: 'http://127.0.0.1:9'}"},
    {"stdout output", "{type: stdout}"},
};

std::string KeyOf(const Registry::Entry& entry) {
  return entry.name + " " + pipeline::ComponentKindName(entry.kind);
}

class ConformanceTest : public testing::Test {
 protected:
  ConformanceTest()
      : dir_(testing::TempDir() + "kelp_conformance_" + RandomHex(RealEnv().random(), 8)) {}
  void SetUp() override { ASSERT_TRUE(RealEnv().files().MakeDirs(dir_).ok()); }
  void TearDown() override { ASSERT_TRUE(RealEnv().files().RemoveTree(dir_).ok()); }

  Registry::AnyConfig ConfigOf(const Registry::Entry& entry) {
    const auto it = kRunnable.find(KeyOf(entry));
    if (it == kRunnable.end()) {
      ADD_FAILURE() << KeyOf(entry) << " has no entry in kRunnable";
      return nullptr;
    }
    std::string yaml = it->second;
    for (size_t at; (at = yaml.find("DIR")) != std::string::npos;) yaml.replace(at, 3, dir_);
    config::Problems problems;
    const auto config = entry.parse(*config::ParseYaml(yaml, entry.name), problems,
                                    config::Scope{.path = "", .known_keys = {"type"}});
    EXPECT_EQ(problems.ToString(), "") << yaml;
    return config;
  }
  pipeline::ComponentContext Context(const Registry::Entry& entry) {
    return {.services = {.env = &RealEnv(), .metrics = &metrics_, .data_dir = dir_},
            .pipeline = "test",
            .component = entry.name};
  }
  double Dropped(const Registry::Entry& entry) const {
    std::string text;
    metrics_.PrintTo(text);
    double dropped = 0;
    const std::string name =
        std::string("kelp_") + pipeline::ComponentKindName(entry.kind) + "_dropped_rows_total{";
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      dropped += std::atof(text.c_str() + text.find("} ", at) + 2);
    }
    return dropped;
  }

  const std::string dir_;
  MetricRegistry metrics_;
};

TEST_F(ConformanceTest, NamesMatchFoldersAndEachHasProse) {
  const char* root = std::getenv("KELP_SOURCE_DIR");
  ASSERT_NE(root, nullptr);
  for (const Registry::Entry& entry : Components().entries()) {
    EXPECT_EQ(entry.name, entry.schema->name());
    const std::string kind = pipeline::ComponentKindName(entry.kind);
    const std::string prose = std::string(root) + "/src/" + kind + "/" + entry.name + "/" +
                              entry.name + "_" + kind + ".md";
    const auto text = ReadFile(RealEnv().files(), prose);
    ASSERT_TRUE(text.ok()) << prose;
    EXPECT_GT(text->size(), 200u) << prose;
  }
}

TEST_F(ConformanceTest, EachHasAnExampleThatParsesAndCanBeCreated) {
  for (const Registry::Entry& entry : Components().entries()) {
    const std::string& example = entry.schema->options().example;
    ASSERT_FALSE(example.empty()) << KeyOf(entry);
    const auto node = config::ParseYaml(example, entry.name);
    ASSERT_TRUE(node.ok()) << KeyOf(entry) << ": " << node.status().message();
    config::Problems problems;
    const auto config =
        entry.parse(*node, problems, config::Scope{.path = "", .known_keys = {"type", "required"}});
    EXPECT_EQ(problems.ToString(), "") << KeyOf(entry);
    if (entry.create_processor) {
      EXPECT_TRUE(entry.create_processor(config, Context(entry)).ok()) << KeyOf(entry);
    }
  }
}

TEST_F(ConformanceTest, EachFieldIsDocumented) {
  for (const Registry::Entry& entry : Components().entries()) {
    EXPECT_FALSE(entry.schema->doc().empty()) << KeyOf(entry);
    for (const config::FieldInfo& field : entry.schema->fields()) {
      EXPECT_GT(field.options.doc.size(), 5u) << KeyOf(entry) << "." << field.name;
    }
  }
}

TEST_F(ConformanceTest, EveryRowOfAProcessorIsKeptOrDroppedWithAReason) {
  const std::vector<std::string> bodies = {"",
                                           "a",
                                           "{}",
                                           "{\"a\":1,\"b\":{\"c\":[]}}",
                                           "{\"a\":",
                                           "127.0.0.1 - - x",
                                           "\xff\xfe\0",
                                           std::string(100000, 'a'),
                                           "2026-11-20T23:49:26Z a"};
  for (const Registry::Entry& entry : Components().entries()) {
    if (entry.kind != ComponentKind::kProcessor) continue;
    const auto config = ConfigOf(entry);
    if (config == nullptr) continue;
    const auto processor = entry.create_processor(config, Context(entry));
    ASSERT_TRUE(processor.ok()) << processor.status().message();
    const double before = Dropped(entry);
    Batch batch;
    uint64_t end = 0;
    for (const std::string& body : bodies) {
      batch.AddRow(batch.Copy(body), end, end + body.size() + 1, kNoTime);
      end += body.size() + 1;
    }
    (*processor)->Process(batch);
    EXPECT_EQ(batch.selected_count() + Dropped(entry) - before, bodies.size()) << KeyOf(entry);
    EXPECT_EQ(batch.rows(), bodies.size());
  }
}

// Takes what outputs say about room.
class NoHost final : public pipeline::OutputHost {
 public:
  void RoomAvailable() override {}
  void GiveUp(SharedBatch, std::vector<uint32_t>, std::string_view, pipeline::Ack ack) override {
    ack.Done();
  }
};

TEST_F(ConformanceTest, EachOutputStartsStopsAndCanBeMadeAgain) {
  NoHost host;
  for (const Registry::Entry& entry : Components().entries()) {
    if (entry.kind != ComponentKind::kOutput) continue;
    const auto config = ConfigOf(entry);
    if (config == nullptr) continue;
    for (int round = 0; round < 2; ++round) {
      const auto output = entry.create_output(config, Context(entry));
      ASSERT_TRUE(output.ok()) << output.status().message();
      const Status started = (*output)->Start(host);
      ASSERT_TRUE(started.ok()) << started.message();
      EXPECT_TRUE((*output)->HasRoom()) << KeyOf(entry);
      (*output)->Stop(Duration(0));
    }
  }
}

}  // namespace
}  // namespace kelp
