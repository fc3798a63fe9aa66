// Any text as LogQL: it parses or fails with a place inside the text; what parses has one spelling
// that parses to itself; and it runs over rows of every form without harm.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "loki/ast.h"
#include "loki/log_query.h"
#include "loki/metric_query.h"
#include "query/query_testing.h"

namespace {

using kelp::query::testing::Json;
using kelp::query::testing::MemorySnapshot;
using kelp::query::testing::TestRow;
using kelp::query::testing::Text;

const kelp::loki::Target& Rows() {
  static const kelp::loki::Target target = [] {
    auto snapshot = std::make_shared<MemorySnapshot>();
    std::vector<TestRow> rows;
    const char* bodies[] = {"{\"a\":{\"b\":1},\"level\":\"info\",\"c\":[1,{\"d\":null}]}",
                            "level=warn took=1.5s msg=\"a \\\"b\\\"\" size=3KB bare",
                            "GET /x 200 from 10.0.0.1:443", "", "\x1b[31mred\x1b[0m \xff"};
    for (const char* body : bodies) {
      TestRow row;
      row.time = static_cast<int64_t>(rows.size()) + 1;
      if (*body != '\0') row.body = Text(body);
      row.fields["status"] = Json("500");
      row.fields["a.b"] = Text("x");
      row.resource["app"] = Text(rows.size() % 2 == 0 ? "web" : "db");
      rows.push_back(std::move(row));
    }
    snapshot->Add(std::move(rows));
    kelp::loki::Target out;
    out.sources.push_back({"logs", snapshot});
    out.limits.time = std::chrono::seconds(1);
    return out;
  }();
  return target;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  kelp::loki::SyntaxError error;
  const auto expr = kelp::loki::Parse(text, error);
  if (expr == nullptr) {
    CHECK(!error.message.empty() && error.position <= size, "an error without a place");
    CHECK(!kelp::loki::Describe(text, error).empty(), "an error without words");
    return 0;
  }
  const std::string formatted = kelp::loki::Format(*expr);
  const auto again = kelp::loki::Parse(formatted, error);
  // Formatting adds parentheses and spaces; a text at the limits may come to lie beyond them.
  if (again != nullptr) CHECK(kelp::loki::Format(*again) == formatted, "two spellings");
  if (expr->is_log()) {
    (void)kelp::loki::RunLogQuery(Rows(), *expr, {0, 100, 10, size % 2 == 0});
  } else {
    (void)kelp::loki::RunMetricQuery(Rows(), *expr, {1, 9, std::chrono::nanoseconds(2)});
  }
  return 0;
}
