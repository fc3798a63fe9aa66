// How rows of the store look to Loki: which labels they have, and what their line is.
//
// A tag of a row's resource is a label of its stream, a field is structured metadata; names lose
// their dots. Three labels are made here: `logstore`, `service_name` and `detected_level`. The line
// is the body; a row without one shows its fields as a JSON object.
//
// Threads: pure functions.
// Tests:   case_test.cc (tests/cases/logql)
#ifndef KELP_LOKI_ROW_ENTRY_H_
#define KELP_LOKI_ROW_ENTRY_H_

#include <span>
#include <string>
#include <string_view>

#include "loki/entry.h"
#include "query/query.h"

namespace kelp::loki {

inline constexpr std::string_view kLogstoreLabel = "logstore";
inline constexpr std::string_view kServiceLabel = "service_name";
inline constexpr std::string_view kLevelLabel = "detected_level";
inline constexpr std::string_view kUnknownService = "unknown_service";

// Labels that may tell the service, most telling first; and the level.
std::span<const std::string_view> ServiceLabels();
std::span<const std::string_view> LevelLabels();
// "critical", "fatal", "error", "warn", "info", "debug", "trace"; "" for other words.
std::string_view LevelOf(std::string_view word);
// What the beginning of a line says of its level; "unknown" when it says nothing.
std::string_view LevelOfLine(std::string_view line);

// Adds service_name and detected_level, where the row has none, from its other labels and its line.
void AddServiceName(Entry& entry);
// False when only the line can tell.
bool AddLevelFromLabels(Entry& entry);

// The entry of a row, which must outlive it.
void FillEntry(const query::Row& row, Entry& entry);
// The fields as a JSON object.
std::string FieldsJson(const query::Row& row);

}  // namespace kelp::loki

#endif  // KELP_LOKI_ROW_ENTRY_H_
