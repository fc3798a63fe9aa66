// What callers of the API write into parameters and small bodies: refused, or understood the same
// way each time.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http.h"
#include "server/document.h"
#include "server/json_text.h"
#include "server/time_param.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  constexpr UnixNanos kNow = 1'800'000'000'000'000'000;
  if (const auto time = server::ParseTimeParam(text, kNow); time.ok()) {
    // What the server prints, it reads.
    const auto number = server::ParseTimeParam(std::to_string(*time), kNow);
    CHECK(number.ok() && *number == *time, "a time changed on the way");
  }
  if (const auto members = server::ParseRequestObject(text, {"name", "retention", "code"});
      members.ok()) {
    std::string again = "{";
    for (const auto& [key, member] : *members) {
      if (again.size() > 1) again += ',';
      again +=
          server::JsonText(key) + ":" + (member.is_null ? "null" : server::JsonText(member.text));
    }
    CHECK(server::ParseRequestObject(again + "}", {"name", "retention", "code"}).ok(),
          "printing and parsing broke an object");
  }
  for (const server::DocumentKind* kind : {&server::SavedSearchKind(), &server::DashboardKind()}) {
    const auto kept = server::ReadDocument(*kind, text);
    if (!kept.ok()) continue;
    const auto again = server::ReadDocument(*kind, *kept);
    CHECK(again.ok() && *again == *kept, "what is kept of a document is not kept again");
  }
  return 0;
}
