// What an output gives up, made into a batch for the pipeline's dead-letter output.
//
// Internal to src/pipeline. Pure functions and one small ack; thread-safe as such.
#ifndef KELP_PIPELINE_DEAD_LETTER_H_
#define KELP_PIPELINE_DEAD_LETTER_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/batch.h"
#include "pipeline/output.h"

namespace kelp::pipeline {

// Fields that tell why a row is in the dead-letter output, and which output gave it up.
inline constexpr std::string_view kDropReasonField = "kelp.drop_reason";
inline constexpr std::string_view kDropOutputField = "kelp.drop_output";

// Those of `rows` that are selected, in order and each once; all selected when `rows` is empty.
std::vector<uint32_t> SelectedOf(const Batch& batch, std::vector<uint32_t> rows);

// A batch of just those rows, with everything they carry and the two fields above. It holds the old
// batch, whose bytes it points into, and so stays under the same memory charge.
SharedBatch DeadLetterBatch(const SharedBatch& batch, const std::vector<uint32_t>& rows,
                            std::string_view reason, std::string_view output);

// Passes the dead-letter output's word on: the rows are safe there.
class DeadLetterTarget final : public AckTarget {
 public:
  explicit DeadLetterTarget(Ack ack) : ack_(std::move(ack)) {}
  void OnAck() override { ack_.Done(); }

 private:
  Ack ack_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_DEAD_LETTER_H_
