#include <vector>

#include "query/ast.h"
#include "query/query.h"
#include "query/value_match.h"

namespace kelp::query {

struct LiveMatcher::Impl {
  // A term and the columns of the batch at hand that it is about. Tags of the resource are the
  // same in every row and settled before.
  struct BoundTerm {
    std::vector<const Column*> columns;    // any column, or those of the full name
    std::vector<const Column*> fallbacks;  // for rows without a value under the full name
    std::vector<const Column*> nested;     // likewise: JSON values that may hold the rest of it
    bool always = false;                   // a tag matches
    bool tag_preferred = false;            // a tag has the full name
    bool fallback_always = false;          // a tag whose name ends so matches
  };

  explicit Impl(std::shared_ptr<const Query> q) : query(std::move(q)) {
    bound.resize(query->terms().size());
  }

  void Bind(const Batch& batch, const Term& term, BoundTerm& out) {
    out = BoundTerm();
    if (term.field.empty()) {
      for (size_t i = 0; i < batch.column_count(); ++i) out.columns.push_back(&batch.column(i));
      return;
    }
    for (size_t i = 0; i < batch.column_count(); ++i) {
      const NameMatch name = MatchName(batch.column(i).name(), term.field);
      if (name == NameMatch::kFull) out.columns.push_back(&batch.column(i));
      if (name == NameMatch::kSuffix) out.fallbacks.push_back(&batch.column(i));
      if (name == NameMatch::kPrefix) out.nested.push_back(&batch.column(i));
    }
    for (const Resource::Tag& tag : batch.resource()->tags()) {
      const NameMatch name = MatchName(tag.first, term.field);
      if (name == NameMatch::kNone || name == NameMatch::kPrefix) continue;
      const bool matches = ValueMatches(term, Value::String(tag.second), memory);
      if (name == NameMatch::kFull) {
        out.tag_preferred = true;
        out.always = out.always || matches;
      } else {
        out.fallback_always = out.fallback_always || matches;
      }
    }
  }

  bool TermMatches(uint32_t index, uint32_t row) {
    const Term& term = query->terms()[index];
    const BoundTerm& b = bound[index];
    if (b.always) return true;
    bool preferred = b.tag_preferred;
    for (const Column* column : b.columns) {
      const Value& value = column->Get(row);
      if (ValueMatches(term, value, memory)) return true;
      preferred = preferred || !value.missing();
    }
    if (preferred) return false;
    if (b.fallback_always) return true;
    for (const Column* column : b.fallbacks) {
      if (ValueMatches(term, column->Get(row), memory)) return true;
    }
    for (const Column* column : b.nested) {
      const std::string_view path = PathIn(column->name(), term.field);
      if (ValueMatchesAt(term, column->Get(row), path, memory)) return true;
    }
    return false;
  }

  bool NodeMatches(const Node& node, uint32_t row) {
    switch (node.kind) {
      case Node::Kind::kEverything:
        return true;
      case Node::Kind::kTerm:
        return TermMatches(node.term, row) != node.negated;
      case Node::Kind::kAnd:
        for (const Node& child : node.children) {
          if (!NodeMatches(child, row)) return false;
        }
        return true;
      case Node::Kind::kOr:
        for (const Node& child : node.children) {
          if (NodeMatches(child, row)) return true;
        }
        return false;
      case Node::Kind::kNothing:
      case Node::Kind::kNot:
        break;
    }
    return false;
  }

  std::shared_ptr<const Query> query;
  MatchMemory memory;
  std::vector<BoundTerm> bound;  // by term
};

LiveMatcher::LiveMatcher(std::shared_ptr<const Query> query)
    : impl_(std::make_unique<Impl>(std::move(query))) {}

LiveMatcher::~LiveMatcher() = default;

void LiveMatcher::Match(const Batch& batch, const std::function<void(uint32_t)>& on_row) {
  for (size_t i = 0; i < impl_->bound.size(); ++i) {
    impl_->Bind(batch, impl_->query->terms()[i], impl_->bound[i]);
  }
  batch.ForEach([&](uint32_t row) {
    if (impl_->NodeMatches(impl_->query->root(), row)) on_row(row);
  });
}

}  // namespace kelp::query
