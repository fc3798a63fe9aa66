#include "query/query_testing.h"

#include <arpa/inet.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "query/script.h"
#include "store/tokens.h"

namespace kelp::query::testing {

using store::ColumnInfo;
using store::ColumnKind;
using store::TextColumn;

// --- MemoryBlock ---

MemoryBlock::MemoryBlock(std::vector<TestRow> rows, BlockOptions options)
    : rows_(std::move(rows)), options_(std::move(options)) {
  std::set<std::string> fields, tags;
  for (const TestRow& row : rows_) {
    time_min_ = std::min(time_min_, row.time);
    time_max_ = std::max(time_max_, row.time);
    for (const auto& [name, value] : row.fields) fields.insert(name);
    for (const auto& [name, value] : row.resource) tags.insert(name);
  }
  const auto find = [](const std::map<std::string, TestValue>& values, const std::string& name) {
    const auto it = values.find(name);
    return it == values.end() ? TestValue() : it->second;
  };
  AddColumn("body", ColumnKind::kBody, [](const TestRow& row) { return row.body; });
  for (const std::string& name : fields) {
    AddColumn(name, ColumnKind::kField, [&](const TestRow& row) { return find(row.fields, name); });
  }
  for (const std::string& name : tags) {
    AddColumn(name, ColumnKind::kResource,
              [&](const TestRow& row) { return find(row.resource, name); });
  }
  for (const ColumnData& column : columns_) {
    const std::set<TestValue> different(column.values.begin(), column.values.end());
    const bool constant = different.size() == 1;
    infos_.push_back(
        {column.name, column.kind, false, constant, constant ? column.values[0].view() : Value()});
  }
}

void MemoryBlock::AddColumn(const std::string& name, ColumnKind kind,
                            const std::function<TestValue(const TestRow&)>& get) {
  ColumnData column{name, kind, {}, {}};
  std::vector<uint64_t> hashes;
  for (const TestRow& row : rows_) {
    column.values.push_back(get(row));
    store::HashTokens(column.values.back().text, hashes);
  }
  column.tokens = {hashes.begin(), hashes.end()};
  columns_.push_back(std::move(column));
}

bool MemoryBlock::MayContainTokens(int column, std::span<const uint64_t> hashes) const {
  if (!options_.filters) return true;
  return std::all_of(hashes.begin(), hashes.end(), [&](uint64_t hash) {
    if (column >= 0) return columns_[static_cast<size_t>(column)].tokens.contains(hash);
    return std::any_of(columns_.begin(), columns_.end(), [&](const ColumnData& data) {
      return data.kind != ColumnKind::kResource && data.tokens.contains(hash);
    });
  });
}

bool MemoryBlock::MayEqual(int column, std::string_view value) const {
  if (!options_.filters) return true;
  const std::vector<TestValue>& values = columns_[static_cast<size_t>(column)].values;
  return std::any_of(values.begin(), values.end(), [&](const TestValue& v) {
    return v.kind != ValueKind::kMissing && v.text == value;
  });
}

bool MemoryBlock::MayHold(int column, const std::function<bool(const Value&)>& matches) const {
  if (!options_.filters) return true;
  const std::vector<TestValue>& values = columns_[static_cast<size_t>(column)].values;
  return std::any_of(values.begin(), values.end(),
                     [&](const TestValue& v) { return matches(v.view()); });
}

Status MemoryBlock::DecodeTimes(std::vector<UnixNanos>& times) const {
  times.clear();
  for (const TestRow& row : rows_) times.push_back(row.time);
  return OkStatus();
}

Status MemoryBlock::DecodeColumn(int index, store::DecodedColumn& out) const {
  const ColumnData& column = columns_[static_cast<size_t>(index)];
  if (column.kind == ColumnKind::kBody) {
    if (options_.corrupt) return DataLossError("test segment: the body is corrupt at byte 17");
    if (options_.on_decode_body) options_.on_decode_body();
  }
  const std::set<TestValue> different(column.values.begin(), column.values.end());
  if (different.size() > 1 && different.size() > options_.dictionary_max) {
    FillPlain(column, out);
    return OkStatus();
  }
  out.column.form =
      different.size() == 1 ? TextColumn::Form::kConstant : TextColumn::Form::kDictionary;
  out.ids.clear();
  std::map<TestValue, uint16_t> ids;
  for (const TestValue& value : column.values) {
    const auto [it, fresh] = ids.try_emplace(value, static_cast<uint16_t>(ids.size()));
    if (fresh) out.column.dictionary.push_back(value.view());
    out.ids.push_back(it->second);
  }
  out.column.ids = out.ids;
  return OkStatus();
}

void MemoryBlock::FillPlain(const ColumnData& column, store::DecodedColumn& out) {
  out.column.form = TextColumn::Form::kPlain;
  out.data.clear();
  out.kinds.clear();
  out.offsets.assign(1, 0);
  bool all_strings = true;
  for (const TestValue& value : column.values) {
    out.data.insert(out.data.end(), value.text.begin(), value.text.end());
    out.offsets.push_back(static_cast<uint32_t>(out.data.size()));
    out.kinds.push_back(static_cast<uint8_t>(value.kind));
    all_strings = all_strings && value.kind == ValueKind::kString;
  }
  out.column.data = {out.data.data(), out.data.size()};
  out.column.offsets = out.offsets;
  if (!all_strings) out.column.kinds = out.kinds;
}

Status MemoryBlock::DecodeOrigins(store::DecodedOrigins& out) const {
  out.ids.clear();
  out.rows.clear();
  out.offsets.clear();
  for (const TestRow& row : rows_) {
    const auto it = std::find(out.ids.begin(), out.ids.end(), row.origin);
    out.rows.push_back(static_cast<uint16_t>(it - out.ids.begin()));
    if (it == out.ids.end()) out.ids.push_back(row.origin);
    out.offsets.push_back(row.offset);
  }
  out.column = {out.ids, {}, out.offsets};
  if (out.ids.size() > 1) out.column.rows = out.rows;
  return OkStatus();
}

MemorySnapshot& MemorySnapshot::Add(std::vector<TestRow> rows, BlockOptions options) {
  if (rows.empty()) return *this;
  blocks_.push_back(std::make_shared<MemoryBlock>(std::move(rows), std::move(options)));
  std::stable_sort(blocks_.begin(), blocks_.end(),
                   [](const auto& a, const auto& b) { return a->time_max() > b->time_max(); });
  return *this;
}

// --- PlainMatches ---

namespace {

std::vector<std::string> TokensOf(std::string_view text) {
  std::vector<store::Token> tokens;
  store::Tokenize(text, tokens);
  std::vector<std::string> out;
  for (const store::Token& token : tokens) {
    std::string lower(text.substr(token.begin, token.end - token.begin));
    for (char& c : lower) c = FoldAscii(c);
    out.push_back(lower);
  }
  return out;
}

// '*' in the pattern stands for any bytes.
bool GlobMatches(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] != '*') {
    return !text.empty() && text[0] == pattern[0] && GlobMatches(pattern.substr(1), text.substr(1));
  }
  for (size_t i = 0; i <= text.size(); ++i) {
    if (GlobMatches(pattern.substr(1), text.substr(i))) return true;
  }
  return false;
}

