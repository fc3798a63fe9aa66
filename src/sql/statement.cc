#include "sql/statement.h"

#include <algorithm>

#include "config/problems.h"
#include "sql/database.h"
#include "sql/dialect.h"
#include "sql/lexer.h"
#include "sql/syntax_tree.h"

namespace kelp::sql {
namespace {

// Where a query block of the outermost level ends its select list.
constexpr const char* kAfterSelectList[] = {"where",   "group",     "having", "window",
                                            "qualify", "order",     "limit",  "offset",
                                            "union",   "intersect", "except", "using"};

// Finds places of the outermost level where a SELECT has no FROM.
class FromFinder {
 public:
  explicit FromFinder(std::string_view text) : tokens_(Tokenize(text)) {}

  Edits Run() {
    int depth = 0;
    bool in_select = false, has_from = false;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      if (token.IsSymbol("(") || token.IsSymbol("[") || token.IsSymbol("{")) ++depth;
      if (token.IsSymbol(")") || token.IsSymbol("]") || token.IsSymbol("}")) --depth;
      if (depth != 0) continue;
      if (token.Is("select")) {
        in_select = true;
      } else if (token.Is("from")) {
        has_from = has_from || !IsPartOfDistinct(i);
      } else if (Ends(token)) {
        if (in_select && !has_from) edits_.Replace(PreviousEnd(i), 0, " FROM log ");
        // After WHERE and the like comes no FROM of this block.
        in_select = false;
        if (token.Is("union") || token.Is("intersect") || token.Is("except")) has_from = false;
      }
    }
    return std::move(edits_);
  }

 private:
  // IS [NOT] DISTINCT FROM.
  bool IsPartOfDistinct(size_t i) const { return i > 0 && tokens_[i - 1].Is("distinct"); }
  size_t PreviousEnd(size_t i) const { return i == 0 ? 0 : tokens_[i - 1].end(); }
  static bool Ends(const Token& token) {
    if (token.kind == Token::Kind::kEnd || token.IsSymbol(";")) return true;
    return std::any_of(std::begin(kAfterSelectList), std::end(kAfterSelectList),
                       [&](const char* keyword) { return token.Is(keyword); });
  }

  const std::vector<Token> tokens_;
  Edits edits_;
};

// How many bytes from `begin` on write these names joined with dots; 0 when something else is
// there.
size_t WrittenNames(std::string_view text, size_t begin, const std::vector<std::string>& names) {
  if (begin >= text.size()) return 0;
  // One name takes at most twice its bytes and quotes; enough to not tokenize everything.
  const std::vector<Token> tokens = Tokenize(text.substr(begin));
  size_t token = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0 && !tokens[token++].IsSymbol(".")) return 0;
    if (!tokens[token].IsName() || LowerName(tokens[token].text) != LowerName(names[i])) return 0;
    if (i + 1 < names.size()) ++token;
    if (token >= tokens.size()) return 0;
  }
  return tokens[token].end();
}

std::string Join(const std::vector<std::string>& names, size_t first, size_t end) {
  std::string joined;
  for (size_t i = first; i < end; ++i) joined += (i == first ? "" : ".") + names[i];
  return joined;
}

std::string JsonPath(const std::vector<std::string>& names, size_t first) {
  std::string path = "$";
  for (size_t i = first; i < names.size(); ++i) path += "." + QuoteName(names[i]);
  return path;
}

// Decides what the names of a statement mean.
class Resolver {
 public:
  Resolver(std::string_view text, const SyntaxTree& tree, const LogSchema& schema,
           Statement& statement)
      : text_(text), tree_(tree), schema_(schema), statement_(statement) {}

  Edits Run() {
    if (tree_.has_star()) {
      for (size_t i = 0; i < schema_.columns().size(); ++i) statement_.columns.insert(i);
    }
    for (const SyntaxTree::Ref& ref : tree_.columns()) Column(ref);
    for (const SyntaxTree::Ref& ref : tree_.functions()) Function(ref);
    return std::move(edits_);
  }

