#include "server/loki_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "net/http.h"

namespace kelp::server {
namespace {

using loki::LabelList;
using loki::LogLine;

void AppendLabels(std::string& out, const LabelList& labels) {
  out += '{';
  for (const auto& [name, value] : labels) {
    if (&name != &labels.front().first) out += ',';
    net::AppendJsonString(out, name);
    out += ':';
    net::AppendJsonString(out, value);
  }
  out += '}';
}

LabelList StreamOf(const LogLine& line, bool categorize) {
  LabelList out = line.stream;
  if (categorize) return out;
  out.insert(out.end(), line.fields.begin(), line.fields.end());
  out.insert(out.end(), line.parsed.begin(), line.parsed.end());
  std::sort(out.begin(), out.end());
  return out;
}

void AppendValue(std::string& out, const LogLine& line, bool categorize) {
  fmt::format_to(std::back_inserter(out), "[\"{}\",", line.time);
  net::AppendJsonString(out, line.line);
  if (categorize) {
    out += ",{\"structuredMetadata\":";
    AppendLabels(out, line.fields);
    out += ",\"parsed\":";
    AppendLabels(out, line.parsed);
    out += '}';
  }
  out += ']';
}

// Seconds with milliseconds, as a JSON number.
std::string Seconds(UnixNanos time) {
  const int64_t millis = time / 1'000'000;
  if (millis % 1000 == 0) return std::to_string(millis / 1000);
  return fmt::format("{}.{:03}", millis / 1000, std::abs(millis % 1000));
}

// ,"stats":{…} and what may be missing, up to the end of the answer.
std::string Tail(const loki::Cost& cost, size_t entries) {
  const double seconds = std::max(static_cast<double>(cost.stats.wall.count()) / 1e9, 1e-6);
  const auto per_second = [&](uint64_t n) {
    return static_cast<uint64_t>(static_cast<double>(n) / seconds);
  };
  std::string out = fmt::format(
      ",\"stats\":{{\"summary\":{{\"bytesProcessedPerSecond\":{},\"linesProcessedPerSecond\":{},"
      "\"totalBytesProcessed\":{},\"totalLinesProcessed\":{},\"execTime\":{:.6f},\"queueTime\":0,"
      "\"subqueries\":0,\"totalEntriesReturned\":{},\"splits\":0,\"shards\":0}}}}}}",
      per_second(cost.stats.bytes_scanned), per_second(cost.stats.rows_scanned),
      cost.stats.bytes_scanned, cost.stats.rows_scanned, seconds, entries);
  if (!cost.partial.empty()) {
    out += ",\"warnings\":[";
    net::AppendJsonString(out, "rows may be missing: " + cost.partial);
    out += ']';
  }
  return out + "}";
}

void AppendSample(std::string& out, UnixNanos time, double value) {
  fmt::format_to(std::back_inserter(out), "[{},\"{}\"]", Seconds(time), LokiNumber(value));
}

std::string Matrix(const loki::MetricResult& result, const loki::MetricRequest& request) {
  std::string out = "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[";
  size_t samples = 0;
  for (const loki::Series& series : result.series) {
    if (samples != 0) out += ',';
    out += "{\"metric\":";
    AppendLabels(out, series.labels);
    out += ",\"values\":[";
    bool first = true;
    for (size_t step = 0; step < series.values.size(); ++step) {
      if (series.present[step] == 0) continue;
      if (!first) out += ',';
      first = false;
      ++samples;
      AppendSample(out, request.start + static_cast<int64_t>(step) * request.step.count(),
                   series.values[step]);
    }
    out += "]}";
  }
  return out + "]" + Tail(result.cost, samples);
}

}  // namespace

std::string LokiLabels(const LabelList& labels) {
  std::string out;
  AppendLabels(out, labels);
  return out;
}

std::string LokiStrings(const std::set<std::string>& texts) {
  std::string out = "{\"status\":\"success\",\"data\":[";
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    net::AppendJsonString(out, text);
  }
  return out + "]}";
}

std::string LokiNumber(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  if (std::floor(number) == number && std::abs(number) < 1e15) return fmt::format("{:.0f}", number);
  return fmt::format("{}", number);
}

std::string LokiStreams(const std::vector<LogLine>& lines, bool categorize) {
  std::map<LabelList, std::vector<const LogLine*>> streams;
  for (const LogLine& line : lines) streams[StreamOf(line, categorize)].push_back(&line);
  std::string out = "[";
  for (const auto& [labels, members] : streams) {
    if (out.size() > 1) out += ',';
    out += "{\"stream\":";
    AppendLabels(out, labels);
    out += ",\"values\":[";
    for (const LogLine* line : members) {
      if (line != members.front()) out += ',';
      AppendValue(out, *line, categorize);
    }
    out += "]}";
  }
  return out + "]";
}

std::string LokiTailMessage(const std::vector<LogLine>& lines, bool categorize, uint64_t dropped,
                            UnixNanos now) {
  std::string out = "{\"streams\":" + LokiStreams(lines, categorize);
  if (categorize) out += ",\"encodingFlags\":[\"categorize-labels\"]";
  if (dropped != 0) {
    // Rows that were dropped are not known any more: one entry stands for all.
    out += fmt::format(
        ",\"dropped_entries\":[{{\"timestamp\":\"{}\",\"labels\":{{\"dropped_rows\":\"{}\"}}}}]",
        now, dropped);
  }
  return out + "}";
}

std::string LokiLogAnswer(const loki::LogResult& result, bool categorize) {
  std::string out = "{\"status\":\"success\",\"data\":{\"resultType\":\"streams\",";
  if (categorize) out += "\"encodingFlags\":[\"categorize-labels\"],";
  out += "\"result\":" + LokiStreams(result.lines, categorize);
  return out + Tail(result.cost, result.lines.size());
}

std::string LokiMetricAnswer(const loki::MetricResult& result, const loki::MetricRequest& request,
                             bool instant) {
  if (!instant) return Matrix(result, request);
  std::string out = "{\"status\":\"success\",\"data\":{\"resultType\":";
  if (result.scalar) {
    out += "\"scalar\",\"result\":";
    AppendSample(out, request.start, result.series[0].values[0]);
    return out + Tail(result.cost, 1);
  }
  out += "\"vector\",\"result\":[";
  for (const loki::Series& series : result.series) {
    if (out.back() != '[') out += ',';
    out += "{\"metric\":";
    AppendLabels(out, series.labels);
    out += ",\"value\":";
    AppendSample(out, request.start, series.values[0]);
    out += '}';
  }
  return out + "]" + Tail(result.cost, result.series.size());
}

}  // namespace kelp::server
