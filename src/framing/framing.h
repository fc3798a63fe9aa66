// How the bytes of a file become rows, as an input is configured: what a line is, what its bytes
// mean, and which lines belong together.
//
//   ASSIGN_OR_RETURN(const DecoderFactory factory, MakeDecoderFactory(options));
//   auto decoder = factory(options.line_bytes_max);   // one for each file
//
// Threads:  a factory is thread-safe; what it makes is confined to one source.
// Errors:   kInvalidArgument when options contradict each other or a pattern does not compile,
//           kUnimplemented for a charset that this machine does not know.
// Tests:    line_decoder_test.cc, multiline_test.cc, charset_test.cc
#ifndef KELP_FRAMING_FRAMING_H_
#define KELP_FRAMING_FRAMING_H_

#include <memory>
#include <optional>

#include "framing/charset.h"
#include "framing/line_decoder.h"
#include "framing/multiline.h"

namespace kelp::framing {

enum class Format : uint8_t { kLines, kContainer, kCri, kDockerJson };

struct FramingOptions {
  Format format = Format::kLines;
  Charset charset = Charset::kUtf8;  // REQUIRES: kUtf8 unless the format is kLines
  size_t line_bytes_max = 256u << 10;
  std::optional<MultilineOptions> multiline;
};

Result<DecoderFactory> MakeDecoderFactory(const FramingOptions& options);
// For one source.
Result<std::unique_ptr<LineDecoder>> MakeDecoder(const FramingOptions& options);

using RulesPtr = std::shared_ptr<const MultilineRules>;  // null: each line is a record

std::unique_ptr<LineDecoder> MakeTextDecoder(size_t line_bytes_max, Charset charset,
                                             RulesPtr rules);
std::unique_ptr<LineDecoder> MakeContainerDecoder(Format format, size_t line_bytes_max,
                                                  RulesPtr rules);

}  // namespace kelp::framing

#endif  // KELP_FRAMING_FRAMING_H_
