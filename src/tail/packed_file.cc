#include "tail/packed_file.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace kelp::tail {
namespace {

constexpr std::string_view kGzipMagic("\x1f\x8b");
constexpr std::string_view kZstdMagic("\x28\xb5\x2f\xfd");
// The header of a frame (RFC 8878, 3.1.1.1): magic number, descriptor, window, dictionary, size.
constexpr size_t kZstdHeaderMax = 18;
// The size of the text is told modulo this.
constexpr uint64_t kGzipSizeModulo = uint64_t{1} << 32;
// Deflate makes at most 1032 bytes of one.
constexpr uint64_t kGzipRatioMax = 1032;
// Packed bytes read, and unpacked bytes made, in one step.
constexpr size_t kStepBytes = 64u << 10;
// Logs shrink to about a tenth; it need not be right.
constexpr uint64_t kRatioGuess = 8;

bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

}  // namespace

Packing PackingOf(std::string_view head) {
  if (StartsWith(head, kGzipMagic)) return Packing::kGzip;
  if (StartsWith(head, kZstdMagic)) return Packing::kZstd;
  return Packing::kNone;
}

// One library's stream.
class Unpacker {
 public:
  enum class State { kMore, kPartDone, kDamaged };
  virtual ~Unpacker() = default;
  // Takes from `in` and adds to `out`; kPartDone: a member or frame ended.
  virtual State Step(std::string_view& in, std::string& out) = 0;
  // Before the next member or frame.
  virtual void Reset() = 0;
};

namespace {

class GzipUnpacker final : public Unpacker {
 public:
  GzipUnpacker() { ok_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~GzipUnpacker() override { inflateEnd(&stream_); }

  State Step(std::string_view& in, std::string& out) override {
    if (!ok_) return State::kDamaged;
    const size_t before = out.size();
    out.resize(before + kStepBytes);
    // zlib does not write to its input; the cast is for its old interface.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream_.avail_out = kStepBytes;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    in.remove_prefix(in.size() - stream_.avail_in);
    out.resize(before + kStepBytes - stream_.avail_out);
    if (code == Z_STREAM_END) return State::kPartDone;
    return code == Z_OK || code == Z_BUF_ERROR ? State::kMore : State::kDamaged;
  }
  void Reset() override { ok_ = inflateReset(&stream_) == Z_OK; }

 private:
  z_stream stream_{};
  bool ok_ = false;
};

class ZstdUnpacker final : public Unpacker {
 public:
  ZstdUnpacker() : stream_(ZSTD_createDStream()) {}
  ~ZstdUnpacker() override { ZSTD_freeDStream(stream_); }

  State Step(std::string_view& in, std::string& out) override {
    if (stream_ == nullptr) return State::kDamaged;
    const size_t before = out.size();
    out.resize(before + kStepBytes);
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data() + before, kStepBytes, 0};
    const size_t code = ZSTD_decompressStream(stream_, &output, &input);
    in.remove_prefix(input.pos);
    out.resize(before + output.pos);
    if (ZSTD_isError(code)) return State::kDamaged;
    return code == 0 ? State::kPartDone : State::kMore;
  }
  void Reset() override { ZSTD_DCtx_reset(stream_, ZSTD_reset_session_only); }

 private:
  ZSTD_DStream* const stream_;
};

}  // namespace

PackedFile::PackedFile(std::shared_ptr<File> file, Packing packing, std::string path)
    : file_(std::move(file)), packing_(packing), path_(std::move(path)) {
  MutexLock lock(mu_);
  Restart();
}

PackedFile::~PackedFile() = default;

void PackedFile::Restart() {
  if (packing_ == Packing::kGzip) {
    unpacker_ = std::make_unique<GzipUnpacker>();
  } else {
    unpacker_ = std::make_unique<ZstdUnpacker>();
  }
  in_.clear();
  in_at_ = 0;
  in_end_ = window_at_ = 0;
  window_.clear();
  starved_ = ended_ = step_was_full_ = damaged_ = false;
  one_part_ = true;
}

// More packed bytes, behind those that are not used up.
Status PackedFile::Fill() {
  in_.erase(0, in_at_);
  in_at_ = 0;
  const size_t before = in_.size();
  in_.resize(before + kStepBytes);
  const Result<size_t> n = file_->ReadAt(in_end_, in_.data() + before, kStepBytes);
  in_.resize(before + (n.ok() ? *n : 0));
  if (!n.ok()) return n.status();
  in_end_ += *n;
  starved_ = *n == 0;
  return OkStatus();
}