 private:
  void Column(const SyntaxTree::Ref& ref) {
    const std::vector<std::string>& names = ref.names;
    const size_t count = names.size();
    const bool qualified = count > 1 && (tree_.HasAlias(names[0]) || LowerName(names[0]) == "log");
    const size_t first = qualified ? 1 : 0;
    if (const auto found = schema_.Find(Join(names, 0, count)); found && count > 1) {
      return Use(ref, "", *found);
    }
    if (const auto found = schema_.Find(Join(names, first, count))) {
      if (count - first == 1) {
        statement_.columns.insert(*found);
      } else {
        Use(ref, QuoteName(names[0]) + ".", *found);
      }
      return;
    }
    if (count > 1 && tree_.IsJsonAlias(names[0])) {
      return Replace(ref, "json_extract_string(" + QuoteName(names[0]) + ", " +
                              QuoteText(JsonPath(names, 1)) + ")");
    }
    if (tree_.HasAlias(names[0]) && !qualified) return;
    const std::string before = qualified ? QuoteName(names[0]) + "." : "";
    if (const auto found = schema_.FindBySuffix(Join(names, first, count))) {
      return Use(ref, before, *found);
    }
    // A part of a JSON field.
    for (size_t end = count - 1; end > first; --end) {
      const auto found = schema_.Find(Join(names, first, end));
      if (!found || schema_.columns()[*found].source == LogColumn::Source::kTime) continue;
      statement_.columns.insert(*found);
      Replace(ref, "json_extract_string(" + before + QuoteName(schema_.columns()[*found].name) +
                       ", " + QuoteText(JsonPath(names, end)) + ")");
      return;
    }
  }

  void Use(const SyntaxTree::Ref& ref, const std::string& before, size_t column) {
    statement_.columns.insert(column);
    Replace(ref, before + QuoteName(schema_.columns()[column].name));
  }

  void Function(const SyntaxTree::Ref& ref) {
    const std::string name = LowerName(ref.names[0]);
    if (const std::string_view renamed = RenamedFunction(name); !renamed.empty()) {
      Replace(ref, std::string(renamed));
    } else if (const std::string_view macro = MacroOf(name); !macro.empty()) {
      auto& macros = statement_.macros;
      if (std::find(macros.begin(), macros.end(), macro) == macros.end()) {
        macros.emplace_back(macro);
      }
    }
  }

  void Replace(const SyntaxTree::Ref& ref, std::string with) {
    if (!ref.position) return;
    const size_t size = WrittenNames(text_, *ref.position, ref.names);
    if (size > 0) edits_.Replace(*ref.position, size, std::move(with));
  }

  const std::string_view text_;
  const SyntaxTree& tree_;
  const LogSchema& schema_;
  Statement& statement_;
  Edits edits_;
};

}  // namespace

void Edits::Replace(size_t begin, size_t size, std::string text) {
  const auto at = std::upper_bound(edits_.begin(), edits_.end(), begin,
                                   [](size_t b, const Edit& edit) { return b < edit.begin; });
  // One place of the text may stand for two nodes of the tree.
  if (at != edits_.begin() && size > 0 && std::prev(at)->begin == begin &&
      std::prev(at)->size > 0) {
    return;
  }
  edits_.insert(at, {begin, size, std::move(text)});
}

std::string Edits::Apply(std::string_view text) const {
  std::string out;
  size_t at = 0;
  for (const Edit& edit : edits_) {
    out += text.substr(at, edit.begin - at);
    out += edit.text;
    at = edit.begin + edit.size;
  }
  return out += text.substr(at);
}

size_t Edits::OriginalPlace(size_t place) const {
  size_t shift_new = 0, shift_old = 0;  // sizes of replacements and of what they replaced so far
  for (const Edit& edit : edits_) {
    const size_t begin_new = edit.begin - shift_old + shift_new;
    if (place < begin_new) break;
    if (place < begin_new + edit.text.size()) return edit.begin;
    shift_new += edit.text.size();
    shift_old += edit.size;
  }
  return place - shift_new + shift_old;
}

size_t Statement::OriginalPlace(size_t place) const {
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) place = edit->OriginalPlace(place);
  return place;
}

std::string Propose(std::string_view name, const std::vector<std::string_view>& known) {
  const std::string_view nearest = config::NearestName(name, known);
  return nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?";
}

bool CheckStatement(Database& database, std::string_view text, const LogSchema& schema,
                    Statement& statement, Problem& problem) {
  if (text.size() > kStatementBytesMax) {
    problem = {InvalidArgumentError("the statement is longer than " +
                                    FormatByteSize({kStatementBytesMax})),
               kStatementBytesMax};
    return false;
  }
  if (text.find('\0') != text.npos) {
    problem = {InvalidArgumentError("the statement holds a NUL"), text.find('\0')};
    return false;
  }
  statement.edits.push_back(FromFinder(text).Run());
  std::string sql = statement.edits.back().Apply(text);
  SyntaxTree tree;
  const auto refused = [&] {
    if (problem.position) problem.position = statement.OriginalPlace(*problem.position);
    return false;
  };
  if (!tree.Read(database, sql, problem)) return refused();
  statement.grouped = tree.has_groups();
  statement.edits.push_back(Resolver(sql, tree, schema, statement).Run());
  statement.sql = statement.edits.back().Apply(sql);
  if (statement.edits.back().empty()) return true;
  // What runs is what was checked.
  SyntaxTree final_tree;
  return final_tree.Read(database, statement.sql, problem) || refused();
}

}  // namespace kelp::sql
