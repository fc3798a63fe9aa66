// Whether what a file holds is known: read, being read, or looked for, under whatever name.
#include <algorithm>
#include <tuple>

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

// What was seen of an origin, to be found in a file.
struct Claim {
  Fingerprint print;
  Guard guard;
  Marks marks;
  uint64_t seen = 0;
  uint64_t ordinal = 0;
  bool placed = false;  // another file holds it, or held it last
};

Claim ClaimOf(const Checkpoint& c) {
  return {c.identity.print, c.guard, c.marks, c.seen, c.ordinal, c.vanished != kNoTime};
}

Claim ClaimOf(const FileSource& source, bool placed) {
  const auto [print, guard] = source.Evidence();
  return {print, guard, source.marks(), source.seen(), source.ordinal(), placed};
}

// Whether a packed file of which the claim's beginning is the same goes on as it was seen;
// `unknown` when that is behind more than can be unpacked at once, or cannot be read.
bool Holds(const Claim& claim, File& file, uint64_t size, bool unknown) {
  const uint64_t compared = std::min(size, PackedFile::kSkipBytes);
  if (!ValueOr(claim.marks.Fit(file, compared), unknown)) return false;
  return claim.guard.end <= compared ? ValueOr(GuardHolds(file, claim.guard), unknown) : unknown;
}

// Of two that a file may hold: the one of which more was seen in it, or the older one. What is
// placed must be seen to be there, too.
bool FitsBetter(const Claim& a, const Claim& b, uint64_t size) {
  const auto rank = [size](const Claim& c, bool with_size) {
    return std::tuple(c.print.bytes, !with_size || c.seen <= size, c.guard.end);
  };
  if (a.placed) return rank(a, false) > rank(b, false);
  return rank(a, true) != rank(b, true) ? rank(a, true) > rank(b, true) : a.ordinal < b.ordinal;
}

// Whether two files begin with the same text and are the same behind that, as far as both go: all
// files of a program may begin with the same lines.
bool GoOnAlike(File& a, File& b) {
  constexpr size_t kCompared = size_t{64} << 10;
  const Result<Head> head = ReadHead(a);
  const Result<Head> other = ReadHead(b);
  if (!head.ok() || !other.ok() || !(*head == *other)) return false;
  std::string left(kCompared, '\0');
  std::string right(kCompared, '\0');
  const size_t n = ValueOr(a.ReadAt(head->at, left.data(), left.size()), size_t{0});
  const size_t m = ValueOr(b.ReadAt(head->at, right.data(), right.size()), size_t{0});
  const size_t both = std::min(n, m);
  return left.compare(0, both, right, 0, both) == 0;
}

}  // namespace

// Whether a beginning is that of an origin of this path that is looked for.
bool Follow::IsKnownContent(const std::string& path, const Opened& opened) {
  return std::any_of(searching_.begin(), searching_.end(), [&](const Incarnation* file) {
    return MayHold(*file->source, opened) && MayHaveBeen(file->path(), path);
  });
}

// Whether a packed file may hold what was read of a source. Of one that is behind more than can be
// unpacked at once, that is seen when it is unpacked that far.
bool Follow::MayGoOn(const FileSource& source, const Opened& opened) {
  const Claim claim = ClaimOf(source, /*placed=*/false);
  PackedFile& packed = *opened.packed;
  const uint64_t size = packed.TextSize(claim.guard.end).value_or(UINT64_MAX);
  return Holds(claim, packed, size, /*unknown=*/true) || packed.incomplete();
}

// Whether what a compressed file holds is rather that of another origin of this path.
bool Follow::IsOthers(const Incarnation& file, const Opened& opened) const {
  const uint64_t size = opened.TextSize();
  const Claim own = ClaimOf(*file.source, /*placed=*/false);
  const auto begins_so = [&](const std::string& path, const Fingerprint& print) {
    return print.bytes > 0 && print.Matches(opened.head) && MayHaveBeen(path, file.path());
  };
  const auto is_others = [&](const Claim& claim) {
    return FitsBetter(claim, own, size) && Holds(claim, *opened.file, size, /*unknown=*/false);
  };
  for (const auto& [origin, other] : files_) {
    const FileSource& source = *other->source;
    if (other.get() == &file || !begins_so(other->path(), source.Evidence().first)) continue;
    if (is_others(ClaimOf(source, !other->searching()))) return true;
  }
  return std::any_of(known_.begin(), known_.end(), [&](const auto& known) {
    const Checkpoint& c = known.second;
    return begins_so(c.path, c.identity.print) && is_others(ClaimOf(c));
  });
}

// Whether what was seen of an origin up to `place` tells it from the others of its path: all files
// of a program may begin with the same lines.
bool Follow::IsTelling(const Checkpoint& checkpoint, uint64_t place) const {
  if (place == 0) return false;
  const auto is_alike = [&](const OriginId& origin, const std::string& path, const Marks& marks) {
    return origin != checkpoint.origin && marks.CommonTo(checkpoint.marks) >= place &&
           MayHaveBeen(path, checkpoint.path);
  };
  for (const auto& [origin, file] : files_) {
    if (is_alike(origin, file->path(), file->source->marks())) return false;
  }
  return std::none_of(known_.begin(), known_.end(), [&](const auto& known) {
    return is_alike(known.first, known.second.path, known.second.marks);
  });
}

// How much of a file was read, going by a checkpoint of one that is no longer there.
Follow::Read Follow::ReadOf(const Checkpoint& checkpoint, const Opened& opened) const {
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
      IsTelling(checkpoint,
                ValueOr(checkpoint.marks.HeldTo(*opened.file, compared), uint64_t{0}))) {
    return Read::kAll;
  }
  // The first bytes have to do.
  const bool near = guard.end <= PackedFile::kSkipBytes;
  if (!ValueOr(checkpoint.marks.Fit(*opened.file, compared), true)) return Read::kNothing;
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

// The file of an origin, when it is there.
std::shared_ptr<File> Follow::FileNow(const Incarnation& file) {
  // One that is unpacked for its reader is not begun again.
  std::shared_ptr<File> open = file.source->packed() == nullptr ? file.source->file() : nullptr;
  const std::string& name = file.names.empty() ? file.location : file.names.front()->path();
  if (open != nullptr || name.empty()) return open;
  Result<Opened> opened = OpenAny(name);
  return opened.ok() && file.Is(opened->info) ? std::move(opened->file) : nullptr;
}

// Whether an origin that is being read holds, or held, what a compressed file holds.
bool Follow::IsBeingRead(const std::string& path, const Opened& opened) {
  for (const auto& [origin, file] : files_) {
    if (file->searching()) continue;
    const Fingerprint print = file->source->Evidence().first;
    if (!print.Matches(opened.head) || !MayHaveBeen(file->path(), path)) continue;
    const std::shared_ptr<File> now = FileNow(*file);
    // What is not there is soon looked for, by what was seen of it.
    if (now == nullptr ? print.bytes > 0 : GoOnAlike(*now, *opened.file)) return true;
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
  if (opened.packed != nullptr && IsBeingRead(path, opened)) return true;
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
    if (read != Read::kPart) continue;
    if (part == nullptr || FitsBetter(ClaimOf(checkpoint), ClaimOf(*part), opened.TextSize())) {
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
