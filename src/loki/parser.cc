// Recursive descent over the lexer's tokens. Pipelines are in pipeline_parser.cc.
#include "loki/parser.h"

#include <algorithm>
#include <array>
#include <utility>

namespace kelp::loki {
namespace {

template <typename Op>
struct Named {
  std::string_view name;
  Op op;
};

constexpr std::array<Named<RangeOp>, 14> kRangeOps{{{"rate", RangeOp::kRate},
                                                    {"count_over_time", RangeOp::kCount},
                                                    {"bytes_over_time", RangeOp::kBytes},
                                                    {"bytes_rate", RangeOp::kBytesRate},
                                                    {"absent_over_time", RangeOp::kAbsent},
                                                    {"sum_over_time", RangeOp::kSum},
                                                    {"avg_over_time", RangeOp::kAvg},
                                                    {"min_over_time", RangeOp::kMin},
                                                    {"max_over_time", RangeOp::kMax},
                                                    {"first_over_time", RangeOp::kFirst},
                                                    {"last_over_time", RangeOp::kLast},
                                                    {"stddev_over_time", RangeOp::kStdDev},
                                                    {"stdvar_over_time", RangeOp::kStdVar},
                                                    {"quantile_over_time", RangeOp::kQuantile}}};

constexpr std::array<Named<VectorOp>, 11> kVectorOps{{{"sum", VectorOp::kSum},
                                                      {"avg", VectorOp::kAvg},
                                                      {"min", VectorOp::kMin},
                                                      {"max", VectorOp::kMax},
                                                      {"count", VectorOp::kCount},
                                                      {"stddev", VectorOp::kStdDev},
                                                      {"stdvar", VectorOp::kStdVar},
                                                      {"topk", VectorOp::kTopK},
                                                      {"bottomk", VectorOp::kBottomK},
                                                      {"sort", VectorOp::kSort},
                                                      {"sort_desc", VectorOp::kSortDesc}}};

struct BinaryName {
  std::string_view name;
  BinaryOp op;
  int level;  // higher binds tighter
};
constexpr std::array<BinaryName, 15> kBinaryOps{{{"or", BinaryOp::kOr, 1},
                                                 {"and", BinaryOp::kAnd, 2},
                                                 {"unless", BinaryOp::kUnless, 2},
                                                 {"==", BinaryOp::kEqual, 3},
                                                 {"!=", BinaryOp::kNotEqual, 3},
                                                 {">", BinaryOp::kGreater, 3},
                                                 {">=", BinaryOp::kGreaterEqual, 3},
                                                 {"<", BinaryOp::kLess, 3},
                                                 {"<=", BinaryOp::kLessEqual, 3},
                                                 {"+", BinaryOp::kAdd, 4},
                                                 {"-", BinaryOp::kSub, 4},
                                                 {"*", BinaryOp::kMul, 5},
                                                 {"/", BinaryOp::kDiv, 5},
                                                 {"%", BinaryOp::kMod, 5},
                                                 {"^", BinaryOp::kPow, 6}}};

template <typename Op, size_t n>
const Named<Op>* FindName(const std::array<Named<Op>, n>& names, std::string_view name) {
  for (const Named<Op>& one : names) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

bool IsVectorParam(VectorOp op) { return op == VectorOp::kTopK || op == VectorOp::kBottomK; }

bool NeedsUnwrap(RangeOp op) { return op >= RangeOp::kSum; }
bool TakesUnwrap(RangeOp op) { return NeedsUnwrap(op) || op == RangeOp::kRate; }
bool TakesGrouping(RangeOp op) {
  return op == RangeOp::kAvg || op == RangeOp::kMin || op == RangeOp::kMax ||
         op == RangeOp::kQuantile || op == RangeOp::kStdDev || op == RangeOp::kStdVar ||
         op == RangeOp::kFirst || op == RangeOp::kLast;
}

}  // namespace

std::string_view NameOf(RangeOp op) {
  for (const auto& one : kRangeOps) {
    if (one.op == op) return one.name;
  }
  return "";
}

std::string_view NameOf(VectorOp op) {
  for (const auto& one : kVectorOps) {
    if (one.op == op) return one.name;
  }
  return "";
}

std::string_view NameOf(BinaryOp op) {
  for (const BinaryName& one : kBinaryOps) {
    if (one.op == op) return one.name;
  }
  return "";
}

ParserBase::ParserBase(std::string_view text, SyntaxError& error)
    : lexer_(text), error_(error), size_(text.size()) {
  if (text.size() > kQueryBytesMax) {
    Fail(kQueryBytesMax, "the query is longer than " + std::to_string(kQueryBytesMax) + " bytes");
    return;
  }
  token_ = lexer_.Next();
  CheckToken();
}

bool ParserBase::Fail(size_t position, std::string message) {
  if (!failed_) error_ = {std::move(message), position};
  failed_ = true;
  return false;
}

bool ParserBase::Unexpected(std::string_view expected) {
  std::string found = token_.kind == Token::Kind::kEnd      ? "the end"
                      : token_.kind == Token::Kind::kString ? "a string"
                                                            : "'" + token_.text + "'";
  return Fail(token_.position,
              "syntax error: unexpected " + found + ", expecting " + std::string(expected));
}

void ParserBase::CheckToken() {
  if (token_.kind == Token::Kind::kError) Fail(token_.position, "syntax error: " + token_.text);
}

Token ParserBase::Take() {
  Token taken = std::move(token_);
  token_ = lexer_.Next();
  CheckToken();
  return taken;
}

bool ParserBase::TakeMark(std::string_view mark) {
  if (failed_ || !token_.Is(mark)) return false;
  Take();
  return true;
}

bool ParserBase::Expect(std::string_view mark) {
  if (TakeMark(mark)) return true;
  return Unexpected("'" + std::string(mark) + "'");
}

bool ParserBase::ExpectString(std::string& out) {
  if (token_.kind != Token::Kind::kString) return Unexpected("a string");
  out = Take().text;
  return !failed_;
}

bool ParserBase::ExpectName(std::string& out) {
  if (token_.kind != Token::Kind::kName) return Unexpected("a name");
  out = Take().text;
  return !failed_;
}

bool ParserBase::Compile(const std::string& text, size_t position, bool anchored,
                         std::optional<Pattern>& out) {
  if (++regexes_ > kRegexesMax) {
    return Fail(position, "more than " + std::to_string(kRegexesMax) + " regular expressions");
  }
  // "." of a label's expression is any character, and of a line's too: rows may have line ends.
  const std::string full = anchored ? "^(?s:" + text + ")$" : "(?s)" + text;
  auto regex = codec::Regex::Compile(full);
  if (!regex.ok()) {
    // The place in the message is that in `full`, which nobody has written.
    const std::string_view message = regex.status().message();
    const size_t why = message.find(": ");
    return Fail(position, "error parsing regexp: " +
                              std::string(why == message.npos ? message : message.substr(why + 2)));
  }
  out = Pattern{text, *std::move(regex)};
  return true;
}

bool ParserBase::ParseMatchers(std::vector<Matcher>& out) {
  if (!Expect("{")) return false;
  while (!TakeMark("}")) {
    if (failed_) return false;
    if (!out.empty() && !Expect(",")) return false;
    Matcher matcher;
    if (!ExpectName(matcher.label)) return false;
    const Token op = Take();
    const size_t position = token_.position;
    if (op.Is("=")) {
      matcher.op = MatchOp::kEqual;
    } else if (op.Is("!=")) {
      matcher.op = MatchOp::kNotEqual;
    } else if (op.Is("=~")) {
      matcher.op = MatchOp::kRegex;
    } else if (op.Is("!~")) {
      matcher.op = MatchOp::kNotRegex;
    } else {
      return Fail(op.position, "syntax error: expecting one of = != =~ !~ after a label");
    }
    if (!ExpectString(matcher.value)) return false;
    if (matcher.op >= MatchOp::kRegex && !Compile(matcher.value, position, true, matcher.pattern)) {
      return false;
    }
    out.push_back(std::move(matcher));
  }
  return true;
}

namespace {

class Parser : public PipelineParser {
 public:
  using PipelineParser::PipelineParser;

