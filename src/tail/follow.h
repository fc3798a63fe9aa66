// Follow: the files of one input. Internal to src/tail.
//
// A Follow has two halves. follow.cc walks directories and turns what it sees into three facts:
// "this path is this file" (SetPath), "this path is gone" (PathGone), "this file may have more to
// read" (Touch). follow_files.cc turns those facts into incarnations, their order and their end;
// restore.cc does so with what earlier runs left.
//
// Threads:  thread-compatible: everything happens under the TailService's lock.
#ifndef KELP_TAIL_FOLLOW_H_
#define KELP_TAIL_FOLLOW_H_

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/env.h"
#include "tail/file_source.h"
#include "tail/tail_service.h"
#include "tail/watch_map.h"

namespace kelp::tail {

// One incarnation of one file.
struct Incarnation {
  Follow* follow = nullptr;
  std::shared_ptr<FileSource> source;
  pipeline::SourceId id = 0;
  FileKey key;
  UnixNanos born = kNoTime;
  std::string path;               // found under this name
  std::vector<NamedPath*> names;  // followed paths that lead to it now
  std::string location;           // where it is, when it is under no followed path; may be empty
  Watch* location_watch = nullptr;
  OriginId predecessor;              // while waiting
  std::vector<OriginId> successors;  // released when this is drained
  bool waiting = false;              // an older incarnation comes first
  bool displaced = false;            // a name of it was given to another file or removed
  bool drained = false;              // displaced, and read to the end since
  bool ended = false;                // Read answered kFinished
  bool truncated = false;
  bool deleted = false;  // no name is left
  Duration quiet_since{0};
  uint64_t quiet_size = 0;
  int64_t lag = 0;  // its part of the lag gauge
  bool open = false;
  std::list<Incarnation*>::iterator open_at;  // in TailContext::open_files
};

// A path that matches.
struct NamedPath {
  Follow* follow = nullptr;
  std::string path;
  bool is_link = false;
  Incarnation* current = nullptr;
  OriginId last;  // the newest incarnation it led to
  // When that one came into being, and the one before it: a file between the two was missed.
  UnixNanos last_born = kNoTime;
  UnixNanos before_born = kNoTime;
  // Where events about it come from: its own directory, and those that links lead through.
  std::vector<std::pair<Watch*, std::string>> routes;
  bool scanned = false;  // some route could not be watched
  Duration gone_at{0};   // not 0: no file has had this name since
  Duration retry_at{0};  // not 0: could not be opened, or waits for its origin
};

// A directory in which something can match.
struct FollowedDir {
  Follow* follow = nullptr;
  std::string path;
  GlobSet::States states;
  Watch* watch = nullptr;
  bool scanned = false;            // it ought to be watched, but cannot be
  std::set<std::string> children;  // names of followed directories and paths in it
  Duration listed_at{0};
};

// What the service shares with its follows.
struct TailContext {
  Env& env;
  const TailOptions& options;
  WatchMap& watches;
  std::shared_ptr<SourceNews> news;
  Gauge* open_files_gauge;
  Counter* scan_errors;
  // Origins that some source reads or still has on its way; nobody else may begin them.
  std::unordered_set<OriginId> active;
  // Idle longest first.
  std::list<Incarnation*> open_files;
  // To be written.
  std::unordered_map<OriginId, Checkpoint> put;
  std::unordered_set<OriginId> remove;
  std::unordered_map<OriginId, std::shared_ptr<FileSource>> moved;  // Snapshot() when written
  // Checkpoints whose files are gone, by when they were; removed when old enough.
  std::multimap<UnixNanos, OriginId> vanished;
  uint64_t last_ordinal = 0;

  Duration Now() const { return env.clock().Monotonic(); }
};

class Follow {
 public:
  Follow(TailContext& context, FollowOptions options, pipeline::InputHost& host)
      : context_(context), options_(std::move(options)), host_(host) {}
  ~Follow();
  const std::string& space() const { return options_.checkpoint_space; }

  // The first scan, with what is known from earlier runs.
  void Start(CheckpointSpace known);
  // Takes everything away from the host; the sources that still have something on its way.
  std::vector<std::shared_ptr<FileSource>> Stop();

  // --- events ---
  // By path rather than by reference: what one event brings may end what the next one names.
  void OnNameChanged(const std::string& dir, const std::string& name);
  void OnPathChanged(const std::string& path);
  void OnModified(NamedPath& path);
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
  // Has all checkpoints written that it knows.
  void WriteAll();

