#include "loki/vector_ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "codec/regex.h"
#include "loki/cells.h"
#include "loki/entry.h"

namespace kelp::loki {
namespace {

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

LabelList Only(const LabelList& labels, const std::vector<std::string>& names, bool keep) {
  LabelList out;
  for (const auto& label : labels) {
    if (Contains(names, label.first) == keep) out.push_back(label);
  }
  return out;
}

LabelList GroupOf(const Grouping& grouping, const LabelList& labels) {
  if (!grouping.given) return {};
  return Only(labels, grouping.labels, !grouping.without);
}

RangeOp CellOp(VectorOp op) {
  switch (op) {
    case VectorOp::kMin:
      return RangeOp::kMin;
    case VectorOp::kMax:
      return RangeOp::kMax;
    case VectorOp::kAvg:
      return RangeOp::kAvg;
    case VectorOp::kCount:
      return RangeOp::kCount;
    case VectorOp::kStdDev:
      return RangeOp::kStdDev;
    case VectorOp::kStdVar:
      return RangeOp::kStdVar;
    default:
      return RangeOp::kSum;
  }
}

// Keeps, in each group and at each step, the k greatest or least values.
void KeepExtremes(const Expr& expr, std::vector<Series>& series) {
  const bool top = expr.vector_op == VectorOp::kTopK;
  const auto k = static_cast<size_t>(std::min(expr.number, 1e6));
  std::map<LabelList, std::vector<Series*>> groups;
  for (Series& one : series) groups[GroupOf(expr.grouping, one.labels)].push_back(&one);
  const size_t steps = series.empty() ? 0 : series[0].values.size();
  for (auto& [labels, members] : groups) {
    for (size_t step = 0; step < steps; ++step) {
      std::vector<Series*> present;
      for (Series* one : members) {
        if (one->present[step] != 0) present.push_back(one);
      }
      if (present.size() <= k) continue;
      std::stable_sort(present.begin(), present.end(), [&](const Series* a, const Series* b) {
        return top ? a->values[step] > b->values[step] : a->values[step] < b->values[step];
      });
      for (size_t i = k; i < present.size(); ++i) present[i]->present[step] = 0;
    }
  }
  std::erase_if(series, [](const Series& one) {
    return std::none_of(one.present.begin(), one.present.end(), [](uint8_t p) { return p != 0; });
  });
}

void SortByFirst(std::vector<Series>& series, bool descending) {
  std::stable_sort(series.begin(), series.end(), [&](const Series& a, const Series& b) {
    return descending ? a.values[0] > b.values[0] : a.values[0] < b.values[0];
  });
}

double Arithmetic(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return b == 0 ? std::numeric_limits<double>::quiet_NaN() : a / b;
    case BinaryOp::kMod:
      return b == 0 ? std::numeric_limits<double>::quiet_NaN() : std::fmod(a, b);
    default:
      return std::pow(a, b);
  }
}

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kLessEqual; }
bool IsSet(BinaryOp op) { return op <= BinaryOp::kUnless; }

bool Compares(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kEqual:
      return a == b;
    case BinaryOp::kNotEqual:
      return a != b;
    case BinaryOp::kGreater:
      return a > b;
    case BinaryOp::kGreaterEqual:
      return a >= b;
    case BinaryOp::kLess:
      return a < b;
    default:
      return a <= b;
  }
}

// The value of one step; absent when a comparison says no. `keep` is what a comparison lets
// through.
std::optional<double> Compute(const Expr& expr, double a, double b, double keep) {
  if (!IsComparison(expr.binary_op)) return Arithmetic(expr.binary_op, a, b);
  const bool holds = Compares(expr.binary_op, a, b);
  if (expr.bool_result) return holds ? 1 : 0;
  if (!holds) return std::nullopt;
  return keep;
}

// `scalar` stands on the left or on the right of each value.
void CombineWithScalar(const Expr& expr, std::vector<Series>& series, const Series& scalar,
                       bool scalar_left) {
  for (Series& one : series) {
    for (size_t step = 0; step < one.values.size(); ++step) {
      if (one.present[step] == 0) continue;
      const double value = one.values[step];
      const double other = scalar.values[step];
      const auto result =
          scalar_left ? Compute(expr, other, value, value) : Compute(expr, value, other, value);
      one.present[step] = result ? 1 : 0;
      one.values[step] = result.value_or(0);
    }
  }
}

