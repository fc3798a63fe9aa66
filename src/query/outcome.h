// Outcome: what kept an answer from being whole, in words.
#ifndef KELP_QUERY_OUTCOME_H_
#define KELP_QUERY_OUTCOME_H_

#include <cstdint>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/units.h"

namespace kelp::query {

class Outcome {
 public:
  void AddTimeLimit(Duration limit) {
    Add(DeadlineExceededError("the query ran into its time limit of " + FormatDuration(limit)));
  }
  void AddMemoryLimit(ByteSize limit) {
    Add(ResourceExhaustedError("the rows are larger than the memory limit of " +
                               FormatByteSize(limit)));
  }
  void AddRegexesGaveUp(uint64_t values) {
    if (values == 0) return;
    if (!partial_.empty()) partial_ += "; ";
    partial_ += "a regular expression took too long on " + std::to_string(values) +
                " values, which count as not matching";
  }
  // A corrupt block does not hide the others: noted, then OK. Other errors come back.
  Status Forgive(Status status) {
    if (status.code() != Code::kDataLoss) return status;
    Add(std::move(status));
    return OkStatus();
  }

  const std::string& partial() const { return partial_; }
  // Without anything to show, the first reason is the error.
  Status ErrorIfNothing(bool anything) const { return anything ? OkStatus() : first_; }

 private:
  void Add(Status why) {
    // The same damage met in many blocks would make a long sentence.
    if (++reasons_ > kReasonsMax) return;
    if (!partial_.empty()) partial_ += "; ";
    partial_ += why.message();
    if (first_.ok()) first_ = std::move(why);
  }

  static constexpr int kReasonsMax = 4;
  int reasons_ = 0;
  std::string partial_;
  Status first_;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_OUTCOME_H_
