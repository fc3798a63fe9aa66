// What framing costs by itself: text in memory to rows, no file, no engine.
//
//   kelp_framing_bench [lines|cri|java|java_cri|gbk|one_line] [MIB]
//
// java: records of about 514 bytes in eight lines, joined by a start pattern; java_cri: the same in
// CRI lines; gbk: Chinese text; one_line: no newline at all. Turns of 256 KiB as sources take them.
// Prints one JSON line: MB (10^6) per second of CPU, the best of seven rounds.
#include <fmt/core.h>

#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

#include "base/check.h"
#include "framing/framing.h"

namespace kelp::framing {
namespace {

constexpr size_t kTurnBytes = 256u << 10;

double CpuSeconds() {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) * 1e-9;
}

std::string JavaRecord(uint64_t number, std::string_view head) {
  std::string text = fmt::format(
      "{}2026-11-20 08:{:02}:{:02}.{:03} ERROR [http-nio-8080-exec-{}] shop.OrderService - failed\n"
      "{}java.lang.IllegalStateException: order {} is closed\n",
      head, number / 60000 % 60, number / 1000 % 60, number % 1000, number % 64, head, number);
  for (int frame = 0; frame < 6; ++frame) {
    text += fmt::format("{}\tat shop.orders.Service{}.accept{}(Service.java:{:03})\n", head, frame,
                        number % 1000, 100 + frame);
  }
  return text;
}

std::string MakeText(const std::string& kind, size_t size) {
  std::string text;
  text.reserve(size + 4096);
  for (uint64_t number = 0; text.size() < size; ++number) {
    if (kind == "java") {
      text += JavaRecord(number, "");
    } else if (kind == "java_cri") {
      text += JavaRecord(number, "2026-11-20T23:49:26.304280852Z stdout F ");
    } else if (kind == "gbk") {
      text += fmt::format("{:09} ", number);
      for (int i = 0; i < 250; ++i) text += i % 2 == 0 ? "\xc4\xe3" : "\xba\xc3";
      text += '\n';
    } else {
      if (kind == "cri") text += "2026-11-20T23:49:26.304280852Z stdout F ";
      text += fmt::format("{:09} ", number) + std::string(504, 'x');
      text += kind == "one_line" ? ' ' : '\n';
    }
  }
  return text;
}

FramingOptions OptionsOf(const std::string& kind) {
  FramingOptions options;
  if (kind == "java" || kind == "java_cri") {
    options.multiline = MultilineOptions{.start = R"(\d{4}-\d{2}-\d{2} )"};
  }
  if (kind == "cri" || kind == "java_cri") options.format = Format::kCri;
  if (kind == "gbk") options.charset = Charset::kGbk;
  return options;
}

struct Outcome {
  uint64_t rows = 0;
  double cpu_seconds = 0;
};

Outcome ReadOnce(const std::string& kind, const std::string& text) {
  const FramingOptions options = OptionsOf(kind);
  auto decoder = MakeDecoder(options);
  CHECK(decoder.ok(), decoder.status().message());
  Outcome outcome;
  const double start = CpuSeconds();
  size_t want = kTurnBytes;
  for (size_t position = 0; position < text.size();) {
    const BatchPool::Ptr batch = BatchPool::Shared().Get();
    const size_t size = std::min(want, text.size() - position);
    Chunk chunk{batch->AddBuffer(size), size, position, position + size == text.size()};
    std::memcpy(chunk.data, text.data() + position, size);
    const size_t used = (*decoder)->Decode(chunk, *batch);
    (*decoder)->AddFields(*batch);
    position += used;
    want = used == 0 ? std::min(2 * want, options.line_bytes_max + 2) : kTurnBytes;
    outcome.rows += batch->rows();
  }
  outcome.cpu_seconds = CpuSeconds() - start;
  return outcome;
}

int Main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "java";
  const uint64_t mib = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 64;
  const std::string text = MakeText(kind, mib << 20);
  Outcome best;
  for (int round = 0; round < 7; ++round) {
    const Outcome outcome = ReadOnce(kind, text);
    if (best.cpu_seconds == 0 || outcome.cpu_seconds < best.cpu_seconds) best = outcome;
  }
  fmt::print(
      "{{\"case\":\"framing_{}\",\"mb_per_cpu_s\":{:.0f},\"rows_per_cpu_s\":{:.0f},"
      "\"rows\":{}}}\n",
      kind, static_cast<double>(text.size()) / 1e6 / best.cpu_seconds,
      static_cast<double>(best.rows) / best.cpu_seconds, best.rows);
  return 0;
}

}  // namespace
}  // namespace kelp::framing

int main(int argc, char** argv) { return kelp::framing::Main(argc, argv); }
