// Follow: the files of one input. Internal to src/tail.
//
// A Follow has two halves. follow.cc walks directories and turns what it sees into three facts:
// "this path is this file" (SetPath), "this path is gone" (PathGone), "this file may have more to
// read" (Touch). The other files turn those facts into incarnations: follow_names.cc knows what
// names lead to, follow_begin.cc begins incarnations and orders them, follow_ends.cc ends them,
// follow_hand_over.cc joins records across them, follow_descriptors.cc counts what is open,
// replaced.cc notices files that were emptied or cut, copies.cc finds the rest of them
// (copytruncate), restore.cc starts from what earlier runs left, missed.cc knows what rotation
// moved to other names, seen before or not, known_content.cc tells whether what is in a file is
// known.
//
// Threads:  thread-compatible: everything happens under the TailService's lock.
#ifndef KELP_TAIL_FOLLOW_H_
#define KELP_TAIL_FOLLOW_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "tail/follow_state.h"

namespace kelp::tail {

// Leaves room for origins that are found later and belong in between.
inline constexpr uint64_t kOrdinalStep = 1 << 20;

// The births of files are told by a clock of the system that is behind ours by up to this much.
inline constexpr Duration kClockGrain = 10ms;

template <typename T>
T ValueOr(Result<T> result, T otherwise) {
  return result.ok() ? std::move(result).value() : std::move(otherwise);
}

// Whether `live` begins with the `size` bytes of `copy`: told by its beginning and its end.
bool IsPrefix(File& copy, uint64_t size, File& live);

inline void Bump(Counter* counter) {
  if (counter != nullptr) counter->Add();
}

class Follow {
 public:
  Follow(TailContext& context, FollowOptions options, pipeline::InputHost& host);
  ~Follow();
  const std::string& space() const { return options_.checkpoint_space; }

  // The first scan, with what is known from earlier runs.
  void Start(CheckpointSpace known);
  // Takes everything away from the host; the sources that still have something on its way.
  std::vector<std::shared_ptr<FileSource>> Stop();

  // --- events ---
  // By path rather than by reference: what one event brings may end what the next one names.
  void OnNameChanged(const std::string& dir, const std::string& name, bool gone);
  void OnPathChanged(const std::string& path);
  // A name on the way to a followed path came or went.
  void OnRouteChanged(const std::string& path);
  // The same on the way to a followed directory.
  void OnLinkChanged(const std::string& dir);
  void OnModified(NamedPath& path);
  void OnModified(Incarnation& file);
  // There may be something to read.
  void Touch(Incarnation& file);
  // The file may be gone from where it was.
  void LookClosely(Incarnation& file);
  // The watch of a directory ended, or the directory moved.
  void OnDirGone(const std::string& dir);
  void OnNews(Incarnation& file, uint32_t bits);
  Incarnation* Find(const OriginId& origin);
  // A checkpoint whose source another follow of this space has let go.
  void OnReleased(const Checkpoint& checkpoint);
  // Its checkpoint is too old to be of use.
  void Forget(const OriginId& origin) { Unknow(origin); }
  // Whether it is kept because it vanished again, later.
  bool KeepsAfter(const OriginId& origin, UnixNanos time) const;
  // Has all checkpoints written that it knows.
  void WriteAll();

  // Lets those files be read that were found since, or whose predecessor ended, and that wait for
  // no other. After all events of a step, and after their origin ids were stored.
  void ReleaseFresh();
  // When OnTimer is wanted next; kNever: not.
  static constexpr Duration kNever = Duration::max();
  Duration due() const { return due_; }

  // --- timers ---
  // Retries, files that need a closer look, scans of what is not watched.
  void OnTimer(Duration now);
  // Looks again at up to `budget` names; how many it looked at. 0: came round.
  size_t SafetyScan(Duration now, size_t budget);
  // Everything, after events were lost.
  void Rescan();

  // Closes up to `count` descriptors of files that have nothing to read; how many.
  // With `needed` also such as wait for an older file, when there are no others.
  static size_t ParkSome(TailContext& context, size_t count, bool needed = false);
  // Opens those that want a descriptor, as far as there are any.
  static void ServeWanting(TailContext& context);
  // Lets go of what is held beyond the ceilings.
  static void KeepCeilings(TailContext& context, Duration now);

 private:
  struct Found {
    std::string path;
    FileInfo info;
  };

