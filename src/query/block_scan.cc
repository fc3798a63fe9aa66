#include "query/block_scan.h"

#include <algorithm>

#include "query/column_scan.h"

namespace kelp::query {
namespace {

using store::ColumnInfo;
using store::ColumnKind;
using Verdict = BlockScan::Verdict;

Verdict Negate(Verdict verdict) {
  if (verdict == Verdict::kSome) return verdict;
  return verdict == Verdict::kAll ? Verdict::kNone : Verdict::kAll;
}

std::vector<uint64_t> SureTokens(const Term& term) {
  switch (term.kind) {
    case Term::Kind::kTokens:
      return {term.tokens->hashes().begin(), term.tokens->hashes().end()};
    case Term::Kind::kRegex:
      return term.regex->hashes();
    case Term::Kind::kEqual: {
      if (term.number || term.ip) break;  // other texts are equal to it
      std::vector<uint64_t> hashes;
      store::HashTokens(term.text, hashes);
      return hashes;
    }
    case Term::Kind::kRange:
    case Term::Kind::kNet:
    case Term::Kind::kPresent:
      break;
  }
  return {};
}

}  // namespace

BlockScan::BlockScan(const Query& query, Interrupt& interrupt, StageClock* clock)
    : query_(query), interrupt_(interrupt), clock_(clock) {
  for (const Term& term : query.terms()) hashes_.push_back(SureTokens(term));
  bound_.resize(query.terms().size());
  AddPlan(query.root());
}

uint32_t BlockScan::AddPlan(const Node& node) {
  std::vector<uint32_t> children;
  for (const Node& child : node.children) children.push_back(AddPlan(child));
  plan_.push_back({&node, std::move(children), {}, Verdict::kNone, 0, Why::kValues});
  return static_cast<uint32_t>(plan_.size() - 1);
}

Verdict BlockScan::Open(const store::Block& block) {
  block_ = &block;
  has_read_body_ = false;
  reader_.Open(block);
  return Decide(plan_.back());
}

Verdict BlockScan::Decide(PlanNode& plan) {
  const Node& node = *plan.node;
  switch (node.kind) {
    case Node::Kind::kEverything:
      return plan.verdict = Verdict::kAll;
    case Node::Kind::kTerm:
      Bind(node.term);
      plan.cost = bound_[node.term].cost;
      plan.verdict = bound_[node.term].verdict;
      plan.why = node.negated ? Why::kValues : bound_[node.term].why;
      if (node.negated) plan.verdict = Negate(plan.verdict);
      return plan.verdict;
    case Node::Kind::kAnd:
    case Node::Kind::kOr:
      return plan.verdict = DecideList(plan);
    case Node::Kind::kNothing:
    case Node::Kind::kNot:
      break;
  }
  return plan.verdict = Verdict::kNone;
}

Verdict BlockScan::DecideList(PlanNode& plan) {
  const bool is_and = plan.node->kind == Node::Kind::kAnd;
  const Verdict decides = is_and ? Verdict::kNone : Verdict::kAll;
  plan.open.clear();
  plan.cost = 0;
  for (const uint32_t child : plan.children) {
    const Verdict verdict = Decide(plan_[child]);
    if (verdict == Verdict::kNone) plan.why = plan_[child].why;
    if (verdict == decides) return decides;
    if (verdict != Verdict::kSome) continue;
    plan.open.push_back(child);
    plan.cost += plan_[child].cost;
  }
  if (plan.open.empty()) return Negate(decides);
  std::stable_sort(plan.open.begin(), plan.open.end(),
                   [&](uint32_t a, uint32_t b) { return plan_[a].cost < plan_[b].cost; });
  return Verdict::kSome;
}

void BlockScan::Bind(uint32_t term_index) {
  const Term& term = query_.terms()[term_index];
  BoundTerm& bound = bound_[term_index];
  bound.columns.clear();
  bound.fallbacks.clear();
  bound.nested.clear();
  bound.preferred.clear();
  bound.cost = 0;
  if (term.field.empty()) {
    BindAnywhere(term, hashes_[term_index], bound);
  } else {
    BindField(term, hashes_[term_index], bound);
  }
  for (const auto* columns : {&bound.columns, &bound.fallbacks, &bound.nested, &bound.preferred}) {
    for (const int column : *columns) bound.cost += Cost(term, column);
  }
  bound.ruled_out += bound.verdict == Verdict::kNone ? 1 : 0;
  bound.settled += bound.verdict == Verdict::kAll ? 1 : 0;
}

void BlockScan::BindAnywhere(const Term& term, std::span<const uint64_t> hashes, BoundTerm& bound) {
  bound.verdict = Verdict::kNone;
  bound.why = Why::kWords;
  if (!hashes.empty() && !block_->MayContainTokens(-1, hashes)) return;
  bound.why = Why::kValues;
  const std::span<const ColumnInfo> columns = block_->columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto column = static_cast<int>(i);
    if (columns[i].kind == ColumnKind::kResource) continue;
    if (columns[i].constant) {
      if (!ValueMatches(term, columns[i].value, memory_)) continue;
      bound.verdict = Verdict::kAll;
      return;
    }
    if (MayMatch(term, hashes, column)) bound.columns.push_back(column);
  }
  if (!bound.columns.empty()) bound.verdict = Verdict::kSome;
}

