// Runs tests/cases/processor/NAME/*.case. A case is a text in sections, each begun by a line "==
// NAME":
//
//   == config       YAML of the processor, or a list of them; `type` names each
//   == input        one row a line
//   == rows         the rows that must be left, one JSON object a line (see testing.h)
//   == counters     metrics that must have these values: name{reason="…"} value; may be left out
//
// Text before the first section says what the case is about.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "pipeline/registry.h"
#include "processor/add_fields/add_fields_processor.h"
#include "processor/filter/filter_processor.h"
#include "processor/parse_json/parse_json_processor.h"
#include "processor/parse_regex/parse_regex_processor.h"
#include "processor/testing.h"
#include "processor/timestamp/timestamp_processor.h"

namespace kelp::processor {
namespace {

using Sections = std::map<std::string, std::string>;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

Sections ReadSections(const std::string& text) {
  Sections sections;
  std::string* current = nullptr;
  for (const std::string& line : Lines(text)) {
    if (line.starts_with("== ")) {
      current = &sections[line.substr(3)];
    } else if (current != nullptr) {
      *current += line + "\n";
    }
  }
  return sections;
}

const pipeline::Registry& Processors() {
  static const pipeline::Registry* registry = [] {
    auto* all = new pipeline::Registry;
    all->Add<AddFieldsProcessor>();
    all->Add<FilterProcessor>();
    all->Add<ParseJsonProcessor>();
    all->Add<ParseRegexProcessor>();
    all->Add<TimestampProcessor>();
    return all;
  }();
  return *registry;
}

// The processors that a config section describes, counting in `metrics`.
class Chain {
 public:
  Chain(const std::string& yaml, MetricRegistry& metrics) {
    const auto root = config::ParseYaml(yaml, "config", {.expand_env = false});
    CHECK(root.ok(), root.status().ToString());
    std::vector<config::ConfigNode> nodes = root->items();
    if (!root->is_list()) nodes.push_back(*root);
    for (const config::ConfigNode& node : nodes) Add(node, metrics);
  }
  void Process(Batch& batch) {
    for (const auto& processor : processors_) processor->Process(batch);
  }

 private:
  void Add(const config::ConfigNode& node, MetricRegistry& metrics) {
    const config::ConfigNode* type = node.Find("type");
    CHECK(type != nullptr, "a processor without a type");
    const auto* entry = Processors().Find(pipeline::ComponentKind::kProcessor, type->text());
    CHECK(entry != nullptr, "no processor " + type->text());
    config::Problems problems;
    const auto config = entry->parse(node, problems, {.path = "", .known_keys = {"type"}});
    CHECK(problems.empty(), problems.ToString());
    pipeline::ComponentContext context;
    context.services.env = &RealEnv();
    context.services.metrics = &metrics;
    context.pipeline = "case";
    context.component = entry->name;
    auto made = entry->create_processor(config, context);
    CHECK(made.ok(), made.status().ToString());
    processors_.push_back(std::move(made).value());
  }
  std::vector<std::unique_ptr<pipeline::Processor>> processors_;
};

// A counter line of a case without its value must begin a line of the metrics; "name{reason=…}" is
// looked for among the labels.
int64_t ValueOf(const std::string& metrics, const std::string& wanted) {
  const size_t brace = std::min(wanted.find('{'), wanted.size());
  const std::string name = wanted.substr(0, brace) + "{";
  const std::string label =
      brace == wanted.size() ? "" : wanted.substr(brace + 1, wanted.size() - brace - 2);
  int64_t sum = -1;
  for (const std::string& line : Lines(metrics)) {
    if (!line.starts_with(name) || line.find(label) == std::string::npos) continue;
    sum = std::max<int64_t>(sum, 0) + std::stoll(line.substr(line.rfind(' ') + 1));
  }
  return sum;
}

void RunCase(const std::string& path) {
  SCOPED_TRACE(path);
  const auto text = ReadFile(RealEnv().files(), path);
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  const Sections sections = ReadSections(*text);
  for (const char* name : {"config", "input", "rows"}) {
    ASSERT_EQ(sections.count(name), 1u) << "no section " << name;
  }
  MetricRegistry metrics;
  Chain chain(sections.at("config"), metrics);
  const BatchPtr batch = testing::NewBatch(Lines(sections.at("input")));
  chain.Process(*batch);
  EXPECT_EQ(testing::Rows(*batch), sections.at("rows"));
  if (sections.count("counters") == 0) return;
  std::string printed;
  metrics.PrintTo(printed);
  for (const std::string& line : Lines(sections.at("counters"))) {
    const size_t space = line.rfind(' ');
    ASSERT_NE(space, std::string::npos) << line;
    EXPECT_EQ(ValueOf(printed, line.substr(0, space)), std::stoll(line.substr(space + 1))) << line;
  }
}

TEST(ProcessorCases, GiveTheRowsAndCountersTheySay) {
  const char* root = std::getenv("KELP_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "set KELP_SOURCE_DIR to the source folder, as ctest does";
  FileSystem& files = RealEnv().files();
  const std::string dir = JoinPath(root, "tests/cases/processor");
  size_t cases = 0;
  for (const auto& entry : Processors().entries()) {
    const auto listed = files.ListDir(JoinPath(dir, entry.name));
    ASSERT_TRUE(listed.ok()) << listed.status().ToString();
    std::vector<std::string> names;
    for (const DirEntry& file : *listed) {
      if (file.name.ends_with(".case")) names.push_back(file.name);
    }
    EXPECT_FALSE(names.empty()) << "no cases for " << entry.name;
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) RunCase(JoinPath(JoinPath(dir, entry.name), name));
    cases += names.size();
  }
  RecordProperty("cases", static_cast<int>(cases));
}

}  // namespace
}  // namespace kelp::processor
