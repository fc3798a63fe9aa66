// How a program that runs for long ends when it cannot start: the numbers of sysexits.h, on which
// supervisors and scripts may rely.
#ifndef KELP_BASE_EXIT_CODES_H_
#define KELP_BASE_EXIT_CODES_H_

#include <sysexits.h>

#include "base/status.h"

namespace kelp {

// 65 corrupt data, 69 port or data directory in use, 74 input/output error, 77 missing rights,
// 78 wrong configuration.
inline int StartExitCode(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kNotFound:
      return EX_CONFIG;
    case Code::kAlreadyExists:
    case Code::kUnavailable:
      return EX_UNAVAILABLE;
    case Code::kPermissionDenied:
      return EX_NOPERM;
    case Code::kDataLoss:
      return EX_DATAERR;
    default:
      return EX_IOERR;
  }
}

}  // namespace kelp

#endif  // KELP_BASE_EXIT_CODES_H_
