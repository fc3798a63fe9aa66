// Charset: what the bytes of a text file mean, and TextConverter, which makes UTF-8 of them line by
// line.
//
// Threads:  a TextConverter is confined to the source's Read.
// Limits:   a line grows to at most three times its bytes.
// Errors:   bytes that mean nothing become U+FFFD, and the line is told to be malformed.
// Tests:    charset_test.cc, line_decoder_fuzz.cc
#ifndef KELP_FRAMING_CHARSET_H_
#define KELP_FRAMING_CHARSET_H_

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "batch/batch.h"

namespace kelp::framing {

enum class Charset : uint8_t { kUtf8, kUtf16Le, kUtf16Be, kUtf16, kGbk, kGb18030, kLatin1 };

class TextConverter {
 public:
  virtual ~TextConverter() = default;
  // `raw` as UTF-8: `raw` itself or memory of the batch. `cut`: the line goes on behind it, so that
  // a character of which only the beginning is there is left out. Sets `malformed`, or leaves it.
  virtual std::string_view Convert(std::string_view raw, bool cut, Batch& batch,
                                   bool& malformed) = 0;
};

// nullptr for kUtf8. kUnimplemented where the system does not know the charset. REQUIRES: not
// kUtf16, of which the byte order must be known.
Result<std::unique_ptr<TextConverter>> MakeTextConverter(Charset charset);

// `text` without a character of which only the beginning is there.
std::string_view WholeUtf8(std::string_view text);

}  // namespace kelp::framing

#endif  // KELP_FRAMING_CHARSET_H_
