#include <algorithm>
#include <cctype>
#include <utility>

#include "loki/parser.h"
#include "loki/template.h"

namespace kelp::loki {
namespace {

// A path of `| json x="a.b[0][\"c d\"]"` as its steps; empty: malformed.
std::vector<std::string> JsonPath(std::string_view text) {
  std::vector<std::string> steps;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '[') {
      const size_t end = text.find(']', at);
      if (end == std::string_view::npos) return {};
      std::string_view step = text.substr(at + 1, end - at - 1);
      if (step.size() >= 2 && step.front() == '"' && step.back() == '"') {
        step = step.substr(1, step.size() - 2);
      }
      if (step.empty()) return {};
      steps.emplace_back(step);
      at = end + 1;
      continue;
    }
    if (text[at] == '.') ++at;
    const size_t end = std::min(text.find_first_of(".[", at), text.size());
    if (end == at) return {};
    steps.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return steps;
}

// <name> of a pattern stage becomes a group; what stands between them is literal.
bool PatternToRegex(std::string_view text, bool named, std::string& regex) {
  bool last_was_field = false;
  size_t fields = 0;
  regex = "^";
  for (size_t at = 0; at < text.size();) {
    const size_t end = text[at] == '<' ? text.find('>', at) : std::string_view::npos;
    const std::string_view name =
        end == std::string_view::npos ? "" : text.substr(at + 1, end - at - 1);
    const bool is_field =
        !name.empty() &&
        (std::isalpha(static_cast<unsigned char>(name[0])) != 0 || name[0] == '_') &&
        std::all_of(name.begin(), name.end(), [](char c) {
          return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
        });
    if (is_field) {
      if (last_was_field) return false;
      const std::string body = end + 1 == text.size() ? ".*" : ".*?";
      regex += name == "_" || !named ? body : "(?<" + std::string(name) + ">" + body + ")";
      last_was_field = true;
      ++fields;
      at = end + 1;
      continue;
    }
    if (std::isalnum(static_cast<unsigned char>(text[at])) == 0 &&
        static_cast<unsigned char>(text[at]) < 0x80) {
      regex += '\\';
    }
    regex += text[at++];
    last_was_field = false;
  }
  if (!named) regex += '$';
  return fields > 0 || !named;
}

}  // namespace

bool ReadIpRange(std::string_view text, query::IpNet& net, std::optional<query::IpAddress>& last) {
  if (const auto found = query::IpNet::Parse(text)) {
    net = *found;
    return true;
  }
  const size_t dash = text.find('-');
  const auto first = query::IpAddress::Parse(text.substr(0, dash));
  if (!first) return false;
  net = {*first, 128};
  if (dash == std::string_view::npos) return true;
  last = query::IpAddress::Parse(text.substr(dash + 1));
  return last && *last >= *first;
}

bool InIpRange(const query::IpNet& net, const std::optional<query::IpAddress>& last,
               const query::IpAddress& address) {
  if (last) return address >= net.first && address <= *last;
  return net.Contains(address);
}

bool PipelineParser::ParseStages(std::vector<Stage>& out, Expr* range) {
  while (!failed_) {
    if (out.size() > kStagesMax) {
      return Fail(token_.position, "more than " + std::to_string(kStagesMax) + " stages");
    }
    const bool line = token_.Is("|=") || token_.Is("|~") || token_.Is("|>") || token_.Is("!=") ||
                      token_.Is("!~") || token_.Is("!>");
    if (line) {
      if (!ParseLineFilter(out.emplace_back())) return false;
    } else if (TakeMark("|")) {
      if (!ParseNamed(range != nullptr && range->unwrap ? range->after_unwrap : out, range)) {
        return false;
      }
    } else {
      break;
    }
  }
  return !failed_;
}

bool PipelineParser::ParseLineFilter(Stage& stage) {
  const std::string op = Take().text;
  stage.kind = Stage::Kind::kLine;
  stage.line.negated = op[0] == '!';
  stage.line.op = op[1] == '='   ? LineFilter::Op::kContains
                  : op[1] == '~' ? LineFilter::Op::kMatches
                                 : LineFilter::Op::kLike;
  do {
    if (!ParseLineText(stage.line)) return false;
    if (!token_.IsName("or")) break;
    Take();
  } while (!failed_);
  return !failed_;
}

