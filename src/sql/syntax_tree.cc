#include "sql/syntax_tree.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>

#include "sql/database.h"
#include "sql/dialect.h"
#include "sql/statement.h"

namespace kelp::sql {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

namespace {

// What a tree may consist of. PARAMETER has no value to take; everything that a newer DuckDB brings
// is unknown and so refused.
constexpr const char* kClasses[] = {"BETWEEN",
                                    "CASE",
                                    "CAST",
                                    "COLLATE",
                                    "COLUMN_REF",
                                    "COMPARISON",
                                    "CONJUNCTION",
                                    "CONSTANT",
                                    "FUNCTION",
                                    "LAMBDA",
                                    "LAMBDA_REF",
                                    "OPERATOR",
                                    "POSITIONAL_REFERENCE",
                                    "STAR",
                                    "SUBQUERY",
                                    "WINDOW"};
constexpr const char* kNodes[] = {
    "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE",
    // Tables.
    "EMPTY", "BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "TABLE_FUNCTION",
    // What follows a query.
    "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "DISTINCT_MODIFIER",
    // Parts of ORDER BY.
    "ORDER_DEFAULT", "ASCENDING", "DESCENDING",
    // Types that a cast names.
    "DECIMAL_TYPE_INFO", "LIST_TYPE_INFO", "STRUCT_TYPE_INFO", "ARRAY_TYPE_INFO",
    "STRING_TYPE_INFO", "GENERIC_TYPE_INFO", "USER_TYPE_INFO", "INTEGER_LITERAL_TYPE_INFO"};
// Table functions: those that read only their arguments.
constexpr const char* kTableFunctions[] = {"unnest", "range", "generate_series"};
// Schemas that the parser itself puts before functions.
constexpr const char* kOwnSchema = "main";
constexpr int kDepthMax = 400;

template <typename List>
bool Holds(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::string_view TextOf(object o, const char* key) {
  std::string_view text;
  return o[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

std::optional<size_t> PositionOf(object o) {
  uint64_t position = 0;
  if (o["query_location"].get(position) != simdjson::SUCCESS || position == UINT64_MAX) {
    return std::nullopt;
  }
  return position;
}

// The text or number of a constant.
std::optional<element> ConstantOf(element e) {
  object o;
  element value;
  if (e.get(o) != simdjson::SUCCESS) return std::nullopt;
  if (TextOf(o, "class") == "CAST") {
    element child;
    return o["child"].get(child) == simdjson::SUCCESS ? ConstantOf(child) : std::nullopt;
  }
  if (TextOf(o, "class") != "CONSTANT") return std::nullopt;
  object inner;
  if (o["value"].get(inner) != simdjson::SUCCESS) return std::nullopt;
  return inner["value"].get(value) == simdjson::SUCCESS ? std::optional(value) : std::nullopt;
}

}  // namespace

class SyntaxTree::Walk {
 public:
  Walk(SyntaxTree& tree, Problem& problem) : tree_(tree), problem_(problem) {}

  bool Run(element statements) {
    array list;
    if (statements.get(list) != simdjson::SUCCESS || list.size() != 1) {
      return Refuse("only one statement is allowed", std::nullopt);
    }
    return Any(list.at(0).value());
  }

 private:
  bool Refuse(std::string message, std::optional<size_t> position) {
    problem_ = {PermissionDeniedError(std::move(message)), position};
    return false;
  }
  bool Invalid(std::string message, std::optional<size_t> position) {
    problem_ = {InvalidArgumentError(std::move(message)), position};
    return false;
  }

  // Judges a part of the tree and everything in it.
  bool Any(element e) {
    if (e.is_array()) {
      for (const element item : array(e)) {
        if (!Any(item)) return false;
      }
      return true;
    }
    if (!e.is_object()) return true;
    if (++depth_ > kDepthMax) return Invalid("the statement is nested too deeply", std::nullopt);
    const bool good = Object(object(e));
    --depth_;
    return good;
  }

  bool Object(object o) {
    NoteAliases(o);
    if (const std::string_view kind = TextOf(o, "class"); !kind.empty()) {
      if (!Expression(o, kind)) return false;
    } else if (const std::string_view type = TextOf(o, "type"); !type.empty()) {
      if (!Node(o, type)) return false;
    }
    const size_t scope = tables_.size();
    element map;
    if (o["cte_map"].get(map) == simdjson::SUCCESS && !CommonTables(map)) return false;
    for (const auto field : o) {
      if (field.key == "cte_map") continue;
      if (!Any(field.value)) return false;
    }
    tables_.resize(scope);
    return true;
  }

  // A CTE sees those before it; a recursive one also itself.
  bool CommonTables(element map) {
    object holder;
    array list;
    if (map.get(holder) != simdjson::SUCCESS || holder["map"].get(list) != simdjson::SUCCESS) {
      return Refuse("an unknown kind of WITH", std::nullopt);
    }
    for (const element item : list) {
      object entry, node;
      element value;
      if (item.get(entry) != simdjson::SUCCESS || entry["value"].get(value) != simdjson::SUCCESS) {
        return Refuse("an unknown kind of WITH", std::nullopt);
      }
      const std::string name = LowerName(TextOf(entry, "key"));
      const bool recursive = value.at_pointer("/query/node").get(node) == simdjson::SUCCESS &&
                             TextOf(node, "type") == "RECURSIVE_CTE_NODE";
      if (recursive) tables_.push_back(name);
      if (!Any(value)) return false;
      if (!recursive) tables_.push_back(name);
      tree_.aliases_.insert(name);
    }
    return true;
  }

  void NoteAliases(object o) {
    if (const std::string_view alias = TextOf(o, "alias"); !alias.empty()) {
      tree_.aliases_.insert(LowerName(alias));
    }
    for (const char* key : {"aliases", "column_name_alias"}) {
      array names;
      if (o[key].get(names) != simdjson::SUCCESS) continue;
      for (const element name : names) {
        std::string_view text;
        if (name.get(text) == simdjson::SUCCESS) tree_.aliases_.insert(LowerName(text));
      }
    }
  }

  bool Expression(object o, std::string_view kind) {
    if (!Holds(kClasses, kind)) {
      if (kind == "PARAMETER") return Invalid("a statement has no parameters", PositionOf(o));
      return Refuse("this kind of expression is not allowed: " + std::string(kind), PositionOf(o));
    }
    if (kind == "FUNCTION" || kind == "WINDOW") return Function(o);
    if (kind == "COLUMN_REF") return Column(o);
    if (kind == "STAR") tree_.has_star_ = true;
    if (kind == "LAMBDA") NoteLambda(o);
    if (kind == "CAST") NoteJson(o);
    return true;
  }

  void NoteJson(object o) {
    element type;
    const std::string_view alias = TextOf(o, "alias");
    if (alias.empty() || o["cast_type"].get(type) != simdjson::SUCCESS) return;
    const bool json = LowerName(simdjson::minify(type)).find("\"json\"") != std::string::npos;
    if (json) tree_.json_aliases_.insert(LowerName(alias));
  }

  // Parameters of a lambda are written as columns.
  void NoteLambda(object o) {
    element lhs;
    if (o["lhs"].get(lhs) == simdjson::SUCCESS) NoteNames(lhs);
  }
  void NoteNames(element e) {
    if (e.is_array()) {
      for (const element item : array(e)) NoteNames(item);
    } else if (e.is_object()) {
      array names;
      if (e["column_names"].get(names) == simdjson::SUCCESS) {
        for (const element name : names) {
          std::string_view text;
          if (name.get(text) == simdjson::SUCCESS) tree_.aliases_.insert(LowerName(text));
        }
      }
      for (const auto field : object(e)) NoteNames(field.value);
    }
  }

  bool Column(object o) {
    array names;
    if (o["column_names"].get(names) != simdjson::SUCCESS) {
      return Refuse("an unknown kind of column", PositionOf(o));
    }
    Ref ref{{}, PositionOf(o)};
    for (const element name : names) {
      std::string_view text;
      if (name.get(text) == simdjson::SUCCESS) ref.names.emplace_back(text);
    }
    if (!ref.names.empty()) tree_.columns_.push_back(std::move(ref));
    return true;
  }

  bool Function(object o) {
    const std::string name = LowerName(TextOf(o, "function_name"));
    const std::string_view schema = TextOf(o, "schema");
    if (!TextOf(o, "catalog").empty() || (!schema.empty() && schema != kOwnSchema)) {
      return Refuse("functions are called without a schema", PositionOf(o));
    }
    if (!IsAllowedFunction(name) && RenamedFunction(name).empty()) {
      const bool word = !name.empty() && name[0] >= 'a' && name[0] <= 'z';
      return Refuse("the function " + name + " is not known or not allowed here" +
                        (word ? Propose(name, FunctionNames()) : ""),
                    PositionOf(o));
    }
    tree_.functions_.push_back({{name}, PositionOf(o)});
    return GrowthOf(name) != Growth::kRepeat || HasSmallCounts(o, name);
  }

  bool HasSmallCounts(object o, const std::string& name) {
    array children;
    if (o["children"].get(children) != simdjson::SUCCESS) return true;
    const bool text = name == "repeat" || name == "lpad" || name == "rpad";
    size_t at = 0;
    for (const element child : children) {
      if (text && at++ != 1) continue;  // (text, count, ...)
      const std::optional<element> constant = ConstantOf(child);
      int64_t count = 0;
      if (!constant || constant->get(count) != simdjson::SUCCESS || count > kRepeatMax ||
          count < -kRepeatMax) {
        return Invalid(
            name + " takes a written whole number up to " + std::to_string(kRepeatMax) + " here",
            PositionOf(o));
      }
    }
    return true;
  }

  bool Node(object o, std::string_view type) {
    if (!Holds(kNodes, type)) {
      return Refuse("this is not allowed in a statement: " + std::string(type), PositionOf(o));
    }
    if (type == "BASE_TABLE") return Table(o);
    if (type == "TABLE_FUNCTION") return TableFunction(o);
    if (type == "SELECT_NODE") return Select(o);
    return true;
  }

  bool Table(object o) {
    const std::string name = LowerName(TextOf(o, "table_name"));
    const bool plain = TextOf(o, "schema_name").empty() && TextOf(o, "catalog_name").empty();
    tree_.aliases_.insert(name);
    if (plain && (name == "log" || Holds(tables_, name))) return true;
    return Refuse("there is no table " + name +
                      ": the rows that the search lets through are the "
                      "table log",
                  PositionOf(o));
  }

  bool TableFunction(object o) {
    object function;
    if (o["function"].get(function) != simdjson::SUCCESS) {
      return Refuse("an unknown kind of table function", PositionOf(o));
    }
    const std::string name = LowerName(TextOf(function, "function_name"));
    if (Holds(kTableFunctions, name)) return true;
    return Refuse("the table function " + name +
                      " is not allowed: the rows that the search lets "
                      "through are the table log",
                  PositionOf(o));
  }

  // Levels of queries multiply what one level may grow.
  bool Select(object o) {
    element list;
    array groups;
    if (o["group_expressions"].get(groups) == simdjson::SUCCESS && groups.size() > 0) {
      tree_.has_groups_ = true;
    }
    if (TextOf(o, "aggregate_handling") == "FORCE_AGGREGATES") tree_.has_groups_ = true;
    if (o["select_list"].get(list) != simdjson::SUCCESS) return true;
    double largest = 1;
    for (const element e : array(list)) largest = std::max(largest, SizeOf(e));
    growth_ *= largest;
    if (growth_ <= kGrowthMax) return true;
    return Invalid("the statement could make values more than " +
                       std::to_string(static_cast<int>(kGrowthMax)) +
                       " times as large as those of the rows",
                   std::nullopt);
  }

  // How many times as large as a value of a row the result can be.
  double SizeOf(element e) {
    if (e.is_array()) {
      double largest = 0;
      for (const element item : array(e)) largest = std::max(largest, SizeOf(item));
      return largest;
    }
    if (!e.is_object()) return 0;
    const object o(e);
    const std::string_view kind = TextOf(o, "class");
    if (kind == "CONSTANT") return 0;
    if (kind == "COLUMN_REF" || kind == "STAR" || kind == "SUBQUERY") return 1;
    element children;
    if (kind == "FUNCTION" && o["children"].get(children) == simdjson::SUCCESS) {
      return SizeOfCall(LowerName(TextOf(o, "function_name")), children);
    }
    double largest = 0;
    for (const auto field : o) largest = std::max(largest, SizeOf(field.value));
    return largest;
  }

  double SizeOfCall(const std::string& name, element children) {
    const std::string_view renamed = RenamedFunction(name);
    const Growth growth = GrowthOf(renamed.empty() ? std::string_view(name) : renamed);
    if (growth == Growth::kLargest || growth == Growth::kRepeat) return SizeOf(children);
    double sum = 0, first = 0, factor = 1;
    bool is_first = true;
    for (const element child : array(children)) {
      const double size = SizeOf(child);
      sum += size;
      std::string_view text;
      const std::optional<element> constant = ConstantOf(child);
      if (is_first) {
        first = size;
      } else if (!constant) {
        factor = kUnknownReplacement;
      } else if (constant->get(text) == simdjson::SUCCESS) {
        factor = std::max(factor, static_cast<double>(text.size()));
      }
      is_first = false;
    }
    return growth == Growth::kSum ? sum : first * factor;
  }

  // A replacement that is not written in the statement.
  static constexpr double kUnknownReplacement = 64;

  SyntaxTree& tree_;
  Problem& problem_;
  std::vector<std::string> tables_;  // CTEs in sight
  double growth_ = 1;
  int depth_ = 0;
};

bool SyntaxTree::HasAlias(std::string_view name) const {
  return aliases_.contains(LowerName(name));
}

bool SyntaxTree::IsJsonAlias(std::string_view name) const {
  return json_aliases_.contains(LowerName(name));
}

bool SyntaxTree::Read(Database& database, const std::string& sql, Problem& problem) {
  const Result<std::string> json = database.SyntaxTree(sql);
  if (!json.ok()) {
    problem.status = json.status();
    return false;
  }
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(*json).get(root) != simdjson::SUCCESS) {
    problem.status =
        InvalidArgumentError("the statement is nested too deeply, or a number in it is too large");
    return false;
  }
  bool failed = false;
  if (root["error"].get(failed) == simdjson::SUCCESS && failed) {
    const object o(root);
    std::string message(TextOf(o, "error_message"));
    const std::string_view position = TextOf(o, "position");
    size_t at = 0;
    problem.position.reset();
    if (std::from_chars(position.data(), position.data() + position.size(), at).ec == std::errc()) {
      problem.position = at;
    }
    if (message.starts_with("Only SELECT")) {
      problem.status = PermissionDeniedError("only one SELECT is allowed");
    } else {
      problem.status = InvalidArgumentError(message);
    }
    return false;
  }
  element statements;
  if (root["statements"].get(statements) != simdjson::SUCCESS) {
    problem.status = InternalError("DuckDB gave no syntax tree");
    return false;
  }
  return Walk(*this, problem).Run(statements);
}

}  // namespace kelp::sql