void BlockScan::BindField(const Term& term, std::span<const uint64_t> hashes, BoundTerm& bound) {
  bound.verdict = Verdict::kAll;
  const std::span<const ColumnInfo> columns = block_->columns();
  const bool presence = term.kind == Term::Kind::kPresent;
  bool always_preferred = false;  // every row has a value under the full name
  bound.why = Why::kNoField;
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnInfo& info = columns[i];
    const auto column = static_cast<int>(i);
    const NameMatch name = MatchName(info.name, term.field);
    if (name == NameMatch::kNone || (info.constant && info.value.missing())) continue;
    const bool inside = name == NameMatch::kPrefix;
    if (inside && info.kind == ColumnKind::kResource) continue;
    if (bound.why == Why::kNoField) bound.why = Why::kValues;
    const bool full = name == NameMatch::kFull;
    auto& others = inside ? bound.nested : bound.fallbacks;
    if (info.constant) {
      const bool matches =
          inside ? ValueMatchesAt(term, info.value, PathIn(info.name, term.field), memory_)
                 : ValueMatches(term, info.value, memory_);
      if (matches && (full || presence)) return;
      if (full) always_preferred = true;
      if (matches) others.push_back(column);
    } else if (inside) {
      if (MayMatchInside(term, column)) others.push_back(column);
    } else {
      if (full && !presence) bound.preferred.push_back(column);
      why_ = Why::kValues;
      if (!MayMatch(term, hashes, column)) {
        bound.why = why_;
      } else {
        (full || presence ? bound.columns : others).push_back(column);
      }
    }
  }
  bound.verdict = VerdictOfField(bound, always_preferred);
}

Verdict BlockScan::VerdictOfField(BoundTerm& bound, bool always_preferred) const {
  if (always_preferred) {
    bound.fallbacks.clear();
    bound.nested.clear();
  }
  if (bound.fallbacks.empty() && bound.nested.empty()) bound.preferred.clear();
  const auto is_constant = [&](int column) {
    return block_->columns()[static_cast<size_t>(column)].constant;
  };
  // A constant among the others matches everywhere, and there may be nothing to prefer to it.
  if (bound.preferred.empty() &&
      (std::any_of(bound.fallbacks.begin(), bound.fallbacks.end(), is_constant) ||
       std::any_of(bound.nested.begin(), bound.nested.end(), is_constant))) {
    return Verdict::kAll;
  }
  const bool open = !bound.columns.empty() || !bound.fallbacks.empty() || !bound.nested.empty();
  return open ? Verdict::kSome : Verdict::kNone;
}

// Inside a JSON value escapes may hide words, but not the keys that a path goes through.
bool BlockScan::MayMatchInside(const Term& term, int column) {
  const ColumnInfo& info = block_->columns()[static_cast<size_t>(column)];
  std::vector<uint64_t> inside;
  store::HashTokens(PathIn(info.name, term.field), inside);
  if (!inside.empty() && !block_->MayContainTokens(column, inside)) return false;
  return MayHold(column, [&](const Value& value) {
    return ValueMatchesAt(term, value, PathIn(info.name, term.field), filter_memory_);
  });
}

// A value on which a pattern gives up is left to the scan, which counts it.
bool BlockScan::MayHold(int column, const std::function<bool(const Value&)>& matches) {
  return block_->MayHold(column, [&](const Value& value) {
    const uint64_t gave_up = filter_memory_.regex.gave_up();
    return matches(value) || filter_memory_.regex.gave_up() != gave_up;
  });
}

