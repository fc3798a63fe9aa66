#include "codec/json_rows.h"

#include <fmt/core.h>

#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "codec/json.h"
#include "codec/json_scan.h"
#include "codec/lines.h"
#include "codec/rfc3339.h"
#include "codec/time_format.h"

namespace kelp::codec {
namespace {

// Rows unfold into one value for each column; a body of short rows that all bring other keys would
// unfold without bound. 256 MiB of values.
constexpr uint64_t kCellsMax = 16u << 20;

Status BadLine(size_t number, std::string_view what) {
  return InvalidArgumentError(fmt::format("line {}: {}", number, what));
}

std::string Unquote(std::string_view quoted) {
  quoted = quoted.substr(1, quoted.size() - 2);
  std::string text(quoted.size() + kUnescapeSlack, '\0');
  char* end = UnescapeJson(quoted.data(), quoted.data() + quoted.size(), text.data());
  text.resize(static_cast<size_t>(end - text.data()));
  return text;
}

// What a first look at a line finds; the fields are parsed when its batch is complete.
struct Line {
  std::string_view text;
  UnixNanos time;
};

// The lines of one resource, up to a batch full of them.
struct Group {
  ResourcePtr resource;
  std::vector<Line> lines;
  std::vector<size_t> numbers;
  size_t bytes = 0;
};

class RowsParser {
 public:
  explicit RowsParser(UnixNanos arrival) : arrival_(arrival), fields_("", {"time", "resource"}) {}

  Status Add(std::string_view text, size_t number) {
    if (SkipJsonSpace(text.data(), text.data() + text.size()) == text.data() + text.size()) {
      return OkStatus();
    }
    time_ = arrival_;
    resource_ = {};
    Status status;
    const bool object = ForEachMember(text, [&](std::string_view key, std::string_view value) {
      status = Look(Unquoted(key), value, number);
      return status.ok();
    });
    RETURN_IF_ERROR(status);
    if (!object) return BadLine(number, "not a JSON object");
    return Append(text, number);
  }

  Result<std::vector<BatchPtr>> Finish() {
    for (Group& group : groups_) {
      if (!group.lines.empty()) RETURN_IF_ERROR(Close(group));
    }
    return std::move(batches_);
  }

 private:
  // The text of a key; only keys with escapes are copied.
  std::string_view Unquoted(std::string_view key) {
    if (key.find('\\') == std::string_view::npos) return key.substr(1, key.size() - 2);
    key_ = Unquote(key);
    return key_;
  }

  Status Look(std::string_view key, std::string_view value, size_t number) {
    if (key == "time") return ReadTime(value, number);
    if (key == "body" && value[0] != '"') return BadLine(number, "\"body\" is not a string");
    if (key == "resource") {
      if (value[0] != '{') return BadLine(number, "\"resource\" is not an object");
      resource_ = value;
    }
    return OkStatus();
  }

  Status ReadTime(std::string_view value, size_t number) {
    if (value[0] == '"') {
      const char* end = value.data() + value.size() - 1;
      if (rfc3339_.Read(value.data() + 1, end, time_) == end) return OkStatus();
    } else if (ReadEpoch(value, 0, time_)) {
      return OkStatus();
    }
    return BadLine(number, fmt::format("\"time\" is {}, which is neither RFC 3339 nor a number of "
                                       "seconds, ms, us or ns since 1970",
                                       value.substr(0, 100)));
  }

  Status Append(std::string_view text, size_t number) {
    const auto [it, is_new] = group_of_.emplace(resource_, groups_.size());
    if (is_new) {
      if (groups_.size() == kJsonRowsBatchesMax) {
        return BadLine(number, fmt::format("more than {} different resources in one body",
                                           kJsonRowsBatchesMax));
      }
      groups_.push_back({MakeResource(resource_), {}, {}, 0});
    }
    Group& group = groups_[it->second];
    group.lines.push_back({text, time_});
    group.numbers.push_back(number);
    group.bytes += text.size();
    return group.lines.size() == Batch::kRowsMax ? Close(group) : OkStatus();
  }

  static ResourcePtr MakeResource(std::string_view json) {
    std::vector<Resource::Tag> tags;
    if (!json.empty()) {
      ForEachMember(json, [&](std::string_view key, std::string_view value) {
        tags.emplace_back(Unquote(key), value[0] == '"' ? Unquote(value) : std::string(value));
        return true;
      });
    }
    return tags.empty() ? Resource::Empty() : std::make_shared<const Resource>(std::move(tags));
  }

  // Makes a batch of a group's lines and empties the group.
  Status Close(Group& group) {
    BatchPtr batch = BatchPool::Shared().Get();
    batch->set_resource(group.resource);
    char* memory = batch->AddBuffer(group.bytes);
    for (Line& line : group.lines) {
      std::memcpy(memory, line.text.data(), line.text.size());
      line.text = {memory, line.text.size()};
      memory += line.text.size();
      batch->AddRow({}, 0, 0, line.time);
    }
    fields_.Start(*batch);
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      if (!fields_.Parse(row, group.lines[row].text)) {
        return BadLine(group.numbers[row], "not a JSON object");
      }
      if (cells_ + batch->column_count() * batch->rows() > kCellsMax) {
        return BadLine(group.numbers[row], fmt::format("the body has more than {} values (rows "
                                                       "times different keys)",
                                                       kCellsMax));
      }
    }
    cells_ += batch->column_count() * batch->rows();
    batches_.push_back(std::move(batch));
    group.lines.clear();
    group.numbers.clear();
    group.bytes = 0;
    return OkStatus();
  }

  const UnixNanos arrival_;
  JsonFields fields_;
  Rfc3339Reader rfc3339_;
  std::string key_;
  // Of the line being looked at.
  UnixNanos time_ = kNoTime;
  std::string_view resource_;
  std::unordered_map<std::string_view, size_t> group_of_;
  std::vector<Group> groups_;
  std::vector<BatchPtr> batches_;
  uint64_t cells_ = 0;
};

}  // namespace

Result<std::vector<BatchPtr>> ParseJsonRows(std::string_view body, UnixNanos arrival) {
  RowsParser parser(arrival);
  Status status;
  size_t number = 0;
  const size_t done = ForEachLine(body, [&](std::string_view line) {
    ++number;
    if (status.ok()) status = parser.Add(line, number);
  });
  RETURN_IF_ERROR(status);
  if (done < body.size()) RETURN_IF_ERROR(parser.Add(body.substr(done), number + 1));
  return parser.Finish();
}

}  // namespace kelp::codec
