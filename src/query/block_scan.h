// BlockScan: the matching rows of one block after another.
//
// For each block a small plan is made: terms meet columns by name, constant columns are asked at
// once, token and value filters rule columns out, and AND, OR and NOT carry what is known upward.
// Often that settles the whole block. Otherwise only columns that can still matter are decoded,
// cheap ones first, each for the rows that are still open.
//
//   BlockScan scan(query, interrupt);
//   if (scan.Open(block) == BlockScan::Verdict::kSome) RETURN_IF_ERROR(scan.Narrow(rows));
//
// Which column a field name means is decided row by row: columns of the full name where the row has
// a value there, else columns that end so, and JSON values under the first parts of the name. So
// blocks can be merged without changing an answer.
//
// Place:    Search and CountOverTime make one for each call.
// Owns:     its reader. Borrows query, interrupt and the block at hand.
// Threads:  confined to one thread.
// Errors:   kDataLoss of the block.
// Tests:    search_test.cc, search_property_test.cc, query_eval_fuzz.cc
#ifndef KELP_QUERY_BLOCK_SCAN_H_
#define KELP_QUERY_BLOCK_SCAN_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/status.h"
#include "query/ast.h"
#include "query/bitmap.h"
#include "query/interrupt.h"
#include "query/stage_clock.h"
#include "query/value_match.h"
#include "store/snapshot.h"

namespace kelp::query {

class BlockScan {
 public:
  enum class Verdict : uint8_t { kNone, kSome, kAll };  // how many of the block's rows can match

  enum class Why : uint8_t { kWords, kValues, kNoField };  // no row can match

  // `clock`, when given, learns what decoding and matching cost.
  BlockScan(const Query& query, Interrupt& interrupt, StageClock* clock = nullptr);

  // Goes to another block; reads no column.
  Verdict Open(const store::Block& block);
  // Removes from `rows` those that do not match. REQUIRES: Open gave kSome.
  Status Narrow(Bitmap& rows);

  // What ruled the block out. REQUIRES: Open gave kNone.
  Why why() const { return plan_.back().why; }
  // In how many blocks so far no row could answer a term, or every row did.
  uint64_t ruled_out(size_t term) const { return bound_[term].ruled_out; }
  uint64_t settled(size_t term) const { return bound_[term].settled; }

  store::BlockReader& reader() { return reader_; }
  // Whether Narrow decoded the body: then making rows of this block now is cheap.
  bool has_read_body() const { return has_read_body_; }
  uint64_t regexes_gave_up() const { return memory_.regex.gave_up(); }

 private:
  // A term and the columns of this block that it is about.
  struct BoundTerm {
    Verdict verdict = Verdict::kNone;
    Why why = Why::kValues;
    uint64_t ruled_out = 0;
    uint64_t settled = 0;
    uint32_t cost = 0;
    std::vector<int> columns;    // any column, or those of the full name
    std::vector<int> fallbacks;  // asked for rows without a value in `preferred`
    std::vector<int> nested;     // likewise: JSON columns in which the rest of the name may be
    std::vector<int> preferred;  // columns of the full name
  };
  struct PlanNode {
    const Node* node;
    std::vector<uint32_t> children;
    std::vector<uint32_t> open;  // those that the filters did not settle, cheapest first
    Verdict verdict = Verdict::kNone;
    uint32_t cost = 0;
    Why why = Why::kValues;
  };

  uint32_t AddPlan(const Node& node);
  Verdict Decide(PlanNode& plan);
  Verdict DecideList(PlanNode& plan);
  void Bind(uint32_t term_index);
  void BindAnywhere(const Term& term, std::span<const uint64_t> hashes, BoundTerm& bound);
  void BindField(const Term& term, std::span<const uint64_t> hashes, BoundTerm& bound);
  Verdict VerdictOfField(BoundTerm& bound, bool always_preferred) const;
  bool MayMatch(const Term& term, std::span<const uint64_t> hashes, int column);
  uint32_t Cost(const Term& term, int column) const;
  Status Narrow(const PlanNode& plan, Bitmap& rows);
  Status NarrowToAny(const PlanNode& plan, Bitmap& rows);
  Status FindTerm(uint32_t term_index, Bitmap rows, Bitmap& hits);
  Status ScanInto(const Term& term, const std::vector<int>& columns, bool nested, Bitmap& rows,
                  Bitmap& hits);
  bool MayMatchInside(const Term& term, int column);
  bool MayHold(int column, const std::function<bool(const Value&)>& matches);
  Result<const store::TextColumn*> ReadColumn(int column);

  const Query& query_;
  Interrupt& interrupt_;
  StageClock* const clock_;
  store::BlockReader reader_;
  MatchMemory memory_;
  MatchMemory filter_memory_;  // for asking dictionaries and tags
  const store::Block* block_ = nullptr;
  bool has_read_body_ = false;
  Why why_ = Why::kValues;                     // of the last MayMatch that said no
  std::vector<std::vector<uint64_t>> hashes_;  // by term: tokens that matching values contain
  std::vector<BoundTerm> bound_;               // by term
  std::vector<PlanNode> plan_;                 // children before parents; the last is the root
};

}  // namespace kelp::query

#endif  // KELP_QUERY_BLOCK_SCAN_H_
