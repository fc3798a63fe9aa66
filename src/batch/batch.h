// Batch: a small columnar table of events of one origin, over one arena.
//
// Rows are events. Column 0 is the body: the text of the event. Other columns are fields, made by
// processors. A value is a slice of the arena; nothing copies a log's bytes between reading and
// encoding. Time is a column of its own. What all rows share is the resource. The selection says
// which rows are still in: a filter edits it and moves nothing.
//
//   Batch batch;
//   char* p = batch.AddBuffer(n);                       // bytes as read
//   uint32_t row = batch.AddRow({line, size}, begin, end, kNoTime);
//   Column& level = batch.AddColumn("level");           // one slice per row, missing at first
//   level.Set(row, Value::String(slice_of_the_arena));
//   batch.Select([&](uint32_t r) { return keep(r); });
//
// Place:    inputs fill one, processors edit it, outputs read it (then const), batches go back to
//           the BatchPool.
// Owns:     its buffers and vectors; shares the resource. Values may also point at memory that
//           outlives the batch (a processor's configuration, resource tags).
// Threads:  thread-compatible; const after it was handed to the outputs.
// Limits:   kRowsMax rows; kColumnsMax columns, past which fields go into kOverflowColumn (design,
//           section 4); a value is shorter than 4 GiB.
#ifndef KELP_BATCH_BATCH_H_
#define KELP_BATCH_BATCH_H_

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/ids.h"
#include "base/memory_budget.h"
#include "base/units.h"
#include "batch/buffer_pool.h"
#include "batch/resource.h"

namespace kelp {

enum class ValueKind : uint32_t {
  kMissing = 0,  // the row has no such field
  kString = 1,   // text, as it is
  kJson = 2,     // JSON text of a number, true, false, null, an object or an array
};

// One field of one row: a slice and its kind. 16 bytes, trivially copyable; zero is "missing".
struct Value {
  const char* data = nullptr;
  uint32_t size = 0;
  ValueKind kind = ValueKind::kMissing;

  static Value String(std::string_view s) {
    return {s.data(), static_cast<uint32_t>(s.size()), ValueKind::kString};
  }
  static Value Json(std::string_view s) {
    return {s.data(), static_cast<uint32_t>(s.size()), ValueKind::kJson};
  }
  bool missing() const { return kind == ValueKind::kMissing; }
  // The bytes; for kJson the JSON text. Empty when missing.
  std::string_view text() const { return {data, size}; }
};

// One field of all rows.
class Column {
 public:
  const std::string& name() const { return name_; }
  const Value& Get(uint32_t row) const { return values_[row]; }
  void Set(uint32_t row, Value value) { values_[row] = value; }
  Value* values() { return values_.data(); }
  const Value* values() const { return values_.data(); }

 private:
  friend class Batch;
  std::string name_;
  std::vector<Value> values_;  // as long as the batch has rows
};

class Batch {
 public:
  static constexpr uint32_t kRowsMax = 1u << 16;
  static constexpr size_t kColumnsMax = 256;
  // JSON object text of the fields for which no column was left.
  static constexpr std::string_view kOverflowColumn = "kelp.overflow";
  static constexpr std::string_view kBodyColumn = "body";

  Batch();
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // Empties the batch for reuse; keeps the vectors' capacity, frees buffers and budget.
  void Reset();

  // --- origin ---
  // Which origin the rows come from, and the half-open range [begin, end) of it that reading this
  // batch consumed, rows or no rows.
  OriginId origin;
  uint64_t begin = 0;
  uint64_t end = 0;
  // Where reading must go on after a restart once this batch and all before it are acknowledged:
  // `end`, or less while a record that began earlier is still incomplete.
  uint64_t resume = 0;
  // When the newest bytes of it were read, on the monotonic clock (latency to ack).
  Duration read_at{0};

  const ResourcePtr& resource() const { return resource_; }
  void set_resource(ResourcePtr resource) { resource_ = std::move(resource); }

  // --- arena ---
  // A new writable area of `size` bytes (kBufferPadding readable bytes follow), alive as long as
  // the batch is. For the bytes as read.
  char* AddBuffer(size_t size);
  // Takes over a buffer that was filled already.
  char* AddBuffer(Buffer buffer);
  // `size` writable bytes, cheap for small sizes. For what processors add.
  char* Allocate(size_t size) {
    if (size > arena_left_) [[unlikely]]
      return AllocateSlow(size);
    char* p = arena_next_;
    arena_next_ += size;
    arena_left_ -= size;
    return p;
  }
  // Gives back the unused tail of the last Allocate.
  void ShrinkLast(char* used_end) {
    DCHECK(used_end <= arena_next_, "shrinking something else");
    arena_left_ += static_cast<size_t>(arena_next_ - used_end);
    arena_next_ = used_end;
  }
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {"", 0};
    char* p = Allocate(text.size());
    std::memcpy(p, text.data(), text.size());
    return {p, text.size()};
  }

