#include "spool/held_mark.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

namespace kelp::spool {
namespace {

// Two numbers and a path.
constexpr ByteSize kMarkFileMax = 16_KiB;

// Takes a number and the character behind it off the front.
bool TakeNumber(std::string_view& text, char behind, uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != behind) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

HeldMark::HeldMark(FileSystem& files, std::string path, std::string dir)
    : files_(files), path_(std::move(path)), dir_(std::move(dir)) {}

std::optional<HeldMark::Held> HeldMark::Load() {
  if (!enabled()) return std::nullopt;
  const Result<std::string> text = ReadFile(files_, path_, kMarkFileMax);
  if (!text.ok()) return std::nullopt;
  Held held;
  std::string_view rest = *text;
  noted_ = held;  // whatever stands there, it goes when no rows are held
  if (!TakeNumber(rest, ' ', held.end_row) || !TakeNumber(rest, ' ', held.rows) ||
      rest != dir_ + "\n") {
    return std::nullopt;
  }
  noted_ = held;
  return held;
}

Status HeldMark::Save(const Held& held) {
  if (!enabled() || noted_ == held) return OkStatus();
  if (held.rows == 0) {
    if (!noted_) return OkStatus();
    const Status removed = files_.Remove(path_);
    if (!removed.ok() && removed.code() != Code::kNotFound) return removed;
    noted_.reset();
    return OkStatus();
  }
  RETURN_IF_ERROR(WriteFileAtomically(
      files_, path_, fmt::format("{} {} {}\n", held.end_row, held.rows, dir_), 0600));
  noted_ = held;
  return OkStatus();
}

}  // namespace kelp::spool
