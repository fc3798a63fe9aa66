// The check of statements on any bytes: it ends, points into the text, and what it lets through
// is one SELECT that it lets through again. Nothing is run.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "query/query_testing.h"
#include "sql/database.h"
#include "sql/lexer.h"
#include "sql/log_schema.h"
#include "sql/pipes.h"
#include "sql/statement.h"

namespace {

using kelp::query::testing::Json;
using kelp::query::testing::MemorySnapshot;
using kelp::query::testing::TestRow;
using kelp::query::testing::Text;

const MemorySnapshot& Rows() {
  static const MemorySnapshot* const rows = [] {
    TestRow row;
    row.time = 1;
    row.body = Text("x");
    row.fields = {{"level", Text("info")}, {"took", Json("1")}, {"req", Json("{\"a\":1}")}};
    row.resource = {{"k8s.pod.name", Text("web")}};
    return new MemorySnapshot({row});
  }();
  return *rows;
}

// One for the whole run; nullptr without DuckDB's library.
kelp::sql::Database* TheDatabase() {
  static const auto* const database =
      new auto(kelp::sql::Database::Open({"", 1, kelp::ByteSize{64 << 20}, "", ""}));
  return database->ok() ? database->value().get() : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::sql;
  Database* const database = TheDatabase();
  if (database == nullptr) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const LogSchema schema(Rows(), 0, 2);
  Statement statement;
  Problem problem;
  if (!CheckStatement(*database, text, schema, statement, problem)) {
    CHECK(!problem.status.ok(), "refused without a reason");
    CHECK(!problem.position || *problem.position <= size, "a place outside of the text");
    return 0;
  }
  CHECK(IsSql(statement.sql), "what runs is no SELECT");
  for (size_t i = 0; i <= statement.sql.size(); ++i) {
    CHECK(statement.OriginalPlace(i) <= size, "a place outside of the text");
  }
  for (const size_t column : statement.columns) {
    CHECK(column < schema.columns().size(), "a column that is not there");
  }
  return 0;
}
