// Manifest: the one truth about what a logstore holds on disk, replaced as a whole.
//
// Segments that a manifest does not name do not count: a flush or a merge happens at the moment its
// manifest is renamed into place, and a crash before or after leaves either the old or the new.
//
// Threads:  a value.
// Errors:   kDataLoss when the bytes do not fit; kUnimplemented for a newer version.
// Format:   docs/formats/segment.md, "The manifest"
// Tests:    manifest_test.cc, manifest_fuzz.cc
#ifndef KELP_STORE_MANIFEST_H_
#define KELP_STORE_MANIFEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/env.h"
#include "base/ids.h"
#include "store/store.h"

namespace kelp::store {

// The highest row end stored of an origin, and when rows of it last came (seconds since the epoch).
struct Mark {
  uint64_t end = 0;
  int64_t touched = 0;
};
using Marks = std::unordered_map<OriginId, Mark>;

struct SegmentEntry {
  uint64_t id = 0;
  int32_t day = 0;  // days since the epoch, UTC: the folder it is in
  uint64_t bytes = 0;
  uint64_t rows = 0;
};

struct Manifest {
  uint64_t logstore_id = 0;
  LogstoreSettings settings;
  uint64_t applied = 0;  // frames of the log up to here are in segments
  uint64_t next_segment = 1;
  std::vector<SegmentEntry> segments;
  Marks marks;  // as they were at `applied`
};

std::string EncodeManifest(const Manifest& manifest);
Result<Manifest> DecodeManifest(std::string_view bytes, const std::string& path);

}  // namespace kelp::store

#endif  // KELP_STORE_MANIFEST_H_
