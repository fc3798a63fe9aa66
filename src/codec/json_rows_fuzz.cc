// Any body is taken or refused; what is taken has known times and a row for each line.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/json_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  const auto result =
      codec::ParseJsonRows({reinterpret_cast<const char*>(data), size}, UnixNanos{1});
  if (!result.ok()) {
    CHECK(result.status().code() == Code::kInvalidArgument, "another code");
    return 0;
  }
  for (const BatchPtr& batch : *result) {
    CHECK(batch->rows() != 0, "an empty batch");
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      CHECK(batch->time(row) != kNoTime, "a row without a time");
      CHECK(!batch->body().Get(row).missing(), "a row without a body");
    }
  }
  return 0;
}