bool PipelineParser::ParseLineText(LineFilter& filter) {
  LineFilter::Text text;
  const size_t position = token_.position;
  if (token_.IsName("ip")) {
    if (filter.op != LineFilter::Op::kContains) return Unexpected("a string");
    query::IpNet net;
    Take();
    if (!ParseIp(net, text.last)) return false;
    text.net = net;
  } else if (!ExpectString(text.text)) {
    return false;
  }
  if (filter.op == LineFilter::Op::kMatches && !Compile(text.text, position, false, text.pattern)) {
    return false;
  }
  if (filter.op == LineFilter::Op::kLike) {
    std::string regex;
    PatternToRegex(text.text, false, regex);
    if (!Compile(regex, position, false, text.pattern)) return false;
  }
  filter.any.push_back(std::move(text));
  return true;
}

bool PipelineParser::ParseIp(query::IpNet& net, std::optional<query::IpAddress>& last) {
  if (!Expect("(")) return false;
  const size_t position = token_.position;
  std::string text;
  if (!ExpectString(text) || !Expect(")")) return false;
  if (ReadIpRange(text, net, last)) return true;
  return Fail(position, "\"" + text + "\" is no address, net or range of addresses");
}

bool PipelineParser::ParseNamed(std::vector<Stage>& out, Expr* range) {
  const Token word = token_;
  Stage stage;
  if (word.IsName("unwrap")) {
    if (range == nullptr) {
      return Fail(word.position, "unwrap belongs into a range aggregation like sum_over_time");
    }
    if (range->unwrap) return Fail(word.position, "a query has one unwrap");
    Take();
    return ParseUnwrap(*range);
  }
  if (word.IsName("json") || word.IsName("logfmt")) {
    stage.kind = word.text == "json" ? Stage::Kind::kJson : Stage::Kind::kLogfmt;
    Take();
    if (!ParseFlags(stage) || !ParseExtractions(stage)) return false;
  } else if (word.IsName("regexp") || word.IsName("pattern")) {
    stage.kind = word.text == "regexp" ? Stage::Kind::kRegexp : Stage::Kind::kPattern;
    Take();
    if (!ParsePatternStage(stage)) return false;
  } else if (word.IsName("unpack") || word.IsName("decolorize")) {
    stage.kind = word.text == "unpack" ? Stage::Kind::kUnpack : Stage::Kind::kDecolorize;
    Take();
  } else if (word.IsName("line_format")) {
    stage.kind = Stage::Kind::kLineFormat;
    Take();
    const size_t position = token_.position;
    if (!ExpectString(stage.text)) return false;
    std::string why;
    stage.format = Template::Compile(stage.text, why);
    if (stage.format == nullptr) return Fail(position, "invalid line template: " + why);
  } else if (word.IsName("label_format")) {
    stage.kind = Stage::Kind::kLabelFormat;
    Take();
    if (!ParseLabelFormat(stage)) return false;
  } else if (word.IsName("drop") || word.IsName("keep")) {
    stage.kind = word.text == "drop" ? Stage::Kind::kDrop : Stage::Kind::kKeep;
    Take();
    if (!ParseLabelList(stage)) return false;
  } else {
    stage.kind = Stage::Kind::kFilter;
    if (!ParseFilter(stage.filter, 0)) return false;
  }
  out.push_back(std::move(stage));
  return !failed_;
}

bool PipelineParser::ParseUnwrap(Expr& range) {
  Unwrap unwrap;
  if (!ExpectName(unwrap.label)) return false;
  if (token_.Is("(")) {
    if (unwrap.label == "duration" || unwrap.label == "duration_seconds") {
      unwrap.kind = Unwrap::Kind::kDuration;
    } else if (unwrap.label == "bytes") {
      unwrap.kind = Unwrap::Kind::kBytes;
    } else {
      return Unexpected("duration(…), duration_seconds(…) or bytes(…)");
    }
    if (!Expect("(") || !ExpectName(unwrap.label) || !Expect(")")) return false;
  }
  range.unwrap = std::move(unwrap);
  return !failed_;
}

