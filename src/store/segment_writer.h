// SegmentWriter: writes one segment file, block by block.
//
// Place:    the flush and the merge.
// Owns:     its temporary file, removed unless Finish succeeded.
// Threads:  confined to one.
// Blocking: writes; Finish syncs.
// Format:   docs/formats/segment.md
// Tests:    segment_test.cc, store_fault_test.cc
#ifndef KELP_STORE_SEGMENT_WRITER_H_
#define KELP_STORE_SEGMENT_WRITER_H_

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/env.h"
#include "store/block_builder.h"
#include "store/segment.h"

namespace kelp::store {

struct SegmentIdentity {
  uint64_t logstore_id = 0;
  uint64_t id = 0;
  int32_t day = 0;
  uint64_t applied = 0;
  std::vector<uint64_t> replaces;
};

class SegmentWriter {
 public:
  // Makes the folder of `path` when it is missing.
  static Result<std::unique_ptr<SegmentWriter>> Create(FileSystem& files, std::string path,
                                                       SegmentIdentity identity);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  Status Add(const EncodedBlock& block);
  // Copies a block as it is, after verifying its checksums. The segment it is in must live until
  // Finish.
  Status Copy(const SegmentBlock& block);
  uint64_t bytes() const { return bytes_; }

  // Makes the file durable under its name.
  Status Finish();

 private:
  SegmentWriter(FileSystem& files, std::string path, std::unique_ptr<File> file,
                SegmentIdentity identity);
  Status AddBlock(const BlockEntry& entry, std::string_view data, std::string_view filter);
  uint64_t TextNumber(std::string_view text);
  uint64_t ResourceNumber(const TagViews& tags);
  void EncodeEntry(const BlockEntry& entry, std::string& out);
  void EncodeColumn(const ColumnEntry& column, std::string& out);
  void EncodeValue(const Value& value, std::string& out);
  Status WriteFilters();
  std::string EncodeIndex() const;
  Status Write(std::string_view bytes);

  FileSystem& files_;
  const std::string path_;
  const std::string temporary_;
  std::unique_ptr<File> file_;
  const SegmentIdentity identity_;
  uint64_t bytes_ = 0;
  uint64_t blocks_ = 0;
  std::string entries_;  // sizes and entries
  std::deque<std::string> texts_;
  std::unordered_map<std::string_view, uint64_t> text_numbers_;
  std::string resources_;  // encoded
  std::unordered_map<std::string, uint64_t> resource_numbers_;
  std::deque<std::string> own_filters_;
  std::vector<std::string_view> filters_;  // of all blocks; copied ones stay in their map
  bool finished_ = false;
};

}  // namespace kelp::store

#endif  // KELP_STORE_SEGMENT_WRITER_H_
