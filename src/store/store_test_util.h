// What the store's tests share: a folder that goes away, batches from a few words, reading all
// rows.
#ifndef KELP_STORE_STORE_TEST_UTIL_H_
#define KELP_STORE_STORE_TEST_UTIL_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <future>
#include <map>
#include <string>
#include <vector>

#include "base/env.h"
#include "codec/kelp_batch.h"
#include "store/store.h"

namespace kelp::store {

// An empty directory, removed at the end.
class TestDir {
 public:
  TestDir() {
    char name[] = "/tmp/kelp_store_test.XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TestDir() { RealEnv().files().RemoveTree(path_).IgnoreError(); }
  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return JoinPath(path_, name); }

 private:
  std::string path_;
};

struct TestRow {
  UnixNanos time = 0;
  std::string body;
  std::map<std::string, std::string> fields;
  uint64_t begin = 0;
  uint64_t end = 0;
};

inline BatchPtr MakeBatch(OriginId origin, std::vector<Resource::Tag> tags,
                          const std::vector<TestRow>& rows) {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = origin;
  batch->set_resource(std::make_shared<const Resource>(std::move(tags)));
  if (!rows.empty()) {
    batch->begin = rows.front().begin;
    batch->end = rows.back().end;
  }
  for (const TestRow& row : rows) {
    const std::string_view body = row.body.empty() ? std::string_view("") : batch->Copy(row.body);
    batch->AddRow(body, row.begin, row.end, row.time);
  }
  for (uint32_t r = 0; r < rows.size(); ++r) {
    for (const auto& [name, value] : rows[r].fields) {
      batch->AddColumn(name).Set(r, Value::String(batch->Copy(value)));
    }
  }
  return batch;
}

inline BatchSet MakeSet(std::vector<BatchPtr> batches) {
  codec::BatchSetEncoder encoder;
  for (const BatchPtr& batch : batches) encoder.Add(*batch, 0);
  return {std::move(batches), encoder.Finish()};
}

inline BatchSet MakeSet(BatchPtr batch) {
  std::vector<BatchPtr> batches;
  batches.push_back(std::move(batch));
  return MakeSet(std::move(batches));
}

// Numbered rows "row <n> ..." of one origin, a second apart, ten bytes of origin each.
inline BatchPtr NumberedRows(OriginId origin, uint64_t first, uint64_t count,
                             UnixNanos start = 1'763'700'000'000'000'000) {
  std::vector<TestRow> rows;
  for (uint64_t n = first; n < first + count; ++n) {
    rows.push_back({start + static_cast<int64_t>(n) * 1'000'000'000,
                    "row " + std::to_string(n) + " says hello",
                    {{"level", n % 3 == 0 ? "error" : "info"}},
                    n * 10,
                    n * 10 + 10});
  }
  return MakeBatch(origin, {{"k8s.pod.name", "pod-" + std::to_string(origin.low)}}, rows);
}

inline Result<AppendResult> AppendAndWait(Store& store, const LogstoreName& name, BatchSet set) {
  std::promise<Result<AppendResult>> promise;
  auto future = promise.get_future();
  store.Append(name, std::move(set),
               [&](Result<AppendResult> result) { promise.set_value(std::move(result)); });
  return future.get();
}

// A row as text: "origin:offset time body {field=value,...} [tag=value,...]".
inline std::vector<std::string> AllRows(const Snapshot& snapshot) {
  std::vector<std::string> rows;
  BlockReader reader;
  for (const auto& block : snapshot.blocks()) {
    reader.Open(*block);
    const auto times = reader.Times();
    const auto origins = reader.Origins();
    EXPECT_TRUE(times.ok()) << times.status().ToString();
    EXPECT_TRUE(origins.ok()) << origins.status().ToString();
    std::vector<const TextColumn*> columns;
    for (int i = 0; i < static_cast<int>(block->columns().size()); ++i) {
      const auto column = reader.Column(i);
      EXPECT_TRUE(column.ok()) << column.status().ToString();
      if (!column.ok()) return rows;
      columns.push_back(*column);
    }
    if (!times.ok() || !origins.ok()) return rows;
    for (uint32_t r = 0; r < block->rows(); ++r) {
      const OriginColumn& o = **origins;
      const OriginId id = o.ids[o.rows.empty() ? 0 : o.rows[r]];
      EXPECT_GE((*times)[r], block->time_min());
      EXPECT_LE((*times)[r], block->time_max());
      std::string fields;
      std::map<std::string, std::string> sorted;
      std::string body;
      for (size_t c = 0; c < columns.size(); ++c) {
        const Value value = columns[c]->Get(r);
        const ColumnInfo& info = block->columns()[c];
        if (info.kind == ColumnKind::kBody) {
          body = value.text();
        } else if (!value.missing()) {
          sorted[(info.kind == ColumnKind::kField ? "f." : "r.") + std::string(info.name)] =
              (value.kind == ValueKind::kJson ? "json:" : "") + std::string(value.text());
        }
      }
      for (const auto& [name, value] : sorted) fields += " " + name + "=" + value;
      rows.push_back(id.ToString() + ":" + std::to_string(o.offsets[r]) + " " +
                     std::to_string((*times)[r]) + " " + body + fields);
    }
  }
  return rows;
}

}  // namespace kelp::store

#endif  // KELP_STORE_STORE_TEST_UTIL_H_