  // Lets those files be read that were found since, or whose predecessor ended, and that wait for
  // no other. After all events of a step, and after their origin ids were stored.
  void ReleaseFresh();
  bool has_fresh() const { return !fresh_.empty(); }

  // --- timers ---
  // Retries, files that need a closer look, scans of what is not watched.
  void OnTimer(Duration now);
  // Looks again at up to `budget` names; how many it looked at. 0: came round.
  size_t SafetyScan(Duration now, size_t budget);
  // Everything, after events were lost.
  void Rescan();

  // Closes up to `count` descriptors of files that have nothing to read; how many.
  static size_t ParkSome(TailContext& context, size_t count);

 private:
  struct Found {
    std::string path;
    FileInfo info;
    bool is_link;
  };

  // --- follow.cc ---
  void WalkFromRoot();
  void VisitDir(const std::string& path, GlobSet::States states);
  void ListDir(const std::string& path);
  void Examine(const std::string& dir_path, const std::string& name);
  void ForgetName(const std::string& dir_path, const std::string& name);
  void RemoveDir(const std::string& path);
  bool Followed(const std::string& path) const;
  bool Wanted(const std::string& path) const;
  void ReportScanError(const Status& status);
  void SetWatch(FollowedDir& dir, bool wanted);
  void SetScanned(bool& scanned, bool value);

  // --- follow_files.cc ---
  void SetPath(const std::string& path, const FileInfo& info, bool is_link);
  void Update(NamedPath& path, const FileInfo& info, bool is_link);
  void Name(NamedPath& path, Incarnation& file);
  void PathGone(NamedPath& path);
  void ErasePath(NamedPath& path);
  void LetGo(NamedPath& path);
  void AddRoutes(NamedPath& path);
  void DropRoutes(NamedPath& path);
  void SetLocation(Incarnation& file, const std::string& path);
  void ClearLocation(Incarnation& file);
  Result<std::shared_ptr<File>> OpenFile(const std::string& path);
  void RetryLater(NamedPath& path, Duration pause);
  Incarnation* Open(NamedPath& path);
  const Checkpoint* FindKnown(const FileInfo& info, std::string_view head) const;
  Checkpoint FirstPosition(const std::string& path, const FileInfo& info, std::string_view head,
                           File& file);
  Incarnation* Begin(Checkpoint start, const FileInfo& info, std::shared_ptr<File> open);
  void SetLast(NamedPath& path, const Incarnation& file);
  void WaitFor(Incarnation& file, Incarnation* older);
  void LetRead(Incarnation& file);
  void Displace(Incarnation& file);
  void Drained(Incarnation& file);
  void Ended(Incarnation& file);
  void DoneWith(Incarnation& file);
  bool CloseLook(Incarnation& file, Duration now);
  bool CloseLookAtName(Incarnation& file, Duration now);
  void NoteOpen(Incarnation& file);
  void NoteClosed(Incarnation& file);
  bool Park(Incarnation& file);
  bool Unpark(Incarnation& file);
  void UpdateLag(Incarnation& file);

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
  std::vector<std::string> LinkChain(const std::string& path) const;
  void Restore();
  void SearchDir(const std::string& dir,
                 const std::vector<std::pair<const Checkpoint*, std::string>>& missing,
                 std::vector<Restorable>& restore);
  void RestoreOne(const OriginId& origin, const std::string& at);
  bool MayBeRotated(const std::string& dir, const std::string& name) const;
  // A file of ours under a name that is not followed, or one that was rotated before we saw it.
  void OnOtherFile(const std::string& dir, const std::string& name, const FileInfo& info);
  void BeginMissed(NamedPath& path, const FileInfo& info, const std::string& at);
  void JoinChain(NamedPath& path, Incarnation& file);
  NamedPath& PathNamed(const std::string& path);
  void Know(Checkpoint checkpoint);
  void Unknow(const OriginId& origin);
  void MarkVanished();
  void RememberPath(const Checkpoint& checkpoint);

  TailContext& context_;
  const FollowOptions options_;
  pipeline::InputHost& host_;
  bool first_start_ = false;
  bool lost_ = false;
  bool starting_ = false;      // files found now were there before
  bool collecting_ = false;    // the first scan: found_ takes what it finds
  bool rescanning_ = false;    // look at known names, too
  bool scan_complete_ = true;  // no directory was unreadable in it
  std::vector<Found> found_;   // by the first scan
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
  std::vector<Incarnation*> attention_;
  std::set<std::string> retries_;  // paths with retry_at
  std::string safety_path_;        // where the safety scan stands
  std::string safety_dir_;
  bool safety_paths_done_ = false;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_FOLLOW_H_
