// Files that container runtimes write: CRI text and Docker's JSON lines.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "codec/cri.h"
#include "codec/docker_json.h"
#include "framing/framing.h"
#include "framing/record_joiner.h"
#include "framing/split_lines.h"

namespace kelp::framing {
namespace {

// Docker's attrs: labels and environment of the container that the log driver was told to add.
constexpr std::string_view kAttrsField = "attrs";
// Runtimes cut what a container writes into pieces of 16 KiB: a smaller limit for joined records
// must still let whole pieces through.
constexpr size_t kPieceBytes = 64u << 10;
// Time, stream and tags in front of a CRI line.
constexpr size_t kCriHeadBytes = 1u << 10;
// JSON writes a byte as up to six ("\u001b"); attrs, stream and time come on top.
constexpr size_t kJsonGrowth = 6;
constexpr size_t kJsonExtraBytes = 64u << 10;
// A record whose pieces are spread over more of the file than this (or four times its limit) is
// given up and sent as it is: it would keep the checkpoint back for ever.
constexpr uint64_t kSpanMin = 4u << 20;
// A piece buffer larger than this is not kept for the next record.
constexpr size_t kKeptCapacity = 64u << 10;

// A record of one stream of which the last piece is not there yet.
struct Pieces {
  bool active = false;
  bool cut = false;
  uint64_t begin = 0;
  uint64_t end = 0;  // of the last piece
  UnixNanos time = kNoTime;
  std::string text;
};

class ContainerCarry final : public Carry {
 public:
  std::array<Pieces, 2> pieces;
  std::array<std::optional<RecordJoiner::Pending>, 2> records;
};

class ContainerDecoder final : public LineDecoder {
 public:
  ContainerDecoder(Format format, size_t record_bytes_max, RulesPtr rules)
      : LineDecoder(PhysicalMax(format, record_bytes_max)),
        record_bytes_max_(record_bytes_max),
        span_max_(std::max<uint64_t>(kSpanMin, 4 * uint64_t{record_bytes_max})),
        format_(format),
        rules_(std::move(rules)) {
    // In a file that two streams share, the ends of lines that lie back are taken by rows of the
    // other stream: lines that a record leaves behind have only one end for all of them.
    if (rules_ == nullptr) return;
    for (auto& joiner : joiners_) joiner.emplace(*rules_, /*lines_apart=*/false);
  }

  size_t Decode(const Chunk& chunk, Batch& batch) override {
    if (rules_ == nullptr) return DecodeLines(chunk, batch);
    auto matchers = rules_->Borrow();
    for (auto& joiner : joiners_) joiner->Use(matchers.get());
    const size_t used = DecodeLines(chunk, batch);
    for (auto& joiner : joiners_) joiner->Hold();
    rules_->GiveBack(std::move(matchers));
    return used;
  }

  void Flush(uint64_t end, Batch& batch) override {
    std::unique_ptr<LineMatchers> matchers;
    if (rules_ != nullptr) {
      matchers = rules_->Borrow();
      for (auto& joiner : joiners_) joiner->Use(matchers.get());
    }
    assigned_ = end;
    line_end_ = UINT64_MAX;
    flushing_ = true;
    GiveUpPieces(batch, UINT64_MAX, /*cut=*/false);
    GiveUpRecords(batch, UINT64_MAX);
    flushing_ = false;
    if (rules_ != nullptr) rules_->GiveBack(std::move(matchers));
  }

  uint64_t pending_begin() const override {
    uint64_t begin = kNothingPending;
    for (const Pieces& pieces : pieces_) {
      if (pieces.active) begin = std::min(begin, pieces.begin);
    }
    for (const auto& joiner : joiners_) {
      if (joiner && joiner->open()) begin = std::min(begin, joiner->begin());
    }
    return begin;
  }

  bool spans_files() const override { return true; }

  std::unique_ptr<Carry> TakePending() override {
    if (pending_begin() == kNothingPending) return nullptr;
    auto carry = std::make_unique<ContainerCarry>();
    carry->pieces = std::exchange(pieces_, {});
    for (size_t i = 0; i < joiners_.size(); ++i) {
      if (joiners_[i] && joiners_[i]->open()) carry->records[i] = joiners_[i]->TakePending();
    }
    NotePending();
    return carry;
  }

  void Adopt(std::unique_ptr<Carry> carry) override {
    if (carry == nullptr) return;
    auto& from = static_cast<ContainerCarry&>(*carry);
    for (size_t i = 0; i < pieces_.size(); ++i) {
      pieces_[i] = std::move(from.pieces[i]);
      pieces_[i].begin = pieces_[i].end = 0;
      if (joiners_[i] && from.records[i]) joiners_[i]->Adopt(std::move(*from.records[i]));
    }
    NotePending();
  }

  void AddFields(Batch& batch) override {
    static const Value kValues[] = {Value::String("stdout"), Value::String("stderr"), Value()};
    if (!streams_.empty()) {
      Value* values = batch.AddColumn(kStreamField).values();
      for (size_t row = 0; row < streams_.size(); ++row) values[row] = kValues[streams_[row]];
      streams_.clear();
    }
    if (!attrs_.empty()) {
      Column& column = batch.AddColumn(kAttrsField);
      for (const auto& [row, text] : attrs_) column.Set(row, Value::Json(text));
      attrs_.clear();
    }
    LineDecoder::AddFields(batch);
  }

