#include "query/normalize.h"

#include <iterator>
#include <utility>

namespace kelp::query {
namespace {

using Kind = Node::Kind;

Node Constant(bool everything) {
  Node node;
  node.kind = everything ? Kind::kEverything : Kind::kNothing;
  return node;
}

Node Rewrite(Node node, bool negated);

Node RewriteList(Node node, bool negated) {
  const bool is_and = (node.kind == Kind::kAnd) != negated;
  const Kind decides = is_and ? Kind::kNothing : Kind::kEverything;
  const Kind changes_nothing = is_and ? Kind::kEverything : Kind::kNothing;
  Node out;
  out.kind = is_and ? Kind::kAnd : Kind::kOr;
  for (Node& child : node.children) {
    Node made = Rewrite(std::move(child), negated);
    if (made.kind == decides) return Constant(!is_and);
    if (made.kind == changes_nothing) continue;
    if (made.kind == out.kind) {
      std::move(made.children.begin(), made.children.end(), std::back_inserter(out.children));
    } else {
      out.children.push_back(std::move(made));
    }
  }
  if (out.children.empty()) return Constant(is_and);
  if (out.children.size() == 1) {
    Node only = std::move(out.children.front());
    return only;
  }
  return out;
}

Node Rewrite(Node node, bool negated) {
  switch (node.kind) {
    case Kind::kEverything:
    case Kind::kNothing:
      return Constant((node.kind == Kind::kEverything) != negated);
    case Kind::kNot:
      return Rewrite(std::move(node.children.front()), !negated);
    case Kind::kTerm:
      node.negated = node.negated != negated;
      return node;
    case Kind::kAnd:
    case Kind::kOr:
      return RewriteList(std::move(node), negated);
  }
  return node;
}

}  // namespace

Node Normalize(Node node) { return Rewrite(std::move(node), false); }

}  // namespace kelp::query