// A word or phrase as patterns of tokens; an empty one stands for any tokens.
std::vector<std::string> PlainPatterns(std::string_view word, bool stars) {
  std::string text(word);
  for (size_t i = 0; stars && i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (text[i] == '*') {
      text[i] = '\x01';
    }
  }
  std::vector<store::Token> tokens;
  store::Tokenize(text, tokens);
  std::vector<std::string> out;
  const auto is_single = [](const std::string& token) {
    return TokensOf(token + token).size() == 2;
  };
  std::string last;     // the token before, as it is
  size_t last_end = 0;  // of the token before
  for (const store::Token& token : tokens) {
    const std::string own = TokensOf(text.substr(token.begin, token.end - token.begin))[0];
    if (IsPunctuation(own)) continue;
    const std::string between = text.substr(last_end, token.begin - last_end);
    const bool only_stars =
        !between.empty() && between.find_first_not_of('\x01') == std::string::npos;
    const bool same_class = !last.empty() && (static_cast<unsigned char>(last[0]) < 0x80) ==
                                                 (static_cast<unsigned char>(own[0]) < 0x80);
    const bool join = only_stars && same_class && !is_single(own) && !is_single(last);
    last_end = token.end;
    if (join) {
      out.back() += "*" + own;
      last = own;
      continue;
    }
    const bool left = !between.empty() && between.front() == '\x01' && !out.empty();
    const bool right = !between.empty() && between.back() == '\x01';
    const std::string inner =
        only_stars ? ""
                   : between.substr(between.find_first_not_of('\x01') == std::string::npos
                                        ? between.size()
                                        : between.find_first_not_of('\x01'));
    const size_t inner_end = inner.find_last_not_of('\x01');
    const bool alone = inner_end != std::string::npos &&
                       inner.substr(0, inner_end + 1).find('\x01') != std::string::npos;
    if (left && !is_single(last)) out.back() += "*";
    if (!out.empty() && (alone || (only_stars && left && right))) out.push_back("");
    out.push_back((right && !is_single(own) ? "*" : "") + own);
    if (IsUnspaced(own)) out.back() = "*" + own + "*";
    last = own;
  }
  if (last_end < text.size() && text[last_end] == '\x01' && !is_single(last)) out.back() += "*";
  return out;
}

