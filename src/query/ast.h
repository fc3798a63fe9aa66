// The parsed query: terms, and the tree of AND, OR and NOT over them.
//
// Parser makes a Tree; Normalize (normalize.h) brings it into the form that Query keeps: NOT only
// at terms, no AND below AND or OR below OR, "everything" and "nothing" only as a whole.
//
// Threads: values; immutable inside a Query.
#ifndef KELP_QUERY_AST_H_
#define KELP_QUERY_AST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/ip_address.h"
#include "query/number.h"
#include "query/query.h"
#include "query/regex.h"
#include "query/token_pattern.h"

namespace kelp::query {

// One end of a range.
struct Bound {
  bool inclusive = true;
  std::string text;
  std::optional<Number> number;  // when `text` is one
  std::optional<IpAddress> ip;   // likewise
};

// One question about the values of a row.
struct Term {
  enum class Kind : uint8_t { kTokens, kRegex, kEqual, kRange, kNet, kPresent };
  Kind kind = Kind::kTokens;
  std::string field;                   // empty: body and all fields
  std::string text;                    // word, phrase, pattern or exact value
  bool stars = false;                  // '*' in `text` stands for what may be there
  std::optional<TokenPattern> tokens;  // kTokens
  std::shared_ptr<const Regex> regex;  // kRegex
  std::optional<Bound> low;            // kRange; also comparisons, which are half of one
  std::optional<Bound> high;
  std::optional<Number> number;  // kEqual, when `text` is one: then "1" and "1.0" are equal
  std::optional<IpAddress> ip;   // kEqual, when `text` is an IPv6 address: it has many spellings
  std::optional<IpNet> net;      // kNet
};

struct Node {
  enum class Kind : uint8_t { kEverything, kNothing, kAnd, kOr, kNot, kTerm };
  Kind kind = Kind::kEverything;
  bool negated = false;        // kTerm, after normalisation
  uint32_t term = 0;           // kTerm: index in the terms
  std::vector<Node> children;  // kAnd, kOr: two or more; kNot: one
};

struct Tree {
  std::vector<Term> terms;
  Node root;
};

class Query {
 public:
  // REQUIRES: the tree is normalised.
  explicit Query(Tree tree) : tree_(std::move(tree)) {}
  const std::vector<Term>& terms() const { return tree_.terms; }
  const Node& root() const { return tree_.root; }

 private:
  Tree tree_;
};

// A canonical text of the tree, for tests and logs: (and word:"a" (not (or ...))).
std::string Describe(const Tree& tree);
std::string Describe(const Query& query);
std::string Describe(const Term& term);

}  // namespace kelp::query

#endif  // KELP_QUERY_AST_H_
