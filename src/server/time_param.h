// Times as callers of the API write them.
#ifndef KELP_SERVER_TIME_PARAM_H_
#define KELP_SERVER_TIME_PARAM_H_

#include <string_view>

#include "base/status.h"
#include "base/units.h"

namespace kelp::server {

// RFC 3339, Unix nanoseconds, or relative to now: "-1h", "now". Errors: kInvalidArgument.
Result<UnixNanos> ParseTimeParam(std::string_view text, UnixNanos now);

}  // namespace kelp::server

#endif  // KELP_SERVER_TIME_PARAM_H_