bool PlainFits(std::span<const std::string> patterns, std::span<const std::string> tokens) {
  if (patterns.empty()) return true;
  if (patterns[0].empty()) {
    return PlainFits(patterns.subspan(1), tokens) ||
           (!tokens.empty() && PlainFits(patterns, tokens.subspan(1)));
  }
  return !tokens.empty() && GlobMatches(patterns[0], tokens[0]) &&
         PlainFits(patterns.subspan(1), tokens.subspan(1));
}

bool PlainHasTokens(std::string_view text, std::string_view word, bool stars) {
  std::vector<std::string> have = TokensOf(text);
  std::erase_if(have, [](const std::string& token) { return IsPunctuation(token); });
  const std::vector<std::string> want = PlainPatterns(word, stars);
  for (size_t at = 0; at <= have.size(); ++at) {
    if (PlainFits(want, std::span<const std::string>(have).subspan(at))) return true;
  }
  return false;
}

bool IsPlainNumber(std::string_view text) {
  size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  size_t digits = 0;
  const auto take_digits = [&] {
    for (; i < text.size() && text[i] >= '0' && text[i] <= '9'; ++i) ++digits;
  };
  take_digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    take_digits();
  }
  if (digits == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '-' || text[i] == '+')) ++i;
    digits = 0;
    take_digits();
    if (digits == 0) return false;
  }
  return i == text.size();
}

// Whether the number has digits only and fits into 64 bits.
bool IsPlainWhole(const std::string& text, long long& out) {
  if (text.find_first_of(".eE") != std::string::npos) return false;
  errno = 0;
  out = std::strtoll(text.c_str(), nullptr, 10);
  return errno == 0;
}

