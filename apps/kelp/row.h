// Rows as the server and the agent send them (ROW of docs/formats/http-api.md), and how they are
// shown: json, raw or table.
//
// Tests: row_test.cc
#ifndef KELP_APPS_KELP_ROW_H_
#define KELP_APPS_KELP_ROW_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "command.h"

namespace kelp::cli {

struct Row {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  std::string json;  // as it was sent
  std::string time;  // RFC 3339; empty when there is none
  std::string body;
  Pairs fields;  // strings by content, other values as JSON
  Pairs resource;
  std::string position;  // origin and offset: tells two rows apart

  // The value of a field, or of a resource tag; "body" and "time" are fields too. Empty when
  // absent.
  std::string_view Get(std::string_view name) const;
  // Where the row comes from, for people: namespace/pod/container, a file's path, or a host.
  std::string Source() const;
};

// Errors: kDataLoss when `json` is not a ROW.
Result<Row> ParseRow(std::string_view json);

enum class RowFormat { kJson, kRaw, kTable };
RowFormat ParseRowFormat(std::string_view name);  // REQUIRES: one of kRowFormats
inline const std::vector<std::string> kRowFormats = {"table", "raw", "json"};

// Text that cannot move a terminal's cursor or change its colours: control characters other than
// tab are written as \xNN, line breaks as a space.
std::string Harmless(std::string_view text);

// Prints rows one by one. The table has no borders and no fixed right edge, so that it can go on
// for ever: time, source, the asked-for fields, then the body, or else all fields.
class RowWriter {
 public:
  RowWriter(RowFormat format, std::vector<std::string> fields, Printer& out)
      : format_(format), fields_(std::move(fields)), out_(out) {}
  void Write(const Row& row);

 private:
  void WriteTable(const Row& row);

  RowFormat format_;
  std::vector<std::string> fields_;
  Printer& out_;
  bool header_written_ = false;
  std::vector<size_t> widths_;  // grow as wider values come, so that columns settle
};

// "a,b , c" as three names.
std::vector<std::string> SplitList(std::string_view text);

// A table of known size with a header: columns as wide as their widest cell, at most
// kCellColumnsMax.
inline constexpr size_t kCellColumnsMax = 60;
std::string PrintTable(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows);

// How many columns of a terminal the text takes: two for wide characters (CJK, emoji).
size_t DisplayWidth(std::string_view text);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_ROW_H_
