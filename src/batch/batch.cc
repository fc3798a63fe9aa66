#include "batch/batch.h"

#include <algorithm>

namespace kelp {
namespace {

// What processors add comes in small pieces; one buffer of this size holds many of them.
constexpr size_t kArenaStep = 16 << 10;

void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20) {
      out += "\\u00";
      out += kHex[u >> 4];
      out += kHex[u & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

Batch::Batch() { columns_.emplace_back().name_ = kBodyColumn; }

Batch::~Batch() { Reset(); }

void Batch::Reset() {
  origin = {};
  begin = end = resume = 0;
  read_at = Duration(0);
  resource_ = Resource::Empty();
  buffers_.clear();
  arena_next_ = nullptr;
  arena_left_ = 0;
  times_.clear();
  begins_.clear();
  ends_.clear();
  columns_[0].values_.clear();
  columns_used_ = 1;
  last_found_ = 0;
  all_selected_ = true;
  selected_.clear();
  if (budget_ != nullptr) {
    MemoryBudget* budget = budget_;
    const uint64_t bytes = charged_;
    budget_ = nullptr;
    charged_ = 0;
    budget->Release(bytes);
  }
}

char* Batch::AddBuffer(size_t size) { return AddBuffer(BufferPool::Shared().Get(size)); }

char* Batch::AddBuffer(Buffer buffer) {
  buffers_.push_back(std::move(buffer));
  return buffers_.back().data();
}

char* Batch::AllocateSlow(size_t size) {
  char* p = AddBuffer(std::max(size, kArenaStep));
  arena_next_ = p + size;
  arena_left_ = buffers_.back().capacity() - size;
  return p;
}

Column* Batch::FindColumn(std::string_view name) {
  return const_cast<Column*>(static_cast<const Batch*>(this)->FindColumn(name));
}

const Column* Batch::FindColumn(std::string_view name) const {
  for (size_t i = 0; i < columns_used_; ++i) {
    if (columns_[i].name_ == name) return &columns_[i];
  }
  return nullptr;
}

Column* Batch::TryAddColumn(std::string_view name) {
  // Rows of one kind bring their fields in one order: look behind the last hit first.
  for (size_t i = 0; i < columns_used_; ++i) {
    last_found_ = last_found_ + 1 < columns_used_ ? last_found_ + 1 : 0;
    if (columns_[last_found_].name_ == name) return &columns_[last_found_];
  }
  if (columns_used_ >= kColumnsMax) return nullptr;
  if (columns_used_ == columns_.size()) columns_.emplace_back();
  Column& column = columns_[columns_used_];
  last_found_ = columns_used_++;
  if (column.name_ != name) column.name_ = name;
  column.values_.assign(rows(), Value());
  return &column;
}

Column& Batch::AddColumn(std::string_view name) {
  Column* column = TryAddColumn(name);
  CHECK(column != nullptr, "no column left");
  return *column;
}

void Batch::SetField(uint32_t row, std::string_view name, Value value) {
  // One column is kept for the overflow itself.
  Column* column = FindColumn(name);
  if (column == nullptr && columns_used_ + 1 < kColumnsMax) column = TryAddColumn(name);
  if (column != nullptr) {
    column->Set(row, value);
    return;
  }
  Column& overflow = AddColumn(kOverflowColumn);
  const std::string_view old = overflow.Get(row).text();
  std::string text(old.empty() ? "{" : old.substr(0, old.size() - 1));
  if (!old.empty()) text += ',';
  AppendJsonString(text, name);
  text += ':';
  if (value.kind == ValueKind::kJson) {
    text += value.text();
  } else {
    AppendJsonString(text, value.text());
  }
  text += '}';
  overflow.Set(row, Value::Json(Copy(text)));
}

size_t Batch::memory_bytes() const {
  size_t bytes = sizeof(Batch) + rows() * (8 + 8 + 8) + selected_.size() * 4 +
                 columns_used_ * rows() * sizeof(Value);
  for (const Buffer& buffer : buffers_) bytes += buffer.capacity();
  return bytes;
}

uint64_t Batch::body_bytes() const {
  uint64_t bytes = 0;
  ForEach([&](uint32_t row) { bytes += columns_[0].values_[row].size; });
  return bytes;
}

void Batch::Charge(MemoryBudget* budget, uint64_t bytes) {
  CHECK(budget_ == nullptr || budget_ == budget, "a batch is charged to one budget");
  budget_ = budget;
  charged_ += bytes;
}

void Batch::ChargeActual() {
  if (budget_ == nullptr) return;
  const uint64_t actual = memory_bytes();
  if (actual > charged_) {
    budget_->ForceReserve(actual - charged_);
    charged_ = actual;
  } else if (actual < charged_) {
    const uint64_t surplus = charged_ - actual;
    charged_ = actual;
    budget_->Release(surplus);
  }
}

BatchPool::~BatchPool() = default;

BatchPool& BatchPool::Shared() {
  static BatchPool* pool = new BatchPool;
  return *pool;
}

BatchPool::Ptr BatchPool::Get() {
  MutexLock lock(mu_);
  if (idle_.empty()) return Ptr(new Batch, Deleter{this});
  Batch* batch = idle_.back().release();
  idle_.pop_back();
  return Ptr(batch, Deleter{this});
}

void BatchPool::Put(Batch* batch) {
  std::unique_ptr<Batch> owned(batch);
  const bool small = batch->memory_bytes() <= kIdleBytesMax;
  batch->Reset();
  MutexLock lock(mu_);
  if (small && idle_.size() < kIdleMax) idle_.push_back(std::move(owned));
}

}  // namespace kelp