Status PackedFile::UnpackTo(uint64_t keep, uint64_t end) {
  while (!ended_ && window_at_ + window_.size() < end) {
    if (keep > window_at_ && window_.size() > kStepBytes) {
      const auto drop = static_cast<size_t>(std::min<uint64_t>(keep - window_at_, window_.size()));
      window_.erase(0, drop);
      window_at_ += drop;
    }
    // A step that filled its output may have more of it without more input.
    if (in_at_ == in_.size() && !step_was_full_) {
      RETURN_IF_ERROR(Fill());
      if (starved_) return OkStatus();
    }
    const size_t made = window_.size();
    std::string_view in = std::string_view(in_).substr(in_at_);
    const size_t offered = in.size();
    const Unpacker::State state = unpacker_->Step(in, window_);
    step_was_full_ = window_.size() - made == kStepBytes;
    const bool stuck = offered > 0 && in.size() == offered && window_.size() == made;
    in_at_ = in_.size() - in.size();
    if (state == Unpacker::State::kDamaged || (stuck && state == Unpacker::State::kMore)) {
      damaged_ = true;
      const Result<FileInfo> info = file_->Stat();
      damaged_size_ = info.ok() ? info->size : 0;
      damaged_modified_ = info.ok() ? info->modified : kNoTime;
      return DataLossError(path_ + " is damaged: its text cannot be unpacked behind byte " +
                           std::to_string(window_at_ + window_.size()));
    }
    if (state != Unpacker::State::kPartDone) continue;
    // What follows is another part, or nothing of ours (tar pads with zeros).
    const std::string_view magic = packing_ == Packing::kGzip ? kGzipMagic : kZstdMagic;
    while (in_.size() - in_at_ < magic.size() && !starved_) RETURN_IF_ERROR(Fill());
    ended_ = !StartsWith(std::string_view(in_).substr(in_at_), magic);
    one_part_ = one_part_ && ended_;
    starved_ = step_was_full_ = false;
    unpacker_->Reset();
  }
  return OkStatus();
}

Result<bool> PackedFile::SkipTo(uint64_t offset) {
  MutexLock lock(mu_);
  if (offset < window_at_) Restart();
  const uint64_t have = window_at_ + window_.size();
  if (have >= offset) return true;
  const uint64_t step = std::min(offset, have + kSkipBytes);
  const Status status = UnpackTo(step, step);
  if (!status.ok() && !damaged_) return status;
  return step == offset || ended_ || breaks();
}

Result<size_t> PackedFile::ReadAt(uint64_t offset, char* buffer, size_t size) {
  MutexLock lock(mu_);
  if (offset < window_at_) Restart();
  const Status status = UnpackTo(offset, offset + size);
  const uint64_t have = window_at_ + window_.size();
  const auto n = static_cast<size_t>(have > offset ? std::min<uint64_t>(have - offset, size) : 0);
  // What is before the damage is given out first.
  if (!status.ok() && n == 0) return status;
  if (n > 0) std::memcpy(buffer, window_.data() + (offset - window_at_), n);
  return n;
}

Result<FileInfo> PackedFile::Stat() {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(FileInfo info, file_->Stat());
  if (damaged_ && (info.size != damaged_size_ || info.modified != damaged_modified_)) Restart();
  const uint64_t have = window_at_ + window_.size();
  const uint64_t packed = info.size > in_end_ ? info.size - in_end_ : 0;
  const bool more = !ended_ && !damaged_ && (packed > 0 || in_at_ < in_.size());
  info.size = have;
  if (more) info.size += std::max<uint64_t>(kRatioGuess * packed, kStepBytes);
  if (!ended_) info.size = std::max(info.size, expected_);
  return info;
}

void PackedFile::Expect(uint64_t size) {
  MutexLock lock(mu_);
  expected_ = std::max(expected_, size);
}

std::optional<uint64_t> PackedFile::TextSize(uint64_t at_least) const {
  const Result<FileInfo> info = file_->Stat();
  if (!info.ok()) return std::nullopt;
  if (packing_ == Packing::kGzip) {
    unsigned char end[4] = {};
    if (info->size < sizeof end) return std::nullopt;
    const Result<size_t> n =
        file_->ReadAt(info->size - sizeof end, reinterpret_cast<char*>(end), sizeof end);
    if (!n.ok() || *n != sizeof end) return std::nullopt;
    const uint64_t told = end[0] | end[1] << 8 | end[2] << 16 | static_cast<uint64_t>(end[3]) << 24;
    const uint64_t most = info->size * kGzipRatioMax;
    if (at_least <= told || at_least > most) return told;
    const uint64_t wraps = (at_least - told + kGzipSizeModulo - 1) / kGzipSizeModulo;
    return told + wraps * kGzipSizeModulo <= most ? told + wraps * kGzipSizeModulo : told;
  }
  char head[kZstdHeaderMax] = {};
  const Result<size_t> n = file_->ReadAt(0, head, sizeof head);
  if (!n.ok()) return std::nullopt;
  const unsigned long long size = ZSTD_getFrameContentSize(head, *n);
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  return size;
}

std::optional<PackedFile::Break> PackedFile::broken() const {
  MutexLock lock(mu_);
  if (!breaks()) return std::nullopt;
  return Break{window_at_ + window_.size(), damaged_, one_part_};
}

bool PackedFile::exact() const {
  MutexLock lock(mu_);
  return ended_ || breaks();
}

bool PackedFile::incomplete() const {
  MutexLock lock(mu_);
  return !ended_;
}

Status PackedFile::Append(std::string_view) { return UnimplementedError(path_ + " is only read"); }
Status PackedFile::AppendAll(std::span<const std::string_view>) {
  return UnimplementedError(path_ + " is only read");
}
Status PackedFile::Truncate(uint64_t) { return UnimplementedError(path_ + " is only read"); }

}  // namespace kelp::tail
