#include "sql/pipes.h"

#include <algorithm>

#include "config/problems.h"
#include "sql/lexer.h"
#include "sql/log_schema.h"

namespace kelp::sql {
namespace {

constexpr std::string_view kSteps[] = {"stats", "top",   "timechart", "fields", "parse",
                                       "sort",  "limit", "where",     "extend", "distinct"};
constexpr const char* kSeriesMax = "1000";

// Aggregates by the names that pipes know: {written, before the arguments, after them}.
struct Aggregate {
  std::string_view name;
  std::string_view before;
  std::string_view after;
};
constexpr Aggregate kAggregates[] = {
    {"dc", "count(DISTINCT ", ")"},       {"distinct", "count(DISTINCT ", ")"},
    {"p50", "quantile_cont(", ", 0.5)"},  {"p90", "quantile_cont(", ", 0.9)"},
    {"p95", "quantile_cont(", ", 0.95)"}, {"p99", "quantile_cont(", ", 0.99)"},
    {"values", "list(DISTINCT ", ")"},
};

class Translator {
 public:
  Translator(std::string_view text, PipedStatement& out, Problem& problem)
      : text_(text), tokens_(Tokenize(text)), out_(out), problem_(problem) {}

  bool Run() {
    out_.Add("SELECT * FROM log");
    do {
      if (!Step()) return false;
    } while (Take("|"));
    if (Peek().kind != Token::Kind::kEnd) return Fail("a '|' or the end is expected here");
    return true;
  }

 private:
  const Token& Peek(size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& Next() {
    const Token& token = Peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
  }
  bool Take(std::string_view symbol) {
    if (!Peek().IsSymbol(symbol)) return false;
    Next();
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!Peek().Is(word)) return false;
    Next();
    return true;
  }
  bool AtStepEnd() const { return Peek().kind == Token::Kind::kEnd || Peek().IsSymbol("|"); }
  bool Fail(std::string message) {
    problem_ = {InvalidArgumentError(std::move(message)), Peek().begin};
    return false;
  }