  // --- rows ---
  uint32_t rows() const { return static_cast<uint32_t>(times_.size()); }
  bool full() const { return rows() >= kRowsMax; }
  // Appends an event that came from [row_begin, row_end) of the origin. Row ends grow strictly
  // within an origin (they are what the server removes repeats by); row begins need not.
  // REQUIRES: !full(); before any field column is added.
  uint32_t AddRow(std::string_view body, uint64_t row_begin, uint64_t row_end, UnixNanos time) {
    DCHECK(columns_used_ == 1, "rows come before fields");
    columns_[0].values_.push_back(Value::String(body));
    begins_.push_back(row_begin);
    ends_.push_back(row_end);
    times_.push_back(time);
    return rows() - 1;
  }
  UnixNanos time(uint32_t row) const { return times_[row]; }
  void set_time(uint32_t row, UnixNanos t) { times_[row] = t; }
  const UnixNanos* times() const { return times_.data(); }
  uint64_t row_begin(uint32_t row) const { return begins_[row]; }
  uint64_t row_end(uint32_t row) const { return ends_[row]; }

  // --- columns ---
  Column& body() { return columns_[0]; }
  const Column& body() const { return columns_[0]; }
  size_t column_count() const { return columns_used_; }
  Column& column(size_t i) { return columns_[i]; }
  const Column& column(size_t i) const { return columns_[i]; }
  // nullptr when there is none.
  Column* FindColumn(std::string_view name);
  const Column* FindColumn(std::string_view name) const;
  // The column of that name, made when there is none; references stay good until Reset().
  // Past kColumnsMax: nullptr from TryAddColumn, and the caller uses SetField.
  Column* TryAddColumn(std::string_view name);
  // REQUIRES: columns are left or the name exists.
  Column& AddColumn(std::string_view name);
  // Sets a field wherever it fits: its column, or the overflow column when no column is left.
  // `value` must live as long as the batch. Slower than a Column at hand.
  void SetField(uint32_t row, std::string_view name, Value value);

  // --- selection ---
  bool all_selected() const { return all_selected_; }
  uint32_t selected_count() const {
    return all_selected_ ? rows() : static_cast<uint32_t>(selected_.size());
  }
  // Calls f(row) for each row that is still in, in order.
  template <typename F>
  void ForEach(F&& f) const {
    if (all_selected_) {
      for (uint32_t row = 0, n = rows(); row < n; ++row) f(row);
    } else {
      for (const uint32_t row : selected_) f(row);
    }
  }
  // Keeps the selected rows for which keep(row) is true; the number of rows that went out.
  template <typename F>
  uint32_t Select(F&& keep) {
    const uint32_t before = selected_count();
    if (all_selected_) {
      uint32_t row = 0;
      const uint32_t n = rows();
      while (row < n && keep(row)) ++row;
      if (row == n) return 0;
      for (uint32_t r = 0; r < row; ++r) selected_.push_back(r);
      for (++row; row < n; ++row) {
        if (keep(row)) selected_.push_back(row);
      }
      all_selected_ = false;
    } else {
      size_t kept = 0;
      for (const uint32_t row : selected_) {
        if (keep(row)) selected_[kept++] = row;
      }
      selected_.resize(kept);
    }
    return before - selected_count();
  }

  // --- memory ---
  // Bytes this batch holds: buffers, arena and vectors in use.
  size_t memory_bytes() const;
  // Bytes of event bodies of the selected rows.
  uint64_t body_bytes() const;
  // Ties `bytes`, already reserved in `budget`, to this batch: released by Reset() or the end.
  void Charge(MemoryBudget* budget, uint64_t bytes);
  // Brings the charge up to memory_bytes() after processing; may pass the budget's limit.
  void ChargeActual();
  uint64_t charged() const { return charged_; }

 private:
  char* AllocateSlow(size_t size);

  ResourcePtr resource_ = Resource::Empty();
  std::vector<Buffer> buffers_;
  char* arena_next_ = nullptr;
  size_t arena_left_ = 0;
  std::vector<UnixNanos> times_;
  std::vector<uint64_t> begins_;
  std::vector<uint64_t> ends_;
  std::deque<Column> columns_;  // a deque: references survive growth
  size_t columns_used_ = 1;
  size_t last_found_ = 0;  // fields usually come in the same order in every row
  bool all_selected_ = true;
  std::vector<uint32_t> selected_;
  MemoryBudget* budget_ = nullptr;
  uint64_t charged_ = 0;
};

// Recycles batches. Threads: thread-safe. Outlives its batches.
class BatchPool {
 public:
  struct Deleter {
    BatchPool* pool = nullptr;
    void operator()(Batch* batch) const { pool->Put(batch); }
  };
  using Ptr = std::unique_ptr<Batch, Deleter>;

  ~BatchPool();
  Ptr Get();

  // The pool of the process; never destroyed.
  static BatchPool& Shared();

 private:
  // Idle batches keep their vectors warm; more than this many only waste memory.
  static constexpr size_t kIdleMax = 8;
  // A batch with larger vectors than this is not kept.
  static constexpr size_t kIdleBytesMax = 1u << 20;
  void Put(Batch* batch);

  Mutex mu_;
  std::vector<std::unique_ptr<Batch>> idle_ GUARDED_BY(mu_);
};

using BatchPtr = BatchPool::Ptr;
using SharedBatch = std::shared_ptr<const Batch>;

}  // namespace kelp

#endif  // KELP_BATCH_BATCH_H_