// 32 hexadecimal digits of the address; empty when the text is none. A port may follow.
std::string PlainIp(std::string text, bool port) {
  unsigned char bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool v6 = inet_pton(AF_INET6, text.c_str(), bytes) == 1;
  if (!v6 && inet_pton(AF_INET, text.c_str(), bytes + 12) != 1) {
    const size_t colon = text.rfind(':');
    if (!port || colon == std::string::npos || text.size() - colon > 6 || text.size() - colon < 2 ||
        text.find_first_not_of("0123456789", colon + 1) != std::string::npos ||
        std::atoi(text.c_str() + colon + 1) > 65535) {
      return "";
    }
    text.resize(colon);
    if (text.starts_with('[') && text.ends_with(']')) {
      text = text.substr(1, text.size() - 2);
    } else if (text.find(':') != std::string::npos) {
      return "";
    }
    return PlainIp(text, false);
  }
  std::string out;
  for (const unsigned char byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

bool PlainInNet(const std::string& text, const std::string& net) {
  const std::string address = PlainIp(text, true);
  const size_t slash = net.find('/');
  const std::string first = PlainIp(net.substr(0, slash), false);
  int bits = slash == std::string::npos ? 128 : std::atoi(net.c_str() + slash + 1);
  if (slash != std::string::npos && net.find(':') == std::string::npos) bits += 96;
  if (address.empty() || first.empty()) return false;
  for (int i = 0; i < bits; ++i) {
    const auto bit = [i](const std::string& hex) {
      return std::stoi(hex.substr(static_cast<size_t>(i / 4), 1), nullptr, 16) >> (3 - i % 4) & 1;
    };
    if (bit(address) != bit(first)) return false;
  }
  return true;
}

int PlainCompare(const std::string& value, const std::string& bound) {
  if (IsPlainNumber(value) && IsPlainNumber(bound)) {
    long long whole_a = 0, whole_b = 0;
    if (IsPlainWhole(value, whole_a) && IsPlainWhole(bound, whole_b)) {
      return whole_a < whole_b ? -1 : whole_a > whole_b ? 1 : 0;
    }
    const double a = std::strtod(value.c_str(), nullptr), b = std::strtod(bound.c_str(), nullptr);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  const std::string ip = PlainIp(value, true), bound_ip = PlainIp(bound, false);
  if (!ip.empty() && !bound_ip.empty()) return ip.compare(bound_ip);
  return value.compare(bound);
}

bool PlainEqual(const std::string& value, const std::string& wanted) {
  if (value == wanted) return true;
  if (IsPlainNumber(value) && IsPlainNumber(wanted)) {
    long long a = 0, b = 0;
    const bool whole = IsPlainWhole(value, a) && IsPlainWhole(wanted, b);
    const bool small = std::abs(std::strtod(value.c_str(), nullptr)) < 9007199254740992.0;
    return (whole || small) && PlainCompare(value, wanted) == 0;
  }
  return wanted.find(':') != std::string::npos && !PlainIp(wanted, false).empty() &&
         PlainIp(value, false) == PlainIp(wanted, false);
}

bool PlainValueMatches(const Term& term, const TestValue& value) {
  switch (term.kind) {
    case Term::Kind::kTokens:
      return PlainHasTokens(value.text, term.text, term.stars);
    case Term::Kind::kRegex:
      return RegexRun().Matches(*term.regex, value.text);
    case Term::Kind::kEqual:
      return PlainEqual(value.text, term.text);
    case Term::Kind::kNet:
      return PlainInNet(value.text, term.text);
    case Term::Kind::kPresent:
      return true;
    case Term::Kind::kRange:
      break;
  }
  const auto no_address = [](const std::optional<Bound>& bound) {
    return bound && PlainIp(bound->text, false).empty();
  };
  if (PlainIp(value.text, true).empty() && !no_address(term.low) && !no_address(term.high)) {
    return false;
  }
  if (term.low) {
    const int order = PlainCompare(value.text, term.low->text);
    if (order < 0 || (order == 0 && !term.low->inclusive)) return false;
  }
  if (term.high) {
    const int order = PlainCompare(value.text, term.high->text);
    if (order > 0 || (order == 0 && !term.high->inclusive)) return false;
  }
  return true;
}

// All that `path` reaches, by a library's reading of the JSON.
void PlainReach(simdjson::dom::element json, const std::string& path, std::vector<TestValue>& out) {
  if (json.is_array()) {
    for (const simdjson::dom::element item : simdjson::dom::array(json)) {
      PlainReach(item, path, out);
    }
  }
  if (!json.is_object()) return;
  for (const auto [name, value] : simdjson::dom::object(json)) {
    const std::string key(name);
    if (key == path) {
      out.push_back(value.is_string() ? Text(std::string_view(value))
                                      : Json(simdjson::minify(value)));
    } else if (path.starts_with(key + ".")) {
      PlainReach(value, path.substr(key.size() + 1), out);
    }
  }
}

std::vector<TestValue> PlainInside(const TestValue& value, const std::string& path) {
  std::vector<TestValue> out;
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (value.kind == ValueKind::kJson && parser.parse(value.text).get(json) == simdjson::SUCCESS) {
    PlainReach(json, path, out);
  }
  return out;
}

bool PlainTermMatches(const Term& term, const TestRow& row) {
  std::vector<std::pair<std::string, TestValue>> all{{"body", row.body}};
  all.insert(all.end(), row.fields.begin(), row.fields.end());
  std::vector<TestValue> asked;
  if (term.field.empty()) {
    for (const auto& [name, value] : all) asked.push_back(value);
  } else {
    const size_t fields = all.size();
    all.insert(all.end(), row.resource.begin(), row.resource.end());
    for (const auto& [name, value] : all) {
      if (name == term.field) asked.push_back(value);
    }
    std::erase_if(asked, [](const TestValue& v) { return v.kind == ValueKind::kMissing; });
    if (asked.empty()) {
      for (size_t i = 0; i < all.size(); ++i) {
        const auto& [name, value] = all[i];
        if (name.ends_with("." + term.field)) asked.push_back(value);
        if (i >= fields || !term.field.starts_with(name + ".")) continue;
        const auto inside = PlainInside(value, term.field.substr(name.size() + 1));
        asked.insert(asked.end(), inside.begin(), inside.end());
      }
    }
  }
  return std::any_of(asked.begin(), asked.end(), [&](const TestValue& value) {
    return value.kind != ValueKind::kMissing && PlainValueMatches(term, value);
  });
}

bool PlainNodeMatches(const Tree& tree, const Node& node, const TestRow& row) {
  const auto child_matches = [&](const Node& child) { return PlainNodeMatches(tree, child, row); };
  switch (node.kind) {
    case Node::Kind::kEverything:
      return true;
    case Node::Kind::kNothing:
      return false;
    case Node::Kind::kNot:
      return !child_matches(node.children[0]);
    case Node::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), child_matches);
    case Node::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), child_matches);
    case Node::Kind::kTerm:
      return PlainTermMatches(tree.terms[node.term], row) != node.negated;
  }
  return false;
}