  // --- follow.cc ---
  void WalkFromRoot();
  void VisitDir(const std::string& path, GlobSet::States states);
  void ListDir(const std::string& path);
  void Examine(const std::string& dir_path, const std::string& name);
  void ForgetName(const std::string& dir_path, const std::string& name);
  void RemoveDir(const std::string& path);
  void CheckDir(const std::string& path);
  bool Followed(const std::string& path) const;
  bool Wanted(const std::string& path) const;
  void ReportScanError(const Status& status);
  void SetWatch(FollowedDir& dir, bool wanted);
  void SetRoutes(FollowedDir& dir);
  void DropRoutes(FollowedDir& dir);
  void SetScanned(bool& scanned, bool value);
  void RegainRoutes();

  // --- follow_names.cc ---
  void SetPath(const std::string& path, const FileInfo& info);
  void Update(NamedPath& path, const FileInfo& info);
  NamedPath& PathNamed(const std::string& path);
  bool Renumbered(NamedPath& path, const FileInfo& info);
  static void SayRenumbered(const std::string& path);
  void Name(NamedPath& path, Incarnation& file);
  void SetLast(NamedPath& path, const Incarnation& file);
  void PathGone(NamedPath& path);
  void ErasePath(NamedPath& path);
  void LetGo(NamedPath& path);
  std::vector<std::string> LinkChain(const std::string& path) const;
  std::vector<std::string> WayTo(const std::string& path) const;
  void AddRoutes(NamedPath& path);
  void DropRoutes(NamedPath& path);
  void SetLocation(Incarnation& file, const std::string& path);
  void ClearLocation(Incarnation& file);
  void PathMoved(NamedPath& path, const std::string& to);

  // --- follow_begin.cc ---
  // A file that was opened, unpacked when it is compressed.
  struct Opened {
    std::shared_ptr<File> file;
    std::shared_ptr<PackedFile> packed;
    Packing packing = Packing::kNone;
    FileInfo info;
    Head head;
    // Of a packed one that does not tell: as much as there could be.
    uint64_t TextSize() const;
  };
  Result<std::shared_ptr<File>> OpenFile(const std::string& path);
  void RetryLater(NamedPath& path, Duration pause);
  void ClearRetry(NamedPath& path);
  // OnTimer is to be called at `when`, or earlier.
  void WakeAt(Duration when);
  Duration NextDue() const;
  std::optional<Opened> OpenNamed(NamedPath& path);
  static Status LookInside(Opened& opened);
  Incarnation* Open(NamedPath& path);
  struct Known {
    const Checkpoint* checkpoint = nullptr;  // of this very file
    bool holds = false;                      // the file still holds what was read of it
    std::vector<OriginId> older;             // were in the file before, until it was emptied
  };
  Known FindKnown(const std::string& path, const FileInfo& info, const Head& head,
                  File& file) const;
  bool WasEmptied(const Checkpoint& checkpoint) const;
  const Checkpoint* FindRenumbered(const std::string& path, const FileInfo& info, const Head& head,
                                   File& file) const;
  Checkpoint FirstPosition(const std::string& path, const FileInfo& info, const Head& head,
                           File& file);
  void PassCompressed(NamedPath& path, const FileInfo& info);
  // `open` may be null: a file that no longer holds its bytes.
  Incarnation* Begin(Checkpoint start, const FileInfo& info, std::shared_ptr<File> open);
  static void SeeFirstSize(FileSource& source, File& file);
  void WaitFor(Incarnation& file, Incarnation* older);
  void LetRead(Incarnation& file);
  void StoreBeginning(Incarnation& file);
  void SeeBehindHead(Incarnation& file, const OriginId& before);

  // --- follow_ends.cc ---
  void SeeMore(Incarnation& file);
  void Displace(Incarnation& file);
  void Drained(Incarnation& file);
  void Ended(Incarnation& file);
  void DoneWith(Incarnation& file);
  void KeepFewGone(const OriginId& origin);
  bool CloseLook(Incarnation& file, Duration now);
  bool CloseLookAtName(Incarnation& file, Duration now);
  void UpdateLag(Incarnation& file);

  // --- follow_hand_over.cc ---
  bool AskOlder(Incarnation& file);
  Incarnation* FindHeir(const Incarnation& file);
  bool PlanHandOver(Incarnation& file, uint64_t size);
  bool SettleHalf(Incarnation& file, uint64_t size, Duration quiet);
  void ResumeHandOver(Incarnation& file);
  void HeirDelivered(const OriginId& heir);

  // --- follow_descriptors.cc ---
  void NoteOpen(Incarnation& file);
  void NoteClosed(Incarnation& file);
  void NoteWanting(Incarnation& file);
  void NoteHeld(Incarnation& file, Duration now);
  static void DropHeld(HeldFile& held, std::string_view cause);
  static bool CountHeld(HeldFile& held);
  static bool MakeRoom(TailContext& context);
  bool Park(Incarnation& file, bool unread);
  bool Unpark(Incarnation& file);

