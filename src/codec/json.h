// Turns flat JSON objects into columns: one column for each top-level key.
//
// Strings become kString, unescaped (without an escape: a slice of the text); numbers, true, false,
// null, objects and arrays become kJson, their text as it stands. Rows of one kind bring the same
// keys in the same order, so each key is first compared with the one that followed last time.
//
//   JsonFields fields("");
//   fields.Start(batch);
//   batch.ForEach([&](uint32_t row) { ok = fields.Parse(row, batch.body().Get(row).text()); });
//
// Place:    the parse_json processor, one for each worker.
// Owns:     the keys it has learned, at most kKeysMax between two batches.
// Threads:  thread-compatible.
// Format:   RFC 8259, strictly, except that bytes from 0x80 on pass inside strings whether they are
//           valid UTF-8 or not. Of repeated keys the last one counts.
// Limits:   columns as batch.h says, past which fields go into Batch::kOverflowColumn.
// Tests:    json_test.cc, json_fuzz.cc (against simdjson)
#ifndef KELP_CODEC_JSON_H_
#define KELP_CODEC_JSON_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "batch/batch.h"
#include "codec/overflow.h"

namespace kelp::codec {

class JsonFields {
 public:
  // Columns are named by the key behind `prefix`. Keys among `ignored` are checked, not kept.
  explicit JsonFields(std::string prefix = "", std::vector<std::string> ignored = {});

  // Prepares for rows of `batch`, which stays where it is and gets no rows meanwhile.
  void Start(Batch& batch);
  // Sets the fields of `row` from a JSON object. False when the text is none; then nothing changed.
  // The text must live as long as the batch.
  bool Parse(uint32_t row, std::string_view text);
  // Fields that found no column, since the beginning.
  uint64_t overflowed() const { return overflowed_; }

 private:
  // One kernel for each instruction set (json_fields.inc).
  friend struct JsonKernelAccess;

  // `"key":` up to this long is compared at once.
  static constexpr size_t kQuickKeyMax = 32;
  // More different keys than this, and they are data rather than names.
  static constexpr size_t kKeysMax = 4096;
  // Members of one row that are remembered for; a hostile row may make more for a while.
  static constexpr size_t kKeptMembersMax = 4096;
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Key {
    char quick[kQuickKeyMax] = {};  // `quoted`, when it is not longer
    uint32_t quick_mask = 0;        // the bytes of `quick` that count
    uint32_t next = 0;              // the key that followed it last time
    uint64_t batch = 0;             // for which batch `values` is
    bool ignored = false;
    Value* values = nullptr;  // nullptr: no column was left
    std::string quoted;       // `"key":`; empty when it cannot be compared as it stands
    std::string name;         // with the prefix
  };
  struct Member {
    Value value;
    uint32_t key;  // kNone: its name, which did not fit into keys_, is the next of surplus_names_
  };
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  // The key whose JSON text stands between the quotes; kNone when there are too many.
  uint32_t FindKey(std::string_view text, bool escaped);
  uint32_t AddKey(std::string_view name);
  void Commit(uint32_t row);
  void CommitOverflow(uint32_t row);
  // Finds or makes the key's column in the batch.
  void Bind(Key& key);
  void Forget();

  const std::string prefix_;
  const std::vector<std::string> ignored_;
  Batch* batch_ = nullptr;
  uint64_t batch_number_ = 0;
  std::vector<Key> keys_;  // keys_[0] stands for the begin of the object
  std::unordered_map<std::string, uint32_t, NameHash, std::equal_to<>> by_name_;  // no prefix
  std::vector<Member> members_;  // of the row being parsed
  std::vector<std::string_view> surplus_names_;
  OverflowRow overflow_;
  uint64_t overflowed_ = 0;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_H_