  bool Step() {
    const Token& word = Peek();
    if (word.Is("stats")) return Next(), Stats();
    if (word.Is("top")) return Next(), Top();
    if (word.Is("timechart")) return Next(), TimeChart();
    if (word.Is("fields")) return Next(), Fields();
    if (word.Is("parse")) return Next(), Parse();
    if (word.Is("sort")) return Next(), Sort();
    if (word.Is("limit")) return Next(), Limit();
    if (word.Is("where")) return Next(), Where();
    if (word.Is("extend")) return Next(), Extend();
    if (word.Is("distinct")) return Next(), Distinct();
    const std::string lower = LowerName(word.text);
    const std::string_view near = config::NearestName(
        lower, std::vector<std::string_view>(std::begin(kSteps), std::end(kSteps)));
    return Fail(
        "after '|' comes SELECT or one of stats, top, timechart, fields, parse json, sort, "
        "limit, where, extend, distinct" +
        (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
  }

  // name{.name}: a column, with its dots.
  bool Column(PipedStatement& to) {
    if (!Peek().IsName()) return Fail("the name of a column is expected here");
    const size_t begin = Peek().begin;
    size_t end = Next().end();
    while (Peek().IsSymbol(".") && Peek(1).IsName()) {
      Next();
      end = Next().end();
    }
    to.AddFrom(begin, text_.substr(begin, end - begin));
    return true;
  }

  bool Columns(PipedStatement& to) {
    do {
      if (!to.sql().empty()) to.Add(", ");
      if (!Column(to)) return false;
    } while (Take(","));
    return true;
  }

  // count() | avg(x) [AS name], ... : written into `to`, a name for each.
  bool Aggregates(PipedStatement& to) {
    do {
      if (!to.sql().empty()) to.Add(", ");
      if (!OneAggregate(to)) return false;
    } while (Take(","));
    return true;
  }

  bool OneAggregate(PipedStatement& to) {
    if (!Peek().IsName()) return Fail("an aggregate like count() is expected here");
    const Token function = Next();
    const std::string name = LowerName(function.text);
    size_t begin = 0, end = 0;
    if (Take("(")) {
      begin = Peek().begin;
      if (!SkipToClose(end)) return false;
    } else if (name != "count") {
      return Fail("an opening parenthesis is expected here");
    }
    const std::string_view arguments =
        begin == 0 ? std::string_view() : text_.substr(begin, end - begin);
    const auto* known = std::find_if(std::begin(kAggregates), std::end(kAggregates),
                                     [&](const Aggregate& a) { return a.name == name; });
    if (known != std::end(kAggregates)) {
      to.AddFor(function.begin, known->before);
      to.AddFrom(begin, arguments);
      to.Add(known->after);
    } else {
      to.AddFrom(function.begin, text_.substr(function.begin, function.size));
      to.Add("(");
      if (name == "count" && arguments.empty()) {
        to.Add("*");
      } else {
        to.AddFrom(begin, arguments);
      }
      to.Add(")");
    }
    to.Add(" AS ");
    if (TakeWord("as")) return Column(to);
    to.Add(QuoteName(arguments.empty() ? name : name + "(" + std::string(arguments) + ")"));
    return true;
  }

  // Behind an opening parenthesis: to its closing one.
  bool SkipToClose(size_t& end) {
    int depth = 1;
    while (Peek().kind != Token::Kind::kEnd) {
      const Token& token = Next();
      if (token.IsSymbol("(")) ++depth;
      if (token.IsSymbol(")") && --depth == 0) {
        end = token.begin;
        return true;
      }
    }
    return Fail("a closing parenthesis is missing");
  }

  // stats AGGREGATES [by COLUMNS]
  bool Stats() {
    PipedStatement aggregates, groups;
    if (!Aggregates(aggregates)) return false;
    if (TakeWord("by") && !Columns(groups)) return false;
    Select(groups, aggregates, groups.sql().empty() ? "" : " GROUP BY ALL");
    return true;
  }

  // top [N] COLUMNS
  bool Top() {
    std::string count = "10";
    if (Peek().kind == Token::Kind::kNumber) count = Next().text;
    PipedStatement groups, aggregates;
    if (!Columns(groups)) return false;
    aggregates.Add("count(*) AS \"count\"");
    Select(groups, aggregates, " GROUP BY ALL ORDER BY \"count\" DESC LIMIT ");
    out_.Add(count);
    return true;
  }

  // timechart SPAN [AGGREGATES] [by COLUMNS]
  bool TimeChart() {
    const Token& span = Peek();
    const std::string interval = IntervalOf(span);
    if (interval.empty()) return Fail("a span of time like 1m, 30s or 1h is expected here");
    Next();
    PipedStatement groups, aggregates, by;
    if (!AtStepEnd() && !Peek().Is("by")) {
      if (!Aggregates(aggregates)) return false;
    } else {
      aggregates.Add("count(*) AS \"count\"");
    }
    if (TakeWord("by") && !Columns(by)) return false;
    groups.Add("time_bucket(INTERVAL '" + interval + "', time) AS time");
    if (!by.sql().empty()) groups.Add(", ");
    Append(groups, by);
    Select(groups, aggregates, " GROUP BY ALL ORDER BY 1");
    return true;
  }

  static std::string IntervalOf(const Token& span) {
    if (span.kind != Token::Kind::kNumber) return "";
    const size_t unit = span.text.find_first_not_of("0123456789");
    if (unit == 0 || unit == std::string::npos || span.text.find_first_not_of('0') >= unit) {
      return "";
    }
    const std::string number = span.text.substr(0, unit), name = span.text.substr(unit);
    for (const auto& [shorter, longer] : {std::pair{"ms", " milliseconds"},
                                          {"s", " seconds"},
                                          {"m", " minutes"},
                                          {"h", " hours"},
                                          {"d", " days"}}) {
      if (name == shorter) return number + longer;
    }
    return "";
  }

  // fields [-] COLUMNS
  bool Fields() {
    const bool without = Take("-");
    PipedStatement columns;
    if (!Columns(columns)) return false;
    if (!without) {
      Select(columns, {}, "");
    } else {
      PipedStatement list;
      list.Add("* EXCLUDE (");
      Append(list, columns);
      list.Add(")");
      Select(list, {}, "");
    }
    return true;
  }

  // parse json [COLUMN] [as NAME]: the column as JSON, whose parts have dotted names.
  bool Parse() {
    if (!TakeWord("json")) return Fail("parse json is what can be parsed here");
    PipedStatement list;
    list.Add("*, TRY_CAST(");
    if (Peek().IsName() && !Peek().Is("as")) {
      if (!Column(list)) return false;
    } else {
      list.Add("body");
    }
    list.Add(" AS JSON) AS ");
    if (TakeWord("as")) {
      if (!Column(list)) return false;
    } else {
      list.Add("json");
    }
    Select(list, {}, "");
    return true;
  }

  // sort COLUMN [asc|desc], ...
  bool Sort() {
    PipedStatement order;
    do {
      if (!order.sql().empty()) order.Add(", ");
      const bool minus = Take("-");
      if (Peek().IsName() && Peek(1).IsSymbol("(")) {
        // count() as stats names it: "count".
        const Token name = Next();
        Next();
        size_t end = 0;
        const size_t begin = Peek().begin;
        if (!SkipToClose(end)) return false;
        const std::string arguments(text_.substr(begin, end - begin));
        order.AddFor(name.begin,
                     QuoteName(arguments.empty() ? LowerName(name.text)
                                                 : LowerName(name.text) + "(" + arguments + ")"));
      } else if (!Column(order)) {
        return false;
      }
      if (TakeWord("desc") || minus) {
        order.Add(" DESC NULLS LAST");
      } else {
        TakeWord("asc");
      }
    } while (Take(","));
    PipedStatement all;
    all.Add("*");
    Select(all, {}, " ORDER BY ");
    Append(out_, order);
    return true;
  }

  // limit N
  bool Limit() {
    if (Peek().kind != Token::Kind::kNumber) return Fail("a number of rows is expected here");
    const Token& number = Next();
    PipedStatement all;
    all.Add("*");
    Select(all, {}, " LIMIT ");
    out_.AddFrom(number.begin, number.text);
    return true;
  }

  // Text up to the next '|' of this level.
  std::string_view Rest(size_t& begin) {
    begin = Peek().begin;
    size_t end = begin;
    int depth = 0;
    while (Peek().kind != Token::Kind::kEnd && (depth > 0 || !EndsStep())) {
      const Token& token = Next();
      if (token.IsSymbol("(")) ++depth;
      if (token.IsSymbol(")")) --depth;
      if (token.IsSymbol("|")) Next();  // the second of ||
      end = tokens_[at_ == 0 ? 0 : at_ - 1].end();
    }
    return text_.substr(begin, std::max(end, begin) - begin);
  }
  // A single '|'; two of them join texts.
  bool EndsStep() const {
    return Peek().IsSymbol("|") && !(Peek(1).IsSymbol("|") && Peek(1).begin == Peek().begin + 1);
  }

  // where CONDITION
  bool Where() {
    if (AtStepEnd()) return Fail("a condition is expected here");
    size_t begin = 0;
    const std::string_view condition = Rest(begin);
    PipedStatement all;
    all.Add("*");
    Select(all, {}, " WHERE ");
    out_.AddFrom(begin, condition);
    return true;
  }

  // extend EXPRESSION AS NAME, ...
  bool Extend() {
    if (AtStepEnd()) return Fail("an expression like took * 1000 AS ms is expected here");
    size_t begin = 0;
    const std::string_view expressions = Rest(begin);
    PipedStatement list;
    list.Add("*, ");
    list.AddFrom(begin, expressions);
    Select(list, {}, "");
    return true;
  }

  // distinct COLUMNS
  bool Distinct() {
    PipedStatement columns;
    if (!Columns(columns)) return false;
    Select(columns, {}, " GROUP BY ALL LIMIT ");
    out_.Add(kSeriesMax);
    return true;
  }

  static void Append(PipedStatement& to, const PipedStatement& from) { to.AddAll(from); }

  // SELECT `first`, `second` FROM (everything so far) `after`.
  void Select(const PipedStatement& first, const PipedStatement& second, std::string_view after) {
    PipedStatement list;
    list.Add("SELECT ");
    list.AddAll(first);
    if (!first.sql().empty() && !second.sql().empty()) list.Add(", ");
    list.AddAll(second);
    if (is_first_) {
      list.Add(" FROM log");
    } else {
      list.Add(" FROM (");
      list.AddAll(out_);
      list.Add(")");
    }
    is_first_ = false;
    out_ = std::move(list);
    out_.Add(after);
  }

  const std::string_view text_;
  const std::vector<Token> tokens_;
  PipedStatement& out_;
  Problem& problem_;
  size_t at_ = 0;
  bool is_first_ = true;  // nothing but the table so far
};

}  // namespace

size_t PipedStatement::OriginalPlace(size_t place) const {
  size_t original = 0;
  for (const Part& part : parts_) {
    if (place >= part.begin && place < part.begin + part.size) {
      return part.place + (place - part.begin);
    }
    if (part.begin <= place) original = part.place;
  }
  return original;
}

void PipedStatement::AddFrom(size_t place, std::string_view text) {
  parts_.push_back({sql_.size(), text.size(), place});
  sql_ += text;
}

void PipedStatement::AddFor(size_t place, std::string_view text) {
  parts_.push_back({sql_.size(), 0, place});
  sql_ += text;
}

void PipedStatement::AddAll(const PipedStatement& other) {
  for (Part part : other.parts_) {
    part.begin += sql_.size();
    parts_.push_back(part);
  }
  sql_ += other.sql_;
}

bool IsSql(std::string_view text) {
  const std::vector<Token> tokens = Tokenize(text);
  const Token* first = tokens.data();
  while (first->IsSymbol("(")) ++first;
  return first->Is("select") || first->Is("with") || first->Is("from") || first->Is("values");
}

bool TranslatePipes(std::string_view text, PipedStatement& statement, Problem& problem) {
  return Translator(text, statement, problem).Run();
}

}  // namespace kelp::sql
