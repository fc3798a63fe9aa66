// The ledger as GET /api/v1/ledger answers it (docs/formats/http-api.md).
#ifndef KELP_AGENT_LEDGER_JSON_H_
#define KELP_AGENT_LEDGER_JSON_H_

#include <string>
#include <vector>

#include "pipeline/ledger.h"

namespace kelp::agent {

// {"adds_up":true,"totals":FIGURES,"entries":[{"pipeline",…,"figures":FIGURES}]}, and a newline.
// Pure function.
std::string LedgerJson(const std::vector<pipeline::LedgerEntry>& entries);

}  // namespace kelp::agent

#endif  // KELP_AGENT_LEDGER_JSON_H_