void SortFields(std::vector<Field>& fields) {
  std::sort(fields.begin(), fields.end(),
            [](const Field& a, const Field& b) { return a.name < b.name; });
}

}  // namespace

bool PlainMatches(const Tree& tree, const TestRow& row) {
  return PlainNodeMatches(tree, tree.root, row);
}

// --- rows ---

std::string JsonOf(const TestRow& row) {
  Row out;
  out.time = row.time;
  out.body = row.body.text;
  for (const auto& [name, value] : row.fields) {
    if (value.kind != ValueKind::kMissing) out.fields.push_back({name, value.text, value.kind});
  }
  for (const auto& [name, value] : row.resource) {
    if (value.kind != ValueKind::kMissing) out.resource.push_back({name, value.text, value.kind});
  }
  out.origin = row.origin;
  out.offset = row.offset;
  return JsonOf(std::move(out));
}

std::string JsonOf(Row row) {
  SortFields(row.fields);
  SortFields(row.resource);
  std::string out;
  PrintRowJson(row, out);
  return out;
}

BatchPtr BatchOf(const TestRow& row) {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = row.origin;
  batch->Allocate(1);  // so that empty texts have an address
  batch->AddRow(batch->Copy(row.body.text), row.offset, row.offset + 1, row.time);
  if (row.body.kind == ValueKind::kMissing) batch->body().Set(0, Value());
  for (const auto& [name, value] : row.fields) {
    Value copy = value.view();
    copy.data = batch->Copy(value.text).data();
    batch->AddColumn(name).Set(0, copy);
  }
  std::vector<Resource::Tag> tags;
  for (const auto& [name, value] : row.resource) {
    if (value.kind != ValueKind::kMissing) tags.emplace_back(name, value.text);
  }
  batch->set_resource(std::make_shared<const Resource>(std::move(tags)));
  return batch;
}

