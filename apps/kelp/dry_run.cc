#include "dry_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/metrics.h"
#include "batch/batch.h"
#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "framing/framing.h"
#include "input/file/file_input.h"
#include "input/pod_logs/pod_logs_input.h"
#include "json_slice.h"

namespace kelp::config {
template <>
struct EnumNames<cli::SampleFormat> {
  static constexpr std::string_view kNames[] = {"auto", "lines", "container", "cri", "docker_json"};
};
}  // namespace kelp::config

namespace kelp::cli {
namespace {

// The configuration of an input, if it is of the kind that has this schema.
template <typename Config>
const Config* ConfigOf(const pipeline::ComponentSpec& spec) {
  if (spec.entry->schema != &Config::ConfigSchema()) return nullptr;
  return static_cast<const Config*>(spec.config.get());
}

// How the pipeline's first input frames its files.
framing::FramingOptions FramingOf(const pipeline::PipelineConfig& pipeline) {
  if (pipeline.inputs.empty()) return {};
  const pipeline::ComponentSpec& spec = pipeline.inputs[0];
  if (const auto* file = ConfigOf<input::FileInputConfig>(spec)) return file->Framing();
  if (const auto* pods = ConfigOf<input::PodLogsInputConfig>(spec)) return pods->Framing();
  return {};
}

Result<std::unique_ptr<framing::LineDecoder>> MakeDecoder(const pipeline::PipelineConfig& pipeline,
                                                          const Samples& samples) {
  framing::FramingOptions options = FramingOf(pipeline);
  switch (samples.format) {
    case SampleFormat::kAuto:
      break;
    case SampleFormat::kLines:
      options.format = framing::Format::kLines;
      break;
    case SampleFormat::kContainer:
      options.format = framing::Format::kContainer;
      break;
    case SampleFormat::kCri:
      options.format = framing::Format::kCri;
      break;
    case SampleFormat::kDockerJson:
      options.format = framing::Format::kDockerJson;
      break;
  }
  if (samples.is_utf8 || options.format != framing::Format::kLines) {
    options.charset = framing::Charset::kUtf8;
  }
  return framing::MakeDecoder(options);
}

using Processors = std::vector<std::unique_ptr<pipeline::Processor>>;

Result<Processors> MakeProcessors(const pipeline::PipelineConfig& pipeline,
                                  const pipeline::AgentServices& services) {
  Processors processors;
  for (const pipeline::ComponentSpec& spec : pipeline.processors) {
    auto made = spec.entry->create_processor(spec.config, ContextOf(services, pipeline, spec));
    RETURN_IF_ERROR(made.status().Annotate("processor " + spec.id));
    processors.push_back(std::move(made).value());
  }
  return processors;
}

Status CollectRows(const Batch& batch, std::vector<Row>& rows) {
  codec::RowPrinter printer;
  printer.Start(batch);
  Status bad;
  batch.ForEach([&](uint32_t row) {
    codec::ByteBuffer out;
    printer.Append(out, row);
    Result<Row> parsed = ParseRow(out.view());
    if (parsed.ok()) {
      rows.push_back(std::move(parsed).value());
    } else {
      bad = parsed.status();
    }
  });
  return bad;
}

}  // namespace

Result<DryRunResult> DryRun(Env& env, const pipeline::PipelineConfig& pipeline,
                            const Samples& samples) {
  MetricRegistry metrics;
  const pipeline::AgentServices services{.env = &env, .metrics = &metrics};
  ASSIGN_OR_RETURN(const Processors processors, MakeProcessors(pipeline, services));
  ASSIGN_OR_RETURN(const auto decoder, MakeDecoder(pipeline, samples));
  const auto resource = std::make_shared<const Resource>(
      std::vector<Resource::Tag>(samples.resource.begin(), samples.resource.end()));
  DryRunResult result;
  size_t used = 0;
  for (bool more = true; more;) {
    const BatchPool::Ptr batch = BatchPool::Shared().Get();
    batch->set_resource(resource);
    const size_t left = samples.text.size() - used;
    size_t step = 0;
    if (left > 0) {
      char* data = batch->AddBuffer(left);
      std::memcpy(data, samples.text.data() + used, left);
      step = decoder->Decode({data, left, used, true}, *batch);
    }
    used += step;
    // What is incomplete comes at the end, in a batch that has room for it.
    more = step > 0 || batch->rows() > 0;
    if (!more) decoder->Flush(used, *batch);
    decoder->AddFields(*batch);
    result.rows_in += batch->rows();
    for (const auto& processor : processors) processor->Process(*batch);
    RETURN_IF_ERROR(CollectRows(*batch, result.rows));
  }
  return result;
}

const config::Schema<ExpectedRow>& ExpectedRow::ConfigSchema() {
  static const auto schema =
      config::Schema<ExpectedRow>("expected_row", "A row that must come out.")
          .Field("body", &ExpectedRow::body, {.doc = "The row's body."})
          .Field("time", &ExpectedRow::time,
                 {.doc = "The row's time.", .example = "2026-11-20T23:49:26.304280852Z"})
          .Field("fields", &ExpectedRow::fields,
                 {.doc = "All fields of the row: one that is missing here is a difference too.",
                  .example = "{status: 200}"})
          .Field("some_fields", &ExpectedRow::some_fields,
                 {.doc = "Fields that must be there; others may be.", .example = "{status: 200}"})
          .Field("resource", &ExpectedRow::resource, {.doc = "Resource tags that must be there."});
  return schema;
}

const config::Schema<TestCase>& TestCase::ConfigSchema() {
  static const auto schema =
      config::Schema<TestCase>("test", "Sample lines, and the rows they must become.")
          .Field("name", &TestCase::name,
                 {.doc = "What is tested.", .required = true, .example = "an access line"})
          .Field("input", &TestCase::input,
                 {.doc = "Lines as they stand in the file.",
                  .required = true,
                  .example = "['GET /index.html 200']",
                  .scalar_ok = true})
          .Field("format", &TestCase::format,
                 {.doc = "How lines become rows. auto: as the pipeline's first input reads them."})
          .Field("resource", &TestCase::resource,
                 {.doc = "Resource tags that the rows have.", .example = "{k8s.pod.name: web-1}"})
          .Field("rows", &TestCase::rows,
                 {.doc = "The rows that must come out, in order; [] when all are dropped.",
                  .example = "[{fields: {status: 200}}]"});
  return schema;
}

std::vector<TestCase> ParseTests(const pipeline::PipelineConfig& pipeline,
                                 config::Problems& problems) {
  const config::ConfigNode& node = pipeline.tests;
  if (!node.is_null() && !node.is_list()) {
    problems.Add(node, "tests", "expected a list of tests, found " + node.Describe());
  }
  std::vector<TestCase> tests;
  for (size_t i = 0; i < node.items().size(); ++i) {
    config::Scope scope;
    scope.path = fmt::format("tests[{}]", i);
    tests.push_back(TestCase::ConfigSchema().Parse(node.items()[i], problems, scope));
  }
  return tests;
}

namespace {

// Compares one row; collects lines of difference.
class RowDifference {
 public:
  RowDifference(size_t number, std::string& out) : number_(number), out_(out) {}

