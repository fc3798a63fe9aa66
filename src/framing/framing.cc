#include "framing/framing.h"

#include <utility>

namespace kelp::framing {

Result<DecoderFactory> MakeDecoderFactory(const FramingOptions& options) {
  const Charset charset = options.charset;
  const Format format = options.format;
  if (charset != Charset::kUtf8 && format != Format::kLines) {
    return InvalidArgumentError(
        "container runtimes write UTF-8: another encoding needs the format "
        "lines");
  }
  RETURN_IF_ERROR(MakeTextConverter(charset).status());
  RulesPtr rules;
  if (options.multiline) {
    ASSIGN_OR_RETURN(rules, MultilineRules::Compile(*options.multiline));
  }
  if (format != Format::kLines) {
    return DecoderFactory([format, rules](size_t line_bytes_max) {
      return MakeContainerDecoder(format, line_bytes_max, rules);
    });
  }
  if (charset == Charset::kUtf8 && rules == nullptr) return DecoderFactory(MakePlainDecoder);
  return DecoderFactory([charset, rules](size_t line_bytes_max) {
    return MakeTextDecoder(line_bytes_max, charset, rules);
  });
}

Result<std::unique_ptr<LineDecoder>> MakeDecoder(const FramingOptions& options) {
  ASSIGN_OR_RETURN(const DecoderFactory factory, MakeDecoderFactory(options));
  return factory(options.line_bytes_max);
}

}  // namespace kelp::framing
