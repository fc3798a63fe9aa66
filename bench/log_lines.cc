#include "log_lines.h"

#include <array>
#include <cstring>

#include "base/units.h"

namespace kelp::bench {
namespace {

constexpr size_t kRawLineBytes = 515;
constexpr size_t kNginxLineBytes = 534;
constexpr size_t kJsonBodyBytes = 514;
constexpr size_t kJavaRecordBytes = 514;
// 2026-11-20T08:00:00Z; every line is a few hundred microseconds later than the one before.
constexpr UnixNanos kFirstTime = 1795161600000000000;
constexpr uint64_t kStepNanosMax = 400000;

constexpr std::array<std::string_view, 24> kWords = {
    "order",   "accepted", "for",      "customer", "in",        "warehouse", "north", "while",
    "payment", "provider", "answered", "after",    "retry",     "of",        "cart",  "session",
    "renewed", "by",       "gateway",  "cache",    "refreshed", "and",       "index", "merged"};
constexpr std::array<std::string_view, 4> kLevels = {"INFO", "INFO", "WARN", "DEBUG"};
constexpr std::array<std::string_view, 5> kMethods = {"GET", "GET", "GET", "POST", "PUT"};
constexpr std::array<std::string_view, 6> kPaths = {
    "/api/v1/orders", "/api/v1/carts", "/static/app.js", "/health", "/api/v1/users", "/search"};
constexpr std::array<std::string_view, 5> kStatuses = {"200", "200", "304", "404", "500"};

// xorshift: random enough for digits, and as fast as memory.
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  uint64_t Below(uint64_t n) { return (Next() >> 11) % n; }
  template <size_t N>
  std::string_view Pick(const std::array<std::string_view, N>& choices) {
    return choices[Below(N)];
  }

 private:
  uint64_t state_;
};

void AppendNumber(std::string& out, uint64_t value) {
  char digits[20];
  char* p = digits + sizeof digits;
  do {
    *--p = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  out.append(p, static_cast<size_t>(digits + sizeof digits - p));
}

void AppendHex(std::string& out, uint64_t value) {
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 15];
}

// Text of its own for every line without the price of choosing each word.
void FillTo(std::string& out, size_t size, Dice& dice) {
  while (out.size() < size) {
    out += ' ';
    out += dice.Pick(kWords);
    if (dice.Below(6) == 0) {
      out += '=';
      AppendNumber(out, dice.Below(1000000));
    }
  }
  out.resize(size);
}

// Formats the time once a second and only moves the digits of the fraction in between.
class Stamp {
 public:
  explicit Stamp(Dice& dice) : dice_(dice) {}
  // "2026-11-20T08:00:00.123456789Z"
  std::string_view Next() {
    now_ += 1 + static_cast<UnixNanos>(dice_.Below(kStepNanosMax));
    const int64_t second = now_ / 1000000000;
    if (second != second_) {
      text_ = FormatRfc3339(second * 1000000000);
      second_ = second;
    }
    uint64_t fraction = static_cast<uint64_t>(now_ % 1000000000);
    for (size_t i = 28; i > 19; --i, fraction /= 10) {
      text_[i] = static_cast<char>('0' + fraction % 10);
    }
    return text_;
  }
  UnixNanos now() const { return now_; }

 private:
  Dice& dice_;
  UnixNanos now_ = kFirstTime;
  int64_t second_ = 0;
  std::string text_;
};

class RawText {
 public:
  explicit RawText(uint64_t seed) : dice_(seed), stamp_(dice_) {}
  // kRawLineBytes - 1 bytes.
  const std::string& Next() {
    text_ = stamp_.Next();
    text_ += ' ';
    text_ += dice_.Pick(kLevels);
    text_ += " [worker-";
    AppendNumber(text_, dice_.Below(32));
    text_ += "] shop.orders.OrderService request=";
    AppendHex(text_, dice_.Next());
    text_ += " user=";
    AppendNumber(text_, 100000 + dice_.Below(900000));
    FillTo(text_, kRawLineBytes - 1, dice_);
    return text_;
  }

 private:
  Dice dice_;
  Stamp stamp_;
  std::string text_;
};

class JsonBody {
 public:
  explicit JsonBody(uint64_t seed) : dice_(seed), stamp_(dice_) {}
  const std::string& Next() {
    text_ = "{\"time\":\"";
    text_ += stamp_.Next();
    text_ += "\",\"level\":\"";
    text_ += dice_.Pick(kLevels);
    text_ += "\",\"service\":\"orders\",\"trace_id\":\"";
    AppendHex(text_, dice_.Next());
    AppendHex(text_, dice_.Next());
    text_ += "\",\"method\":\"";
    text_ += dice_.Pick(kMethods);
    text_ += "\",\"path\":\"";
    text_ += dice_.Pick(kPaths);
    text_ += "\",\"status\":";
    text_ += dice_.Pick(kStatuses);
    text_ += ",\"user_id\":";
    AppendNumber(text_, 100000 + dice_.Below(900000));
    text_ += ",\"duration_ms\":";
    AppendNumber(text_, dice_.Below(900));
    text_ += ".25,\"retry\":false,\"tags\":[\"eu\",\"blue\"],\"message\":\"done";
    FillTo(text_, kJsonBodyBytes - 2, dice_);
    text_ += "\"}";
    return text_;
  }
  std::string_view time() const { return std::string_view(text_).substr(9, 30); }

