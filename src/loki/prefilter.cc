#include "loki/prefilter.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "loki/entry.h"
#include "loki/row_entry.h"
#include "query/ast.h"
#include "query/normalize.h"
#include "query/regex.h"

namespace kelp::loki {
namespace {

using query::Node;
using query::Term;
using query::Tree;

class Builder {
 public:
  explicit Builder(const KnownNames& names) : names_(names) { tree_.root.kind = Node::Kind::kAnd; }

  // False: nothing can match.
  bool AddSelector(std::span<const Matcher> selector) {
    for (const Matcher& matcher : selector) {
      if (matcher.negative() || matcher.label == kLogstoreLabel) continue;
      if (matcher.op == MatchOp::kEqual && matcher.value.empty()) continue;
      if (matcher.op == MatchOp::kRegex && Matches(*matcher.pattern, "")) continue;
      std::set<std::string> tags = Of(names_.tags, matcher.label);
      if (matcher.label == kServiceLabel) {
        // Rows without any of them are "unknown_service".
        const bool unknown = matcher.op == MatchOp::kEqual
                                 ? matcher.value == kUnknownService
                                 : Matches(*matcher.pattern, kUnknownService);
        if (unknown) continue;
        for (const std::string_view label : ServiceLabels()) {
          tags.merge(std::set<std::string>(Of(names_.tags, label)));
        }
      }
      if (tags.empty()) return false;
      AddAnyOf(matcher, tags);
    }
    return true;
  }

  void AddStages(std::span<const Stage> stages) {
    for (const Stage& stage : stages) {
      if (stage.kind == Stage::Kind::kLine) {
        AddLine(stage.line);
      } else if (stage.kind == Stage::Kind::kFilter) {
        AddFilter(stage.filter);
      } else if (!stage.parses() || stage.kind == Stage::Kind::kUnpack) {
        return;  // the line, or labels, are no longer those of the row
      } else {
        labels_are_made_ = true;
      }
    }
  }

  std::shared_ptr<const query::Query> Finish() {
    if (tree_.root.children.empty()) {
      tree_.root.kind = Node::Kind::kEverything;
    } else if (tree_.root.children.size() == 1) {
      Node only = std::move(tree_.root.children[0]);
      tree_.root = std::move(only);
    }
    tree_.root = query::Normalize(std::move(tree_.root));
    return std::make_shared<const query::Query>(std::move(tree_));
  }

 private:
  static bool Matches(const Pattern& pattern, std::string_view text) {
    return codec::RegexMatcher(pattern.regex).Match(text) == codec::RegexOutcome::kMatch;
  }

  static std::set<std::string> Of(
      const std::map<std::string, std::set<std::string>, std::less<>>& names,
      std::string_view label) {
    const auto found = names.find(label);
    return found == names.end() ? std::set<std::string>() : found->second;
  }

  Node TermNode(Term term) {
    Node node;
    node.kind = Node::Kind::kTerm;
    node.term = static_cast<uint32_t>(tree_.terms.size());
    tree_.terms.push_back(std::move(term));
    return node;
  }

  static std::optional<Term> RegexTerm(std::string field, const std::string& pattern) {
    Term term;
    term.kind = Term::Kind::kRegex;
    term.field = std::move(field);
    term.text = pattern;
    std::string error;
    size_t position = 0;
    term.regex = query::Regex::Compile(pattern, error, position);
    if (term.regex == nullptr) return std::nullopt;
    return term;
  }

  // One of the columns has to answer.
  void AddAnyOf(const Matcher& matcher, const std::set<std::string>& columns) {
    Node any;
    any.kind = Node::Kind::kOr;
    for (const std::string& column : columns) {
      std::optional<Term> term = Term{};
      if (matcher.op == MatchOp::kEqual) {
        term->kind = Term::Kind::kEqual;
        term->field = column;
        term->text = matcher.value;
      } else {
        term = RegexTerm(column, "^(?s:" + matcher.value + ")\\z");
      }
      if (!term) return;
      any.children.push_back(TermNode(*std::move(term)));
    }
    Add(std::move(any));
  }

  void Add(Node any) {
    if (any.children.empty()) return;
    if (any.children.size() == 1) {
      Node only = std::move(any.children[0]);
      any = std::move(only);
    }
    tree_.root.children.push_back(std::move(any));
  }

  static std::string Literal(std::string_view text) {
    std::string out;
    for (const char c : text) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == ' ' ||
                         static_cast<unsigned char>(c) >= 0x80;
      if (!plain) out += '\\';
      out += c;
    }
    return out;
  }

  void AddLine(const LineFilter& filter) {
    if (filter.op == LineFilter::Op::kLike) return;
    Node any;
    any.kind = Node::Kind::kOr;
    for (const LineFilter::Text& text : filter.any) {
      if (text.net || text.text.empty() || text.text.find('\n') != std::string::npos) return;
      const std::string pattern =
          filter.op == LineFilter::Op::kContains ? Literal(text.text) : "(?s)" + text.text;
      // Negated, only what the body itself holds is sure to be in the line.
      auto term = RegexTerm(filter.negated ? "body" : "", pattern);
      if (!term) return;
      any.children.push_back(TermNode(*std::move(term)));
    }
    if (!filter.negated) return Add(std::move(any));
    for (Node& child : any.children) {
      Node none;
      none.kind = Node::Kind::kNot;
      none.children.push_back(std::move(child));
      tree_.root.children.push_back(std::move(none));
    }
  }

  void AddFilter(const LabelFilter& filter) {
    if (filter.kind == LabelFilter::Kind::kAnd) {
      for (const LabelFilter& child : filter.children) AddFilter(child);
      return;
    }
    const Matcher& matcher = filter.match;
    if (filter.kind != LabelFilter::Kind::kMatch || matcher.negative() || labels_are_made_) return;
    if (matcher.label == kServiceLabel || matcher.label == kLevelLabel ||
        matcher.label == kLogstoreLabel || matcher.label.ends_with("_extracted")) {
      return;
    }
    if (matcher.op == MatchOp::kEqual && matcher.value.empty()) return;
    if (matcher.op == MatchOp::kRegex && Matches(*matcher.pattern, "")) return;
    std::set<std::string> columns = Of(names_.tags, matcher.label);
    columns.merge(Of(names_.fields, matcher.label));
    if (!columns.empty()) AddAnyOf(matcher, columns);
  }

  const KnownNames& names_;
  Tree tree_;
  bool labels_are_made_ = false;
};

}  // namespace

KnownNames NamesIn(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to) {
  KnownNames out;
  for (const auto& block : snapshot.blocks()) {
    if (block->time_max() < from || block->time_min() >= to) continue;
    for (const store::ColumnInfo& column : block->columns()) {
      if (column.kind == store::ColumnKind::kBody) continue;
      auto& names = column.kind == store::ColumnKind::kResource ? out.tags : out.fields;
      names[LabelName(column.name)].insert(std::string(column.name));
    }
  }
  return out;
}

std::shared_ptr<const query::Query> MakePrefilter(std::span<const Matcher> selector,
                                                  std::span<const Stage> stages,
                                                  const KnownNames& names) {
  Builder builder(names);
  if (!builder.AddSelector(selector)) return nullptr;
  builder.AddStages(stages);
  return builder.Finish();
}

}  // namespace kelp::loki
