// What a server answers is read without trust: it may be a proxy, or anything else at that address.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "output/kelp/kelp_sender.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  net::HttpResponse response;
  response.status = 503;
  response.body.assign(reinterpret_cast<const char*>(data), size);
  response.headers.Set("Retry-After", response.body.substr(0, 32));

  const Duration wait = output::RetryAfter(response);
  CHECK(wait >= 0s && wait <= 10min, "a wait that nobody meant");
  for (const char c : output::ErrorMessage(response)) {
    CHECK(static_cast<unsigned char>(c) >= ' ', "a message of more than one line");
  }
  if (output::JsonCount(response.body, "accepted")) {
    CHECK(response.body.find("\"accepted\"") != std::string::npos, "a number that is not there");
  }
  return 0;
}