  std::unique_ptr<Expr> Run() {
    std::unique_ptr<Expr> expr = failed_ ? nullptr : ParseBinary(1);
    if (expr != nullptr && token_.kind != Token::Kind::kEnd) Unexpected("the end of the query");
    return failed_ ? nullptr : std::move(expr);
  }

  std::optional<std::vector<Matcher>> RunSelector() {
    std::vector<Matcher> matchers;
    if (failed_ || !ParseMatchers(matchers)) return std::nullopt;
    if (token_.kind != Token::Kind::kEnd) Unexpected("the end of the selector");
    if (failed_) return std::nullopt;
    return matchers;
  }

 private:
  using Ptr = std::unique_ptr<Expr>;

  const BinaryName* BinaryAt(int level) const {
    for (const BinaryName& one : kBinaryOps) {
      if (one.level >= level && (token_.Is(one.name) || token_.IsName(one.name))) return &one;
    }
    return nullptr;
  }

  Ptr ParseBinary(int level) {
    const Depth depth(depth_);
    if (depth_ > kDepthMax) {
      Fail(token_.position, "nested too deeply");
      return nullptr;
    }
    Ptr left = ParseUnary();
    while (left != nullptr && !failed_) {
      const BinaryName* found = BinaryAt(level);
      if (found == nullptr) return left;
      auto expr = std::make_unique<Expr>();
      expr->kind = Expr::Kind::kBinary;
      expr->position = token_.position;
      expr->binary_op = found->op;
      Take();
      if (!ParseModifiers(*expr)) return nullptr;
      // ^ binds to the right, the others to the left.
      Ptr right = ParseBinary(found->op == BinaryOp::kPow ? found->level : found->level + 1);
      if (right == nullptr) return nullptr;
      if (left->is_log() || right->is_log()) {
        Fail(expr->position, "a log query cannot be an operand; use count_over_time or rate");
        return nullptr;
      }
      expr->left = std::move(left);
      expr->right = std::move(right);
      left = std::move(expr);
      // A long chain nests as deeply as parentheses do.
      if (++chain_ > kChainMax) {
        Fail(left->position, "too many operators in one query");
        return nullptr;
      }
    }
    return left;
  }

