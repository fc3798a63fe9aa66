// Test helpers: rows as plain structs, blocks of them in memory, and an evaluator that is slow and
// obviously right.
//
// Place: unit tests and fuzz targets of this folder; linked into no program.
#ifndef KELP_QUERY_QUERY_TESTING_H_
#define KELP_QUERY_QUERY_TESTING_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch.h"
#include "query/ast.h"
#include "query/query.h"
#include "store/snapshot.h"

namespace kelp::query::testing {

struct TestValue {
  std::string text;
  ValueKind kind = ValueKind::kMissing;
  Value view() const { return {text.data(), static_cast<uint32_t>(text.size()), kind}; }
  auto operator<=>(const TestValue&) const = default;
};
inline TestValue Text(std::string_view text) { return {std::string(text), ValueKind::kString}; }
inline TestValue Json(std::string_view text) { return {std::string(text), ValueKind::kJson}; }

struct TestRow {
  UnixNanos time = 0;
  TestValue body;
  std::map<std::string, TestValue> fields;
  std::map<std::string, TestValue> resource;
  OriginId origin{1, 1};
  uint64_t offset = 0;
};

// How a block is laid out and what it misbehaves in.
struct BlockOptions {
  // Columns with at most so many different values become dictionaries.
  size_t dictionary_max = 4;
  bool filters = true;   // exact ones: every "may" that could be "no" is
  bool corrupt = false;  // decoding the body fails
  std::function<void()> on_decode_body;
};

class MemoryBlock final : public store::Block {
 public:
  explicit MemoryBlock(std::vector<TestRow> rows, BlockOptions options = {});

  uint32_t rows() const override { return static_cast<uint32_t>(rows_.size()); }
  UnixNanos time_min() const override { return time_min_; }
  UnixNanos time_max() const override { return time_max_; }
  uint64_t raw_bytes() const override { return 0; }
  std::span<const store::ColumnInfo> columns() const override { return infos_; }
  bool MayContainTokens(int column, std::span<const uint64_t> hashes) const override;
  bool MayEqual(int column, std::string_view value) const override;
  bool MayHold(int column, const std::function<bool(const Value&)>& matches) const override;

 private:
  struct ColumnData {
    std::string name;
    store::ColumnKind kind;
    std::vector<TestValue> values;  // by row
    std::set<uint64_t> tokens;
  };
  Status DecodeTimes(std::vector<UnixNanos>& times) const override;
  Status DecodeColumn(int column, store::DecodedColumn& out) const override;
  Status DecodeOrigins(store::DecodedOrigins& out) const override;
  void AddColumn(const std::string& name, store::ColumnKind kind,
                 const std::function<TestValue(const TestRow&)>& get);
  static void FillPlain(const ColumnData& column, store::DecodedColumn& out);

  const std::vector<TestRow> rows_;
  const BlockOptions options_;
  UnixNanos time_min_ = INT64_MAX;
  UnixNanos time_max_ = INT64_MIN;
  std::vector<ColumnData> columns_;
  std::vector<store::ColumnInfo> infos_;
};

class MemorySnapshot final : public store::Snapshot {
 public:
  MemorySnapshot() = default;
  explicit MemorySnapshot(std::vector<TestRow> one_block) { Add(std::move(one_block)); }
  MemorySnapshot& Add(std::vector<TestRow> rows, BlockOptions options = {});
  std::span<const std::shared_ptr<const store::Block>> blocks() const override { return blocks_; }
  uint64_t version() const override { return blocks_.size(); }

 private:
  std::vector<std::shared_ptr<const store::Block>> blocks_;
};

// Evaluates the tree as parsed, one row, by the words of docs/formats/query.md.
bool PlainMatches(const Tree& tree, const TestRow& row);

// The row as an answer gives it, fields in order of their names, as JSON.
std::string JsonOf(const TestRow& row);
std::string JsonOf(Row row);

// A batch of this one row.
BatchPtr BatchOf(const TestRow& row);

// Random rows and queries over one small vocabulary, so that they meet.
class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}
  virtual ~Chance() = default;
  // 0 to n - 1.
  virtual uint64_t Below(uint64_t n);
  bool OneIn(uint64_t n) { return Below(n) == 0; }

 private:
  uint64_t state_;
};
TestRow RandomRow(Chance& chance);
std::string RandomQuery(Chance& chance, int depth);

}  // namespace kelp::query::testing

#endif  // KELP_QUERY_QUERY_TESTING_H_
