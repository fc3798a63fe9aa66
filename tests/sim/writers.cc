#include "writers.h"

#include <algorithm>

#include "world.h"

namespace kelp::sim {
namespace {

// Well below the time after which the agent sends a half line (TailOptions::half_line_timeout).
constexpr Duration kHalfMax = 1500ms;
constexpr Duration kFullDiskRetry = 500ms;
constexpr size_t kPaddingMax = 40;

}  // namespace

LogWriter::LogWriter(World& world, WriterOptions options)
    : Actor(world), options_(std::move(options)) {
  for (uint32_t& name : names_) name = world_.oracle().AddWriter();
}

void LogWriter::Start() {
  world_.After(world_.chance().Between(Duration(0), options_.pause_max), [this] { Act(); });
}

void LogWriter::Finish() {
  Complete();
  handle_.reset();
}

void LogWriter::Act() {
  if (!world_.chaos()) return;
  world_.After(world_.chance().Between(Duration(0), options_.pause_max), [this] { Act(); });
  if (!half_.empty() || rests_) return;  // one write at a time
  std::vector<Piece> pieces = NextPieces();
  if (pieces.empty()) return;
  size_t cut = 0;
  if (world_.chance().Percent(options_.half_percent)) {
    cut = 1 + world_.chance().Below(pieces.back().bytes.size() - 1);
  }
  Write(std::move(pieces), cut);
}

bool LogWriter::EnsureOpen() {
  if (handle_ != nullptr) return true;
  if (world_.disk().Open(options_.path, /*create=*/true, handle_) != 0) return false;
  position_ = handle_->node().data.size();
  return true;
}

void LogWriter::WriteBanner() {
  std::string banner;
  while (banner.size() < options_.banner_bytes) {
    banner += fmt::format("{} {} {}\n", kBannerWord, banner.size(), std::string(80, '-'));
  }
  world_.disk().Append(*handle_, banner);
}

std::string LogWriter::Padding(std::string_view word) {
  const bool is_long = world_.chance().Percent(options_.long_percent);
  const size_t most = is_long ? 3 * options_.line_bytes_max : kPaddingMax;
  std::string padding(world_.chance().Below(most),
                      static_cast<char>('a' + world_.chance().Below(26)));
  return std::string(word) + padding;
}

LogWriter::Piece LogWriter::PlainLine() {
  const bool filtered = world_.chance().Percent(options_.filtered_percent);
  const bool refused = !filtered && world_.chance().Percent(options_.refused_percent);
  const std::string text = world_.oracle().NextName(names_[0]) +
                           Padding(filtered  ? kFilteredWord
                                   : refused ? kRefusedWord
                                             : "") +
                           "$";
  const bool crlf = world_.chance().Percent(options_.crlf_percent);
  Piece piece;
  piece.line = world_.oracle().Begin(names_[0], text, filtered);
  piece.bytes = text + (crlf ? "\r\n" : "\n");
  piece.completes = true;
  if (refused) world_.oracle().Refused(piece.line);
  Limit(piece.line);
  return piece;
}

// What is over the limit is cut off.
void LogWriter::Limit(const LineId& id) {
  Line& line = world_.oracle().Get(id);
  line.beyond =
      (line.text + line.beyond).substr(std::min(line.text.size(), options_.line_bytes_max));
  line.text.resize(std::min(line.text.size(), options_.line_bytes_max));
}

LogWriter::Piece LogWriter::CriLine(size_t stream, bool last) {
  Record& record = records_[stream];
  std::string text;
  if (!record.open) {
    text = world_.oracle().NextName(names_[stream]);
    record.line = world_.oracle().Begin(names_[stream], "", false);
  }
  text += Padding("");
  if (last) text += "$";
  Line& whole = world_.oracle().Get(record.line);
  (whole.beyond.empty() ? whole.text : whole.beyond) += text;
  Limit(record.line);
  record.open = !last;
  Piece piece;
  piece.line = record.line;
  piece.completes = last;
  const std::string name = stream == 0 ? "stdout" : "stderr";
  piece.bytes = options_.format == LogFormat::kCri
                    ? "2026-11-20T23:49:26.3Z " + name + (last ? " F " : " P ") + text + "\n"
                    : "{\"log\":\"" + text + (last ? "\\n" : "") + "\",\"stream\":\"" + name +
                          "\",\"time\":\"2026-11-20T23:49:26.3Z\"}\n";
  return piece;
}

LogWriter::Piece LogWriter::JavaRecord() {
  std::string text = world_.oracle().NextName(names_[0]) + Padding("") + "$";
  for (uint64_t frames = world_.chance().Below(5); frames > 0; --frames) {
    text += "\n\tat " + Padding("");
  }
  Piece piece;
  piece.line = world_.oracle().Begin(names_[0], text, false);
  piece.bytes = text + "\n";
  piece.completes = true;
  return piece;
}

std::vector<LogWriter::Piece> LogWriter::NextPieces() {
  std::vector<Piece> pieces;
  for (uint64_t n = world_.chance().Between(1, options_.lines_max); n > 0; --n) {
    if (options_.format == LogFormat::kLines) {
      pieces.push_back(PlainLine());
    } else if (options_.format == LogFormat::kJava) {
      pieces.push_back(JavaRecord());
    } else {
      const bool last = !world_.chance().Percent(options_.partial_percent);
      pieces.push_back(CriLine(world_.chance().Below(2), last));
    }
  }
  return pieces;
}

void LogWriter::Write(std::vector<Piece> pieces, size_t cut) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    Piece& piece = pieces[i];
    half_ = std::move(piece.bytes);
    half_line_ = piece.line;
    half_completes_ = piece.completes;
    half_begun_ = false;
    if (cut != 0 && i + 1 == pieces.size()) {
      const std::string rest = half_.substr(cut);
      half_.resize(cut);
      const bool completes = std::exchange(half_completes_, false);
      WritePending();
      half_ += rest;
      half_completes_ = completes;
      world_.After(world_.chance().Between(1ms, kHalfMax), [this] { EndHalf(); });
      return;
    }
    WritePending();
    if (half_.empty()) continue;
    // The disk is full, or the file cannot be made: what is left of the burst was never said.
    for (size_t j = i + 1; j < pieces.size(); ++j) world_.oracle().NeverWritten(pieces[j].line);
    world_.After(kFullDiskRetry, [this] { EndHalf(); });
    return;
  }
}