  bool ParseModifiers(Expr& expr) {
    if (token_.IsName("bool")) {
      Take();
      expr.bool_result = true;
    }
    if (token_.IsName("on") || token_.IsName("ignoring")) {
      expr.matching.on = Take().text == "on";
      if (!ParseNames(expr.matching.labels)) return false;
    }
    if (token_.IsName("group_left") || token_.IsName("group_right")) {
      expr.matching.group =
          Take().text == "group_left" ? Matching::Group::kLeft : Matching::Group::kRight;
      if (token_.Is("(") && !ParseNames(expr.matching.include)) return false;
    }
    return !failed_;
  }

  Ptr ParseUnary() {
    if (!token_.Is("-") && !token_.Is("+")) return ParsePrimary();
    const double sign = Take().Is("-") ? -1 : 1;
    if (token_.kind != Token::Kind::kNumber) {
      Unexpected("a number");
      return nullptr;
    }
    Ptr number = ParsePrimary();
    if (number != nullptr) number->number *= sign;
    return number;
  }

  Ptr ParsePrimary() {
    if (failed_) return nullptr;
    if (token_.kind == Token::Kind::kNumber) {
      auto expr = Make(Expr::Kind::kNumber);
      expr->number = Take().number;
      return expr;
    }
    if (token_.Is("{")) return ParseLog();
    if (TakeMark("(")) {
      Ptr inner = ParseBinary(1);
      if (inner == nullptr || !Expect(")")) return nullptr;
      return inner;
    }
    if (token_.kind == Token::Kind::kName) return ParseCall();
    Unexpected("a selector {…}, a function or a number");
    return nullptr;
  }

  Ptr ParseLog() {
    auto expr = Make(Expr::Kind::kLog);
    if (!ParseSelectorChecked(*expr) || !ParseStages(expr->stages, nullptr)) return nullptr;
    return expr;
  }

