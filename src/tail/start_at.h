// Where reading begins: in files that were there first, and when checkpoints were lost.
#ifndef KELP_TAIL_START_AT_H_
#define KELP_TAIL_START_AT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/units.h"
#include "config/schema.h"

namespace kelp::tail {

// `beginning`, `end`, or `{last: 1MiB}`. Applies to the files that an input finds when it starts
// for the first time ever; files that come later are read from their beginning.
struct StartAt {
  enum class Kind : uint8_t { kBeginning, kEnd, kLast };
  Kind kind = Kind::kBeginning;
  ByteSize last;  // with kLast

  static constexpr std::string_view kConfigType = "start position";
  static constexpr std::string_view kConfigJsonSchema =
      R"({"oneOf":[{"enum":["beginning","end"]},{"type":"object","properties":{"last":{"type":"string"}},"required":["last"],"additionalProperties":false}]})";
  static std::optional<StartAt> FromConfig(const config::ConfigNode& node, const std::string& path,
                                           config::Problems& problems);
  config::ConfigNode ToConfig() const;
};

// What to do with the files found when the checkpoint database was corrupt.
enum class OnLostCheckpoints : uint8_t { kBeginning, kEnd };

}  // namespace kelp::tail

template <>
struct kelp::config::EnumNames<kelp::tail::OnLostCheckpoints> {
  static constexpr std::string_view kNames[] = {"beginning", "end"};
};

#endif  // KELP_TAIL_START_AT_H_
