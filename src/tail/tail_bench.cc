// What reading costs by itself: page cache to rows, one source, no engine.
//
//   kelp_tail_bench [raw|cri|docker_json|copy] [MIB] [TURN_KIB] [LINE_BYTES]
//
// `copy` only copies out of the page cache: the limit of the others. Prints one JSON line: MB
// (10^6) of file per second of CPU, the best of seven rounds.
#include <fmt/core.h>
#include <stdlib.h>

#include <ctime>
#include <string>

#include "tail/file_source.h"

namespace kelp::tail {
namespace {

double CpuSeconds() {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) * 1e-9;
}

std::string Line(const std::string& kind, size_t bytes, uint64_t number) {
  std::string text =
      fmt::format("{:012} GET /api/v1/items/{} 200 ", number, number * 7919 % 100003);
  while (text.size() < bytes) text += "the quick brown fox jumps over the lazy dog ";
  const std::string time = fmt::format("2026-11-20T23:{:02}:{:02}.{:09}Z", number / 60000 % 60,
                                       number / 1000 % 60, number % 1000 * 1000003);
  if (kind == "cri") {
    text.resize(bytes - 47);
    return time + " stdout F " + text + "\n";
  }
  if (kind == "docker_json") {
    text.resize(bytes - 80);
    return "{\"log\":\"" + text + "\\n\",\"stream\":\"stdout\",\"time\":\"" + time + "\"}\n";
  }
  text.resize(bytes - 1);
  return text + "\n";
}

void MakeFile(const std::string& path, const std::string& kind, uint64_t size, size_t line_bytes) {
  auto file = RealEnv().files().OpenForWrite(path, true);
  CHECK(file.ok(), file.status().message());
  std::string block;
  uint64_t number = 0;
  for (uint64_t written = 0; written < size; written += block.size()) {
    block.clear();
    while (block.size() < (1u << 20)) block += Line(kind, line_bytes, number++);
    CHECK((*file)->Append(block).ok(), "cannot write the bench's data");
  }
}

struct Outcome {
  uint64_t bytes = 0;
  uint64_t rows = 0;
  double cpu_seconds = 0;
};

Outcome ReadOnce(const std::string& path, const std::string& kind, size_t turn) {
  FileSource::Options options;
  options.start.origin = OriginId::Make(RealEnv().random());
  options.resource = Resource::Empty();
  options.decoder = kind == "cri"           ? framing::MakeCriDecoder(256u << 10)
                    : kind == "docker_json" ? framing::MakeDockerJsonDecoder(256u << 10)
                                            : framing::MakePlainDecoder(256u << 10);
  options.clock = &RealEnv().clock();
  options.news = std::make_shared<SourceNews>(nullptr);
  auto source = std::make_shared<FileSource>(std::move(options));
  auto file = RealEnv().files().OpenForRead(path);
  CHECK(file.ok(), file.status().message());
  source->Attach(std::move(file).value());
  source->Release();
  Outcome outcome;
  const double start = CpuSeconds();
  for (pipeline::ReadState state = pipeline::ReadState::kMore;
       state == pipeline::ReadState::kMore;) {
    const BatchPool::Ptr batch = BatchPool::Shared().Get();
    const auto read = source->Read(*batch, turn);
    CHECK(read.ok(), read.status().message());
    state = *read;
    outcome.rows += batch->rows();
    source->Acked(batch->resume);
    source->TakeBits();
  }
  outcome.cpu_seconds = CpuSeconds() - start;
  outcome.bytes = source->position();
  return outcome;
}

Outcome CopyOnce(const std::string& path, size_t turn) {
  auto file = RealEnv().files().OpenForRead(path);
  CHECK(file.ok(), file.status().message());
  const Buffer buffer = BufferPool::Shared().Get(turn);
  Outcome outcome;
  const double start = CpuSeconds();
  for (size_t n = 1; n > 0; outcome.bytes += n) {
    n = *(*file)->ReadAt(outcome.bytes, buffer.data(), turn);
  }
  outcome.cpu_seconds = CpuSeconds() - start;
  return outcome;
}

int Main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "raw";
  const uint64_t mib = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 512;
  const uint64_t turn_kib = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 256;
  const size_t line_bytes = argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 515;
  char path[] = "/tmp/kelp_tail_bench_XXXXXX";
  const int fd = ::mkstemp(path);
  CHECK(fd >= 0, "no temporary file");
  MakeFile(path, kind, mib << 20, line_bytes);
  Outcome best;
  for (int round = 0; round < 7; ++round) {
    const Outcome outcome =
        kind == "copy" ? CopyOnce(path, turn_kib << 10) : ReadOnce(path, kind, turn_kib << 10);
    if (best.bytes == 0 || outcome.cpu_seconds < best.cpu_seconds) best = outcome;
  }
  RealEnv().files().Remove(path).IgnoreError();
  fmt::print(
      "{{\"case\":\"tail_{}\",\"turn_kib\":{},\"line_bytes\":{},\"mb_per_cpu_s\":{:.0f},"
      "\"rows_per_cpu_s\":{:.0f},\"rows\":{}}}\n",
      kind, turn_kib, line_bytes, static_cast<double>(best.bytes) / 1e6 / best.cpu_seconds,
      static_cast<double>(best.rows) / best.cpu_seconds, best.rows);
  return 0;
}

}  // namespace
}  // namespace kelp::tail

int main(int argc, char** argv) { return kelp::tail::Main(argc, argv); }
