// Any text is either a query or an error that points into the text; parsing is deterministic.
#include <cstdlib>

#include "query/ast.h"
#include "query/parser.h"

using kelp::query::ParseError;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ParseError error, again;
  const auto query = kelp::query::Parse(text, error);
  if (query == nullptr) {
    if (error.message.empty() || error.position > text.size()) std::abort();
    return 0;
  }
  const auto tree = kelp::query::ParseTree(text, again);
  if (!tree || tree->terms.size() != query->terms().size()) std::abort();
  Describe(*tree);
  Describe(*query);
  return 0;
}
