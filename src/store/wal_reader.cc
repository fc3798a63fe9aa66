// Reading the write-ahead log: docs/formats/wal.md, "Recovery".
#include <fmt/format.h>

#include <algorithm>

#include "store/bytes.h"
#include "store/wal.h"
#include "store/wal_format.h"

namespace kelp::store {
namespace {

struct FrameAt {
  uint64_t begin;
  uint64_t end;
  uint64_t durable;
};

// The end of the whole frame at `at`, or 0 when none stands there. `skip_to` gets the place behind
// a frame of which only the payload is damaged, else 0.
uint64_t WholeFrame(std::string_view bytes, uint64_t at, uint64_t& skip_to) {
  skip_to = 0;
  if (bytes.size() - at < kFrameHeadBytes) return 0;
  const char* p = bytes.data() + at;
  if (GetU32(p) != kFrameMagic || GetU64(p + 48) != Checksum({p, 48})) return 0;
  const uint64_t size = GetU32(p + 4);
  if (size > bytes.size() - at - kFrameHeadBytes) return 0;
  if (GetU64(p + 40) != Checksum({p + kFrameHeadBytes, size})) {
    skip_to = at + kFrameHeadBytes + size;
    return 0;
  }
  return at + kFrameHeadBytes + size;
}

std::vector<FrameAt> FindFrames(std::string_view bytes) {
  std::vector<FrameAt> frames;
  std::string magic;
  PutU32(magic, kFrameMagic);
  uint64_t at = std::min<uint64_t>(kWalHeaderBytes, bytes.size());
  while (at < bytes.size()) {
    uint64_t skip_to = 0;
    if (const uint64_t end = WholeFrame(bytes, at, skip_to); end != 0) {
      frames.push_back({at, end, GetU64(bytes.data() + at + 16)});
      at = end;
    } else if (skip_to != 0) {
      at = skip_to;
    } else {
      const size_t next = bytes.find(magic, at + 1);
      if (next == std::string_view::npos) break;
      at = next;
    }
  }
  return frames;
}

bool ParseFrame(std::string_view frame, WalFrame& out) {
  out.sequence = GetU64(frame.data() + 8);
  out.time = static_cast<int64_t>(GetU64(frame.data() + 24));
  out.logstore_id = GetU64(frame.data() + 32);
  ByteReader reader(frame.substr(kFrameHeadBytes));
  out.project = reader.Bytes(reader.U8());
  out.logstore = reader.Bytes(reader.U8());
  out.encoded = reader.Bytes(reader.left());
  return reader.ok();
}

}  // namespace

Result<WalHeader> ParseWalHeader(std::string_view bytes, const std::string& path) {
  if (bytes.size() < kWalHeaderBytes || bytes.substr(0, 8) != kWalMagic ||
      GetU64(bytes.data() + 48) != Checksum(bytes.substr(0, 48))) {
    return DataLossError("the header of " + path + " is corrupt");
  }
  if (const uint32_t version = GetU32(bytes.data() + 8); version != kWalVersion) {
    return UnimplementedError(
        fmt::format("{} has version {} of the log's format; this program reads version {}", path,
                    version, kWalVersion));
  }
  return WalHeader{GetU64(bytes.data() + 16), GetU64(bytes.data() + 24), GetU64(bytes.data() + 32),
                   GetU64(bytes.data() + 40)};
}

Result<uint64_t> ParseWalFile(std::string_view bytes, uint64_t counts, const std::string& path,
                              const std::function<void(const WalFrame&)>& on_frame,
                              uint64_t& sequence, WalReport& report) {
  const auto lose = [&](uint64_t at, uint64_t size, std::string_view what) {
    report.bytes_lost += size;
    report.problems.push_back(fmt::format("{} at offset {}: {} ({} bytes)", path, at, what, size));
  };
  const Result<WalHeader> header = ParseWalHeader(bytes, path);
  if (header.status().code() == Code::kUnimplemented) return header.status();
  const bool last = counts == kWalEndUnknown;
  if (!last && bytes.size() < counts) {
    lose(bytes.size(), counts - bytes.size(), "the file is shorter than the next one says");
  }
  if (!last) bytes = bytes.substr(0, counts);
  const std::vector<FrameAt> frames = FindFrames(bytes);
  if (!header.ok() && (!last || !frames.empty())) lose(0, 0, "the header is corrupt");

  // What the frames behind each one prove to have been durable.
  std::vector<uint64_t> proven(frames.size() + 1, last ? 0 : bytes.size());
  for (size_t i = frames.size(); i-- > 0;) {
    proven[i] = std::max(proven[i + 1], frames[i].durable);
  }
  uint64_t at = std::min<uint64_t>(kWalHeaderBytes, bytes.size());
  for (size_t i = 0; i <= frames.size(); ++i) {
    const uint64_t next = i < frames.size() ? frames[i].begin : bytes.size();
    if (next > at) {
      if (proven[i] <= at) break;  // the last group, never acknowledged
      lose(at, next - at, "corrupt frames, skipped");
    }
    if (i == frames.size()) {
      at = next;
      break;
    }
    at = frames[i].end;
    ++report.frames;
    WalFrame frame;
    if (!ParseFrame(bytes.substr(next, at - next), frame)) {
      lose(next, at - next, "a frame's payload makes no sense");
      continue;
    }
    if (frame.sequence <= sequence) continue;
    sequence = frame.sequence;
    if (on_frame) on_frame(frame);
  }
  ++report.files;
  report.bytes += bytes.size();
  return at;
}

Result<std::vector<uint64_t>> ListWalFiles(FileSystem& files, const std::string& dir) {
  std::vector<uint64_t> numbers;
  const Result<std::vector<DirEntry>> entries = files.ListDir(dir);
  if (entries.status().code() == Code::kNotFound) return numbers;
  RETURN_IF_ERROR(entries.status());
  for (const DirEntry& entry : *entries) {
    uint64_t number = 0;
    if (ParseWalName(entry.name, number)) numbers.push_back(number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Status ReadWalFiles(FileSystem& files, const std::string& dir,
                    const std::function<void(uint64_t, const WalFrame&)>& on_frame,
                    const std::function<void(const WalFileRead&)>& on_file, WalReport& report) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, ListWalFiles(files, dir));
  uint64_t sequence = 0;
  // Each file is held while the next one's header is looked at.
  std::string bytes;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const uint64_t number = numbers[i];
    const std::string path = JoinPath(dir, WalName(number));
    ASSIGN_OR_RETURN(bytes, ReadFile(files, path, ByteSize{UINT64_MAX}));
    uint64_t counts = kWalEndUnknown;
    bool is_last = true;
    for (size_t next = i + 1; next < numbers.size() && is_last; ++next) {
      const std::string next_path = JoinPath(dir, WalName(numbers[next]));
      ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.OpenForRead(next_path));
      char head[kWalHeaderBytes];
      ASSIGN_OR_RETURN(const size_t n, file->ReadAt(0, head, sizeof head));
      const Result<WalHeader> header = ParseWalHeader({head, n}, next_path);
      if (header.status().code() == Code::kUnimplemented) return header.status();
      if (!header.ok()) continue;  // a file that was being made when the system stopped
      is_last = false;
      if (header->previous == number) counts = header->previous_size;
    }
    const uint64_t frames_before = report.frames;
    ASSIGN_OR_RETURN(const uint64_t size, ParseWalFile(
                                              bytes, counts, path,
                                              [&](const WalFrame& frame) {
                                                if (on_frame) on_frame(number, frame);
                                              },
                                              sequence, report));
    const bool unmade =
        is_last && report.frames == frames_before && !ParseWalHeader(bytes, path).ok();
    if (on_file) on_file({number, size, unmade});
  }
  return OkStatus();
}

Status ReadWal(FileSystem& files, const std::string& dir,
               const std::function<void(const WalFrame&)>& on_frame, WalReport& report) {
  return ReadWalFiles(
      files, dir,
      [&](uint64_t, const WalFrame& frame) {
        if (on_frame) on_frame(frame);
      },
      {}, report);
}

}  // namespace kelp::store