LabelList KeyOf(const Matching& matching, const LabelList& labels) {
  return Only(labels, matching.labels, matching.on);
}

std::vector<Series> CombineSets(const Expr& expr, std::vector<Series> left,
                                std::vector<Series> right) {
  std::map<LabelList, std::vector<const Series*>> others;
  const std::vector<Series>& by = expr.binary_op == BinaryOp::kOr ? left : right;
  for (const Series& one : by) others[KeyOf(expr.matching, one.labels)].push_back(&one);
  const auto present = [&](const Series& one, size_t step) {
    const auto found = others.find(KeyOf(expr.matching, one.labels));
    return found != others.end() &&
           std::any_of(found->second.begin(), found->second.end(),
                       [&](const Series* other) { return other->present[step] != 0; });
  };
  std::vector<Series>& changed = expr.binary_op == BinaryOp::kOr ? right : left;
  const bool wanted = expr.binary_op == BinaryOp::kAnd;
  for (Series& one : changed) {
    for (size_t step = 0; step < one.present.size(); ++step) {
      if (present(one, step) != wanted) one.present[step] = 0;
    }
  }
  if (expr.binary_op == BinaryOp::kOr) {
    for (Series& one : right) left.push_back(std::move(one));
  }
  return left;
}

// Pairs series of both sides by their labels.
class Pairing {
 public:
  Pairing(const Expr& expr, std::vector<Series> left, std::vector<Series> right)
      : expr_(expr),
        swapped_(expr.matching.group == Matching::Group::kRight),
        many_(std::move(swapped_ ? right : left)),
        one_(std::move(swapped_ ? left : right)) {}

  Result<std::vector<Series>> Run() {
    std::map<LabelList, const Series*> by_key;
    for (const Series& one : one_) {
      if (!by_key.emplace(KeyOf(expr_.matching, one.labels), &one).second) {
        return InvalidArgumentError(
            "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)");
      }
    }
    std::vector<Series> out;
    std::set<LabelList> given;
    for (Series& many : many_) {
      LabelList key = KeyOf(expr_.matching, many.labels);
      const auto found = by_key.find(key);
      if (found == by_key.end()) continue;
      const bool grouped = expr_.matching.group != Matching::Group::kNone;
      if (!grouped && !given.insert(key).second) {
        return InvalidArgumentError(
            "multiple matches for labels: many-to-one matching must be explicit "
            "(group_left/group_right)");
      }
      Apply(many, *found->second);
      if (grouped) {
        Include(many.labels, found->second->labels);
      } else if (!IsComparison(expr_.binary_op) || expr_.bool_result) {
        many.labels = std::move(key);
      }
      out.push_back(std::move(many));
    }
    return out;
  }

 private:
  void Apply(Series& many, const Series& one) const {
    for (size_t step = 0; step < many.values.size(); ++step) {
      std::optional<double> result;
      if (many.present[step] != 0 && one.present[step] != 0) {
        const double a = swapped_ ? one.values[step] : many.values[step];
        const double b = swapped_ ? many.values[step] : one.values[step];
        result = Compute(expr_, a, b, a);
      }
      many.present[step] = result ? 1 : 0;
      many.values[step] = result.value_or(0);
    }
  }

  // Labels that group_left(…) takes over from the side with one series.
  void Include(LabelList& labels, const LabelList& from) const {
    if (expr_.matching.include.empty()) return;
    labels = Only(labels, expr_.matching.include, false);
    for (const auto& label : Only(from, expr_.matching.include, true)) labels.push_back(label);
    std::sort(labels.begin(), labels.end());
  }

  const Expr& expr_;
  const bool swapped_;
  std::vector<Series> many_;
  std::vector<Series> one_;
};