// --- chance ---

uint64_t Chance::Below(uint64_t n) {
  // splitmix64
  uint64_t z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return (z ^ (z >> 31)) % n;
}

namespace {

constexpr std::array<std::string_view, 28> kWords = {
    "error", "ERROR", "timeout", "time",     "out",        "kelp", "a",
    "b7",    "x_1",   "200",     "-3",       "3.5",        "1e2",  "中",
    "文",    "über",  "é",       "read",     "read-only",  "k",    "10",
    "9",     "10.0",  "2e2",     "10.1.2.3", "10.200.0.9", "ไทย",  "ไทยคำ"};
constexpr std::array<std::string_view, 14> kSeparators = {" ",  " ", "-", ".",  "/",    "=",  ":",
                                                          ", ", "",  "[", "\"", "\xff", "，", "。"};
constexpr std::array<std::string_view, 6> kFieldNames = {"level",    "http.code", "code",
                                                         "app.name", "name",      "msg"};
constexpr std::array<std::string_view, 4> kTagNames = {"k8s.pod.name", "pod.name", "level", "host"};
constexpr std::array<std::string_view, 16> kPatterns = {
    "time",  "time.?out", "^error", "only$",   "[0-9]+",  "(?i)ERROR", "read.only", "a|b",
    "x_\\d", " time ",    "-read-", "(kelp)+", "er{2}or", "^$",        "中.",       "(?i)k"};

template <size_t N>
std::string_view Pick(Chance& chance, const std::array<std::string_view, N>& from) {
  return from[chance.Below(N)];
}

// {"code":…,"app":{"name":…},"list":[{"name":…}]} with some of it left out.
std::string RandomObject(Chance& chance) {
  const auto leaf = [&]() -> std::string {
    static constexpr std::array<std::string_view, 8> kLeaves = {
        "200", "3.5", "null", "true", R"("error\ttime")", R"("\u4e2d out")", "[1,2]", R"("kelp")"};
    return std::string(Pick(chance, kLeaves));
  };
  std::string out = "{\"code\":" + leaf();
  if (chance.OneIn(2)) out += ",\"app\":{\"name\":" + leaf() + "}";
  if (chance.OneIn(3)) out += ",\"app.name\":" + leaf();
  if (chance.OneIn(3)) out += ",\"list\":[{\"name\":" + leaf() + "},7]";
  return out + "}";
}

TestValue RandomValue(Chance& chance) {
  if (chance.OneIn(6)) return TestValue();
  if (chance.OneIn(8)) return Json(RandomObject(chance));
  std::string text;
  for (uint64_t i = chance.Below(5); i > 0; --i) {
    text += Pick(chance, kWords);
    text += Pick(chance, kSeparators);
  }
  if (chance.OneIn(3)) text = Pick(chance, kWords);
  return chance.OneIn(4) ? Json(text) : Text(text);
}

std::string RandomOperand(Chance& chance) {
  return chance.OneIn(3) ? "\"" + std::string(Pick(chance, kWords)) + "\""
                         : std::string(Pick(chance, kWords));
}

std::string RandomValueQuery(Chance& chance) {
  switch (chance.Below(8)) {
    case 5:
      return "*" + std::string(Pick(chance, kWords)) + (chance.OneIn(2) ? "*" : "");
    case 6: {
      const std::string star = chance.OneIn(2) ? "*" : chance.OneIn(2) ? " * " : "* ";
      return "\"" + std::string(Pick(chance, kWords)) + star + std::string(Pick(chance, kWords)) +
             "\"";
    }
    case 0:
      return std::string(Pick(chance, kWords)) + "*";
    case 1:
      return "\"" + std::string(Pick(chance, kWords)) + " " + std::string(Pick(chance, kWords)) +
             "\"";
    case 2:
      return "/" + std::string(Pick(chance, kPatterns)) + "/";
    default:
      return std::string(Pick(chance, kWords));
  }
}

std::string RandomTerm(Chance& chance) {
  if (chance.OneIn(3)) {
    std::string value = RandomValueQuery(chance);
    return value[0] == '-' ? "\"" + value.substr(0, 2) + "\"" : value;
  }
  static constexpr std::array<std::string_view, 9> kMoreNames = {
      "pod.name",     "body",     "host",          "k8s.pod.name", "absent",
      "msg.app.name", "msg.code", "msg.list.name", "level.code"};
  std::string out(chance.OneIn(2) ? Pick(chance, kFieldNames) : Pick(chance, kMoreNames));
  out += ':';
  static constexpr std::array<std::string_view, 5> kOperators = {"=", "<", "<=", ">", ">="};
  switch (chance.Below(6)) {
    case 0:
      return out + "*";
    case 5:
      return out + (chance.OneIn(2)   ? "10.0.0.0/8"
                    : chance.OneIn(2) ? "[10.1.0.0 TO 10.1.9.9]"
                                      : "=10.0");
    case 1:
      return out + std::string(Pick(chance, kOperators)) + RandomOperand(chance);
    case 2:
      return out + (chance.OneIn(2) ? "[" : "{") + (chance.OneIn(4) ? "*" : RandomOperand(chance)) +
             " TO " + (chance.OneIn(4) ? "*" : RandomOperand(chance)) +
             (chance.OneIn(2) ? "]" : "}");
    default:
      return out + RandomValueQuery(chance);
  }
}

}  // namespace