void LogWriter::WritePending() {
  if (half_.empty() || !EnsureOpen()) return;
  if (!half_begun_ && handle_->node().data.empty()) WriteBanner();
  const uint64_t at = options_.append ? handle_->node().data.size() : position_;
  if (!half_begun_) half_begin_ = at;
  half_begun_ = true;
  const int error = world_.disk().WriteAt(*handle_, at, half_);
  const uint64_t end = error == 0 ? at + half_.size() : std::max(at, handle_->node().data.size());
  position_ = end;
  half_.erase(0, end - at);
  world_.history().Say("writer", "{}: {} bytes at {} of inode {}{}", options_.path, end - at, at,
                       handle_->node().number, error == 0 ? "" : ", no space");
  if (half_.empty() && half_completes_) {
    world_.oracle().Completed(half_line_, handle_->node().serial, half_begin_, end);
    if (std::exchange(behind_piece_, false)) TellGlued(end - 1);
  } else if (behind_piece_ && end - LineBegin(end) > options_.line_bytes_max) {
    TellGlued(end);  // so long that nobody waits for its end
  }
}

// Of the line that reaches to `end`.
uint64_t LogWriter::LineBegin(uint64_t end) const {
  const size_t before = end == 0 ? std::string::npos : handle_->node().data.rfind('\n', end - 1);
  return before == std::string::npos ? 0 : before + 1;
}

// The line that reaches to `end` began with a piece of another one.
void LogWriter::TellGlued(uint64_t end) {
  const uint64_t begin = LineBegin(end);
  const std::string_view whole = std::string_view(handle_->node().data).substr(begin, end - begin);
  world_.oracle().Glued(half_line_, whole, options_.line_bytes_max);
}

void LogWriter::EndHalf() {
  if (half_.empty()) return;
  WritePending();
  if (!half_.empty() && world_.chaos()) world_.After(kFullDiskRetry, [this] { EndHalf(); });
}

void LogWriter::Complete() {
  WritePending();
  for (size_t stream = 0; stream < records_.size(); ++stream) {
    if (records_[stream].open) Write({CriLine(stream, true)}, 0);
  }
}

void LogWriter::Cut(const Node& node, uint64_t length) {
  if (handle_ == nullptr || &handle_->node() != &node) return;
  behind_piece_ = length > 0 && node.data[length - 1] != '\n';
  if (half_.empty() || !half_begun_) return;
  world_.oracle().Tear(half_line_);
  half_begin_ = std::min(half_begin_, length);
}

void LogWriter::WriteBurst() {
  if (half_.empty()) Write(NextPieces(), 0);
}

void LogWriter::WriteBurstTo(const std::string& path) {
  CHECK(handle_ == nullptr, "the writer still has its file");
  if (world_.disk().Open(path, /*create=*/true, handle_) != 0) return;
  position_ = 0;
  WriteBurst();
}

void LogWriter::Reopen() {
  if (options_.split_records) {
    WritePending();
  } else {
    Complete();
  }
  // There was no space for the rest: it comes into the next file.
  if (!half_.empty() && half_begun_) world_.oracle().Tear(half_line_);
  behind_piece_ = false;
  handle_.reset();
}

}  // namespace kelp::sim