 private:
  static constexpr uint8_t kNoStream = 2;

  static size_t PhysicalMax(Format format, size_t record_bytes_max) {
    const size_t piece = std::max(record_bytes_max, kPieceBytes);
    return format == Format::kCri ? piece + kCriHeadBytes : kJsonGrowth * piece + kJsonExtraBytes;
  }

  size_t DecodeLines(const Chunk& chunk, Batch& batch) {
    return Split<ByteUnits>(
        chunk, batch,
        [&](std::string_view line, uint64_t begin, uint64_t end) {
          OnLine(batch, line, begin, end);
          return true;
        },
        [&](std::string_view text, uint64_t begin, uint64_t end) {
          OnCut(batch, text, begin, end);
          return true;
        });
  }

  void OnLine(Batch& batch, std::string_view line, uint64_t begin, uint64_t end) {
    if (format_ == Format::kContainer) [[unlikely]]
      Detect(line);
    if (format_ == Format::kCri) {
      codec::CriLine record;
      if (cri_.Parse(line, record)) [[likely]] {
        if (IsRow(record.partial, record.content)) [[likely]] {
          Add(batch, static_cast<uint8_t>(record.stream), record.content, begin, end, record.time);
          return;
        }
        OnRecord(batch, record.stream, record.partial,
                 {record.content, begin, end, record.time, {}, false, false});
        return;
      }
    } else if (format_ == Format::kDockerJson) {
      codec::DockerLine record;
      if (docker_.Parse(line, batch, record)) [[likely]] {
        if (IsRow(record.partial, record.log) && record.attrs.empty()) [[likely]] {
          Add(batch, static_cast<uint8_t>(record.stream), record.log, begin, end, record.time);
          return;
        }
        OnRecord(batch, record.stream, record.partial,
                 {record.log, begin, end, record.time, record.attrs, false, false});
        return;
      }
    }
    // A shorter line has no room for the ends of what is given up.
    if (end - begin > kRowsPerLineMax) BeginLine(batch, begin, end);
    MarkMalformed(Add(batch, kNoStream, line, begin, end, kNoTime));
  }

  // Whether a line is a row just as it is; most are.
  bool IsRow(bool partial, std::string_view text) const {
    return !partial && !pending_ && rules_ == nullptr && text.size() <= record_bytes_max_;
  }

  // Before the rows of a line: what is pending may have been so for too long.
  void BeginLine(Batch& batch, uint64_t begin, uint64_t end) {
    if (!pending_ && rules_ == nullptr) [[likely]]
      return;
    assigned_ = begin;
    line_end_ = end;
    if (pending_ && end - oldest_ > span_max_) [[unlikely]] {
      GiveUpPieces(batch, end - span_max_, /*cut=*/true);
      GiveUpRecords(batch, end - span_max_);
    }
  }

  // The beginning of a line that is far too long.
  void OnCut(Batch& batch, std::string_view text, uint64_t begin, uint64_t end) {
    if (format_ == Format::kContainer) Detect(text);
    codec::CriLine record;
    if (format_ == Format::kCri && cri_.Parse(text, record)) {
      OnRecord(batch, record.stream, false,
               {record.content, begin, end, record.time, {}, true, false});
      return;
    }
    const uint32_t row =
        Add(batch, kNoStream, WholeUtf8(text.substr(0, record_bytes_max_)), begin, end, kNoTime);
    MarkMalformed(row);
    MarkCut(row);
  }

  void Detect(std::string_view line) {
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return;
    format_ = line[first] == '{' ? Format::kDockerJson : Format::kCri;
  }

  uint32_t Add(Batch& batch, uint8_t stream, std::string_view body, uint64_t begin, uint64_t end,
               UnixNanos time) {
    const uint32_t row = Emit(batch, body, begin, end, time);
    if (row != kNoRow) [[likely]]
      streams_.push_back(stream);
    return row;
  }

  // One line of a stream, or a piece of one.
  void OnRecord(Batch& batch, codec::Stream stream, bool partial, Record line) {
    const auto index = static_cast<uint8_t>(stream);
    BeginLine(batch, line.begin, line.end);
    Pieces& pieces = pieces_[index];
    if (!partial && !pieces.active) [[likely]] {
      if (line.text.size() > record_bytes_max_) [[unlikely]] {
        line.text = WholeUtf8(line.text.substr(0, record_bytes_max_));
        line.cut = true;
      }
      Finish(batch, index, line);
      return;
    }
    if (!pieces.active) {
      pieces.active = true;
      pieces.cut = false;
      pieces.begin = line.begin;
      pieces.time = line.time;
    }
    const size_t room = record_bytes_max_ - pieces.text.size();
    pieces.cut |= line.cut || line.text.size() > room;
    pieces.text += line.text.substr(0, room);
    pieces.end = line.end;
    if (!partial) Complete(batch, index, line.attrs);
    NotePending();
  }

