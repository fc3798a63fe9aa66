#include "query/ast.h"

namespace kelp::query {
namespace {

void DescribeBounds(const Term& term, std::string& out) {
  out += term.low && !term.low->inclusive ? '{' : '[';
  out += term.low ? term.low->text : "*";
  out += " TO ";
  out += term.high ? term.high->text : "*";
  out += term.high && !term.high->inclusive ? '}' : ']';
}

void DescribeTerm(const Term& term, std::string& out) {
  if (!term.field.empty()) out += term.field + ":";
  switch (term.kind) {
    case Term::Kind::kTokens:
      out += '"' + term.text + '"';
      return;
    case Term::Kind::kRegex:
      out += '/' + term.text + '/';
      return;
    case Term::Kind::kEqual:
      out += "=\"" + term.text + '"';
      return;
    case Term::Kind::kNet:
      out += term.text;
      return;
    case Term::Kind::kPresent:
      out += '*';
      return;
    case Term::Kind::kRange:
      DescribeBounds(term, out);
      return;
  }
}

void DescribeNode(const std::vector<Term>& terms, const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kEverything:
      out += "everything";
      return;
    case Node::Kind::kNothing:
      out += "nothing";
      return;
    case Node::Kind::kTerm:
      if (node.negated) out += "not ";
      DescribeTerm(terms[node.term], out);
      return;
    case Node::Kind::kAnd:
      out += "(and";
      break;
    case Node::Kind::kOr:
      out += "(or";
      break;
    case Node::Kind::kNot:
      out += "(not";
      break;
  }
  for (const Node& child : node.children) {
    out += ' ';
    DescribeNode(terms, child, out);
  }
  out += ')';
}

}  // namespace

std::string Describe(const Tree& tree) {
  std::string out;
  DescribeNode(tree.terms, tree.root, out);
  return out;
}

std::string Describe(const Query& query) {
  std::string out;
  DescribeNode(query.terms(), query.root(), out);
  return out;
}

std::string Describe(const Term& term) {
  std::string out;
  DescribeTerm(term, out);
  return out;
}

}  // namespace kelp::query
