// Prints JSON: strings with their escapes, values, and rows of a batch as ROW of
// docs/formats/http-api.md.
//
//   RowPrinter printer;
//   printer.Start(batch);
//   batch.ForEach([&](uint32_t row) { printer.Append(out, row); out.Append('\n'); });
//
// What comes out is always valid JSON in valid UTF-8 on one line: invalid sequences become U+FFFD,
// and a kJson value that is no JSON is printed as a string.
//
// Threads: thread-compatible.
// Tests:   json_print_test.cc, json_print_fuzz.cc
#ifndef KELP_CODEC_JSON_PRINT_H_
#define KELP_CODEC_JSON_PRINT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "batch/batch.h"
#include "codec/byte_buffer.h"

namespace kelp::codec {

// The text in quotes.
void AppendJsonString(ByteBuffer& out, std::string_view text);
// A field's value; null when it is missing.
void AppendJsonValue(ByteBuffer& out, const Value& value);
// "2026-11-20T23:49:26.304280852Z" with the quotes; null for kNoTime.
void AppendJsonTime(ByteBuffer& out, UnixNanos time);

class RowPrinter {
 public:
  // Prepares the keys and what all rows share. `batch` stays unchanged while rows are printed.
  void Start(const Batch& batch);
  // One row, without a newline.
  void Append(ByteBuffer& out, uint32_t row) const;

 private:
  struct Field {
    std::string name;
    std::string key;  // "name":
    const Value* values = nullptr;
  };
  const Batch* batch_ = nullptr;
  std::vector<Field> fields_;
  ByteBuffer tail_;  // },"resource":{...},"origin":{"id":"...","offset":
  ResourcePtr resource_;
  OriginId origin_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_PRINT_H_
