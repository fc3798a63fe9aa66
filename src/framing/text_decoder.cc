// Text files in any charset, with or without records of several lines.
#include <algorithm>
#include <optional>
#include <utility>

#include "framing/framing.h"
#include "framing/record_joiner.h"
#include "framing/split_lines.h"

namespace kelp::framing {
namespace {

constexpr std::string_view kLittleMark = "\xff\xfe";
constexpr std::string_view kBigMark = "\xfe\xff";

class TextCarry final : public Carry {
 public:
  explicit TextCarry(RecordJoiner::Pending pending) : record(std::move(pending)) {}
  RecordJoiner::Pending record;
};

class TextDecoder final : public LineDecoder {
 public:
  TextDecoder(size_t line_bytes_max, Charset charset, RulesPtr rules)
      : LineDecoder(line_bytes_max), charset_(charset), rules_(std::move(rules)) {
    if (rules_ != nullptr) joiner_.emplace(*rules_, /*lines_apart=*/true);
    if (charset != Charset::kUtf16) SetConverter(charset);
  }

  size_t Decode(const Chunk& chunk, Batch& batch) override {
    if (!joiner_) return DecodeLines(chunk, batch);
    auto matchers = rules_->Borrow();
    joiner_->Use(matchers.get());
    size_t used = 0;
    if (joiner_->Resume(batch, HasRoom, Emitter{*this, batch})) used = DecodeLines(chunk, batch);
    joiner_->Hold();
    CountUnmatched(joiner_->TakeDropped());
    rules_->GiveBack(std::move(matchers));
    return used;
  }

  void Flush(uint64_t end, Batch& batch) override {
    if (!joiner_) return;
    line_begin_ = end;
    joiner_->Flush(batch, HasRoom, Emitter{*this, batch});
    CountUnmatched(joiner_->TakeDropped());
  }

  uint64_t pending_begin() const override {
    return joiner_ && joiner_->open() ? joiner_->begin() : kNothingPending;
  }
  bool spans_files() const override { return joiner_.has_value(); }
  std::unique_ptr<Carry> TakePending() override {
    if (!joiner_ || !joiner_->open()) return nullptr;
    return std::make_unique<TextCarry>(joiner_->TakePending());
  }
  void Adopt(std::unique_ptr<Carry> carry) override {
    if (carry == nullptr || !joiner_) return;
    joiner_->Adopt(std::move(static_cast<TextCarry&>(*carry).record));
  }

 private:
  size_t DecodeLines(const Chunk& chunk, Batch& batch) {
    if (charset_ == Charset::kUtf16) [[unlikely]] {
      charset_ = ByteOrder(chunk);
      if (charset_ == Charset::kUtf16) return 0;
      SetConverter(charset_);
    }
    switch (charset_) {
      case Charset::kUtf16Le:
        return DecodeUtf16<Utf16Units<false>>(chunk, batch, kLittleMark);
      case Charset::kUtf16Be:
        return DecodeUtf16<Utf16Units<true>>(chunk, batch, kBigMark);
      default:
        break;
    }
    const size_t mark = charset_ == Charset::kUtf8 ? ByteOrderMark(chunk) : 0;
    return mark + DecodeUnits<ByteUnits>(Behind(chunk, mark), batch);
  }

  template <typename Units>
  size_t DecodeUtf16(const Chunk& chunk, Batch& batch, std::string_view mark) {
    // Units begin at even offsets; where reading does not, one was split.
    size_t skip = chunk.offset % 2;
    if (chunk.offset == 0 && std::string_view(chunk.data, chunk.size).starts_with(mark)) skip = 2;
    if (skip > chunk.size) return 0;
    return skip + DecodeUnits<Units>(Behind(chunk, skip), batch);
  }

