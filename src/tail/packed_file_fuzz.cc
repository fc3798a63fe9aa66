// Any bytes as a compressed file, read in pieces: whatever comes of it is the same when it is read
// again from the beginning in other pieces, and ends.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>

#include "base/check.h"
#include "tail/packed_file.h"

namespace {

using namespace kelp;
using namespace kelp::tail;

// More is not read of one input: a bomb is not the point.
constexpr size_t kTextMax = 1u << 20;

class Bytes final : public File {
 public:
  explicit Bytes(std::string data) : data_(std::move(data)) {}
  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    if (offset >= data_.size()) return size_t{0};
    const size_t n = std::min(size, data_.size() - static_cast<size_t>(offset));
    std::memcpy(buffer, data_.data() + offset, n);
    return n;
  }
  Result<FileInfo> Stat() override {
    FileInfo info;
    info.size = data_.size();
    info.type = FileType::kRegular;
    return info;
  }
  Status Append(std::string_view) override { return OkStatus(); }
  Status AppendAll(std::span<const std::string_view>) override { return OkStatus(); }
  Status Sync() override { return OkStatus(); }
  Status Truncate(uint64_t) override { return OkStatus(); }

 private:
  const std::string data_;
};

std::string ReadAll(PackedFile& file, size_t step) {
  std::string text;
  std::string buffer(step, '\0');
  while (text.size() < kTextMax) {
    const Result<size_t> n = file.ReadAt(text.size(), buffer.data(), step);
    if (!n.ok() || *n == 0) break;
    text.append(buffer, 0, *n);
    CHECK(file.Stat().ok(), "Stat");
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const Packing packing = PackingOf(bytes);
  if (packing == Packing::kNone) return 0;
  PackedFile file(std::make_shared<Bytes>(bytes), packing, "x");
  const std::string text = ReadAll(file, 4096);
  PackedFile again(std::make_shared<Bytes>(bytes), packing, "x");
  const std::string other = ReadAll(again, 1000);
  const size_t both = std::min(text.size(), other.size());
  CHECK(text.compare(0, both, other, 0, both) == 0, "the same file, two texts");
  if (both > 10) {
    char byte = 0;
    const Result<size_t> n = file.ReadAt(both / 2, &byte, 1);
    CHECK(n.ok() && *n == 1 && byte == text[both / 2], "a step back reads something else");
  }
  return 0;
}