  bool ParseSelectorChecked(Expr& expr) {
    const size_t position = token_.position;
    if (!ParseMatchers(expr.selector)) return false;
    // As Loki asks: without one, every row there is would have to be read by mistake.
    for (const Matcher& matcher : expr.selector) {
      if (matcher.op == MatchOp::kEqual && !matcher.value.empty()) return true;
      if (matcher.op == MatchOp::kRegex && !MatchesEmpty(matcher)) return true;
    }
    return Fail(position,
                "queries require at least one regexp or equality matcher that does not have an "
                "empty-compatible value. For instance, app=~\".*\" does not meet this requirement, "
                "but app=~\".+\" will");
  }

  static bool MatchesEmpty(const Matcher& matcher) {
    codec::RegexMatcher run(matcher.pattern->regex);
    return run.Match("") == codec::RegexOutcome::kMatch;
  }

  Ptr ParseCall() {
    const size_t position = token_.position;
    const std::string name = token_.text;
    if (const auto* op = FindName(kRangeOps, name)) return ParseRange(op->op);
    if (const auto* op = FindName(kVectorOps, name)) return ParseAggregate(op->op);
    if (name == "vector") {
      auto expr = Make(Expr::Kind::kVector);
      Take();
      if (!Expect("(")) return nullptr;
      Ptr number = ParseUnary();
      if (number == nullptr || !Expect(")")) return nullptr;
      if (number->kind != Expr::Kind::kNumber) {
        Fail(number->position, "vector() takes a number");
        return nullptr;
      }
      expr->number = number->number;
      return expr;
    }
    if (name == "label_replace") return ParseLabelReplace();
    Fail(position, "the function \"" + name + "\" is not known or not supported");
    return nullptr;
  }

  Ptr ParseRange(RangeOp op) {
    auto expr = Make(Expr::Kind::kRange);
    expr->range_op = op;
    Take();
    if (!Expect("(")) return nullptr;
    if (op == RangeOp::kQuantile && !ParseParam(*expr)) return nullptr;
    if (!ParseLogRange(*expr)) return nullptr;
    if (expr->range == Duration(0)) {
      Unexpected("a range like [5m]");
      return nullptr;
    }
    if (!Expect(")")) return nullptr;
    if (!ParseGrouping(expr->grouping)) return nullptr;
    if (expr->grouping.given && !(TakesGrouping(op) && expr->unwrap)) {
      Fail(expr->position, "grouping not allowed for " + std::string(NameOf(op)) +
                               " aggregation; put sum by (…) around it");
      return nullptr;
    }
    if (NeedsUnwrap(op) && !expr->unwrap) {
      Fail(expr->position, "invalid aggregation " + std::string(NameOf(op)) + " without unwrap");
      return nullptr;
    }
    if (expr->unwrap && !TakesUnwrap(op)) {
      Fail(expr->position, "invalid aggregation " + std::string(NameOf(op)) + " with unwrap");
      return nullptr;
    }
    return expr;
  }

  bool ParseParam(Expr& expr) {
    if (token_.kind != Token::Kind::kNumber) return Unexpected("a number");
    expr.number = Take().number;
    return Expect(",");
  }

  // {…} stages [5m], or {…}[5m] stages, or either in parentheses.
  bool ParseLogRange(Expr& expr) {
    const Depth depth(depth_);
    if (depth_ > kDepthMax) return Fail(token_.position, "nested too deeply");
    if (TakeMark("(")) {
      if (!ParseLogRange(expr) || !Expect(")")) return false;
    } else {
      if (!ParseSelectorChecked(expr)) return false;
      if (token_.Is("[") && !ParseRangeAndOffset(expr)) return false;
      if (!ParseStages(expr.stages, &expr)) return false;
    }
    if (token_.Is("[") && expr.range == Duration(0)) return ParseRangeAndOffset(expr);
    return !failed_;
  }