  // --- replaced.cc ---
  bool CheckReplaced(Incarnation& file);
  bool SeeSize(Incarnation& file, const FileInfo& info);
  std::vector<std::string> LeaveFile(Incarnation& file);
  void ContentReplaced(Incarnation& file);
  void NameVanished(Incarnation& file);
  bool LoseBroken(Incarnation& file, const FileInfo& info, Duration quiet, bool unreadable);
  void LosePacked(Incarnation& file, const PackedFile::Break& broken, std::string_view why);
  void BeginAtLine(Checkpoint& start, File& file, uint64_t offset) const;
  void SkipLeft(Checkpoint& start, const FileInfo& info, File& file);
  void BeginReplaced(NamedPath& path, const Checkpoint& checkpoint);
  Incarnation* BeginSearched(NamedPath& path, Checkpoint start);

  // --- copies.cc ---
  static bool MayHold(const FileSource& source, const Opened& opened);
  void StartSearch(Incarnation& file);
  bool GoOnSearching(Incarnation& file, Duration now);
  bool FindCopy(Incarnation& file);
  std::vector<std::string> WhereRotated(const std::string& at);
  const std::vector<std::string>& RelatedNames(const std::string& dir, const std::string& base);
  bool IsTaken(const FileInfo& info, const Incarnation& by);
  const Checkpoint* KnownInode(const FileInfo& info) const;
  bool TryCopy(Incarnation& file, const std::string& at, std::vector<std::string>* shorter);
  Result<Opened> OpenAny(const std::string& at);
  void MoveToCopy(Incarnation& file, const std::string& at, Opened opened);
  Incarnation* BeginDisplaced(Checkpoint start, Opened opened, const std::string& at);
  void ReportMissing(Incarnation& file);
  void GiveUp(Incarnation& file);
  void ReportLost(Incarnation& file, std::string_view cause, uint64_t bytes, std::string_view why);
  // The copy is known as this origin's, which has nothing more to read there.
  static bool LeaveAtShortCopy(const CopySearch& search, Checkpoint& checkpoint);
  bool HoldCopy(NamedPath& path, const FileInfo& info, const Head& head, File& file);
  bool HoldPacked(NamedPath& path, const FileInfo& info, const Head& head);
  bool HoldPackedSince(NamedPath& path, const Incarnation& original, const FileInfo& info,
                       const Head& head, File& file);
  void Hold(NamedPath& path, const Incarnation& of, const FileInfo& info);

  // --- restore.cc ---
  struct Restorable {
    uint64_t ordinal = 0;  // UINT64_MAX: not known, came after all that are
    UnixNanos born = kNoTime;
    OriginId origin;  // empty: not known
    std::string at;
    std::string path;  // it was
    bool operator<(const Restorable& other) const {
      return std::tie(ordinal, born, at) < std::tie(other.ordinal, other.born, other.at);
    }
  };
  void StartPass();
  bool MayHaveMoved() const;
  std::vector<Restorable> Restore();
  void SearchDir(const std::string& dir,
                 const std::vector<std::pair<const Checkpoint*, std::string>>& missing,
                 std::vector<Restorable>& restore);
  void LookAgainAtOthers(Duration now);
  static bool Older(const Incarnation& a, const Incarnation& b, bool by_ordinal);
  static uint64_t OrdinalBefore(const Incarnation& later, const Incarnation* older);
  void RestorePacked();
  void RestoreOne(const OriginId& origin, const std::string& at);
  void JoinChain(NamedPath& path, Incarnation& file, bool by_ordinal);
  void Know(Checkpoint checkpoint, bool by_key);
  void Unknow(const OriginId& origin);
  void LoseVanished();
  void MarkVanished();
  void RememberPath(const Checkpoint& checkpoint);
  NamedPath& RememberedPath(const std::string& name);

