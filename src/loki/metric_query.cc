#include "loki/metric_query.h"

#include <algorithm>
#include <utility>

#include "loki/range_scan.h"
#include "loki/vector_ops.h"
#include "query/interrupt.h"

namespace kelp::loki {
namespace {

MetricResult Constant(double number, bool scalar, size_t steps) {
  MetricResult out;
  out.scalar = scalar;
  out.series.push_back({{}, std::vector<double>(steps, number), std::vector<uint8_t>(steps, 1)});
  return out;
}

// Whether grouping before the outer aggregation gives the same as after it, for far fewer series.
bool CanGroupBelow(const Expr& outer) {
  const Expr& inner = *outer.left;
  if (inner.kind != Expr::Kind::kRange || inner.grouping.given) return false;
  if (outer.grouping.given && outer.grouping.without) return false;
  switch (inner.range_op) {
    case RangeOp::kRate:
    case RangeOp::kCount:
    case RangeOp::kBytes:
    case RangeOp::kBytesRate:
    case RangeOp::kSum:
      return outer.vector_op == VectorOp::kSum;
    case RangeOp::kMin:
      return outer.vector_op == VectorOp::kMin;
    case RangeOp::kMax:
      return outer.vector_op == VectorOp::kMax;
    default:
      return false;
  }
}

class Evaluator {
 public:
  Evaluator(const Target& target, const MetricRequest& request)
      : target_(target), request_(request), interrupt_(target.limits) {}

  using Names = std::vector<std::string>;

  // `fields`: those of the rows by which an aggregation around `expr` tells series apart.
  Result<MetricResult> Run(const Expr& expr, const Names& fields) {
    switch (expr.kind) {
      case Expr::Kind::kNumber:
        return Constant(expr.number, true, request_.steps());
      case Expr::Kind::kVector:
        return Constant(expr.number, false, request_.steps());
      case Expr::Kind::kRange:
        return Range(expr, expr.grouping, fields);
      case Expr::Kind::kAggregate:
        return RunAggregate(expr);
      case Expr::Kind::kBinary: {
        ASSIGN_OR_RETURN(MetricResult left, Run(*expr.left, fields));
        ASSIGN_OR_RETURN(MetricResult right, Run(*expr.right, fields));
        return Combine(expr, std::move(left), std::move(right));
      }
      case Expr::Kind::kLabelReplace: {
        ASSIGN_OR_RETURN(MetricResult inner, Run(*expr.left, fields));
        if (inner.scalar) return InvalidArgumentError("label_replace needs series");
        ASSIGN_OR_RETURN(inner.series, ReplaceLabel(expr, std::move(inner.series)));
        return inner;
      }
      case Expr::Kind::kLog:
        break;
    }
    return InvalidArgumentError("a log query has no values; use count_over_time or rate");
  }

 private:
  Result<MetricResult> Range(const Expr& expr, const Grouping& grouping, const Names& fields) {
    // Ranges are scanned one after the other, within the time of one query.
    query::Stats spent;
    interrupt_.FillCost(spent);
    if (spent.wall >= target_.limits.time) {
      return DeadlineExceededError("the query ran into its time limit; use fewer ranges");
    }
    Target left = target_;
    left.limits.time -= spent.wall;
    MetricResult out;
    ASSIGN_OR_RETURN(out.series, ScanRange(left, expr, grouping, fields, request_, out.cost));
    return out;
  }

  Result<MetricResult> RunAggregate(const Expr& expr) {
    MetricResult inner;
    if (CanGroupBelow(expr)) {
      Grouping grouping = expr.grouping;
      grouping.given = true;
      ASSIGN_OR_RETURN(inner, Range(*expr.left, grouping, {}));
    } else {
      const bool by = expr.grouping.given && !expr.grouping.without;
      ASSIGN_OR_RETURN(inner, Run(*expr.left, by ? expr.grouping.labels : Names()));
    }
    if (inner.scalar) return InvalidArgumentError("an aggregation needs series");
    inner.series = Aggregate(expr, std::move(inner.series), inner.sorted);
    return inner;
  }

  const Target& target_;
  const MetricRequest& request_;
  const query::Interrupt interrupt_;
};

}  // namespace

Result<MetricResult> RunMetricQuery(const Target& target, const Expr& expr,
                                    const MetricRequest& request) {
  if (request.end < request.start) {
    return InvalidArgumentError("end timestamp must not be before start time");
  }
  if (request.start != request.end && request.step <= Duration(0)) {
    return InvalidArgumentError(
        "zero or negative query resolution step widths are not accepted. Try a positive integer");
  }
  if (request.step > Duration(0) &&
      (request.end - request.start) / request.step.count() > kStepsMax) {
    return InvalidArgumentError(
        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of "
        "the step parameter");
  }
  ASSIGN_OR_RETURN(MetricResult out, Evaluator(target, request).Run(expr, {}));
  std::erase_if(out.series, [](const Series& one) {
    return std::none_of(one.present.begin(), one.present.end(), [](uint8_t p) { return p != 0; });
  });
  return out;
}

}  // namespace kelp::loki
