// The query in one spelling.
#include <fmt/format.h>

#include "loki/ast.h"
#include "loki/parser.h"

namespace kelp::loki {
namespace {

std::string Quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string_view Op(MatchOp op) {
  switch (op) {
    case MatchOp::kEqual:
      return "=";
    case MatchOp::kNotEqual:
      return "!=";
    case MatchOp::kRegex:
      return "=~";
    case MatchOp::kNotRegex:
      return "!~";
  }
  return "";
}

std::string Number(double number) { return fmt::format("{}", number); }

std::string Join(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

std::string Nanos(double nanos) { return FormatDuration(Duration(static_cast<int64_t>(nanos))); }

// What ip(…) had in it, in its shortest form.
std::string Address(const query::IpAddress& address) {
  std::string out;
  if (address.is_v4()) {
    for (size_t i = 12; i < 16; ++i) {
      out += (out.empty() ? "" : ".") + std::to_string(address.bytes[i]);
    }
    return out;
  }
  for (size_t i = 0; i < 16; i += 2) {
    if (i != 0) out += ':';
    out += fmt::format("{:x}", address.bytes[i] << 8 | address.bytes[i + 1]);
  }
  return out;
}

std::string Ip(const query::IpNet& net, const std::optional<query::IpAddress>& last) {
  std::string out = Address(net.first);
  if (last) {
    out += "-" + Address(*last);
  } else if (net.bits < 128) {
    out += "/" + std::to_string(net.first.is_v4() ? net.bits - 96 : net.bits);
  }
  return "ip(\"" + out + "\")";
}

std::string Line(const LineFilter& filter) {
  std::string out = filter.negated ? "!" : "|";
  out += filter.op == LineFilter::Op::kContains  ? '='
         : filter.op == LineFilter::Op::kMatches ? '~'
                                                 : '>';
  for (const LineFilter::Text& text : filter.any) {
    out += &text == filter.any.data() ? " " : " or ";
    out += text.net ? Ip(*text.net, text.last) : Quote(text.text);
  }
  return out;
}

std::string Filter(const LabelFilter& filter) {
  static constexpr std::string_view kCompare[] = {"=", "!=", ">", ">=", "<", "<="};
  const std::string& label = filter.match.label;
  const std::string compare(kCompare[static_cast<size_t>(filter.compare)]);
  switch (filter.kind) {
    case LabelFilter::Kind::kAnd:
    case LabelFilter::Kind::kOr: {
      const char* word = filter.kind == LabelFilter::Kind::kAnd ? " and " : " or ";
      return "(" + Filter(filter.children[0]) + word + Filter(filter.children[1]) + ")";
    }
    case LabelFilter::Kind::kMatch:
      return label + std::string(Op(filter.match.op)) + Quote(filter.match.value);
    case LabelFilter::Kind::kNumber:
      return label + compare + Number(filter.number);
    case LabelFilter::Kind::kDuration:
      return filter.number < 0 ? label + compare + "-" + Nanos(-filter.number * 1e9)
                               : label + compare + Nanos(filter.number * 1e9);
    case LabelFilter::Kind::kBytes:
      return label + compare + fmt::format("{:.0f}B", filter.number);
    case LabelFilter::Kind::kIp:
      return label + compare + Ip(filter.net, filter.last);
  }
  return "";
}

std::string Assigns(const Stage& stage) {
  std::string out;
  for (const Stage::Assign& assign : stage.assigns) {
    out += (out.empty() ? " " : ", ") + assign.label + "=";
    const bool name = stage.kind == Stage::Kind::kLabelFormat && assign.format == nullptr;
    out += name ? assign.source : Quote(assign.source);
  }
  return out;
}

std::string One(const Stage& stage) {
  switch (stage.kind) {
    case Stage::Kind::kLine:
      return Line(stage.line);
    case Stage::Kind::kJson:
      return "| json" + Assigns(stage);
    case Stage::Kind::kLogfmt:
      return std::string("| logfmt") + (stage.strict ? " --strict" : "") +
             (stage.keep_empty ? " --keep-empty" : "") + Assigns(stage);
    case Stage::Kind::kRegexp:
      return "| regexp " + Quote(stage.text);
    case Stage::Kind::kPattern:
      return "| pattern " + Quote(stage.text);
    case Stage::Kind::kUnpack:
      return "| unpack";
    case Stage::Kind::kFilter:
      return "| " + Filter(stage.filter);
    case Stage::Kind::kLineFormat:
      return "| line_format " + Quote(stage.text);
    case Stage::Kind::kLabelFormat:
      return "| label_format" + Assigns(stage);
    case Stage::Kind::kDecolorize:
      return "| decolorize";
    case Stage::Kind::kDrop:
    case Stage::Kind::kKeep: {
      std::string out = stage.kind == Stage::Kind::kDrop ? "| drop" : "| keep";
      for (size_t i = 0; i < stage.labels.size(); ++i) {
        const Matcher& matcher = stage.labels[i];
        out += (i == 0 ? " " : ", ") + matcher.label;
        if (!stage.any_value[i]) out += std::string(Op(matcher.op)) + Quote(matcher.value);
      }
      return out;
    }
  }
  return "";
}

std::string Stages(const std::vector<Stage>& stages) {
  std::string out;
  for (const Stage& stage : stages) out += " " + One(stage);
  return out;
}

std::string By(const Grouping& grouping) {
  if (!grouping.given) return "";
  return std::string(grouping.without ? " without (" : " by (") + Join(grouping.labels) + ")";
}

std::string Range(const Expr& expr) {
  std::string out = std::string(NameOf(expr.range_op)) + "(";
  if (expr.range_op == RangeOp::kQuantile) out += Number(expr.number) + ", ";
  out += Format(expr.selector) + Stages(expr.stages);
  if (expr.unwrap) {
    const Unwrap& unwrap = *expr.unwrap;
    out += " | unwrap ";
    out += unwrap.kind == Unwrap::Kind::kNumber     ? unwrap.label
           : unwrap.kind == Unwrap::Kind::kDuration ? "duration(" + unwrap.label + ")"
                                                    : "bytes(" + unwrap.label + ")";
  }
  out += Stages(expr.after_unwrap) + " [" + FormatDuration(expr.range) + "]";
  if (expr.offset > Duration(0)) out += " offset " + FormatDuration(expr.offset);
  if (expr.offset < Duration(0)) out += " offset -" + FormatDuration(-expr.offset);
  return out + ")" + By(expr.grouping);
}

std::string Binary(const Expr& expr) {
  std::string out = "(" + Format(*expr.left) + " " + std::string(NameOf(expr.binary_op));
  if (expr.bool_result) out += " bool";
  const Matching& matching = expr.matching;
  if (matching.on || !matching.labels.empty()) {
    out += std::string(matching.on ? " on" : " ignoring") + " (" + Join(matching.labels) + ")";
  }
  if (matching.group != Matching::Group::kNone) {
    out += matching.group == Matching::Group::kLeft ? " group_left" : " group_right";
    out += " (" + Join(matching.include) + ")";
  }
  return out + " " + Format(*expr.right) + ")";
}

}  // namespace

std::string Format(const std::vector<Matcher>& selector) {
  std::string out = "{";
  for (const Matcher& matcher : selector) {
    if (out.size() > 1) out += ", ";
    out += matcher.label + std::string(Op(matcher.op)) + Quote(matcher.value);
  }
  return out + "}";
}

std::string Format(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kLog:
      return Format(expr.selector) + Stages(expr.stages);
    case Expr::Kind::kNumber:
      return Number(expr.number);
    case Expr::Kind::kVector:
      return "vector(" + Number(expr.number) + ")";
    case Expr::Kind::kRange:
      return Range(expr);
    case Expr::Kind::kAggregate: {
      const bool k = expr.vector_op == VectorOp::kTopK || expr.vector_op == VectorOp::kBottomK;
      return std::string(NameOf(expr.vector_op)) + By(expr.grouping) + "(" +
             (k ? Number(expr.number) + ", " : "") + Format(*expr.left) + ")";
    }
    case Expr::Kind::kBinary:
      return Binary(expr);
    case Expr::Kind::kLabelReplace:
      return "label_replace(" + Format(*expr.left) + ", " + Quote(expr.target) + ", " +
             Quote(expr.replacement) + ", " + Quote(expr.source) + ", " +
             Quote(expr.pattern->text) + ")";
  }
  return "";
}

}  // namespace kelp::loki
