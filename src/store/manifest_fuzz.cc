// Any bytes as a manifest, its checksum made right: no crash, and what was read can be written.
#include <cstdlib>
#include <string>

#include "store/bytes.h"
#include "store/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::store;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  PutU64(bytes, Checksum(bytes));
  const Result<Manifest> manifest = DecodeManifest(bytes, "fuzz");
  if (!manifest.ok()) return 0;
  const Result<Manifest> again = DecodeManifest(EncodeManifest(*manifest), "again");
  if (!again.ok() || again->applied != manifest->applied ||
      again->segments.size() != manifest->segments.size() ||
      again->marks.size() != manifest->marks.size()) {
    std::abort();
  }
  return 0;
}
