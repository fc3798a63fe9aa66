// What the follows of a TailService know of files, names and directories. Internal to src/tail.
//
// Threads:  thread-compatible: under the TailService's lock, but for what a FileSource says of
//           itself.
#ifndef KELP_TAIL_FOLLOW_STATE_H_
#define KELP_TAIL_FOLLOW_STATE_H_

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "tail/checkpoint.h"
#include "tail/file_source.h"
#include "tail/tail_service.h"
#include "tail/watch_map.h"

namespace kelp::tail {

class Follow;

// Of an incarnation whose file no longer holds its bytes.
struct CopySearch {
  bool over = false;
  bool gone = false;     // they were not found
  bool deleted = false;  // the file is no longer there; nobody held it open
  Duration until{0};
  uint64_t known_size = 0;        // bytes it is known to have had
  std::vector<FileKey> rejected;  // looked like it, but did not hold its bytes
  FileKey emptied;                // was cut or written anew, and may hold some of them yet
  // A copy that ends before what was read: made while the file was still written.
  std::optional<FileInfo> short_copy;
  Fingerprint short_print;
};

// One incarnation of one file.
struct Incarnation {
  Follow* follow = nullptr;
  std::shared_ptr<FileSource> source;
  pipeline::SourceId id = 0;
  FileKey key;
  UnixNanos born = kNoTime;
  std::vector<NamedPath*> names;  // followed paths that lead to it now
  std::string location;           // where it is, when it is under no followed path; may be empty
  Watch* location_watch = nullptr;
  OriginId predecessor;              // while waiting
  OriginId older;                    // came before it; empty: not known
  std::vector<OriginId> successors;  // released when this is drained
  bool waiting = false;              // an older incarnation comes first
  bool asked_older = false;          // for what is incomplete at its end, once and for all
  bool displaced = false;            // a name of it was given to another file or removed
  bool drained = false;              // displaced, and read to the end since
  bool ended = false;                // Read answered kFinished
  bool deleted = false;              // no name is left
  bool held = false;                 // in TailContext::held
  std::unique_ptr<CopySearch> search;
  Duration quiet_since{0};
  uint64_t quiet_size = 0;
  UnixNanos modified = kNoTime;                 // when its name was looked at last
  int64_t lag = 0;                              // its part of the lag gauge
  bool open = false;                            // in TailContext::open_files
  bool wanting = false;                         // in TailContext::wanting
  std::list<Incarnation*>::iterator listed_at;  // in TailContext's open_files or wanting

  bool Is(const FileInfo& info) const { return FileIdentity{key, born, {}}.SameInode(info); }
  // Its bytes are looked for.
  bool searching() const { return search != nullptr && !search->over; }
  const OriginId& origin() const { return source->origin(); }
  // Found under this name.
  const std::string& path() const { return source->path(); }
};

// A file that is a copy of another one, or is going to be; or is compressed.
struct HeldCopy {
  OriginId of;        // empty: compressed
  uint64_t size = 0;  // looked at
  UnixNanos modified = kNoTime;
};

// A file that is alive only because we hold it open.
struct HeldFile {
  Incarnation* file = nullptr;
  Duration since{0};
  // Once it is over a ceiling: what it still holds is counted, step by step, and then let go.
  std::string_view cause;
  std::shared_ptr<File> counting;
  uint64_t at = 0;
  uint64_t end = 0;
  uint64_t lines = 0;
};

// A path that matches.
struct NamedPath {
  Follow* follow = nullptr;
  const std::string* key = nullptr;  // in Follow::paths_
  Incarnation* current = nullptr;
  OriginId last;    // the newest incarnation it led to
  OriginId before;  // and the one before that; empty: not known
  // Where events about it come from: its own directory, and those that links lead through.
  std::vector<std::pair<Watch*, std::string>> routes;
  bool scanned = false;            // some route could not be watched
  Duration gone_at{0};             // not 0: no file has had this name since
  Duration retry_at{0};            // not 0: could not be opened, or waits for its origin
  std::unique_ptr<HeldCopy> held;  // its file is not read: that would repeat another's

  const std::string& path() const { return *key; }
  // Its file is compressed.
  bool passed() const { return held != nullptr && held->of.empty(); }
};

// Where a directory is that is a symbolic link.
struct DirLink {
  std::string real;  // where it leads
  // Where the links on the way stand.
  std::vector<std::pair<Watch*, std::string>> routes;
  bool scanned = false;  // some of them cannot be watched
};

// A directory in which something can match.
struct FollowedDir {
  Follow* follow = nullptr;
  const std::string* path = nullptr;  // its key in Follow::dirs_
  GlobSet::States states;
  FileKey key;                    // the directory it was when it was looked at last
  std::unique_ptr<DirLink> link;  // when it is a symbolic link
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
  // By whom: nullptr for those that drain after their follow was removed.
  std::unordered_map<OriginId, Follow*> active;
  // Idle longest first.
  std::list<Incarnation*> open_files;
  // Have something to read and no descriptor, longest first.
  std::list<Incarnation*> wanting;
  uint64_t none_free_in = 0;  // the step in which there was nothing more to close
  // To be written.
  std::unordered_map<OriginId, Checkpoint> put;
  std::unordered_set<OriginId> remove;
  std::unordered_map<OriginId, std::shared_ptr<FileSource>> moved;  // Snapshot() when written
  // Checkpoints whose files are gone, by when they were; removed when old enough.
  std::multimap<UnixNanos, OriginId> vanished;
  // Of these, more was seen than is stored.
  std::unordered_set<OriginId> grown;
  // Follows by when their OnTimer is wanted.
  std::set<std::pair<Duration, Follow*>> due;
  // Follows with files to be let read at the end of the step.
  std::set<Follow*> fresh;
  // Held longest first.
  std::list<HeldFile> held;
  uint64_t last_ordinal = 0;
  uint64_t step = 0;  // counts the steps of the service

  Duration Now() const { return env.clock().Monotonic(); }
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_FOLLOW_STATE_H_