  template <typename Units>
  size_t DecodeUnits(const Chunk& chunk, Batch& batch) {
    return Split<Units>(
        chunk, batch,
        [&](std::string_view raw, uint64_t begin, uint64_t end) {
          return OnLine(batch, raw, begin, end, /*cut=*/false);
        },
        [&](std::string_view raw, uint64_t begin, uint64_t end) {
          return OnLine(batch, raw, begin, end, /*cut=*/true);
        });
  }

  bool OnLine(Batch& batch, std::string_view raw, uint64_t begin, uint64_t end, bool cut) {
    Record line{raw, begin, end, kNoTime, {}, cut, false};
    if (converter_ != nullptr) {
      line.text = converter_->Convert(raw, cut, batch, line.malformed);
    } else if (cut) {
      line.text = WholeUtf8(raw);
    }
    if (!joiner_) {
      EmitRecord(batch, line);
      return true;
    }
    line_begin_ = begin;
    return joiner_->Add(line, batch, HasRoom, Emitter{*this, batch});
  }

  struct Emitter {
    TextDecoder& decoder;
    Batch& batch;
    void operator()(const Record& record) const { decoder.EmitRecord(batch, record); }
  };

  void EmitRecord(Batch& batch, const Record& record) {
    // A record whose lines were all in the file before ends where this one's first line begins.
    const uint64_t end = record.end != 0 ? record.end : line_begin_ + 1;
    const uint32_t row = Emit(batch, record.text, record.begin, end, record.time);
    if (record.cut) [[unlikely]]
      MarkCut(row);
    if (record.malformed) [[unlikely]]
      MarkMalformed(row);
  }

  void SetConverter(Charset charset) {
    auto converter = MakeTextConverter(charset);
    // Whoever made the factory has tried; the text stays as it is otherwise.
    if (converter.ok()) converter_ = std::move(converter).value();
  }

  // The byte order of the file; kUtf16 while it cannot be told. Its mark tells it where reading
  // begins with the file; elsewhere the first newline does, since U+0A00 is no character.
  Charset ByteOrder(Chunk chunk) const {
    // Of a first line over the limit only what is kept decides, however much was read.
    const bool decide = chunk.last || chunk.size > line_bytes_max();
    chunk.size = std::min(chunk.size, line_bytes_max());
    const std::string_view text(chunk.data, chunk.size);
    if (chunk.offset == 0) {
      if (text.starts_with(kLittleMark)) return Charset::kUtf16Le;
      if (text.starts_with(kBigMark)) return Charset::kUtf16Be;
      if (text.size() < 2 && !decide) return Charset::kUtf16;
    }
    uint32_t little = UINT32_MAX;
    uint32_t big = UINT32_MAX;
    Utf16Units<false>::FindNewlines(chunk, chunk.offset % 2, &little, 1);
    Utf16Units<true>::FindNewlines(chunk, chunk.offset % 2, &big, 1);
    if (little != big) return little < big ? Charset::kUtf16Le : Charset::kUtf16Be;
    return decide ? ByZeros(chunk) : Charset::kUtf16;
  }

  // A line without an end so far: letters of most scripts share their high byte, often 0.
  static Charset ByZeros(const Chunk& chunk) {
    size_t zeros[2] = {};
    for (size_t i = 0; i < chunk.size; ++i) {
      if (chunk.data[i] == '\0') ++zeros[(chunk.offset + i) % 2];
    }
    return zeros[0] > zeros[1] ? Charset::kUtf16Be : Charset::kUtf16Le;
  }

  Charset charset_;
  const RulesPtr rules_;
  std::optional<RecordJoiner> joiner_;
  std::unique_ptr<TextConverter> converter_;  // null: UTF-8
  uint64_t line_begin_ = 0;
};

}  // namespace

std::unique_ptr<LineDecoder> MakeTextDecoder(size_t line_bytes_max, Charset charset,
                                             RulesPtr rules) {
  return std::make_unique<TextDecoder>(line_bytes_max, charset, std::move(rules));
}

}  // namespace kelp::framing
