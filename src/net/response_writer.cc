#include "net/response_writer.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <iterator>

namespace kelp::net {
namespace {

// The Date header's value. It changes once a second, so each thread keeps the last one.
std::string_view HttpDate() {
  thread_local time_t last = 0;
  thread_local std::array<char, 40> text;
  thread_local size_t size = 0;
  const time_t now = time(nullptr);
  if (now != last) {
    std::tm tm;
    gmtime_r(&now, &tm);
    // Not strftime's %a and %b: those follow the locale.
    constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto end = fmt::format_to_n(
        text.data(), text.size(), "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[tm.tm_wday],
        tm.tm_mday, kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    size = end.size;
    last = now;
  }
  return {text.data(), size};
}

bool IsOurs(std::string_view name) {
  return EqualsIgnoreCase(name, "Content-Length") || EqualsIgnoreCase(name, "Transfer-Encoding") ||
         EqualsIgnoreCase(name, "Connection") || EqualsIgnoreCase(name, "Date");
}

// A line break in a value would let whoever supplied it write headers of their own.
void AppendOneLine(std::string& out, std::string_view value) {
  for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
}

}  // namespace

bool StatusHasNoBody(int status) { return status < 200 || status == 204 || status == 304; }

std::string ResponseHead(const HttpResponse& response, const ResponseFraming& framing) {
  std::string out;
  out.reserve(256);
  fmt::format_to(std::back_inserter(out), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 HttpReason(response.status), HttpDate());
  for (const auto& [name, value] : response.headers) {
    if (IsOurs(name)) continue;
    AppendOneLine(out, name);
    out += ": ";
    AppendOneLine(out, value);
    out += "\r\n";
  }
  if (!StatusHasNoBody(response.status)) {
    if (!framing.stream) {
      fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", framing.body_bytes);
    } else if (!framing.http10) {
      out += "Transfer-Encoding: chunked\r\n";
    }
  }
  if (framing.upgrade) {
    out += "Connection: Upgrade\r\n";
  } else if (!framing.keep_alive) {
    out += "Connection: close\r\n";
  } else if (framing.http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

std::string ChunkHead(size_t size) { return fmt::format("{:x}\r\n", size); }

}  // namespace kelp::net
