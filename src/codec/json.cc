#include "codec/json.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/json_escape.h"
#include "codec/json_scan.h"
#include "codec/simd.h"

namespace kelp::codec {

// What the kernels may do with a JsonFields; all of it is inlined into them.
struct JsonKernelAccess {
  explicit JsonKernelAccess(JsonFields& f) : fields(f), keys(f.keys_.data()) {}

  KELP_ALWAYS_INLINE uint32_t Next(uint32_t key) const {
    return key == JsonFields::kNone ? 0 : keys[key].next;
  }
  uint32_t Look(uint32_t before, std::string_view text, bool escaped) {
    const uint32_t key = fields.FindKey(text, escaped);
    keys = fields.keys_.data();
    if (before != JsonFields::kNone && key != JsonFields::kNone) keys[before].next = key;
    return key;
  }
  KELP_ALWAYS_INLINE void Add(uint32_t key, const Value& value) {
    fields.members_.push_back({value, key});
  }
  Batch& arena() const { return *fields.batch_; }

  JsonFields& fields;
  JsonFields::Key* keys;
};

namespace {

// How far behind the text the kernels may read.
constexpr size_t kReadAhead = 64;

namespace sse2 {
using Block = Block16;
#include "codec/json_content.inc"
#include "codec/json_fields.inc"
}  // namespace sse2

KELP_AVX2_BEGIN
namespace avx2 {
using Block = Block32;
#include "codec/json_content.inc"
#include "codec/json_fields.inc"
bool ParseRow(JsonFields& fields, std::string_view text) {
  return JsonRow(fields, text.data() + text.size()).Parse(text.data());
}
}  // namespace avx2
KELP_AVX2_END

bool ParseRow(JsonFields& fields, std::string_view text) {
  if (HasAvx2()) return avx2::ParseRow(fields, text);
  return sse2::JsonRow(fields, text.data() + text.size()).Parse(text.data());
}

// The text where the kernels may read behind it: mostly where it is, for the page it ends on goes
// on for long enough.
std::string_view WithReadAhead(std::string_view text, Batch& batch) {
  constexpr uintptr_t kPage = 4096;
  const auto last = reinterpret_cast<uintptr_t>(text.data() + text.size() - 1);
  if (!KELP_CHECKED_MEMORY && (last & (kPage - 1)) < kPage - kReadAhead) return text;
  char* copy = batch.Allocate(text.size() + kReadAhead);
  std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, kReadAhead);
  batch.ShrinkLast(copy + text.size());
  return {copy, text.size()};
}

bool NeedsEscape(std::string_view name) {
  return FindJsonSpecial(name.data(), name.data() + name.size()) != name.data() + name.size();
}

}  // namespace

JsonFields::JsonFields(std::string prefix, std::vector<std::string> ignored)
    : prefix_(std::move(prefix)), ignored_(std::move(ignored)) {
  Forget();
}

void JsonFields::Forget() {
  by_name_.clear();
  keys_.clear();
  keys_.emplace_back();
}

void JsonFields::Start(Batch& batch) {
  batch_ = &batch;
  ++batch_number_;
  if (keys_.size() > kKeysMax) Forget();
  if (members_.capacity() > kKeptMembersMax) members_ = {};
}

bool JsonFields::Parse(uint32_t row, std::string_view text) {
  if (text.empty()) return false;
  members_.clear();
  surplus_names_.clear();
  if (!ParseRow(*this, WithReadAhead(text, *batch_))) return false;
  Commit(row);
  return true;
}

uint32_t JsonFields::FindKey(std::string_view text, bool escaped) {
  if (escaped) {
    char* begin = batch_->Allocate(text.size() + kUnescapeSlack);
    char* end = UnescapeJson(text.data(), text.data() + text.size(), begin);
    batch_->ShrinkLast(end);
    text = {begin, static_cast<size_t>(end - begin)};
  }
  if (const auto it = by_name_.find(text); it != by_name_.end()) return it->second;
  if (keys_.size() <= kKeysMax) return AddKey(text);
  surplus_names_.push_back(text);
  return kNone;
}

uint32_t JsonFields::AddKey(std::string_view name) {
  const auto index = static_cast<uint32_t>(keys_.size());
  Key& key = keys_.emplace_back();
  key.name = prefix_;
  key.name += name;
  // A name with a backslash in it is written otherwise in JSON; it is found by name only.
  if (!NeedsEscape(name)) {
    key.quoted = '"';
    key.quoted += name;
    key.quoted += "\":";
  }
  const size_t size = key.quoted.size();
  if (size != 0 && size <= kQuickKeyMax) {
    std::memcpy(key.quick, key.quoted.data(), size);
    key.quick_mask = static_cast<uint32_t>((uint64_t{1} << size) - 1);
  }
  key.ignored = std::find(ignored_.begin(), ignored_.end(), name) != ignored_.end();
  by_name_.emplace(name, index);
  return index;
}

void JsonFields::Bind(Key& key) {
  key.batch = batch_number_;
  key.values = nullptr;
  if (key.ignored) return;
  Column* column = batch_->FindColumn(key.name);
  // One column is kept for the overflow itself.
  if (column == nullptr && batch_->column_count() + 1 < Batch::kColumnsMax) {
    column = batch_->TryAddColumn(key.name);
  }
  if (column != nullptr) key.values = column->values();
}

void JsonFields::Commit(uint32_t row) {
  bool overflow = false;
  for (const Member& member : members_) {
    if (member.key == kNone) [[unlikely]] {
      overflow = true;
      continue;
    }
    Key& key = keys_[member.key];
    if (key.batch != batch_number_) [[unlikely]]
      Bind(key);
    if (key.values != nullptr) [[likely]] {
      key.values[row] = member.value;
    } else {
      overflow |= !key.ignored;
    }
  }
  if (overflow) CommitOverflow(row);
}

void JsonFields::CommitOverflow(uint32_t row) {
  Column& column = batch_->AddColumn(Batch::kOverflowColumn);
  overflow_.Start(column.Get(row));
  auto surplus = surplus_names_.begin();
  for (const Member& member : members_) {
    if (member.key == kNone) {
      overflow_.Add(prefix_ + std::string(*surplus++), member.value);
    } else if (const Key& key = keys_[member.key]; key.values == nullptr && !key.ignored) {
      overflow_.Add(key.name, member.value);
    } else {
      continue;
    }
    ++overflowed_;
  }
  column.Set(row, overflow_.Finish(*batch_));
}

}  // namespace kelp::codec