 private:
  Dice dice_;
  Stamp stamp_;
  std::string text_;
};

class RawLines final : public LogLines {
 public:
  explicit RawLines(uint64_t seed) : text_(seed) {}
  void Append(std::string& out) override { (out += text_.Next()) += '\n'; }

 private:
  RawText text_;
};

class CriLines final : public LogLines {
 public:
  explicit CriLines(uint64_t seed) : text_(seed) {}
  void Append(std::string& out) override {
    const std::string& text = text_.Next();
    out.append(text, 0, 30);
    out += " stdout F ";
    (out += text) += '\n';
  }

 private:
  RawText text_;
};

class JsonBodyLines final : public LogLines {
 public:
  explicit JsonBodyLines(uint64_t seed) : body_(seed) {}
  void Append(std::string& out) override {
    const std::string& text = body_.Next();
    out += body_.time();
    out += " stdout F ";
    (out += text) += '\n';
  }

 private:
  JsonBody body_;
};

class DockerJsonLines final : public LogLines {
 public:
  explicit DockerJsonLines(uint64_t seed) : body_(seed) {}
  void Append(std::string& out) override {
    out += "{\"log\":\"";
    for (const char c : body_.Next()) {
      if (c == '"') out += '\\';
      out += c;
    }
    out += "\\n\",\"stream\":\"stdout\",\"time\":\"";
    out += body_.time();
    out += "\"}\n";
  }

 private:
  JsonBody body_;
};

// 203.0.113.7 - alice [20/Nov/2026:08:00:00 +0000] "GET /search?q=1 HTTP/1.1" 200 512 0.031
//   "referer" "agent"
class NginxLines final : public LogLines {
 public:
  explicit NginxLines(uint64_t seed) : dice_(seed), stamp_(dice_) {}
  void Append(std::string& out) override {
    const std::string_view time = stamp_.Next();
    std::string& line = line_;
    line = "203.0.113.";
    AppendNumber(line, dice_.Below(256));
    line += " - user";
    AppendNumber(line, dice_.Below(10000));
    line += " [";
    line.append(time.substr(8, 2)).append("/Nov/2026:").append(time.substr(11, 8));
    line += " +0000] \"";
    line += dice_.Pick(kMethods);
    line += ' ';
    line += dice_.Pick(kPaths);
    line += "?session=";
    AppendHex(line, dice_.Next());
    AppendHex(line, dice_.Next());
    line += "&page=";
    AppendNumber(line, dice_.Below(1000));
    line += " HTTP/1.1\" ";
    line += dice_.Pick(kStatuses);
    line += ' ';
    AppendNumber(line, 100 + dice_.Below(100000));
    line += " 0.0";
    AppendNumber(line, 10 + dice_.Below(90));
    line += " \"https://shop.example.com/category/";
    AppendNumber(line, dice_.Below(1000));
    line +=
        "?utm_source=newsletter&utm_campaign=autumn\" \"Mozilla/5.0 (X11; Linux x86_64) "
        "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36";
    FillTo(line, kNginxLineBytes - 2, dice_);
    line += "\"\n";
    out += line;
  }

 private:
  Dice dice_;
  Stamp stamp_;
  std::string line_;
};

// 2026-11-20 08:00:00.123 ERROR [http-nio-8080-exec-5] shop.orders.OrderService - …
// java.lang.IllegalStateException: …
//   at shop.orders.OrderService.accept(OrderService.java:117)
class JavaRecords final : public LogLines {
 public:
  explicit JavaRecords(uint64_t seed) : dice_(seed), stamp_(dice_) {}
  void Append(std::string& out) override {
    const std::string_view time = stamp_.Next();
    std::string& record = record_;
    record.assign(time.substr(0, 10)).append(" ").append(time.substr(11, 12));
    record += " ERROR [http-nio-8080-exec-";
    AppendNumber(record, dice_.Below(64));
    record += "] shop.orders.OrderService - request=";
    AppendHex(record, dice_.Next());
    record += " failed\njava.lang.IllegalStateException: order ";
    AppendNumber(record, dice_.Below(1000000));
    record += " is closed";
    for (int frame = 0; frame < kFrames; ++frame) {
      record += "\n\tat shop.";
      record += dice_.Pick(kWords);
      record += ".Service.";
      record += dice_.Pick(kWords);
      record += "(Service.java:";
      AppendNumber(record, 10 + dice_.Below(900));
      record += ')';
    }
    record += "\n\t... ";
    FillTo(record, kJavaRecordBytes - 1, dice_);
    (out += record) += '\n';
  }

 private:
  static constexpr int kFrames = 5;
  Dice dice_;
  Stamp stamp_;
  std::string record_;
};

}  // namespace

Result<std::unique_ptr<LogLines>> LogLines::Create(std::string_view kind, uint64_t seed) {
  std::unique_ptr<LogLines> lines;
  if (kind == "raw") lines = std::make_unique<RawLines>(seed);
  if (kind == "cri") lines = std::make_unique<CriLines>(seed);
  if (kind == "docker_json") lines = std::make_unique<DockerJsonLines>(seed);
  if (kind == "json_body") lines = std::make_unique<JsonBodyLines>(seed);
  if (kind == "nginx") lines = std::make_unique<NginxLines>(seed);
  if (kind == "java") lines = std::make_unique<JavaRecords>(seed);
  if (lines != nullptr) return lines;
  return InvalidArgumentError("unknown kind \"" + std::string(kind) +
                              "\"; there are raw, cri, docker_json, json_body, nginx, java");
}

}  // namespace kelp::bench
