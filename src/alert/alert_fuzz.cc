// Definitions, states and templates from anywhere: what is read prints to what reads the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "alert/alert.h"
#include "alert/message.h"
#include "alert/state.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::alert;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto alert = ParseAlert("p", "a", text); alert.ok()) {
    const std::string printed = "{" + PrintAlert(*alert, Show::kAll) + "}";
    const auto again = ParseAlert("p", "a", printed);
    CHECK(again.ok(), "what was printed cannot be read");
    CHECK("{" + PrintAlert(*again, Show::kAll) + "}" == printed, "printed otherwise");
  }
  if (const auto state = ParseState(text); state.ok()) {
    const std::string printed = PrintState(*state);
    const auto again = ParseState(printed);
    CHECK(again.ok() && PrintState(*again) == printed, "a state changes");
  }
  if (CheckTemplate(text).ok()) {
    Alert alert;
    alert.webhook = Webhook{"http://x", {}, std::string(text)};
    Message message;
    message.labels = {{"a", "\"}}{{key}}"}};
    (void)WebhookBody(alert, message);
  }
  return 0;
}
