// ParseErrors: what processors that parse do with a row that they cannot parse.
//
//   on_error: keep     the row stays as it is and gets the field kelp.parse_error
//   on_error: drop     the row leaves, counted under the reason parse_error
//
// Either way it is counted in processor_parse_errors_total. Nothing disappears unseen.
//
// Place:    a member of the processor.
// Threads:  confined to its processor; the counters are shared.
#ifndef KELP_PROCESSOR_COMMON_PARSE_ERRORS_H_
#define KELP_PROCESSOR_COMMON_PARSE_ERRORS_H_

#include <cstdint>
#include <string_view>

#include "batch/batch.h"
#include "config/schema.h"
#include "pipeline/component.h"

namespace kelp::processor {

enum class OnError : uint8_t { kKeep, kDrop };

// What the field kelp.parse_error is called in a batch.
inline constexpr std::string_view kParseErrorField = "kelp.parse_error";

class ParseErrors {
 public:
  ParseErrors(const pipeline::ComponentContext& context, OnError on_error);

  // Calls parse(row) for each selected row: an empty view, or text that lives as long as the
  // processor and says why the row cannot be parsed.
  template <typename F>
  void Run(Batch& batch, F&& parse) {
    const auto keep = [&](uint32_t row) {
      const std::string_view problem = parse(row);
      return problem.empty() || Failed(batch, row, problem);
    };
    column_ = nullptr;
    errors_ = 0;
    const uint32_t dropped = batch.Select(keep);
    if (errors_ != 0) Count(dropped);
  }

 private:
  // Whether the row stays.
  bool Failed(Batch& batch, uint32_t row, std::string_view problem);
  void Count(uint32_t dropped);

  const OnError on_error_;
  Counter& errors_total_;
  Counter* dropped_total_ = nullptr;  // only with kDrop
  uint64_t errors_ = 0;               // in this batch
  Column* column_ = nullptr;          // of this batch, once there is an error
};

}  // namespace kelp::processor

template <>
struct kelp::config::EnumNames<kelp::processor::OnError> {
  static constexpr std::string_view kNames[] = {"keep", "drop"};
};

#endif  // KELP_PROCESSOR_COMMON_PARSE_ERRORS_H_
