#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "base/log.h"
#include "store/bytes.h"
#include "store/frame_codec.h"
#include "store/segment.h"
#include "store/token_filter.h"
#include "store/tokens.h"

namespace kelp::store {

// The entry in the form that readers need; made when a search first looks at the block.
struct SegmentBlock::Details {
  BlockEntry entry;
  std::vector<ColumnInfo> columns;     // fields as in `entry`, then tags
  std::vector<std::string_view> tags;  // keys of the resource columns
};

namespace {

// The value of a tag in a tag set; false when there is none.
bool FindTag(const TagViews& tags, std::string_view key, std::string_view& value) {
  for (const auto& [k, v] : tags) {
    if (k == key) {
      value = v;
      return true;
    }
  }
  return false;
}

ColumnInfo DescribeTag(const BlockEntry& entry, std::string_view key) {
  ColumnInfo info{key, ColumnKind::kResource};
  std::string_view first;
  info.constant = FindTag(entry.resources[0], key, first);
  for (const TagViews& tags : entry.resources) {
    std::string_view value;
    info.constant = info.constant && FindTag(tags, key, value) && value == first;
  }
  if (info.constant) info.value = Value::String(first);
  return info;
}

// True when `text` holds all the tokens.
bool HoldsTokens(std::string_view text, std::span<const uint64_t> hashes) {
  thread_local std::vector<uint64_t> found;
  found.clear();
  HashTokens(text, found);
  return std::all_of(hashes.begin(), hashes.end(), [&](uint64_t hash) {
    return std::find(found.begin(), found.end(), hash) != found.end();
  });
}

}  // namespace

SegmentBlock::SegmentBlock(const Segment& segment, std::string_view entry, uint64_t data_at,
                           uint64_t filter_at, const BlockEntry& summary)
    : segment_(segment),
      entry_(entry),
      data_at_(data_at),
      filter_at_(filter_at),
      data_bytes_(summary.data_bytes),
      raw_bytes_(summary.raw_bytes),
      time_min_(summary.time_min),
      time_max_(summary.time_max),
      rows_(summary.rows),
      filter_lines_(summary.filter_lines) {}

SegmentBlock::~SegmentBlock() { delete details_.load(std::memory_order_relaxed); }

const SegmentBlock::Details& SegmentBlock::details() const {
  if (const Details* known = details_.load(std::memory_order_acquire)) return *known;
  auto made = std::make_unique<Details>();
  CHECK(segment_.ParseEntry(entry_, made->entry), "an entry that was read before");
  for (const ColumnEntry& column : made->entry.columns) {
    ColumnInfo info{column.name, made->columns.empty() ? ColumnKind::kBody : ColumnKind::kField};
    info.all_json = column.all_json;
    info.constant = column.form == ColumnForm::kConstant;
    if (info.constant) info.value = column.dictionary[0];
    made->columns.push_back(info);
  }
  std::unordered_set<std::string_view> keys;
  for (const TagViews& tags : made->entry.resources) {
    for (const auto& [key, value] : tags) {
      if (keys.insert(key).second) made->tags.push_back(key);
    }
  }
  for (const std::string_view key : made->tags) {
    made->columns.push_back(DescribeTag(made->entry, key));
  }
  const Details* expected = nullptr;
  if (details_.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) {
    return *made.release();
  }
  return *expected;  // another thread was faster
}

const BlockEntry& SegmentBlock::entry() const { return details().entry; }
std::span<const ColumnInfo> SegmentBlock::columns() const { return details().columns; }

std::string_view SegmentBlock::data() const {
  return segment_.bytes_.substr(data_at_, data_bytes_);
}
std::string_view SegmentBlock::filter() const {
  return segment_.bytes_.substr(filter_at_, filter_lines_ * kFilterLineBytes);
}

bool SegmentBlock::FilterIsGood() const {
  uint8_t state = filter_state_.load(std::memory_order_relaxed);
  if (state == kUnknown) {
    state = Checksum(filter()) == entry().filter_checksum ? kGood : kBad;
    if (state == kBad) {
      LOG_RATE(10s, kError,
               "{} at offset {}: the checksum of a token filter is wrong; it is not used",
               segment_.path(), filter_at_);
    }
    filter_state_.store(state, std::memory_order_relaxed);
  }
  return state == kGood;
}

bool SegmentBlock::MayContainTokens(int column, std::span<const uint64_t> hashes) const {
  if (hashes.empty()) return true;
  if (column >= 0) {
    const Details& d = details();
    const size_t at = static_cast<size_t>(column);
    if (at >= d.entry.columns.size()) {
      const std::string_view key = d.tags[at - d.entry.columns.size()];
      return std::any_of(d.entry.resources.begin(), d.entry.resources.end(), [&](const auto& tags) {
        std::string_view value;
        return FindTag(tags, key, value) && HoldsTokens(value, hashes);
      });
    }
    const ColumnEntry& c = d.entry.columns[at];
    if (c.form != ColumnForm::kPlain) {
      return std::any_of(c.dictionary.begin(), c.dictionary.end(),
                         [&](const Value& value) { return HoldsTokens(value.text(), hashes); });
    }
  }
  return !FilterIsGood() || FilterMayContain(filter(), hashes);
}

bool SegmentBlock::MayEqual(int column, std::string_view value) const {
  const Details& d = details();
  const size_t at = static_cast<size_t>(column);
  if (at >= d.entry.columns.size()) {
    const std::string_view key = d.tags[at - d.entry.columns.size()];
    return std::any_of(d.entry.resources.begin(), d.entry.resources.end(), [&](const auto& tags) {
      std::string_view found;
      return FindTag(tags, key, found) && found == value;
    });
  }
  const ColumnEntry& c = d.entry.columns[at];
  if (c.form == ColumnForm::kPlain) return true;
  return std::any_of(c.dictionary.begin(), c.dictionary.end(),
                     [&](const Value& v) { return !v.missing() && v.text() == value; });
}

bool SegmentBlock::MayHold(int column, const std::function<bool(const Value&)>& matches) const {
  const Details& d = details();
  const size_t at = static_cast<size_t>(column);
  if (at < d.entry.columns.size()) {
    const ColumnEntry& c = d.entry.columns[at];
    return c.form == ColumnForm::kPlain ||
           std::any_of(c.dictionary.begin(), c.dictionary.end(), matches);
  }
  const std::string_view key = d.tags[at - d.entry.columns.size()];
  return std::any_of(d.entry.resources.begin(), d.entry.resources.end(), [&](const auto& tags) {
    std::string_view value;
    return FindTag(tags, key, value) && matches(Value::String(value));
  });
}

uint64_t SegmentBlock::segment() const { return segment_.id(); }

Status SegmentBlock::Corrupt(const FrameRef& frame, std::string_view what) const {
  return DataLossError(fmt::format("{} is corrupt at offset {}: {}", segment_.path(),
                                   data_at_ + frame.offset, what));
}

Result<std::string_view> SegmentBlock::Frame(const FrameRef& frame, std::string_view what) const {
  const std::string_view bytes = data().substr(frame.offset, frame.size);
  if (Checksum(bytes) == frame.checksum) return bytes;
  return Corrupt(frame, fmt::format("the checksum of the {} frame is wrong", what));
}

Status SegmentBlock::DecodeTimes(std::vector<UnixNanos>& times) const {
  const FrameRef& frame = entry().times;
  ASSIGN_OR_RETURN(const std::string_view bytes, Frame(frame, "times"));
  times.resize(rows_);
  if (!store::DecodeTimes(bytes, rows_, times.data())) {
    return Corrupt(frame, "the times make no sense");
  }
  return OkStatus();
}

Status SegmentBlock::DecodeRuns(BlockRuns& runs) const {
  const FrameRef& frame = entry().runs;
  const Status corrupt = Corrupt(frame, "the runs make no sense");
  ASSIGN_OR_RETURN(const std::string_view bytes, Frame(frame, "runs"));
  // Each row may be a run of its own and have an origin of its own.
  constexpr uint64_t kRowBytesMax = 64;
  size_t size = 0;
  if (!UnpackedSize(bytes, rows_ * kRowBytesMax + kRowBytesMax, size)) return corrupt;
  std::string raw(size, '\0');
  if (!Unpack(bytes, raw.data())) return corrupt;
  ByteReader in(raw);
  const uint64_t origins = in.Varint(rows_);
  runs.origins.clear();
  for (uint64_t i = 0; i < origins; ++i) {
    const uint64_t high = in.U64();
    runs.origins.push_back({high, in.U64()});
  }
  const uint64_t count = in.Varint(rows_);
  runs.runs.clear();
  uint64_t rows = 0;
  for (uint64_t i = 0; i < count; ++i) {
    BlockRun run;
    run.resource = static_cast<uint32_t>(in.Varint(entry().resources.size() - 1));
    run.origin = static_cast<uint32_t>(in.Varint(UINT16_MAX));
    run.rows = static_cast<uint32_t>(in.Varint(rows_));
    run.offset = in.Varint();
    if (run.origin >= origins || run.rows == 0) return corrupt;
    rows += run.rows;
    runs.runs.push_back(run);
  }
  return in.ok() && in.left() == 0 && rows == rows_ ? OkStatus() : corrupt;
}

Status SegmentBlock::DecodeOrigins(DecodedOrigins& out) const {
  BlockRuns runs;
  RETURN_IF_ERROR(DecodeRuns(runs));
  const FrameRef& frame = entry().offsets;
  ASSIGN_OR_RETURN(const std::string_view bytes, Frame(frame, "offsets"));
  const Status corrupt = Corrupt(frame, "the offsets make no sense");
  out.offsets.resize(rows_);
  if (bytes.empty() || !DecodeStream(bytes.substr(1), rows_, out.offsets.data())) return corrupt;
  std::vector<uint32_t> bodies(rows_, 0);
  if (bytes[0] == 1) {
    const ColumnEntry& body = entry().columns[0];
    ASSIGN_OR_RETURN(const std::string_view sizes, Frame(body.sizes, body.name));
    if (!DecodeStream(sizes, rows_, bodies.data())) {
      return Corrupt(body.sizes, "the sizes of a column make no sense");
    }
  } else if (bytes[0] != 0) {
    return corrupt;
  }
  out.ids = std::move(runs.origins);
  out.rows.clear();
  size_t row = 0;
  for (const BlockRun& run : runs.runs) {
    uint64_t offset = run.offset;
    for (uint32_t i = 0; i < run.rows; ++i, ++row) {
      const auto distance = static_cast<uint64_t>(Unzigzag(out.offsets[row]));
      if (i != 0) offset += distance + bodies[row - 1];
      out.offsets[row] = offset;
    }
    if (out.ids.size() > 1) {
      out.rows.insert(out.rows.end(), run.rows, static_cast<uint16_t>(run.origin));
    }
  }
  out.column = {out.ids, out.rows, out.offsets};
  out.bytes += rows_ * sizeof(uint64_t);
  return OkStatus();
}

Status SegmentBlock::DecodeColumn(int column, DecodedColumn& out) const {
  const BlockEntry& e = entry();
  const size_t at = static_cast<size_t>(column);
  if (at >= e.columns.size()) return DecodeResource(at - e.columns.size(), out);
  const ColumnEntry& c = e.columns[at];
  switch (c.form) {
    case ColumnForm::kConstant:
      out.column.form = TextColumn::Form::kConstant;
      out.column.dictionary = c.dictionary;
      return OkStatus();
    case ColumnForm::kDictionary:
      return DecodeDictionary(c, out);
    case ColumnForm::kPlain:
      break;
  }
  return DecodePlain(c, out);
}

Status SegmentBlock::DecodeResource(size_t tag, DecodedColumn& out) const {
  const Details& d = details();
  const ColumnInfo& info = d.columns[d.entry.columns.size() + tag];
  if (info.constant) {
    out.column.form = TextColumn::Form::kConstant;
    out.column.dictionary.assign(1, info.value);
    return OkStatus();
  }
  // One entry a value, so that a search looks at each once; entry 0 is "missing".
  out.column.form = TextColumn::Form::kDictionary;
  out.column.dictionary.assign(1, Value());
  std::unordered_map<std::string_view, uint16_t> numbers;
  std::vector<uint16_t> of_resource;
  for (const TagViews& tags : d.entry.resources) {
    std::string_view value;
    uint16_t number = 0;
    if (FindTag(tags, info.name, value)) {
      const auto [it, fresh] =
          numbers.try_emplace(value, static_cast<uint16_t>(out.column.dictionary.size()));
      if (fresh) out.column.dictionary.push_back(Value::String(value));
      number = it->second;
    }
    of_resource.push_back(number);
  }
  BlockRuns runs;
  RETURN_IF_ERROR(DecodeRuns(runs));
  out.ids.resize(std::max<size_t>(out.ids.size(), rows_));
  uint16_t* next = out.ids.data();
  for (const BlockRun& run : runs.runs)
    next = std::fill_n(next, run.rows, of_resource[run.resource]);
  out.column.ids = std::span(out.ids).first(rows_);
  out.bytes += rows_ * sizeof(uint16_t);
  return OkStatus();
}

Status SegmentBlock::DecodeDictionary(const ColumnEntry& column, DecodedColumn& out) const {
  ASSIGN_OR_RETURN(const std::string_view bytes, Frame(column.ids, column.name));
  out.column.form = TextColumn::Form::kDictionary;
  out.column.dictionary = column.dictionary;
  out.ids.resize(std::max<size_t>(out.ids.size(), rows_));
  if (!DecodeStream(bytes, rows_, out.ids.data())) {
    return Corrupt(column.ids, "the numbers of a dictionary column make no sense");
  }
  const uint16_t highest = *std::max_element(out.ids.begin(), out.ids.begin() + rows_);
  if (highest >= column.dictionary.size()) {
    return Corrupt(column.ids, "a dictionary column names a value that it does not have");
  }
  out.column.ids = std::span(out.ids).first(rows_);
  out.bytes += rows_ * sizeof(uint16_t);
  return OkStatus();
}

Status SegmentBlock::DecodePlain(const ColumnEntry& column, DecodedColumn& out) const {
  ASSIGN_OR_RETURN(const std::string_view sizes, Frame(column.sizes, column.name));
  ASSIGN_OR_RETURN(const std::string_view packed, Frame(column.data, column.name));
  size_t size = 0;
  if (!UnpackedSize(packed, raw_bytes_, size)) {
    return Corrupt(column.data, "a column is larger than its block");
  }
  out.offsets.resize(std::max<size_t>(out.offsets.size(), rows_ + size_t{1}));
  out.data.resize(std::max(out.data.size(), size + kBufferPadding));
  if (!DecodeStream(sizes, rows_, out.offsets.data() + 1)) {
    return Corrupt(column.sizes, "the sizes of a column make no sense");
  }
  out.offsets[0] = 0;
  uint64_t end = 0;
  for (uint32_t row = 1; row <= rows_; ++row) {
    end += out.offsets[row];
    out.offsets[row] = static_cast<uint32_t>(end);
  }
  if (end != size || !Unpack(packed, out.data.data())) {
    return Corrupt(column.data, "the values of a column make no sense");
  }
  out.column.form = TextColumn::Form::kPlain;
  out.column.data = {out.data.data(), size};
  out.column.offsets = std::span(out.offsets).first(rows_ + size_t{1});
  out.bytes += size + rows_ * sizeof(uint32_t);
  return DecodeKinds(column, out);
}

Status SegmentBlock::DecodeKinds(const ColumnEntry& column, DecodedColumn& out) const {
  if (column.kind == static_cast<uint8_t>(ValueKind::kString)) return OkStatus();
  out.kinds.resize(std::max<size_t>(out.kinds.size(), rows_));
  if (column.kind == static_cast<uint8_t>(ValueKind::kJson)) {
    std::fill_n(out.kinds.begin(), rows_, column.kind);
  } else {
    ASSIGN_OR_RETURN(const std::string_view bytes, Frame(column.kinds, column.name));
    if (!DecodeStream(bytes, rows_, out.kinds.data()) ||
        std::any_of(out.kinds.begin(), out.kinds.begin() + rows_,
                    [](uint8_t kind) { return kind > static_cast<uint8_t>(ValueKind::kJson); })) {
      return Corrupt(column.kinds, "the kinds of a column make no sense");
    }
  }
  out.column.kinds = std::span(out.kinds).first(rows_);
  return OkStatus();
}

Status SegmentBlock::VerifyChecksums() const {
  if (!FilterIsGood()) {
    return DataLossError(
        fmt::format("{} is corrupt at offset {}: the checksum of a token filter "
                    "is wrong",
                    segment_.path(), filter_at_));
  }
  const BlockEntry& e = entry();
  RETURN_IF_ERROR(Frame(e.times, "times").status());
  RETURN_IF_ERROR(Frame(e.runs, "runs").status());
  RETURN_IF_ERROR(Frame(e.offsets, "offsets").status());
  for (const ColumnEntry& column : e.columns) {
    for (const FrameRef* frame : {&column.ids, &column.sizes, &column.data, &column.kinds}) {
      // A frame that the form does not have is empty.
      if (frame->size != 0) RETURN_IF_ERROR(Frame(*frame, column.name).status());
    }
  }
  return OkStatus();
}

Status SegmentBlock::Verify() const {
  RETURN_IF_ERROR(VerifyChecksums());
  BlockReader reader;
  reader.Open(*this);
  RETURN_IF_ERROR(reader.Times().status());
  RETURN_IF_ERROR(reader.Origins().status());
  for (size_t c = 0; c < columns().size(); ++c) {
    RETURN_IF_ERROR(reader.Column(static_cast<int>(c)).status());
  }
  return OkStatus();
}

}  // namespace kelp::store