TestRow RandomRow(Chance& chance) {
  TestRow row;
  row.time = static_cast<UnixNanos>(chance.Below(40)) - 10;
  row.body = RandomValue(chance);
  for (const std::string_view name : kFieldNames) {
    if (chance.OneIn(3)) row.fields[std::string(name)] = RandomValue(chance);
  }
  for (const std::string_view name : kTagNames) {
    if (!chance.OneIn(3)) continue;
    TestValue value = RandomValue(chance);
    if (value.kind == ValueKind::kJson) value.kind = ValueKind::kString;
    row.resource[std::string(name)] = value;
  }
  row.origin = chance.OneIn(3) ? OriginId() : OriginId{1, chance.Below(3)};
  row.offset = row.origin.empty() ? 0 : chance.Below(20);
  return row;
}

std::string RandomQuery(Chance& chance, int depth) {
  if (depth == 0 || chance.OneIn(3)) {
    return chance.OneIn(12) ? std::string("*") : RandomTerm(chance);
  }
  std::string out;
  const bool is_and = chance.OneIn(2);
  for (uint64_t i = 1 + chance.Below(3); i > 0; --i) {
    if (!out.empty()) out += is_and ? (chance.OneIn(2) ? " AND " : " ") : " OR ";
    if (chance.OneIn(4)) out += chance.OneIn(2) ? "NOT " : "-";
    const std::string part = RandomQuery(chance, depth - 1);
    out += chance.OneIn(2) ? "(" + part + ")" : part;
  }
  return out;
}

}  // namespace kelp::query::testing