bool BlockScan::MayMatch(const Term& term, std::span<const uint64_t> hashes, int column) {
  if (!MayHold(column,
               [&](const Value& value) { return ValueMatches(term, value, filter_memory_); })) {
    return false;
  }
  const ColumnInfo& info = block_->columns()[static_cast<size_t>(column)];
  if (hashes.empty() || info.kind == ColumnKind::kResource) return true;
  why_ = Why::kWords;
  return block_->MayContainTokens(column, hashes);
}

// In rough units of work: tags are small dictionaries, bodies long texts.
uint32_t BlockScan::Cost(const Term& term, int column) const {
  uint32_t cost = 1;
  switch (block_->columns()[static_cast<size_t>(column)].kind) {
    case ColumnKind::kResource:
      break;
    case ColumnKind::kField:
      cost = 4;
      break;
    case ColumnKind::kBody:
      cost = 32;
      break;
  }
  const bool slow = term.kind == Term::Kind::kRegex && term.regex->literal().empty();
  return slow ? cost * 4 : cost;
}

Status BlockScan::Narrow(Bitmap& rows) { return Narrow(plan_.back(), rows); }

Status BlockScan::Narrow(const PlanNode& plan, Bitmap& rows) {
  switch (plan.node->kind) {
    case Node::Kind::kAnd:
      for (const uint32_t child : plan.open) {
        RETURN_IF_ERROR(Narrow(plan_[child], rows));
        if (interrupt_.stopped() || !rows.Any()) break;
      }
      return OkStatus();
    case Node::Kind::kOr:
      return NarrowToAny(plan, rows);
    case Node::Kind::kTerm: {
      Bitmap hits(rows.rows(), false);
      RETURN_IF_ERROR(FindTerm(plan.node->term, rows, hits));
      if (plan.node->negated) {
        rows.AndNot(hits);
      } else {
        rows.And(hits);
      }
      return OkStatus();
    }
    case Node::Kind::kEverything:
    case Node::Kind::kNothing:
    case Node::Kind::kNot:
      break;
  }
  return OkStatus();
}

Status BlockScan::NarrowToAny(const PlanNode& plan, Bitmap& rows) {
  Bitmap left = rows;
  Bitmap found(rows.rows(), false);
  for (const uint32_t child : plan.open) {
    Bitmap matching = left;
    RETURN_IF_ERROR(Narrow(plan_[child], matching));
    found.Or(matching);
    left.AndNot(matching);
    if (interrupt_.stopped() || !left.Any()) break;
  }
  rows = std::move(found);
  return OkStatus();
}

// Adds to `hits` the rows of `rows` that answer the term.
Status BlockScan::FindTerm(uint32_t term_index, Bitmap rows, Bitmap& hits) {
  const Term& term = query_.terms()[term_index];
  const BoundTerm& bound = bound_[term_index];
  RETURN_IF_ERROR(ScanInto(term, bound.columns, false, rows, hits));
  if (bound.fallbacks.empty() && bound.nested.empty()) return OkStatus();
  for (const int column : bound.preferred) {
    ASSIGN_OR_RETURN(const store::TextColumn* values, ReadColumn(column));
    RemovePresent(*values, rows);
  }
  RETURN_IF_ERROR(ScanInto(term, bound.fallbacks, false, rows, hits));
  return ScanInto(term, bound.nested, true, rows, hits);
}

// Moves rows that match in one of the columns from `rows` to `hits`.
Status BlockScan::ScanInto(const Term& term, const std::vector<int>& columns, bool nested,
                           Bitmap& rows, Bitmap& hits) {
  for (const int column : columns) {
    if (interrupt_.stopped() || !rows.Any()) break;
    ASSIGN_OR_RETURN(const store::TextColumn* values, ReadColumn(column));
    const std::string_view name = block_->columns()[static_cast<size_t>(column)].name;
    const std::string_view path = nested ? PathIn(name, term.field) : std::string_view();
    ScanColumn(term, path, *values, rows, memory_, interrupt_, hits);
    rows.AndNot(hits);
  }
  return OkStatus();
}

Result<const store::TextColumn*> BlockScan::ReadColumn(int column) {
  if (block_->columns()[static_cast<size_t>(column)].kind == ColumnKind::kBody) {
    has_read_body_ = true;
  }
  if (clock_ == nullptr) return reader_.Column(column);
  clock_->Lap(Stage::kMatch);
  auto values = reader_.Column(column);
  clock_->Lap(Stage::kDecode);
  return values;
}

}  // namespace kelp::query
