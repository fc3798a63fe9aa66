// Files that container runtimes write: CRI text and Docker's JSON lines.
#include <algorithm>
#include <array>
#include <string>

#include "codec/cri.h"
#include "codec/docker_json.h"
#include "framing/line_decoder.h"
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

class ContainerDecoder final : public LineDecoder {
 public:
  enum class Format : uint8_t { kUnknown, kCri, kDocker };

  ContainerDecoder(Format format, size_t record_bytes_max)
      : LineDecoder(PhysicalMax(format, record_bytes_max)),
        record_bytes_max_(record_bytes_max),
        span_max_(std::max<uint64_t>(kSpanMin, 4 * uint64_t{record_bytes_max})),
        format_(format) {}

  size_t Decode(const Chunk& chunk, Batch& batch) override {
    return Split(
        chunk, batch,
        [&](std::string_view line, uint64_t begin, uint64_t end) {
          OnLine(batch, line, begin, end);
        },
        [&](std::string_view text, uint64_t begin, uint64_t end) {
          OnCut(batch, text, begin, end);
        });
  }

  void Flush(uint64_t end, Batch& batch) override { GiveUp(batch, end, UINT64_MAX, /*cut=*/false); }

  uint64_t pending_begin() const override {
    uint64_t begin = kNothingPending;
    for (const Pieces& pieces : pieces_) {
      if (pieces.active) begin = std::min(begin, pieces.begin);
    }
    return begin;
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

  // A record of one stream of which the last piece is not there yet.
  struct Pieces {
    bool active = false;
    bool cut = false;
    uint64_t begin = 0;
    UnixNanos time = kNoTime;
    std::string text;
  };

  static size_t PhysicalMax(Format format, size_t record_bytes_max) {
    const size_t piece = std::max(record_bytes_max, kPieceBytes);
    return format == Format::kCri ? piece + kCriHeadBytes : kJsonGrowth * piece + kJsonExtraBytes;
  }

  void OnLine(Batch& batch, std::string_view line, uint64_t begin, uint64_t end) {
    if (format_ == Format::kUnknown) [[unlikely]]
      Detect(line);
    if (any_pieces_ && end - oldest_ > span_max_) [[unlikely]]
      GiveUp(batch, begin, end - span_max_, /*cut=*/true);
    if (format_ == Format::kCri) {
      codec::CriLine record;
      if (cri_.Parse(line, record)) [[likely]] {
        OnRecord(batch, record.stream, record.partial, record.content, record.time, begin, end);
        return;
      }
    } else if (format_ == Format::kDocker) {
      codec::DockerLine record;
      if (docker_.Parse(line, batch, record)) [[likely]] {
        const uint32_t row =
            OnRecord(batch, record.stream, record.partial, record.log, record.time, begin, end);
        if (!record.attrs.empty() && row != kNoRow) attrs_.emplace_back(row, record.attrs);
        return;
      }
    }
    MarkMalformed(Add(batch, kNoStream, line, begin, end, kNoTime));
  }

  // The beginning of a line that is far too long.
  void OnCut(Batch& batch, std::string_view text, uint64_t begin, uint64_t end) {
    if (format_ == Format::kUnknown) Detect(text);
    codec::CriLine record;
    if (format_ == Format::kCri && cri_.Parse(text, record)) {
      const uint32_t row =
          OnRecord(batch, record.stream, false, record.content, record.time, begin, end);
      if (row != kNoRow && !last_cut_) MarkCut(row);
      return;
    }
    const uint32_t row =
        Add(batch, kNoStream, text.substr(0, record_bytes_max_), begin, end, kNoTime);
    MarkMalformed(row);
    MarkCut(row);
  }

  void Detect(std::string_view line) {
    const size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return;
    format_ = line[first] == '{' ? Format::kDocker : Format::kCri;
  }

  uint32_t Add(Batch& batch, uint8_t stream, std::string_view body, uint64_t begin, uint64_t end,
               UnixNanos time) {
    const uint32_t row = Emit(batch, body, begin, end, time);
    if (row != kNoRow) [[likely]]
      streams_.push_back(stream);
    return row;
  }

  // The row it became, if it did.
  uint32_t OnRecord(Batch& batch, codec::Stream stream, bool partial, std::string_view content,
                    UnixNanos time, uint64_t begin, uint64_t end) {
    const auto index = static_cast<uint8_t>(stream);
    Pieces& pieces = pieces_[index];
    last_cut_ = false;
    if (!partial && !pieces.active) [[likely]] {
      if (content.size() <= record_bytes_max_) [[likely]]
        return Add(batch, index, content, begin, end, time);
      const uint32_t row =
          Add(batch, index, content.substr(0, record_bytes_max_), begin, end, time);
      MarkCut(row);
      last_cut_ = true;
      return row;
    }
    if (!pieces.active) {
      pieces.active = true;
      pieces.cut = false;
      pieces.begin = begin;
      pieces.time = time;
      NotePieces();
    }
    const size_t room = record_bytes_max_ - pieces.text.size();
    pieces.cut |= content.size() > room;
    pieces.text += content.substr(0, room);
    return partial ? kNoRow : Complete(batch, index, end);
  }

  uint32_t Complete(Batch& batch, uint8_t stream, uint64_t end) {
    Pieces& pieces = pieces_[stream];
    // Delivered before: nothing to copy.
    const std::string_view body = end <= emitted() ? std::string_view() : batch.Copy(pieces.text);
    const uint32_t row = Add(batch, stream, body, pieces.begin, end, pieces.time);
    last_cut_ = pieces.cut;
    if (pieces.cut) MarkCut(row);
    pieces.active = false;
    if (pieces.text.capacity() > kKeptCapacity) {
      std::string().swap(pieces.text);
    } else {
      pieces.text.clear();
    }
    NotePieces();
    return row;
  }

  // Sends the incomplete records that began before `before`, the older one first. Their ends are
  // just behind `at`, where a line begins or the file ends: above all rows before, and below the
  // end of every row to come.
  void GiveUp(Batch& batch, uint64_t at, uint64_t before, bool cut) {
    const uint8_t older = pieces_[1].active && pieces_[1].begin < pieces_[0].begin ? 1 : 0;
    for (const uint8_t stream : {older, static_cast<uint8_t>(1 - older)}) {
      Pieces& pieces = pieces_[stream];
      if (!pieces.active || pieces.begin >= before) continue;
      pieces.cut |= cut;
      Complete(batch, stream, ++at);
    }
  }

  void NotePieces() {
    any_pieces_ = pieces_[0].active || pieces_[1].active;
    oldest_ = pending_begin();
  }

  const size_t record_bytes_max_;
  const uint64_t span_max_;
  Format format_;
  codec::CriParser cri_;
  codec::DockerJsonParser docker_;
  std::array<Pieces, 2> pieces_;
  bool any_pieces_ = false;
  bool last_cut_ = false;  // the last record became a row that was marked as cut
  uint64_t oldest_ = kNothingPending;
  std::vector<uint8_t> streams_;  // of the rows of this batch
  std::vector<std::pair<uint32_t, std::string_view>> attrs_;
};

}  // namespace

std::unique_ptr<LineDecoder> MakeCriDecoder(size_t line_bytes_max) {
  return std::make_unique<ContainerDecoder>(ContainerDecoder::Format::kCri, line_bytes_max);
}

std::unique_ptr<LineDecoder> MakeDockerJsonDecoder(size_t line_bytes_max) {
  return std::make_unique<ContainerDecoder>(ContainerDecoder::Format::kDocker, line_bytes_max);
}

std::unique_ptr<LineDecoder> MakeContainerDecoder(size_t line_bytes_max) {
  return std::make_unique<ContainerDecoder>(ContainerDecoder::Format::kUnknown, line_bytes_max);
}

}  // namespace kelp::framing