  bool ParseRangeAndOffset(Expr& expr) {
    if (!Expect("[")) return false;
    if (token_.kind != Token::Kind::kDuration || token_.number < 1) {
      return Unexpected("a duration like 5m");
    }
    if (token_.number > kRangeMax) return Fail(token_.position, "the range is too long");
    expr.range = Duration(static_cast<int64_t>(Take().number));
    if (!Expect("]")) return false;
    if (!token_.IsName("offset")) return !failed_;
    Take();
    const bool negative = TakeMark("-");
    if (token_.kind != Token::Kind::kDuration || token_.number > kRangeMax) {
      return Unexpected("a duration like 5m");
    }
    const auto offset = static_cast<int64_t>(Take().number);
    expr.offset = Duration(negative ? -offset : offset);
    return !failed_;
  }

  bool ParseGrouping(Grouping& out) {
    if (!token_.IsName("by") && !token_.IsName("without")) return !failed_;
    if (out.given) return Fail(token_.position, "grouping is given twice");
    out.given = true;
    out.without = Take().text == "without";
    return ParseNames(out.labels);
  }

  bool ParseNames(std::vector<std::string>& out) {
    if (!Expect("(")) return false;
    bool first = true;
    while (!TakeMark(")")) {
      if (failed_ || (!first && !Expect(","))) return false;
      first = false;
      if (!ExpectName(out.emplace_back())) return false;
    }
    return !failed_;
  }

  Ptr ParseAggregate(VectorOp op) {
    auto expr = Make(Expr::Kind::kAggregate);
    expr->vector_op = op;
    Take();
    if (!ParseGrouping(expr->grouping) || !Expect("(")) return nullptr;
    if (IsVectorParam(op)) {
      if (!ParseParam(*expr)) return nullptr;
      if (expr->number < 1) {
        Fail(expr->position, "invalid parameter " + std::string(NameOf(op)) + "(" +
                                 std::to_string(static_cast<int64_t>(expr->number)) + ",");
        return nullptr;
      }
    }
    expr->left = ParseBinary(1);
    if (expr->left == nullptr || !Expect(")") || !ParseGrouping(expr->grouping)) return nullptr;
    if (expr->left->is_log()) {
      Fail(expr->left->position,
           std::string(NameOf(op)) + " needs a metric; put rate( … [5m]) around the log query");
      return nullptr;
    }
    return expr;
  }

  Ptr ParseLabelReplace() {
    auto expr = Make(Expr::Kind::kLabelReplace);
    Take();
    if (!Expect("(")) return nullptr;
    expr->left = ParseBinary(1);
    if (expr->left == nullptr || !Expect(",") || !ExpectString(expr->target) || !Expect(",") ||
        !ExpectString(expr->replacement) || !Expect(",") || !ExpectString(expr->source) ||
        !Expect(",")) {
      return nullptr;
    }
    const size_t position = token_.position;
    std::string pattern;
    if (!ExpectString(pattern) || !Expect(")")) return nullptr;
    if (expr->left->is_log()) {
      Fail(expr->left->position, "label_replace needs a metric");
      return nullptr;
    }
    if (!Compile(pattern, position, true, expr->pattern)) return nullptr;
    return expr;
  }

  Ptr Make(Expr::Kind kind) const {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->position = token_.position;
    return expr;
  }

  struct Depth {
    explicit Depth(int& depth) : depth_ref(depth) { ++depth_ref; }
    ~Depth() { --depth_ref; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    int& depth_ref;
  };

  // Ten years in nanoseconds: no store is older.
  static constexpr double kRangeMax = 10.0 * 366 * 24 * 3600e9;
  // Operators that one query may chain: each is one more level to evaluate and to free.
  static constexpr int kChainMax = 256;
  int depth_ = 0;
  int chain_ = 0;
};

}  // namespace

std::unique_ptr<const Expr> Parse(std::string_view text, SyntaxError& error) {
  return Parser(text, error).Run();
}

std::optional<std::vector<Matcher>> ParseSelector(std::string_view text, SyntaxError& error) {
  return Parser(text, error).RunSelector();
}

std::string Describe(std::string_view text, const SyntaxError& error) {
  size_t line = 1;
  size_t column = 1;
  for (const char c : text.substr(0, std::min(error.position, text.size()))) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++column;
    }
  }
  return "parse error at line " + std::to_string(line) + ", col " + std::to_string(column) + ": " +
         error.message;
}

}  // namespace kelp::loki
