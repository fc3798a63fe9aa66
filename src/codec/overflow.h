// Builds the JSON object text of the overflow column (batch.h) for one row at a time, in time
// linear in its size; Batch::SetField copies the whole text for each field.
//
//   OverflowRow row;
//   row.Start(old_value);                 // what the column already holds, if anything
//   row.Add("name", value);
//   column.Set(r, row.Finish(batch));
//
// Threads: thread-compatible.
#ifndef KELP_CODEC_OVERFLOW_H_
#define KELP_CODEC_OVERFLOW_H_

#include <string_view>

#include "batch/batch.h"
#include "codec/byte_buffer.h"

namespace kelp::codec {

class OverflowRow {
 public:
  void Start(const Value& old);
  void Add(std::string_view name, const Value& value);
  bool empty() const { return fields_ == 0; }
  // A kJson value in the batch's arena; missing when nothing was added and nothing was there.
  Value Finish(Batch& batch);

 private:
  ByteBuffer text_;
  size_t fields_ = 0;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_OVERFLOW_H_
