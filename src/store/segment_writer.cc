#include "store/segment_writer.h"

#include "store/bytes.h"
#include "store/layout.h"
#include "store/segment_format.h"
#include "store/token_filter.h"

namespace kelp::store {
namespace {

// Filters are written in pieces of about this size.
constexpr size_t kWriteBytes = 256 << 10;

void PutFrame(const FrameRef& frame, std::string& out) {
  PutVarint(out, frame.size);
  PutU64(out, frame.checksum);
}

}  // namespace

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::Create(FileSystem& files, std::string path,
                                                             SegmentIdentity identity) {
  RETURN_IF_ERROR(MakeDirsDurably(files, DirName(path)));
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   files.OpenForWrite(path + std::string(kTemporarySuffix), /*truncate=*/true));
  std::unique_ptr<SegmentWriter> writer(
      new SegmentWriter(files, std::move(path), std::move(file), std::move(identity)));
  std::string header(kSegmentMagic);
  PutU32(header, kSegmentVersion);
  PutU32(header, 0);
  RETURN_IF_ERROR(writer->Write(header));
  return writer;
}

SegmentWriter::SegmentWriter(FileSystem& files, std::string path, std::unique_ptr<File> file,
                             SegmentIdentity identity)
    : files_(files),
      path_(std::move(path)),
      temporary_(path_ + std::string(kTemporarySuffix)),
      file_(std::move(file)),
      identity_(std::move(identity)) {}

SegmentWriter::~SegmentWriter() {
  if (finished_) return;
  file_.reset();
  files_.Remove(temporary_).IgnoreError();
}

Status SegmentWriter::Write(std::string_view bytes) {
  RETURN_IF_ERROR(file_->Append(bytes));
  bytes_ += bytes.size();
  return OkStatus();
}

Status SegmentWriter::Add(const EncodedBlock& block) {
  own_filters_.push_back(block.filter);
  return AddBlock(block.entry, block.data, own_filters_.back());
}

Status SegmentWriter::Copy(const SegmentBlock& block) {
  RETURN_IF_ERROR(block.VerifyChecksums());
  return AddBlock(block.entry(), block.data(), block.filter());
}

Status SegmentWriter::AddBlock(const BlockEntry& entry, std::string_view data,
                               std::string_view filter) {
  RETURN_IF_ERROR(Write(data));
  std::string bytes;
  EncodeEntry(entry, bytes);
  PutText(entries_, bytes);
  filters_.push_back(filter);
  ++blocks_;
  return OkStatus();
}

uint64_t SegmentWriter::TextNumber(std::string_view text) {
  const auto it = text_numbers_.find(text);
  if (it != text_numbers_.end()) return it->second;
  const uint64_t number = texts_.size();
  texts_.emplace_back(text);
  text_numbers_.emplace(texts_.back(), number);
  return number;
}

uint64_t SegmentWriter::ResourceNumber(const TagViews& tags) {
  std::string bytes;
  PutVarint(bytes, tags.size());
  for (const auto& [key, value] : tags) {
    PutVarint(bytes, TextNumber(key));
    PutVarint(bytes, TextNumber(value));
  }
  const auto [it, fresh] = resource_numbers_.try_emplace(bytes, resource_numbers_.size());
  if (fresh) resources_ += bytes;
  return it->second;
}

void SegmentWriter::EncodeValue(const Value& value, std::string& out) {
  out += static_cast<char>(value.kind);
  if (!value.missing()) PutVarint(out, TextNumber(value.text()));
}

void SegmentWriter::EncodeColumn(const ColumnEntry& column, std::string& out) {
  PutVarint(out, TextNumber(column.name));
  out += static_cast<char>(column.form);
  switch (column.form) {
    case ColumnForm::kConstant:
      EncodeValue(column.dictionary[0], out);
      return;
    case ColumnForm::kDictionary:
      PutVarint(out, column.dictionary.size());
      for (const Value& value : column.dictionary) EncodeValue(value, out);
      PutFrame(column.ids, out);
      return;
    case ColumnForm::kPlain:
      out += static_cast<char>(column.kind);
      out += static_cast<char>(column.all_json ? 1 : 0);
      PutFrame(column.sizes, out);
      PutFrame(column.data, out);
      if (column.kind == ColumnEntry::kMixedKinds) PutFrame(column.kinds, out);
      return;
  }
}

void SegmentWriter::EncodeEntry(const BlockEntry& entry, std::string& out) {
  PutVarint(out, entry.rows);
  PutSigned(out, entry.time_min);
  PutVarint(out, static_cast<uint64_t>(entry.time_max) - static_cast<uint64_t>(entry.time_min));
  PutVarint(out, entry.raw_bytes);
  PutVarint(out, entry.filter_lines);
  PutU64(out, entry.filter_checksum);
  PutFrame(entry.times, out);
  PutFrame(entry.runs, out);
  PutFrame(entry.offsets, out);
  PutVarint(out, entry.resources.size());
  for (const TagViews& tags : entry.resources) PutVarint(out, ResourceNumber(tags));
  PutVarint(out, entry.columns.size());
  for (const ColumnEntry& column : entry.columns) EncodeColumn(column, out);
}

Status SegmentWriter::WriteFilters() {
  std::string buffer((kFilterLineBytes - bytes_ % kFilterLineBytes) % kFilterLineBytes, '\0');
  for (const std::string_view filter : filters_) {
    buffer += filter;
    if (buffer.size() < kWriteBytes) continue;
    RETURN_IF_ERROR(Write(buffer));
    buffer.clear();
  }
  return Write(buffer);
}

std::string SegmentWriter::EncodeIndex() const {
  std::string index;
  PutU64(index, identity_.logstore_id);
  PutVarint(index, identity_.id);
  PutSigned(index, identity_.day);
  PutVarint(index, identity_.applied);
  PutVarint(index, identity_.replaces.size());
  for (const uint64_t id : identity_.replaces) PutVarint(index, id);
  PutVarint(index, texts_.size());
  for (const std::string& text : texts_) PutText(index, text);
  PutVarint(index, resource_numbers_.size());
  index += resources_;
  PutVarint(index, blocks_);
  index += entries_;
  return index;
}

Status SegmentWriter::Finish() {
  const uint64_t filters_at = (bytes_ + kFilterLineBytes - 1) / kFilterLineBytes * kFilterLineBytes;
  RETURN_IF_ERROR(WriteFilters());
  std::string footer;
  const std::string index = EncodeIndex();
  PutU64(footer, filters_at);
  PutU64(footer, bytes_);
  PutU64(footer, index.size());
  PutU64(footer, Checksum(index));
  PutU64(footer, Checksum(footer));
  footer += kSegmentEndMagic;
  RETURN_IF_ERROR(Write(index));
  RETURN_IF_ERROR(Write(footer));
  RETURN_IF_ERROR(file_->Sync());
  file_.reset();
  RETURN_IF_ERROR(files_.Rename(temporary_, path_));
  finished_ = true;
  // The folder's own name, too: an earlier attempt may have made it and failed to sync.
  RETURN_IF_ERROR(files_.SyncDir(DirName(path_)));
  return files_.SyncDir(DirName(DirName(path_)));
}

}  // namespace kelp::store
