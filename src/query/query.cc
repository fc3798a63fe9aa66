#include "query/query.h"

#include "query/ast.h"
#include "query/normalize.h"
#include "query/parser.h"

namespace kelp::query {

std::shared_ptr<const Query> Parse(std::string_view text, ParseError& error) {
  std::optional<Tree> tree = ParseTree(text, error);
  if (!tree) return nullptr;
  tree->root = Normalize(std::move(tree->root));
  return std::make_shared<const Query>(std::move(*tree));
}

}  // namespace kelp::query