  void Compare(const ExpectedRow& expected, const Row& row) {
    if (expected.body) Value("body", *expected.body, row.body);
    if (expected.time) Value("time", *expected.time, row.time);
    if (!expected.fields.is_null()) {
      Members("fields", expected.fields, row.fields);
      for (const auto& [key, value] : row.fields) {
        if (expected.fields.Find(key) == nullptr) Say("fields." + key, nullptr, &value);
      }
    }
    Members("fields", expected.some_fields, row.fields);
    Members("resource", expected.resource, row.resource);
  }

 private:
  void Members(const std::string& what, const config::ConfigNode& expected,
               const Row::Pairs& pairs) {
    for (const config::ConfigNode::Entry& entry : expected.entries()) {
      const std::string wanted = Wanted(entry.value);
      const auto found = std::find_if(pairs.begin(), pairs.end(),
                                      [&](const auto& pair) { return pair.first == entry.key; });
      if (found == pairs.end()) {
        Say(what + "." + entry.key, &wanted, nullptr);
      } else if (!SameValue(entry.value, wanted, found->second)) {
        Say(what + "." + entry.key, &wanted, &found->second);
      }
    }
  }

  // Scalars compare by their text, so that `200` stands for the number and for the string.
  static std::string Wanted(const config::ConfigNode& node) {
    return node.is_scalar() ? node.text() : config::PrintJson(node);
  }
  static bool SameValue(const config::ConfigNode& node, const std::string& wanted,
                        const std::string& real) {
    if (wanted == real) return true;
    if (node.is_scalar()) return false;
    const Result<config::ConfigNode> parsed =
        config::ParseYaml(real, "row", {.expand_env = false, .env = nullptr});
    return parsed.ok() && config::CanonicalText(parsed.value()) == config::CanonicalText(node);
  }

  void Value(const std::string& what, const std::string& expected, const std::string& real) {
    if (expected != real) Say(what, &expected, &real);
  }
  void Say(const std::string& what, const std::string* expected, const std::string* real) {
    out_ += fmt::format("    row {}, {}:\n", number_, what);
    out_ += fmt::format("      - {}\n", expected ? Harmless(*expected) : "(nothing)");
    out_ += fmt::format("      + {}\n", real ? Harmless(*real) : "(nothing)");
  }

  size_t number_;
  std::string& out_;
};

}  // namespace

std::string Difference(const std::vector<ExpectedRow>& expected, const std::vector<Row>& rows) {
  std::string out;
  for (size_t i = 0; i < std::max(expected.size(), rows.size()); ++i) {
    if (i >= rows.size()) {
      const config::ConfigNode node = ExpectedRow::ConfigSchema().ToNode(expected[i]);
      out +=
          fmt::format("    row {} is missing:\n      - {}\n", i + 1, config::PrintYamlInline(node));
    } else if (i >= expected.size()) {
      out +=
          fmt::format("    row {} was not expected:\n      + {}\n", i + 1, Harmless(rows[i].json));
    } else {
      RowDifference(i + 1, out).Compare(expected[i], rows[i]);
    }
  }
  return out;
}

Result<std::string> RunTest(Env& env, const pipeline::PipelineConfig& pipeline,
                            const TestCase& test) {
  Samples samples;
  for (const std::string& line : test.input) {
    samples.text += line + (line.ends_with('\n') ? "" : "\n");
  }
  samples.format = test.format;
  samples.is_utf8 = true;  // as configurations are
  samples.resource = test.resource;
  ASSIGN_OR_RETURN(const DryRunResult result, DryRun(env, pipeline, samples));
  return Difference(test.rows, result.rows);
}

}  // namespace kelp::cli
