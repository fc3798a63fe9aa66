// BlockEntries: rows of one block after another as entries, reading only the columns that a query
// needs.
//
// Many rows of a block have equal labels: those whose columns are dictionaries or constants. Such a
// row has a tuple, a small number that is the same for rows of equal labels, so that what was found
// out for one row holds for the others.
//
// Place:    one for each worker of a metric query, or of FindStreams.
// Threads:  confined to its worker.
// Errors:   kDataLoss of the block.
// Tests:    query_test.cc
#ifndef KELP_LOKI_BLOCK_ENTRIES_H_
#define KELP_LOKI_BLOCK_ENTRIES_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "loki/entry.h"
#include "store/snapshot.h"

namespace kelp::loki {

// What a query looks at.
struct Wanted {
  bool all_tags = false;                      // every label of the stream
  bool all_fields = false;                    // every field
  std::set<std::string, std::less<>> labels;  // these, of whatever kind
  bool line = false;
  bool service = false;  // service_name
  bool level = false;    // detected_level

  // Adds a label, and what it is made of.
  void Add(std::string_view label);
};

class BlockEntries {
 public:
  // Tuples of one block up to this many are remembered.
  static constexpr size_t kTuplesMax = 1 << 16;

  explicit BlockEntries(Wanted wanted) : wanted_(std::move(wanted)) {}

  // Goes to a block that `reader` is open on. `source` is its logstore.
  Status Open(const store::Block& block, store::BlockReader& reader, std::string_view source);
  // Sets labels and line of the entry. Good until the next Fill or Open.
  Status Fill(uint32_t row, Entry& entry);
  // Bytes of the row's line, without making it where that can be.
  Result<size_t> LineBytes(uint32_t row);

  // How many tuples there may be; 0: rows are all different.
  size_t tuples() const { return tuples_; }
  size_t TupleOf(uint32_t row) const;
  // False when the last Fill had to look into the line for detected_level.
  bool level_was_in_labels() const { return level_in_labels_; }

 private:
  struct Column {
    int index;
    std::string_view label;
    std::string_view clashing;  // its name when the stream has such a label
    Category category;
    const store::TextColumn* data;  // nullptr: constant
    Value constant;
  };
  struct Names {
    std::string label;
    std::string clashing;
  };
  bool Wants(std::string_view label, Category category) const;
  const Names& NamesOf(std::string_view column);
  Status FillLine(uint32_t row, Entry& entry);
  void AddLabels(uint32_t row, Entry& entry) const;

  const Wanted wanted_;
  std::unordered_map<std::string, Names> names_;
  std::vector<Column> columns_;  // tags before fields
  const store::Block* block_ = nullptr;
  store::BlockReader* reader_ = nullptr;
  std::string_view source_;
  int body_ = -1;
  size_t tuples_ = 0;
  bool level_in_labels_ = true;
};

}  // namespace kelp::loki

#endif  // KELP_LOKI_BLOCK_ENTRIES_H_