bool PipelineParser::ParseFlags(Stage& stage) {
  while (!failed_ && token_.kind == Token::Kind::kFlag) {
    if (stage.kind != Stage::Kind::kLogfmt) return Unexpected("a label or the next stage");
    if (token_.text == "strict") {
      stage.strict = true;
    } else if (token_.text == "keep-empty") {
      stage.keep_empty = true;
    } else {
      return Unexpected("--strict or --keep-empty");
    }
    Take();
  }
  return !failed_;
}

bool PipelineParser::ParseExtractions(Stage& stage) {
  while (!failed_ && token_.kind == Token::Kind::kName && !token_.IsName("or") &&
         !token_.IsName("and") && !token_.IsName("unless") && !token_.IsName("offset")) {
    Stage::Assign assign;
    if (!ExpectName(assign.label)) return false;
    assign.source = assign.label;
    size_t position = token_.position;
    if (TakeMark("=")) {
      position = token_.position;
      if (!ExpectString(assign.source)) return false;
    }
    if (failed_) return false;
    if (stage.kind == Stage::Kind::kJson) {
      assign.path = JsonPath(assign.source);
      if (assign.path.empty()) {
        return Fail(position, "\"" + assign.source + "\" is no path into JSON");
      }
    }
    stage.assigns.push_back(std::move(assign));
    if (!TakeMark(",")) break;
  }
  return !failed_;
}

bool PipelineParser::ParsePatternStage(Stage& stage) {
  const size_t position = token_.position;
  if (!ExpectString(stage.text)) return false;
  std::string regex = stage.text;
  if (stage.kind == Stage::Kind::kPattern && !PatternToRegex(stage.text, true, regex)) {
    return Fail(position, "a pattern needs a <field>, and something between two fields");
  }
  if (stage.kind == Stage::Kind::kRegexp) {
    // RE2 names groups (?P<name>…), PCRE2 reads both.
    if (!Compile(regex, position, false, stage.pattern)) return false;
    const auto& names = stage.pattern->regex.names();
    if (std::all_of(names.begin(), names.end(), [](const auto& n) { return n.empty(); })) {
      return Fail(position, "at least one named capture must be supplied");
    }
    return true;
  }
  return Compile(regex, position, false, stage.pattern);
}

bool PipelineParser::ParseLabelFormat(Stage& stage) {
  do {
    Stage::Assign assign;
    if (!ExpectName(assign.label) || !Expect("=")) return false;
    const size_t position = token_.position;
    if (token_.kind == Token::Kind::kString) {
      assign.source = Take().text;
      std::string why;
      assign.format = Template::Compile(assign.source, why);
      if (assign.format == nullptr) return Fail(position, "invalid label template: " + why);
    } else if (!ExpectName(assign.source)) {
      return false;
    }
    stage.assigns.push_back(std::move(assign));
  } while (TakeMark(","));
  return !failed_;
}

bool PipelineParser::ParseLabelList(Stage& stage) {
  do {
    Matcher matcher;
    if (!ExpectName(matcher.label)) return false;
    bool any = true;
    for (const auto& [mark, op] : {std::pair{"=", MatchOp::kEqual},
                                   {"!=", MatchOp::kNotEqual},
                                   {"=~", MatchOp::kRegex},
                                   {"!~", MatchOp::kNotRegex}}) {
      // "| drop a != "x"" could be a line filter; as in Loki it is a condition on the label.
      if (!any || !TakeMark(mark)) continue;
      any = false;
      matcher.op = op;
      const size_t position = token_.position;
      if (!ExpectString(matcher.value)) return false;
      if (op >= MatchOp::kRegex && !Compile(matcher.value, position, true, matcher.pattern)) {
        return false;
      }
    }
    stage.labels.push_back(std::move(matcher));
    stage.any_value.push_back(any);
  } while (TakeMark(","));
  return !failed_;
}

