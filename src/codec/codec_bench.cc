// Measures the parsers and printers on generated lines: MB of input per CPU-second, and lines per
// CPU-second. Lines are in cache; what is left of a figure in the agent is reading and delivery.
//
//   kelp_codec_bench [NAME...]        the cases whose names contain one of NAME
#include <fmt/core.h>
#include <time.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch.h"
#include "codec/cri.h"
#include "codec/docker_json.h"
#include "codec/json.h"
#include "codec/json_print.h"
#include "codec/kelp_batch.h"
#include "codec/lines.h"
#include "codec/regex.h"
#include "codec/time_format.h"

namespace kelp::codec {
namespace {

constexpr size_t kTextBytes = 256 << 10;  // as one read of the agent
constexpr double kSecondsPerCase = 0.3;
constexpr std::string_view kNginxPattern =
    R"re(^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) ([^"]*)" (\d+) (\d+) "([^"]*)" "([^"]*)")re";

double CpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A small generator, so that lines differ and every run sees the same ones.
class Lines {
 public:
  uint32_t Next(uint32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 33) % bound;
  }
  std::string Pad(std::string line, size_t size) {
    while (line.size() < size) line += "abcdefghijklmnopqrstuvwxyz 0123456789 "[Next(38)];
    line.resize(size);
    return line;
  }
  std::string Time() {
    return fmt::format("2026-11-20T23:49:{:02}.{:09}Z", ++lines_ / 1000 % 60,
                       100'000'000 + Next(800'000'000));
  }
  std::string Json(size_t size) {
    std::string line = fmt::format(
        R"({{"time":"{}","level":"{}","logger":"com.example.shop.Orders","thread":"worker-{}",)"
        R"("trace_id":"{:016x}{:016x}","span_id":"{:016x}","method":"POST","path":"/api/v1/orders/{}",)"
        R"("status":{},"duration_ms":{}.{:03},"bytes":{},"user":"u{}","retry":false,"message":")",
        Time(), Next(10) == 0 ? "warn" : "info", Next(32), state_, state_ * 3, state_ * 7,
        Next(100'000), 200 + Next(300), Next(1000), Next(1000), Next(100'000), Next(10'000));
    return Pad(std::move(line), size - 2) + "\"}";
  }
  std::string Nginx(size_t size) {
    std::string line = fmt::format(
        R"(10.{}.{}.{} - user{} [20/Nov/2026:23:49:{:02} +0000] "GET /api/v1/items/{}?page={} HTTP/1.1" )"
        R"({} {} "https://shop.example.com/catalog/{}" ")",
        Next(256), Next(256), Next(256), Next(1000), Next(60), Next(100'000), Next(100),
        200 + Next(300), Next(100'000), Next(10'000));
    return Pad(std::move(line), size - 1) + "\"";
  }

 private:
  uint64_t state_ = 42;
  uint32_t lines_ = 0;
};

std::string Escaped(std::string_view text) {
  ByteBuffer out;
  AppendJsonString(out, text);
  return std::string(out.view().substr(1, out.size() - 2));
}

// Lines of one shape up to kTextBytes, with newlines.
std::string Text(const std::function<std::string(Lines&)>& make) {
  Lines lines;
  std::string text;
  while (text.size() < kTextBytes) text += make(lines) + "\n";
  return text;
}

struct Case {
  std::string name;
  std::string text;
  std::function<size_t(std::string_view)> run;  // how many lines it saw
};

void Measure(const Case& c) {
  static_cast<void>(c.run(c.text));
  const double begin = CpuSeconds();
  double end = begin;
  size_t lines = 0, rounds = 0;
  while (end - begin < kSecondsPerCase) {
    lines += c.run(c.text);
    ++rounds;
    end = CpuSeconds();
  }
  const double seconds = end - begin;
  fmt::print("{:<24} {:>8.0f} MB/CPU-s {:>8.1f} ns/line {:>12.0f} lines/CPU-s\n", c.name,
             static_cast<double>(rounds * c.text.size()) / seconds / 1e6,
             seconds * 1e9 / static_cast<double>(lines), static_cast<double>(lines) / seconds);
}

// A batch over the text, as an input makes it; bodies are what `take` says of each line.
template <typename F>
BatchPtr MakeBatch(std::string_view text, F&& take) {
  BatchPtr batch = BatchPool::Shared().Get();
  char* bytes = batch->AddBuffer(text.size());
  std::memcpy(bytes, text.data(), text.size());
  uint64_t offset = 0;
  ForEachLine({bytes, text.size()}, [&](std::string_view line) {
    take(*batch, line, offset);
    offset += line.size() + 1;
  });
  return batch;
}

size_t ParseFields(Batch& batch, JsonFields& fields) {
  fields.Start(batch);
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    CHECK(fields.Parse(row, batch.body().Get(row).text()), "not JSON");
  }
  return batch.rows();
}

BatchPtr RawBatch(std::string_view text) {
  return MakeBatch(text, [](Batch& batch, std::string_view line, uint64_t offset) {
    batch.AddRow(line, offset, offset + line.size() + 1, kNoTime);
  });
}

BatchPtr CriBatch(std::string_view text) {
  static CriParser parser;
  return MakeBatch(text, [](Batch& batch, std::string_view line, uint64_t offset) {
    CriLine cri;
    CHECK(parser.Parse(line, cri), "not CRI");
    batch.AddRow(cri.content, offset, offset + line.size() + 1, cri.time);
  });
}