// $1, ${name}, $$ of a replacement.
std::string Expand(const std::string& replacement, const codec::RegexMatcher& run,
                   const codec::Regex& regex) {
  std::string out;
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '$' || i + 1 == replacement.size()) {
      out += replacement[i];
      continue;
    }
    const bool braces = replacement[++i] == '{';
    if (!braces && replacement[i] == '$') {
      out += '$';
      continue;
    }
    size_t begin = braces ? i + 1 : i;
    size_t end = begin;
    while (end < replacement.size() &&
           (std::isalnum(static_cast<unsigned char>(replacement[end])) != 0 ||
            replacement[end] == '_')) {
      ++end;
    }
    const std::string name = replacement.substr(begin, end - begin);
    for (size_t group = 0; group < regex.groups(); ++group) {
      const bool named = group < regex.names().size() && regex.names()[group] == name;
      if ((named || std::to_string(group) == name) && run.has_group(group)) out += run.group(group);
    }
    i = braces ? end : end - 1;
  }
  return out;
}

}  // namespace

std::vector<Series> Aggregate(const Expr& expr, std::vector<Series> series, bool& sorted) {
  if (expr.vector_op == VectorOp::kSort || expr.vector_op == VectorOp::kSortDesc) {
    SortByFirst(series, expr.vector_op == VectorOp::kSortDesc);
    sorted = true;
    return series;
  }
  if (expr.vector_op == VectorOp::kTopK || expr.vector_op == VectorOp::kBottomK) {
    KeepExtremes(expr, series);
    if (!series.empty() && series[0].values.size() == 1) {
      SortByFirst(series, expr.vector_op == VectorOp::kTopK);
      sorted = true;
    }
    return series;
  }
  const RangeOp op = CellOp(expr.vector_op);
  std::map<LabelList, std::vector<Cell>> groups;
  for (const Series& one : series) {
    std::vector<Cell>& cells = groups[GroupOf(expr.grouping, one.labels)];
    cells.resize(one.values.size());
    for (size_t step = 0; step < cells.size(); ++step) {
      if (one.present[step] != 0) cells[step].Add(op, one.values[step], 0);
    }
  }
  std::vector<Series> out;
  for (auto& [labels, cells] : groups) {
    Series sum{labels, std::vector<double>(cells.size()), std::vector<uint8_t>(cells.size())};
    for (size_t step = 0; step < cells.size(); ++step) {
      if (cells[step].count == 0) continue;
      sum.present[step] = 1;
      sum.values[step] = cells[step].Value(op, 1, 0);
    }
    out.push_back(std::move(sum));
  }
  return out;
}

Result<MetricResult> Combine(const Expr& expr, MetricResult left, MetricResult right) {
  MetricResult out;
  out.cost = std::move(left.cost);
  out.cost.Add(right.cost.stats, right.cost.partial);
  if (IsSet(expr.binary_op)) {
    if (left.scalar || right.scalar) {
      return InvalidArgumentError("and, or and unless need series on both sides");
    }
    out.series = CombineSets(expr, std::move(left.series), std::move(right.series));
  } else if (left.scalar && right.scalar) {
    out.scalar = true;
    Expr always = Expr();
    always.binary_op = expr.binary_op;
    always.bool_result = true;
    CombineWithScalar(always, left.series, right.series[0], false);
    out.series = std::move(left.series);
  } else if (left.scalar) {
    CombineWithScalar(expr, right.series, left.series[0], true);
    out.series = std::move(right.series);
  } else if (right.scalar) {
    CombineWithScalar(expr, left.series, right.series[0], false);
    out.series = std::move(left.series);
  } else {
    ASSIGN_OR_RETURN(out.series,
                     Pairing(expr, std::move(left.series), std::move(right.series)).Run());
  }
  return out;
}

Result<std::vector<Series>> ReplaceLabel(const Expr& expr, std::vector<Series> series) {
  if (!IsLabelName(expr.target)) {
    return InvalidArgumentError("invalid label name in label_replace: \"" + expr.target + "\"");
  }
  codec::RegexMatcher run(expr.pattern->regex);
  std::set<LabelList> given;
  for (Series& one : series) {
    std::string value;
    for (const auto& label : one.labels) {
      if (label.first == expr.source) value = label.second;
    }
    if (run.Match(value) == codec::RegexOutcome::kMatch) {
      std::string replaced = Expand(expr.replacement, run, expr.pattern->regex);
      one.labels = Only(one.labels, {expr.target}, false);
      if (!replaced.empty()) one.labels.emplace_back(expr.target, std::move(replaced));
      std::sort(one.labels.begin(), one.labels.end());
    }
    if (!given.insert(one.labels).second) {
      return InvalidArgumentError("label_replace made two series with the same labels");
    }
  }
  return series;
}

}  // namespace kelp::loki