  // --- missed.cc ---
  struct Missed {
    UnixNanos when = kNoTime;
    std::string at;
    FileKey key;
    bool operator<(const Missed& other) const {
      return std::tie(when, at) < std::tie(other.when, other.at);
    }
  };
  void BeginMissedCopies(NamedPath& path, UnixNanos begun);
  bool IsMissedCopy(const NamedPath& path, UnixNanos begun, const std::string& at, Missed& missed);
  Incarnation* BeginUnseen(NamedPath& path, Opened opened, const std::string& at);
  bool CameAfterFirstStart(const std::string& dir, const std::string& name, const FileInfo& info);
  bool WasRotatedAfterKnown(const std::string& dir, const std::string& name);
  const std::string& OldestKnownName(const std::string& dir, const std::string& base);
  static std::vector<std::string> BasesOf(const std::string& name);
  static bool MayHaveBeen(const std::string& seen, const std::string& path);
  bool Includes(const std::string& path) const;
  bool MayBeRotated(const std::string& dir, const std::string& name) const;
  // A file of ours under a name that is not followed, or one that was rotated before we saw it.
  void OnOtherFile(const std::string& dir, const std::string& name, const FileInfo& info);
  void Settle(const FileInfo& info);
  bool IsSettled(const FileInfo& info) const;
  void BeginMissed(NamedPath& path, const FileInfo& info, const std::string& at);
  void AwaitContent(const std::string& at, const FileInfo& info);
  bool IsCopyOfNamed(const NamedPath& path, File& file, const FileInfo& info);
  void LookAgain(const std::string& at, const Status& status);
  void LookAgain(const std::string& at);
  void LookAtOthers();
  void LookAtOther(const std::string& at);
  std::vector<std::string> OldestFirst(std::vector<std::string> paths);
  std::vector<std::string> InRotationOrder(std::vector<std::string> paths);
  std::vector<std::string> PackedNames(const std::string& path);

  // --- known_content.cc ---
  enum class Read : uint8_t { kNothing, kPart, kAll };
  bool IsKnownContent(const std::string& path, const Opened& opened);
  static bool MayGoOn(const FileSource& source, const Opened& opened);
  bool IsOthers(const Incarnation& file, const Opened& opened) const;
  bool IsTelling(const Checkpoint& checkpoint, uint64_t place) const;
  Read ReadOf(const Checkpoint& checkpoint, const Opened& opened) const;
  std::shared_ptr<File> FileNow(const Incarnation& file);
  bool IsBeingRead(const std::string& path, const Opened& opened);
  bool IsCopyOfRead(const std::string& path, const Opened& opened);
  bool IsAccountedFor(const std::string& path, const Opened& opened);
  void GoOnElsewhere(const Checkpoint& checkpoint);

  TailContext& context_;
  const FollowOptions options_;
  const std::shared_ptr<const SourceMetrics> source_metrics_;
  pipeline::InputHost& host_;
  bool first_start_ = false;
  // What rotation made earlier is no concern of ours. Less the grain: a file too many is better
  // than one too few.
  UnixNanos first_started_ = 0;
  // When the clock was set back behind that, who knows when: better read too much than too little.
  static constexpr UnixNanos kClockSetBack = INT64_MIN;
  bool lost_ = false;
  bool starting_ = false;            // files found now were there before
  bool collecting_ = false;          // the first scan: found_ takes what it finds
  bool rescanning_ = false;          // look at known names, too
  bool scan_complete_ = true;        // no directory was unreadable in it
  std::vector<Found> found_;         // by the first scan
  std::vector<std::string> others_;  // and under names that are not followed
  Duration scanned_at_{0};
  Duration looked_at_{0};  // closely, at those in attention_

  std::map<std::string, FollowedDir> dirs_;
  std::map<std::string, NamedPath> paths_;
  size_t unwatched_ = 0;  // directories and paths that must be scanned
  std::unordered_map<OriginId, std::unique_ptr<Incarnation>> files_;
  std::unordered_map<FileKey, Incarnation*, FileKeyHash> live_;  // those not ended
  // Checkpoints of files that are not being read.
  std::unordered_map<OriginId, Checkpoint> known_;
  std::unordered_multimap<FileKey, OriginId, FileKeyHash> known_by_key_;
  std::unordered_map<OriginId, std::string> deferred_;  // to be restored when they are free
  std::vector<OriginId> fresh_;                         // found in this step, waiting for no other
  // Origins that were given what was incomplete in another, which waits for their acknowledgement.
  std::unordered_map<OriginId, OriginId> inherits_;
  std::vector<OriginId> cuts_;  // half lines to be sent once that is stored
  std::unordered_set<Incarnation*> attention_;
  std::vector<Incarnation*> searching_;
  std::deque<OriginId> gone_;  // known by their content alone, the oldest first
  // Files that were read under another name, by when they were modified.
  std::unordered_map<FileKey, UnixNanos, FileKeyHash> settled_;
  // The names in one directory that rotation may have made, by what they were before; for the files
  // of one step.
  std::string related_dir_;
  uint64_t related_step_ = UINT64_MAX;
  std::unordered_map<std::string, std::vector<std::string>> related_;
  std::unordered_map<std::string, std::string> oldest_known_;  // of them
  Duration due_ = kNever;
  std::set<std::pair<Duration, std::string>> retries_;  // paths with retry_at
  std::map<std::string, Duration> look_again_;  // other files that could not be read, and when
  std::string safety_path_;                     // where the safety scan stands
  std::string safety_dir_;
  bool safety_paths_done_ = false;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_FOLLOW_H_
