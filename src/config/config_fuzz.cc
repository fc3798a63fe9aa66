// Any text: ParseYaml and a schema must refuse it with places or read it, and what was read must
// survive printing and reading again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "config/describe.h"
#include "config/schema.h"

namespace kelp::config {
namespace {

struct Fuzzed {
  std::vector<std::string> include;
  Duration interval = 1s;
  ByteSize size = 1_KiB;
  std::optional<int> count;
  double ratio = 0;
  bool on = false;
  std::string mode;
  std::string token;
  std::map<std::string, int64_t> waits;
  std::vector<Fuzzed> nested;
  std::vector<ConfigNode> inputs;

  static const Schema<Fuzzed>& ConfigSchema() {
    static const auto schema =
        Schema<Fuzzed>("fuzzed", "Every kind of field.")
            .Field("include", &Fuzzed::include, {.required = true, .scalar_ok = true})
            .Field("interval", &Fuzzed::interval, {.min = 1ms, .max = 1h})
            .Field("size", &Fuzzed::size, {.max = 1_GiB})
            .Field("count", &Fuzzed::count, {.min = 0, .max = 100})
            .Field("ratio", &Fuzzed::ratio, {.min = 0, .max = 1})
            .Field("on", &Fuzzed::on, {})
            .Field("mode", &Fuzzed::mode, {.choices = {"fast", "safe"}})
            .Field("token", &Fuzzed::token, {.secret = true})
            .Field("waits", &Fuzzed::waits, {})
            .Field("nested", &Fuzzed::nested, {})
            .Field("inputs", &Fuzzed::inputs, {.component = "input"});
    return schema;
  }
};

void CheckReadsBack(const ConfigNode& node, const std::string& printed) {
  const Result<ConfigNode> again =
      ParseYaml(printed, "printed", YamlOptions{.expand_env = false, .env = nullptr});
  CHECK(again.ok(), again.status().ToString() + "\n" + printed);
  CHECK(CanonicalText(again.value()) == CanonicalText(node), printed);
}

}  // namespace
}  // namespace kelp::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::config;
  YamlOptions options;
  options.env = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOME") return "a: [b]\n${HOME}";
    return std::nullopt;
  };
  Problems problems;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::optional<ConfigNode> node = ParseYaml(text, "fuzz.yaml", options, problems);
  CHECK(node.has_value() == problems.empty(), "a problem, or a tree");
  if (!node || node->node_count() > 10'000) return 0;
  CheckReadsBack(*node, PrintYaml(*node));
  CheckReadsBack(*node, PrintYamlInline(*node));
  const Fuzzed fuzzed = Fuzzed::ConfigSchema().Parse(*node, problems);
  Redacted(*node, Fuzzed::ConfigSchema());
  if (problems.empty())
    CheckReadsBack(Fuzzed::ConfigSchema().ToNode(fuzzed),
                   PrintYaml(Fuzzed::ConfigSchema().ToNode(fuzzed)));
  return 0;
}