bool PipelineParser::ParseFilter(LabelFilter& out, int depth) {
  if (!ParseFilterAnd(out, depth)) return false;
  while (!failed_ && token_.IsName("or")) {
    Take();
    LabelFilter both;
    both.kind = LabelFilter::Kind::kOr;
    both.children.push_back(std::move(out));
    if (!ParseFilterAnd(both.children.emplace_back(), depth)) return false;
    out = std::move(both);
    if (depth > kDepthMax) return Fail(token_.position, "nested too deeply");
    ++depth;
  }
  return !failed_;
}

bool PipelineParser::ParseFilterAnd(LabelFilter& out, int depth) {
  if (!ParseFilterOne(out, depth)) return false;
  // "and", "," and a space mean the same.
  while (!failed_ && (token_.IsName("and") || token_.Is(",") ||
                      (token_.kind == Token::Kind::kName && !token_.IsName("or") &&
                       !token_.IsName("unless") && !token_.IsName("offset")))) {
    if (token_.IsName("and") || token_.Is(",")) Take();
    LabelFilter both;
    both.kind = LabelFilter::Kind::kAnd;
    both.children.push_back(std::move(out));
    if (!ParseFilterOne(both.children.emplace_back(), depth)) return false;
    out = std::move(both);
    if (depth > kDepthMax) return Fail(token_.position, "nested too deeply");
    ++depth;
  }
  return !failed_;
}

bool PipelineParser::ParseFilterOne(LabelFilter& out, int depth) {
  if (depth > kDepthMax) return Fail(token_.position, "nested too deeply");
  if (TakeMark("(")) return ParseFilter(out, depth + 1) && Expect(")");
  if (!ExpectName(out.match.label)) return false;
  return ParseComparison(out);
}

bool PipelineParser::ParseComparison(LabelFilter& out) {
  using Compare = LabelFilter::Compare;
  const Token op = Take();
  const size_t position = token_.position;
  const bool equal = op.Is("=") || op.Is("==");
  const bool text_op = equal || op.Is("!=") || op.Is("=~") || op.Is("!~");
  if (token_.kind == Token::Kind::kString && text_op && !op.Is("==")) {
    out.kind = LabelFilter::Kind::kMatch;
    out.match.op = equal         ? MatchOp::kEqual
                   : op.Is("!=") ? MatchOp::kNotEqual
                   : op.Is("=~") ? MatchOp::kRegex
                                 : MatchOp::kNotRegex;
    if (!ExpectString(out.match.value)) return false;
    return out.match.op < MatchOp::kRegex ||
           Compile(out.match.value, position, true, out.match.pattern);
  }
  if (equal) {
    out.compare = Compare::kEqual;
  } else if (op.Is("!=")) {
    out.compare = Compare::kNotEqual;
  } else if (op.Is(">")) {
    out.compare = Compare::kGreater;
  } else if (op.Is(">=")) {
    out.compare = Compare::kGreaterEqual;
  } else if (op.Is("<")) {
    out.compare = Compare::kLess;
  } else if (op.Is("<=")) {
    out.compare = Compare::kLessEqual;
  } else {
    return Fail(op.position, "syntax error: unexpected '" + op.text +
                                 "', expecting a comparison of the label \"" + out.match.label +
                                 "\" or a known stage");
  }
  if (token_.IsName("ip") && (equal || op.Is("!="))) {
    out.kind = LabelFilter::Kind::kIp;
    Take();
    return ParseIp(out.net, out.last);
  }
  double sign = 1;
  if (TakeMark("-")) sign = -1;
  if (token_.kind == Token::Kind::kNumber) {
    out.kind = LabelFilter::Kind::kNumber;
    out.number = sign * Take().number;
  } else if (token_.kind == Token::Kind::kDuration) {
    out.kind = LabelFilter::Kind::kDuration;
    out.number = sign * Take().number / 1e9;
  } else if (token_.kind == Token::Kind::kBytes) {
    out.kind = LabelFilter::Kind::kBytes;
    out.number = sign * Take().number;
  } else {
    return Unexpected("a string, number, duration, size or ip(…)");
  }
  return !failed_;
}

}  // namespace kelp::loki
