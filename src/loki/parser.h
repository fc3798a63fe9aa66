// The parts of the LogQL parser: ParserBase reads tokens, PipelineParser the stages behind a
// selector; the rest is in parser.cc.
//
// Threads: confined to one thread.
// Errors:  the first one wins; after it every call says false.
// Tests:   case_test.cc (tests/cases/logql), logql_fuzz.cc
#ifndef KELP_LOKI_PARSER_H_
#define KELP_LOKI_PARSER_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "loki/ast.h"
#include "loki/lexer.h"

namespace kelp::loki {

std::string_view NameOf(RangeOp op);
std::string_view NameOf(VectorOp op);
std::string_view NameOf(BinaryOp op);

class ParserBase {
 public:
  ParserBase(std::string_view text, SyntaxError& error);

 protected:
  // All say false.
  bool Fail(size_t position, std::string message);
  bool Unexpected(std::string_view expected);

  Token Take();
  bool TakeMark(std::string_view mark);
  bool Expect(std::string_view mark);
  bool ExpectString(std::string& out);
  bool ExpectName(std::string& out);
  bool Compile(const std::string& text, size_t position, bool anchored,
               std::optional<Pattern>& out);
  bool ParseMatchers(std::vector<Matcher>& out);

  Lexer lexer_;
  Token token_;
  SyntaxError& error_;
  const size_t size_;
  bool failed_ = false;

 private:
  void CheckToken();
  size_t regexes_ = 0;
};

class PipelineParser : public ParserBase {
 public:
  using ParserBase::ParserBase;

 protected:
  // Stages as long as there are some. `range`, when given, takes an unwrap.
  bool ParseStages(std::vector<Stage>& out, Expr* range);

 private:
  bool ParseLineFilter(Stage& stage);
  bool ParseLineText(LineFilter& filter);
  bool ParseNamed(std::vector<Stage>& out, Expr* range);
  bool ParseUnwrap(Expr& range);
  bool ParseFlags(Stage& stage);
  bool ParseExtractions(Stage& stage);
  bool ParsePatternStage(Stage& stage);
  bool ParseLabelFormat(Stage& stage);
  bool ParseLabelList(Stage& stage);
  bool ParseFilter(LabelFilter& out, int depth);
  bool ParseFilterAnd(LabelFilter& out, int depth);
  bool ParseFilterOne(LabelFilter& out, int depth);
  bool ParseComparison(LabelFilter& out);
  bool ParseIp(query::IpNet& net, std::optional<query::IpAddress>& last);
};

// ip("10.0.0.0/8"), ip("10.0.0.1-10.0.0.9"), ip("::1"). False: none of them.
bool ReadIpRange(std::string_view text, query::IpNet& net, std::optional<query::IpAddress>& last);
// Whether an address is in what ReadIpRange gave.
bool InIpRange(const query::IpNet& net, const std::optional<query::IpAddress>& last,
               const query::IpAddress& address);

}  // namespace kelp::loki

#endif  // KELP_LOKI_PARSER_H_
