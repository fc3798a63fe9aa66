// JsonFields against simdjson's DOM: the same verdict and the same values, also for a parser that
// knows keys from other texts. IsJson likewise.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/json.h"
#include "codec/json_scan.h"

namespace {

using namespace kelp;
using namespace kelp::codec;

std::string Minified(simdjson::dom::parser& parser, std::string_view json) {
  simdjson::dom::element element;
  CHECK(parser.parse(json.data(), json.size()).get(element) == simdjson::SUCCESS, "not JSON");
  return simdjson::minify(element);
}

void Compare(const std::map<std::string, simdjson::dom::element, std::less<>>& expected,
             const Batch& batch) {
  simdjson::dom::parser parser;
  size_t present = 0;
  for (size_t i = 1; i < batch.column_count(); ++i) {
    const Value& value = batch.column(i).Get(0);
    if (value.missing()) continue;
    ++present;
    const auto it = expected.find(batch.column(i).name());
    CHECK(it != expected.end(), "a key that is not there");
    std::string_view text;
    if (it->second.get(text) == simdjson::SUCCESS) {
      CHECK(value.kind == ValueKind::kString && value.text() == text, "another string");
    } else {
      CHECK(value.kind == ValueKind::kJson, "another kind");
      CHECK(Minified(parser, value.text()) == std::string(simdjson::minify(it->second)),
            "another value");
    }
  }
  CHECK(present == expected.size(), "keys are missing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static JsonFields used;
  bool accepted = false;
  Batch batch[2];
  JsonFields fresh;
  for (int i = 0; i < 2; ++i) {
    JsonFields& fields = i == 0 ? used : fresh;
    batch[i].AddRow(text, 0, 1, kNoTime);
    fields.Start(batch[i]);
    const bool ok = fields.Parse(0, text);
    CHECK(i == 0 || ok == accepted, "the keys it knew changed its answer");
    accepted = ok;
  }
  const bool json = IsJson(text);
  CHECK(json || !accepted, "an object that is no JSON");
  // Kelp passes on bad UTF-8 and repairs lone surrogates; simdjson refuses both.
  if (!simdjson::validate_utf8(text.data(), text.size()) ||
      text.find("\\ud") != std::string::npos || text.find("\\uD") != std::string::npos) {
    return 0;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::error_code error = parser.parse(text).get(root);
  // Numbers are text to Kelp; simdjson wants them to fit.
  if (error == simdjson::NUMBER_ERROR) return 0;
  CHECK((error == simdjson::SUCCESS) == json, "simdjson judges otherwise");
  simdjson::dom::object object;
  const bool is_object = json && root.get(object) == simdjson::SUCCESS;
  CHECK(is_object == accepted, "simdjson judges the object otherwise");
  if (!accepted) return 0;
  std::map<std::string, simdjson::dom::element, std::less<>> expected;
  for (const auto member : object) {
    if (member.key == "body" || member.key == Batch::kOverflowColumn) return 0;
    expected[std::string(member.key)] = member.value;
  }
  if (expected.size() + 2 > Batch::kColumnsMax) return 0;
  Compare(expected, batch[0]);
  Compare(expected, batch[1]);
  return 0;
}
