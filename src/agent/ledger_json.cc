#include "agent/ledger_json.h"

#include <fmt/core.h>

#include "net/http.h"

namespace kelp::agent {
namespace {

void AppendCounts(std::string& out, const char* key, const pipeline::ReasonCounts& counts) {
  out += fmt::format(",\"{}\":{{", key);
  bool first = true;
  for (const auto& [reason, n] : counts.entries()) {
    if (!first) out += ',';
    first = false;
    net::AppendJsonString(out, reason);
    out += fmt::format(":{}", n);
  }
  out += '}';
}

void AppendFigures(std::string& out, const pipeline::LedgerFigures& f) {
  out += fmt::format(
      "{{\"read_rows\":{},\"filtered_rows\":{},\"delivered_rows\":{},\"dropped_rows\":{},"
      "\"in_flight_rows\":{},\"returned_rows\":{}",
      f.read_rows, f.filtered.total(), f.delivered_rows, f.dropped.total(), f.in_flight_rows,
      f.returned_rows);
  out += fmt::format(
      ",\"read_bytes\":{},\"acknowledged_bytes\":{},\"in_flight_bytes\":{},"
      "\"returned_bytes\":{},\"lost_bytes\":{},\"lost_lines\":{}",
      f.read_bytes, f.acknowledged_bytes, f.in_flight_bytes, f.returned_bytes, f.lost_bytes.total(),
      f.lost_lines.total());
  AppendCounts(out, "filtered", f.filtered);
  AppendCounts(out, "dropped", f.dropped);
  AppendCounts(out, "dropped_later", f.dropped_later);
  AppendCounts(out, "lost_bytes_by_cause", f.lost_bytes);
  AppendCounts(out, "lost_lines_by_cause", f.lost_lines);
  out += '}';
}

void AppendEntry(std::string& out, const pipeline::LedgerEntry& entry) {
  out += "{\"pipeline\":";
  net::AppendJsonString(out, entry.pipeline);
  out += fmt::format(",\"adds_up\":{}", entry.AddsUp());
  if (entry.is_sum) {
    out += fmt::format(",\"ended_origins\":{}", entry.ended_origins);
  } else {
    out += ",\"name\":";
    net::AppendJsonString(out, entry.name);
    out += fmt::format(
        ",\"origin\":\"{}\",\"begin\":{},\"acknowledged\":{},\"position\":{},\"size\":{}",
        entry.origin.empty() ? "" : entry.origin.ToString(), entry.begin,
        entry.begin + entry.figures.acknowledged_bytes, entry.position, entry.size);
  }
  out += ",\"figures\":";
  AppendFigures(out, entry.figures);
  out += '}';
}

}  // namespace

std::string LedgerJson(const std::vector<pipeline::LedgerEntry>& entries) {
  pipeline::LedgerFigures totals;
  bool adds_up = true;
  std::string list;
  for (const pipeline::LedgerEntry& entry : entries) {
    totals.Add(entry.figures);
    adds_up = adds_up && entry.AddsUp();
    if (!list.empty()) list += ",\n";
    AppendEntry(list, entry);
  }
  std::string out = fmt::format("{{\"adds_up\":{},\"totals\":", adds_up && totals.AddsUp());
  AppendFigures(out, totals);
  return out + ",\"entries\":[" + list + "]}\n";
}

}  // namespace kelp::agent
