#include <optional>

#include "store/snapshot.h"

namespace kelp::store {

struct BlockReader::Impl {
  struct Slot {
    DecodedColumn decoded;
    bool ready = false;
  };

  const Block* block = nullptr;
  std::vector<UnixNanos> times;
  bool times_ready = false;
  std::vector<std::unique_ptr<Slot>> slots;  // by column; pointers stay while slots are added
  DecodedOrigins origins;
  bool origins_ready = false;
  uint64_t bytes = 0;
};

BlockReader::BlockReader() : impl_(std::make_unique<Impl>()) {}
BlockReader::~BlockReader() = default;

void BlockReader::Open(const Block& block) {
  impl_->block = &block;
  impl_->times_ready = false;
  impl_->origins_ready = false;
  for (const auto& slot : impl_->slots) slot->ready = false;
}

Result<std::span<const UnixNanos>> BlockReader::Times() {
  CHECK(impl_->block != nullptr, "BlockReader is not open");
  if (!impl_->times_ready) {
    RETURN_IF_ERROR(impl_->block->DecodeTimes(impl_->times));
    impl_->times_ready = true;
    impl_->bytes += impl_->times.size() * sizeof(UnixNanos);
  }
  return std::span<const UnixNanos>(impl_->times);
}

Result<const TextColumn*> BlockReader::Column(int column) {
  CHECK(impl_->block != nullptr, "BlockReader is not open");
  const size_t at = static_cast<size_t>(column);
  CHECK(column >= 0 && at < impl_->block->columns().size(), "no such column");
  while (impl_->slots.size() <= at) impl_->slots.push_back(std::make_unique<Impl::Slot>());
  Impl::Slot& slot = *impl_->slots[at];
  if (!slot.ready) {
    slot.decoded.column = TextColumn();
    slot.decoded.bytes = 0;
    RETURN_IF_ERROR(impl_->block->DecodeColumn(column, slot.decoded));
    slot.ready = true;
    impl_->bytes += slot.decoded.bytes;
  }
  return static_cast<const TextColumn*>(&slot.decoded.column);
}

Result<const OriginColumn*> BlockReader::Origins() {
  CHECK(impl_->block != nullptr, "BlockReader is not open");
  if (!impl_->origins_ready) {
    impl_->origins.bytes = 0;
    RETURN_IF_ERROR(impl_->block->DecodeOrigins(impl_->origins));
    impl_->origins_ready = true;
    impl_->bytes += impl_->origins.bytes;
  }
  return static_cast<const OriginColumn*>(&impl_->origins.column);
}

uint64_t BlockReader::bytes_decoded() const { return impl_->bytes; }

}  // namespace kelp::store