  // A whole line of a stream: a row, or a line of a record.
  void Finish(Batch& batch, uint8_t stream, const Record& line) {
    if (rules_ == nullptr) [[likely]] {
      EmitRecord(batch, stream, line);
      return;
    }
    RecordJoiner& joiner = *joiners_[stream];
    joiner.Add(line, batch, HasRoom,
               [&](const Record& record) { EmitRecord(batch, stream, record); });
    CountUnmatched(joiner.TakeDropped());
    NotePending();
  }

  void EmitRecord(Batch& batch, uint8_t stream, const Record& record) {
    const uint32_t row = Add(batch, stream, record.text, record.begin, EndOf(record), record.time);
    if (row == kNoRow) [[unlikely]]
      return;
    if (!record.attrs.empty()) attrs_.emplace_back(row, record.attrs);
    if (record.cut) [[unlikely]]
      MarkCut(row);
  }

  // A record that ends with this line ends where the line does. One that ended before, as this line
  // shows, ends within this line: other rows may have the ends in between. So does what is left
  // when the file ends, unless no row came behind it.
  uint64_t EndOf(const Record& record) {
    if (!pending_ && !flushing_) [[likely]]
      return record.end;
    if (flushing_ ? record.end > emitted() : record.end == line_end_) return record.end;
    return ++assigned_;
  }

  void Complete(Batch& batch, uint8_t stream, std::string_view attrs) {
    Pieces& pieces = pieces_[stream];
    // Delivered before: nothing to copy.
    const bool known = rules_ == nullptr && pieces.end == line_end_ && line_end_ <= emitted();
    std::string_view body = known ? std::string_view() : batch.Copy(pieces.text);
    if (pieces.cut) body = WholeUtf8(body);
    const Record line{body, pieces.begin, pieces.end, pieces.time, attrs, pieces.cut, false};
    Finish(batch, stream, line);
    pieces.active = false;
    if (pieces.text.capacity() > kKeptCapacity) {
      std::string().swap(pieces.text);
    } else {
      pieces.text.clear();
    }
  }

  // Sends the incomplete lines that began before `before`, the older one first.
  void GiveUpPieces(Batch& batch, uint64_t before, bool cut) {
    const uint8_t older = pieces_[1].active && pieces_[1].begin < pieces_[0].begin ? 1 : 0;
    for (const uint8_t stream : {older, static_cast<uint8_t>(1 - older)}) {
      Pieces& pieces = pieces_[stream];
      if (!pieces.active || pieces.begin >= before) continue;
      pieces.cut |= cut;
      Complete(batch, stream, {});
    }
    NotePending();
  }

  // The same with records, in the order of their ends.
  void GiveUpRecords(Batch& batch, uint64_t before) {
    if (rules_ == nullptr) return;
    const uint8_t first = joiners_[1]->open() && joiners_[1]->end() < joiners_[0]->end() ? 1 : 0;
    for (const uint8_t stream : {first, static_cast<uint8_t>(1 - first)}) {
      RecordJoiner& joiner = *joiners_[stream];
      if (!joiner.open() || joiner.begin() >= before) continue;
      joiner.Flush(batch, HasRoom,
                   [&](const Record& record) { EmitRecord(batch, stream, record); });
      CountUnmatched(joiner.TakeDropped());
    }
    NotePending();
  }

  void NotePending() {
    oldest_ = pending_begin();
    pending_ = oldest_ != kNothingPending;
  }

  const size_t record_bytes_max_;
  const uint64_t span_max_;
  Format format_;  // kContainer: not known yet
  const RulesPtr rules_;
  codec::CriParser cri_;
  codec::DockerJsonParser docker_;
  std::array<Pieces, 2> pieces_;
  std::array<std::optional<RecordJoiner>, 2> joiners_;
  bool pending_ = false;   // pieces or records
  bool flushing_ = false;  // the file, or what was read of it, ends
  uint64_t oldest_ = kNothingPending;
  uint64_t line_end_ = 0;         // of the line that is looked at
  uint64_t assigned_ = 0;         // the last end given to a row that ended before this line
  std::vector<uint8_t> streams_;  // of the rows of this batch
  std::vector<std::pair<uint32_t, std::string_view>> attrs_;
};

}  // namespace

std::unique_ptr<LineDecoder> MakeContainerDecoder(Format format, size_t line_bytes_max,
                                                  RulesPtr rules) {
  return std::make_unique<ContainerDecoder>(format, line_bytes_max, std::move(rules));
}

std::unique_ptr<LineDecoder> MakeCriDecoder(size_t line_bytes_max) {
  return MakeContainerDecoder(Format::kCri, line_bytes_max, nullptr);
}

std::unique_ptr<LineDecoder> MakeDockerJsonDecoder(size_t line_bytes_max) {
  return MakeContainerDecoder(Format::kDockerJson, line_bytes_max, nullptr);
}

std::unique_ptr<LineDecoder> MakeContainerDecoder(size_t line_bytes_max) {
  return MakeContainerDecoder(Format::kContainer, line_bytes_max, nullptr);
}

}  // namespace kelp::framing