BatchPtr DockerBatch(std::string_view text) {
  static DockerJsonParser parser;
  return MakeBatch(text, [](Batch& batch, std::string_view line, uint64_t offset) {
    DockerLine docker;
    CHECK(parser.Parse(line, batch, docker), "not Docker JSON");
    batch.AddRow(docker.log, offset, offset + line.size() + 1, docker.time);
  });
}

std::vector<Case> ParserCases() {
  const std::string raw = Text([](Lines& l) { return l.Pad("", 515); });
  const std::string cri = Text([](Lines& l) { return l.Pad(l.Time() + " stdout F hello ", 515); });
  const std::string cri_json = Text([](Lines& l) { return l.Time() + " stdout F " + l.Json(475); });
  const auto docker = [](Lines& l, const std::string& log) {
    return "{\"log\":\"" + Escaped(log) + "\\n\",\"stream\":\"stdout\",\"time\":\"" + l.Time() +
           "\"}";
  };
  const std::string docker_plain = Text([&](Lines& l) { return docker(l, l.Pad("hello ", 440)); });
  const std::string docker_json = Text([&](Lines& l) { return docker(l, l.Json(420)); });
  static JsonFields fields;
  return {
      {"lines", raw,
       [](std::string_view text) {
         size_t lines = 0;
         ForEachLine(text, [&](std::string_view) { ++lines; });
         return lines;
       }},
      {"lines+batch", raw, [](std::string_view text) { return RawBatch(text)->rows(); }},
      {"cri+batch", cri, [](std::string_view text) { return CriBatch(text)->rows(); }},
      {"cri+json+batch", cri_json,
       [](std::string_view text) { return ParseFields(*CriBatch(text), fields); }},
      {"docker+batch", docker_plain,
       [](std::string_view text) { return DockerBatch(text)->rows(); }},
      {"docker_escaped+batch", docker_json,
       [](std::string_view text) { return DockerBatch(text)->rows(); }},
      {"docker+json+batch", docker_json,
       [](std::string_view text) { return ParseFields(*DockerBatch(text), fields); }},
  };
}

Case RegexCase(std::string name, const RegexOptions& options) {
  auto regex = Regex::Compile(kNginxPattern, options);
  CHECK(regex.ok(), regex.status().ToString());
  auto matcher = std::make_shared<RegexMatcher>(*regex);
  return {std::move(name), Text([](Lines& l) { return l.Nginx(533); }),
          [matcher](std::string_view text) {
            size_t lines = 0, bytes = 0;
            ForEachLine(text, [&](std::string_view line) {
              CHECK(matcher->Match(line) == RegexOutcome::kMatch, "no match");
              ++lines;
              for (size_t i = 1; i < 12; ++i) bytes += matcher->group(i).size();
            });
            CHECK(bytes != 0, "nothing captured");
            return lines;
          }};
}

Case TimeCase(std::string name, std::string format, const std::string& text) {
  auto parsed = TimeFormat::Parse(format);
  CHECK(parsed.ok(), parsed.status().ToString());
  auto shared = std::make_shared<TimeFormat>(std::move(parsed).value());
  return {std::move(name), text, [shared](std::string_view lines) {
            size_t count = 0;
            ForEachLine(lines, [&](std::string_view line) {
              UnixNanos time = 0;
              CHECK(shared->Read(line, 0, time), "not a time");
              ++count;
            });
            return count;
          }};
}

// A batch with fields, made once, that printers read.
std::vector<Case> PrinterCases() {
  auto text = std::make_shared<std::string>(Text([](Lines& l) { return l.Json(514); }));
  std::shared_ptr<Batch> batch(RawBatch(*text).release());
  static JsonFields fields;
  ParseFields(*batch, fields);
  const auto print = [batch](std::string_view) {
    static ByteBuffer out;
    static RowPrinter printer;
    out.Clear();
    printer.Start(*batch);
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      printer.Append(out, row);
      out.Append('\n');
    }
    return size_t{batch->rows()};
  };
  auto encoder = std::make_shared<BatchSetEncoder>();
  encoder->Add(*batch, 0);
  auto body = std::make_shared<std::string>(encoder->Finish());
  return {{"json", *text, [](std::string_view t) { return ParseFields(*RawBatch(t), fields); }},
          {"print_rows", *text, print},
          {"encode_batch+zstd", *text,
           [batch, encoder](std::string_view) {
             encoder->Add(*batch, 0);
             CHECK(!encoder->Finish().empty(), "nothing");
             return size_t{batch->rows()};
           }},
          {"decode_batch", *text, [body](std::string_view) {
             auto got = DecodeBatchSet(*body);
             CHECK(got.ok(), got.status().ToString());
             return size_t{(*got)[0]->rows()};
           }}};
}

}  // namespace
}  // namespace kelp::codec

int main(int argc, char** argv) {
  using namespace kelp::codec;
  std::vector<Case> cases = ParserCases();
  for (Case& c : PrinterCases()) cases.push_back(std::move(c));
  cases.push_back(RegexCase("nginx_span", {}));
  cases.push_back(RegexCase("nginx_pcre2", {.span_program = false}));
  cases.push_back(TimeCase("time_rfc3339", "rfc3339", Text([](Lines& l) { return l.Time(); })));
  cases.push_back(
      TimeCase("time_pattern", "%Y-%m-%dT%H:%M:%S%.f%z", Text([](Lines& l) { return l.Time(); })));
  for (const Case& c : cases) {
    bool wanted = argc == 1;
    for (int i = 1; i < argc; ++i) wanted |= c.name.find(argv[i]) != std::string::npos;
    if (wanted) Measure(c);
  }
  return 0;
}
