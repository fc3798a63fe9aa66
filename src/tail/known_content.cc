// Whether what a file holds is known: read, being read, or looked for, under whatever name.
#include <algorithm>

#include "tail/follow.h"
#include "tail/packed_file.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// Whether a compressed file that is complete has no text behind `offset`.
bool EndsAt(PackedFile& packed, uint64_t offset) {
  char next = 0;
  const Result<size_t> n = packed.ReadAt(offset, &next, 1);
  return n.ok() && *n == 0 && !packed.incomplete();
}

}  // namespace

// Whether a beginning is that of an origin of this path that is looked for.
bool Follow::IsKnownContent(const std::string& path, const Opened& opened) {
  return std::any_of(searching_.begin(), searching_.end(), [&](const Incarnation* file) {
    return MayHold(*file->source, opened) && MayHaveBeen(file->path(), path);
  });
}

// Whether the whole beginning of a compressed file is that of an origin of this path.
bool Follow::IsReadContent(const std::string& path, const Head& head) const {
  const auto same = [&](const std::string& of, const Fingerprint& print) {
    return print.bytes == head.size() && print.bytes > 0 && print.Matches(head) &&
           MayHaveBeen(of, path);
  };
  for (const auto& [origin, file] : files_) {
    if (same(file->path(), file->source->Evidence().first)) return true;
  }
  return std::any_of(known_.begin(), known_.end(), [&](const auto& known) {
    return same(known.second.path, known.second.identity.print);
  });
}

// How much of a file was read, going by a checkpoint of one that is no longer there.
Follow::Read Follow::ReadOf(const Checkpoint& checkpoint, const Opened& opened) {
  const auto& [print, guard] = std::tie(checkpoint.identity.print, checkpoint.guard);
  const uint64_t resume = checkpoint.resume;
  if (!MayBeginAs(print, checkpoint.marks, opened.head)) return Read::kNothing;
  const std::optional<uint64_t> size = opened.packed != nullptr
                                           ? opened.packed->TextSize(resume)
                                           : std::optional<uint64_t>(opened.info.size);
  // Behind that, unpacking takes long.
  const uint64_t compared =
      std::min(size.value_or(0), opened.packed != nullptr ? PackedFile::kSkipBytes : UINT64_MAX);
  // A copy that was cut short, or made from one, after more than that had been read. Without a file
  // of which a copy is missing it takes much to tell one: others may just begin alike.
  const bool emptied =
      checkpoint.identity.key == FileKey() && size.value_or(0) >= Fingerprint::kTellingBytes;
  if (size.has_value() && resume > *size &&
      (emptied || (opened.packed != nullptr && print.complete())) &&
      ValueOr(checkpoint.marks.HeldTo(*opened.file, compared), uint64_t{0}) > 0) {
    return Read::kAll;
  }
  // The first bytes have to do.
  const bool near = guard.end <= PackedFile::kSkipBytes;
  if (guard.end > 0 && near && !ValueOr(GuardHolds(*opened.file, guard), true)) {
    return Read::kNothing;
  }
  // Two short texts may be the same without being one.
  if (opened.packed == nullptr && (!print.complete() || resume > *size)) return Read::kNothing;
  if (size.has_value() && resume == *size) return Read::kAll;
  if (size.has_value() && resume < *size) return Read::kPart;
  // Who goes on at the end finds nothing there, and nothing is lost.
  return near && EndsAt(*opened.packed, resume) ? Read::kAll : Read::kPart;
}

// The beginning of the file of an origin, when it is there.
std::optional<Head> Follow::HeadNow(const Incarnation& file) {
  std::shared_ptr<File> open = file.source->file();
  const std::string& name = file.names.empty() ? file.location : file.names.front()->path();
  if (open == nullptr && !name.empty()) {
    open = ValueOr(OpenFile(name), std::shared_ptr<File>());
    const Result<FileInfo> info = open == nullptr ? NotFoundError("") : open->Stat();
    if (!info.ok() || !file.Is(*info)) open = nullptr;
  }
  if (open == nullptr) return std::nullopt;
  Result<Head> head = ReadHead(*open);
  return head.ok() ? std::optional<Head>(std::move(head).value()) : std::nullopt;
}

// Whether an origin that is being read holds, or held, what begins with `head`.
bool Follow::IsBeingRead(const std::string& path, const Head& head) {
  for (const auto& [origin, file] : files_) {
    if (file->searching()) continue;
    const Fingerprint print = file->source->Evidence().first;
    if (!print.Matches(head) || !MayHaveBeen(file->path(), path)) continue;
    const std::optional<Head> now = HeadNow(*file);
    // What is not there is soon looked for, by what was seen of it.
    if (now.has_value() ? *now == head : print.bytes > 0) return true;
  }
  return false;
}

// Whether a plain file is a copy of one that is being read, as rotators and people make them. Short
// ones may be the same without being one.
bool Follow::IsCopyOfRead(const std::string& path, const Opened& opened) {
  const Fingerprint print = Fingerprint::Of(opened.head);
  if (!print.complete()) return false;
  const auto is_original = [&](const Incarnation& file) {
    const auto [seen, guard] = file.source->Evidence();
    if (seen != print || file.searching() || !MayHaveBeen(file.path(), path)) return false;
    const std::shared_ptr<File> open = file.source->file();
    if (open != nullptr && file.source->packed() == nullptr)
      return IsPrefix(*opened.file, opened.info.size, *open);
    return guard.end == opened.info.size && ValueOr(GuardHolds(*opened.file, guard), false);
  };
  return std::any_of(files_.begin(), files_.end(),
                     [&](const auto& file) { return is_original(*file.second); });
}

// Whether what a file holds is, or will be, accounted for by an origin that is known. One that was
// not read to its end goes on with it.
bool Follow::IsAccountedFor(const std::string& path, const Opened& opened) {
  if (IsKnownContent(path, opened)) return true;
  if (opened.packed != nullptr && IsBeingRead(path, opened.head)) return true;
  if (opened.packed == nullptr && IsCopyOfRead(path, opened)) return true;
  const Checkpoint* part = nullptr;
  for (const auto& [origin, checkpoint] : known_) {
    if (context_.active.count(origin) != 0) continue;
    const Read read = ReadOf(checkpoint, opened);
    if (read == Read::kNothing || !MayHaveBeen(checkpoint.path, path)) continue;
    if (read == Read::kAll) {
      Settle(opened.info);
      return true;
    }
    if (read == Read::kPart &&
        (part == nullptr || checkpoint.identity.print.bytes > part->identity.print.bytes)) {
      part = &checkpoint;
    }
  }
  if (part != nullptr) GoOnElsewhere(Checkpoint(*part));
  return part != nullptr;
}

// An origin whose file was compressed or removed before it was read to its end.
void Follow::GoOnElsewhere(const Checkpoint& checkpoint) {
  const Incarnation* file = BeginSearched(PathNamed(checkpoint.path), checkpoint);
  if (file->searching()) file->search->deleted = true;
}

}  // namespace kelp::tail
