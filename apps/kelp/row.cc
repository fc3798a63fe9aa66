#include "row.h"

#include <fmt/format.h>

#include <algorithm>

#include "json_slice.h"

namespace kelp::cli {
namespace {

std::string_view Find(const Row::Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

Row::Pairs ReadPairs(std::string_view object) {
  Row::Pairs pairs;
  ForEachMember(object, [&](std::string_view key, std::string_view value) {
    pairs.emplace_back(key, ValueText(value));
  });
  return pairs;
}

}  // namespace

std::string_view Row::Get(std::string_view name) const {
  if (name == "body") return body;
  if (name == "time") return time;
  const std::string_view field = Find(fields, name);
  return field.empty() ? Find(resource, name) : field;
}

std::string Row::Source() const {
  std::string out;
  for (const char* key : {"k8s.namespace.name", "k8s.pod.name", "k8s.container.name"}) {
    const std::string_view value = Find(resource, key);
    if (!value.empty()) out += (out.empty() ? "" : "/") + std::string(value);
  }
  for (const char* key : {"log.file.path", "service.name", "host.name"}) {
    if (out.empty()) out = std::string(Find(resource, key));
  }
  return out;
}

Result<Row> ParseRow(std::string_view json) {
  Row row;
  row.json = std::string(json);
  const bool good = ForEachMember(json, [&](std::string_view key, std::string_view value) {
    if (key == "time" && value != "null") row.time = ValueText(value);
    if (key == "body" && value != "null") row.body = ValueText(value);
    if (key == "fields") row.fields = ReadPairs(value);
    if (key == "resource") row.resource = ReadPairs(value);
    if (key == "origin") row.position = std::string(value);
  });
  if (!good) return DataLossError("what came is not a row: " + Harmless(json.substr(0, 100)));
  return row;
}

RowFormat ParseRowFormat(std::string_view name) {
  if (name == "json") return RowFormat::kJson;
  return name == "raw" ? RowFormat::kRaw : RowFormat::kTable;
}

std::string Harmless(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\r') {
      out += ' ';
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view name = text.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (!name.empty()) names.emplace_back(name);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

size_t DisplayWidth(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0) == 0x80) continue;
    // Three-byte sequences from U+2E80 on are CJK and full-width forms, four-byte ones mostly
    // emoji; close enough for lining up columns.
    const bool cjk =
        byte == 0xe2 ? static_cast<unsigned char>(text[std::min(i + 1, text.size() - 1)]) >= 0xba
                     : byte >= 0xe3;
    width += cjk ? 2 : 1;
  }
  return width;
}

namespace {

void AppendPadded(std::string& out, std::string_view text, size_t width) {
  out += text;
  const size_t used = DisplayWidth(text);
  if (used < width) out.append(width - used, ' ');
}

// Milliseconds are enough for people: "2026-11-20 23:49:26.304".
std::string ShortTime(std::string_view time) {
  constexpr size_t kUpToMilliseconds = 23;
  std::string out(time.substr(0, kUpToMilliseconds));
  if (out.size() > 10 && out[10] == 'T') out[10] = ' ';
  return out;
}

std::string FieldsText(const Row& row) {
  std::string out;
  for (const auto& [key, value] : row.fields) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", key, value);
  }
  return out;
}

// Never splits a character.
std::string Shortened(const std::string& text, size_t columns) {
  if (DisplayWidth(text) <= columns) return text;
  std::string out;
  for (size_t i = 0; i < text.size();) {
    size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0) == 0x80) ++next;
    const std::string_view character = std::string_view(text).substr(i, next - i);
    if (DisplayWidth(out) + DisplayWidth(character) + 1 > columns) break;
    out += character;
    i = next;
  }
  return out + "…";
}

}  // namespace

void RowWriter::Write(const Row& row) {
  switch (format_) {
    case RowFormat::kJson:
      out_.Out(row.json + "\n");
      return;
    case RowFormat::kRaw:
      out_.Out((row.body.empty() ? FieldsText(row) : row.body) + "\n");
      return;
    case RowFormat::kTable:
      WriteTable(row);
      return;
  }
}

void RowWriter::WriteTable(const Row& row) {
  std::vector<std::string> cells = {ShortTime(row.time), Harmless(row.Source())};
  for (const std::string& field : fields_) cells.push_back(Harmless(row.Get(field)));
  if (!header_written_) {
    header_written_ = true;
    std::vector<std::string> header = {"TIME (UTC)", "SOURCE"};
    header.insert(header.end(), fields_.begin(), fields_.end());
    std::string line;
    for (size_t i = 0; i < header.size(); ++i) {
      widths_.push_back(
          std::max(DisplayWidth(header[i]), std::min(DisplayWidth(cells[i]), kCellColumnsMax)));
      AppendPadded(line, header[i], widths_[i]);
      line += "  ";
    }
    out_.Out(line + "BODY\n");
  }
  std::string line;
  for (size_t i = 0; i < cells.size(); ++i) {
    widths_[i] = std::max(widths_[i], std::min(DisplayWidth(cells[i]), kCellColumnsMax));
    AppendPadded(line, cells[i], widths_[i]);
    line += "  ";
  }
  out_.Out(line + Harmless(row.body.empty() ? FieldsText(row) : row.body) + "\n");
}

std::string PrintTable(const std::vector<std::string>& header,
                       const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> cells = {header};
  cells.insert(cells.end(), rows.begin(), rows.end());
  std::vector<size_t> widths(header.size());
  for (auto& row : cells) {
    row.resize(header.size());
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = Shortened(Harmless(row[i]), kCellColumnsMax);
      widths[i] = std::max(widths[i], DisplayWidth(row[i]));
    }
  }
  std::string out;
  for (const auto& row : cells) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      AppendPadded(line, row[i], widths[i]);
      line += "  ";
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

}  // namespace kelp::cli
