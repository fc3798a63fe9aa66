// LogSchema: the columns of the table `log` for one statement.
//
// They are the union over all blocks in the span of time: time, body, logstore where the snapshot
// is of several, every field, every resource tag, _origin and _offset. SQL ignores the case of
// names, so "Level" and "level" are one column, and a field and a tag of one name are one column in
// which the field goes first.
//
// A field is text unless every one of its values is a number that loses nothing by being one: see
// docs/guides/sql.md, "Types". Infer looks at a sample; the scan checks every value, and when one
// does not fit, the statement starts again with Demote.
//
// Threads: thread-compatible; immutable while a scan runs.
// Tests:   sql_test.cc
#ifndef KELP_SQL_LOG_SCHEMA_H_
#define KELP_SQL_LOG_SCHEMA_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "store/snapshot.h"

namespace kelp::sql {

// ASCII letters in lower case, as SQL compares names.
std::string LowerName(std::string_view name);

struct LogColumn {
  enum class Source : uint8_t { kTime, kBody, kLogstore, kValue, kOrigin, kOffset };
  // kLooseReal: for a statement that wants a number where some values are none; those are NULL and
  // counted.
  enum class Type : uint8_t { kText, kInteger, kReal, kLooseReal };
  std::string name;
  Source source = Source::kValue;
  Type type = Type::kText;
  // kReal: texts have so many digits after the point, or none has a zero at its end (-1). Without
  // this 1.1 and 1.10 would become one value.
  int fraction_digits = -1;
  bool mostly_numbers = false;  // of a text column: worth being a kLooseReal
  bool was_real = false;        // an integer that turned out not to be one gets one more try
};

// What a value is for a column of numbers.
enum class Fit : uint8_t { kNull, kFits, kMisfit };
Fit ReadInteger(const Value& value, int64_t& out);
Fit ReadReal(const Value& value, int fraction_digits, double& out);
Fit ReadLooseReal(const Value& value, double& out);

class LogSchema {
 public:
  // More columns than any statement can mean; those after it are left out.
  static constexpr size_t kColumnsMax = 4096;

  // Of the blocks that reach into [from, to).
  LogSchema(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to);

  const std::vector<LogColumn>& columns() const { return columns_; }
  std::vector<LogColumn>& columns() { return columns_; }
  // By name whatever its case; by its last dotted parts when only one column ends so.
  std::optional<size_t> Find(std::string_view name) const;
  std::optional<size_t> FindBySuffix(std::string_view suffix) const;

  // Sets the types of these columns from a sample of the blocks.
  void Infer(const std::set<size_t>& columns);

 private:
  void Add(std::string_view name, LogColumn::Source source);
  void InferOne(size_t column, std::span<store::BlockReader> readers);

  std::vector<std::shared_ptr<const store::Block>> sample_;
  std::vector<LogColumn> columns_;
  std::unordered_map<std::string, size_t> by_name_;  // lower case
};

}  // namespace kelp::sql

#endif  // KELP_SQL_LOG_SCHEMA_H_
