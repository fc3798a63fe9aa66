// The parsed LogQL query, and how it is read: Parse.
//
//   SyntaxError error;
//   std::unique_ptr<const Expr> expr = Parse("sum by (pod) (rate({app=\"web\"} |= \"x\" [5m]))",
//   error);
//
// src/loki is LogQL, the language of Grafana Loki, over Kelp's store: parser, pipeline, and the two
// ways to run a query (log_query.h, metric_query.h). What is the same and what is not:
// docs/guides/grafana.md.
//
// Threads: values; immutable once parsed.
// Limits:  kQueryBytesMax, kDepthMax, kStagesMax, kRegexesMax.
// Errors:  the first one, at the byte where the text stops making sense.
// Tests:   case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_AST_H_
#define KELP_LOKI_AST_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "codec/regex.h"
#include "query/ip_address.h"

namespace kelp::loki {

// Dashboards build long queries; longer text is a mistake or an attack.
inline constexpr size_t kQueryBytesMax = 16 << 10;
// Parentheses and functions inside one another; parsing and evaluation recurse this deep.
inline constexpr int kDepthMax = 32;
// Stages of one pipeline: each runs for each row.
inline constexpr size_t kStagesMax = 64;
// Regular expressions in one query: each compiles to machine code.
inline constexpr size_t kRegexesMax = 32;

struct SyntaxError {
  std::string message;
  size_t position = 0;  // byte of the text
};

// A regular expression as LogQL has them, and its text.
struct Pattern {
  std::string text;
  codec::Regex regex;
};

enum class MatchOp : uint8_t { kEqual, kNotEqual, kRegex, kNotRegex };

// label="value" of a selector or a label filter.
struct Matcher {
  std::string label;
  MatchOp op = MatchOp::kEqual;
  std::string value;
  std::optional<Pattern> pattern;  // kRegex, kNotRegex; anchored at both ends

  bool negative() const { return op == MatchOp::kNotEqual || op == MatchOp::kNotRegex; }
};

// |= "a" or "b"
struct LineFilter {
  enum class Op : uint8_t { kContains, kMatches, kLike };
  struct Text {
    std::string text;
    std::optional<Pattern> pattern;        // kMatches and kLike
    std::optional<query::IpNet> net;       // |= ip("...")
    std::optional<query::IpAddress> last;  // end of a range of addresses
  };
  Op op = Op::kContains;
  bool negated = false;
  std::vector<Text> any;  // one of them has to be there; with negated: none may
};

// A tree of conditions on labels.
struct LabelFilter {
  enum class Kind : uint8_t { kAnd, kOr, kMatch, kNumber, kDuration, kBytes, kIp };
  enum class Compare : uint8_t { kEqual, kNotEqual, kGreater, kGreaterEqual, kLess, kLessEqual };
  Kind kind = Kind::kMatch;
  std::vector<LabelFilter> children;  // kAnd, kOr
  Matcher match;                      // kMatch; else its label
  Compare compare = Compare::kEqual;
  double number = 0;  // kNumber, kDuration in seconds, kBytes
  query::IpNet net;   // kIp
  std::optional<query::IpAddress> last;
};

class Template;

struct Stage {
  enum class Kind : uint8_t {
    kLine,
    kJson,
    kLogfmt,
    kRegexp,
    kPattern,
    kUnpack,
    kFilter,
    kLineFormat,
    kLabelFormat,
    kDecolorize,
    kDrop,
    kKeep,
  };
  // json a="b.c", logfmt a="b", label_format a=b, a="{{.b}}"
  struct Assign {
    std::string label;
    std::string source;
    std::shared_ptr<const Template> format;  // label_format with a template
    std::vector<std::string> path;           // json: the steps of `source`
  };
  Kind kind = Kind::kLine;
  std::string text;  // as written, of kRegexp, kPattern, kLineFormat
  LineFilter line;
  LabelFilter filter;
  std::optional<Pattern> pattern;  // kRegexp, kPattern
  std::shared_ptr<const Template> format;
  std::vector<Assign> assigns;
  std::vector<Matcher> labels;  // kDrop, kKeep; an empty value with kEqual: whatever it is
  std::vector<bool> any_value;  // by label
  bool strict = false;
  bool keep_empty = false;

  // Makes labels out of the line.
  bool parses() const {
    return kind == Kind::kJson || kind == Kind::kLogfmt || kind == Kind::kRegexp ||
           kind == Kind::kPattern || kind == Kind::kUnpack;
  }
};

struct Grouping {
  bool given = false;
  bool without = false;
  std::vector<std::string> labels;
};

struct Unwrap {
  enum class Kind : uint8_t { kNumber, kDuration, kBytes };
  std::string label;
  Kind kind = Kind::kNumber;
};

enum class RangeOp : uint8_t {
  kRate,
  kCount,
  kBytes,
  kBytesRate,
  kAbsent,
  kSum,
  kAvg,
  kMin,
  kMax,
  kFirst,
  kLast,
  kStdDev,
  kStdVar,
  kQuantile,
};

enum class VectorOp : uint8_t {
  kSum,
  kAvg,
  kMin,
  kMax,
  kCount,
  kStdDev,
  kStdVar,
  kTopK,
  kBottomK,
  kSort,
  kSortDesc,
};

enum class BinaryOp : uint8_t {
  kOr,
  kAnd,
  kUnless,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMod,
  kPow,
};

// Which series of the two sides of a binary operation belong together.
struct Matching {
  bool on = false;  // `labels` decide; else all but `labels`
  std::vector<std::string> labels;
  enum class Group : uint8_t { kNone, kLeft, kRight } group = Group::kNone;
  std::vector<std::string> include;
};

struct Expr {
  enum class Kind : uint8_t { kLog, kNumber, kVector, kRange, kAggregate, kBinary, kLabelReplace };
  Kind kind = Kind::kLog;
  size_t position = 0;
  // kLog, kRange
  std::vector<Matcher> selector;
  std::vector<Stage> stages;
  // kRange
  RangeOp range_op = RangeOp::kCount;
  Duration range{0};
  Duration offset{0};
  std::optional<Unwrap> unwrap;
  std::vector<Stage> after_unwrap;
  // kNumber, kVector: the number; kRange: quantile; kAggregate: k
  double number = 0;
  // kRange, kAggregate
  Grouping grouping;
  VectorOp vector_op = VectorOp::kSum;
  // kBinary: both; kAggregate, kLabelReplace: left
  std::unique_ptr<Expr> left;
  std::unique_ptr<Expr> right;
  BinaryOp binary_op = BinaryOp::kAdd;
  bool bool_result = false;
  Matching matching;
  // kLabelReplace
  std::string target;
  std::string replacement;
  std::string source;
  std::optional<Pattern> pattern;

  bool is_log() const { return kind == Kind::kLog; }
};

std::unique_ptr<const Expr> Parse(std::string_view text, SyntaxError& error);
// Only {…}: what `match[]` and the `query` of label calls hold.
std::optional<std::vector<Matcher>> ParseSelector(std::string_view text, SyntaxError& error);

// The query in one spelling; parsing that gives the same again.
std::string Format(const Expr& expr);
std::string Format(const std::vector<Matcher>& selector);

// "parse error at line 1, col 7: …": as Loki says it.
std::string Describe(std::string_view text, const SyntaxError& error);

}  // namespace kelp::loki

#endif  // KELP_LOKI_AST_H_
