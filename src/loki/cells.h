// Cell: what one series has seen in one bucket of time.
//
// Threads: values. Tests: query_test.cc
#ifndef KELP_LOKI_CELLS_H_
#define KELP_LOKI_CELLS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/units.h"
#include "loki/ast.h"

namespace kelp::loki {

struct Cell {
  uint64_t count = 0;
  double a = 0;  // sum, least, greatest, first, last, or mean
  double b = 0;  // squares of differences from the mean
  UnixNanos time = 0;
  std::unique_ptr<std::vector<double>> values;  // of quantiles

  void Add(RangeOp op, double value, UnixNanos at) {
    ++count;
    switch (op) {
      case RangeOp::kMin:
        a = count == 1 ? value : std::min(a, value);
        break;
      case RangeOp::kMax:
        a = count == 1 ? value : std::max(a, value);
        break;
      case RangeOp::kFirst:
        if (count == 1 || at < time) {
          a = value;
          time = at;
        }
        break;
      case RangeOp::kLast:
        if (count == 1 || at >= time) {
          a = value;
          time = at;
        }
        break;
      case RangeOp::kStdDev:
      case RangeOp::kStdVar: {
        const double delta = value - a;
        a += delta / static_cast<double>(count);
        b += delta * (value - a);
        break;
      }
      case RangeOp::kQuantile:
        if (values == nullptr) values = std::make_unique<std::vector<double>>();
        values->push_back(value);
        break;
      default:
        a += value;
    }
  }

  void Merge(RangeOp op, const Cell& other) {
    if (other.count == 0) return;
    const uint64_t before = count;
    count += other.count;
    switch (op) {
      case RangeOp::kMin:
        a = before == 0 ? other.a : std::min(a, other.a);
        break;
      case RangeOp::kMax:
        a = before == 0 ? other.a : std::max(a, other.a);
        break;
      case RangeOp::kFirst:
        if (before == 0 || other.time < time) {
          a = other.a;
          time = other.time;
        }
        break;
      case RangeOp::kLast:
        if (before == 0 || other.time >= time) {
          a = other.a;
          time = other.time;
        }
        break;
      case RangeOp::kStdDev:
      case RangeOp::kStdVar: {
        const double n = static_cast<double>(count);
        const double delta = other.a - a;
        a += delta * static_cast<double>(other.count) / n;
        b += other.b +
             delta * delta * static_cast<double>(before) * static_cast<double>(other.count) / n;
        break;
      }
      case RangeOp::kQuantile:
        if (values == nullptr) values = std::make_unique<std::vector<double>>();
        values->insert(values->end(), other.values->begin(), other.values->end());
        break;
      default:
        a += other.a;
    }
  }

  // REQUIRES: count > 0.
  double Value(RangeOp op, double seconds, double parameter) {
    switch (op) {
      case RangeOp::kCount:
        return static_cast<double>(count);
      case RangeOp::kRate:
      case RangeOp::kBytesRate:
        return a / seconds;
      case RangeOp::kAvg:
        return a / static_cast<double>(count);
      case RangeOp::kStdVar:
        return b / static_cast<double>(count);
      case RangeOp::kStdDev:
        return std::sqrt(b / static_cast<double>(count));
      case RangeOp::kQuantile:
        return Quantile(parameter);
      default:
        return a;
    }
  }

 private:
  // As Prometheus: between the two nearest ranks.
  double Quantile(double q) {
    if (q < 0) return -INFINITY;
    if (q > 1) return INFINITY;
    std::sort(values->begin(), values->end());
    const double rank = q * static_cast<double>(values->size() - 1);
    const auto low = static_cast<size_t>(rank);
    const size_t high = std::min(low + 1, values->size() - 1);
    const double part = rank - static_cast<double>(low);
    return (*values)[low] * (1 - part) + (*values)[high] * part;
  }
};

}  // namespace kelp::loki

#endif  // KELP_LOKI_CELLS_H_
