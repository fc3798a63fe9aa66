#include "query/explain.h"

#include <fmt/format.h>

#include <iterator>

#include "codec/byte_buffer.h"
#include "codec/json_print.h"

namespace kelp::query {
namespace {

constexpr std::array<const char*, kBlockFates> kFateNames = {
    "not_reached", "time", "words", "values", "no_field", "whole", "scanned"};
constexpr std::array<const char*, kStages> kStageNames = {"filter", "times", "decode", "match",
                                                          "rows"};

std::string JsonString(const std::string& text) {
  codec::ByteBuffer buffer;
  codec::AppendJsonString(buffer, text);
  return std::string(buffer.view());
}

}  // namespace

void PrintExplainJson(const Explain& explain, std::string& out) {
  auto to = std::back_inserter(out);
  fmt::format_to(to,
                 "{{\"plan\":{},\"blocks\":{},\"hot_blocks\":{},\"segments\":{},"
                 "\"segments_decoded\":{},\"rows_matched\":{},\"bytes_decoded\":{},"
                 "\"threads\":{},\"fates\":{{",
                 JsonString(explain.plan), explain.blocks, explain.hot_blocks, explain.segments,
                 explain.segments_decoded, explain.rows_matched, explain.bytes_decoded,
                 explain.threads);
  for (size_t i = 0; i < kBlockFates; ++i) {
    fmt::format_to(to, "{}\"{}\":{{\"blocks\":{},\"rows\":{}}}", i == 0 ? "" : ",", kFateNames[i],
                   explain.fates[i].blocks, explain.fates[i].rows);
  }
  out += "},\"cpu_ms\":{";
  for (size_t i = 0; i < kStages; ++i) {
    fmt::format_to(to, "{}\"{}\":{:.3f}", i == 0 ? "" : ",", kStageNames[i],
                   static_cast<double>(explain.cpu[i].count()) / 1e6);
  }
  out += "},\"terms\":[";
  for (size_t i = 0; i < explain.terms.size(); ++i) {
    const Explain::TermPart& part = explain.terms[i];
    fmt::format_to(to, "{}{{\"term\":{},\"ruled_out\":{},\"settled\":{}}}", i == 0 ? "" : ",",
                   JsonString(part.term), part.ruled_out, part.settled);
  }
  out += "]}";
}

}  // namespace kelp::query
