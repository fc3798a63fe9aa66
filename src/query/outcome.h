// Outcome: what kept an answer from being whole, in words.
#ifndef KELP_QUERY_OUTCOME_H_
#define KELP_QUERY_OUTCOME_H_

#include <cstdint>
#include <string>
#include <string_view>
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
    const std::string why = "a regular expression took too long on " + std::to_string(values) +
                            " values, which count as not matching";
    Append(why, partial_);
    Append(why, lost_);
  }
  // A corrupt block does not hide the others: noted, then OK. Other errors come back.
  Status Forgive(Status status) {
    if (status.code() != Code::kDataLoss) return status;
    if (reasons_ < kReasonsMax) Append(status.message(), lost_);
    Add(std::move(status));
    return OkStatus();
  }

  const std::string& partial() const { return partial_; }
  // The part of it that asking again, or going on, does not bring: all but limits.
  const std::string& lost() const { return lost_; }
  // Without anything to show, the first reason is the error.
  Status ErrorIfNothing(bool anything) const { return anything ? OkStatus() : first_; }

 private:
  void Add(Status why) {
    // The same damage met in many blocks would make a long sentence.
    if (++reasons_ > kReasonsMax) return;
    Append(why.message(), partial_);
    if (first_.ok()) first_ = std::move(why);
  }

  static void Append(std::string_view why, std::string& reasons) {
    if (!reasons.empty()) reasons += "; ";
    reasons += why;
  }

  static constexpr int kReasonsMax = 4;
  int reasons_ = 0;
  std::string partial_;
  std::string lost_;
  Status first_;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_OUTCOME_H_
