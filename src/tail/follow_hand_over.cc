// Records that span a rotation: a file begins with what is incomplete at the end of the one before
// it.
//
// Who writes to the new file writes to the old one no more. So once there is something in the new
// one, the old one is read to its end again, and only then the new one from its begin. The old
// one's position stays before what it gave away until the new one's has moved.
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// Whether there is nothing in a file that nobody will write to any more.
bool StaysEmpty(const Incarnation& file) {
  if (!file.displaced || file.source->size() != 0) return false;
  const std::shared_ptr<File> open = file.source->file();
  const Result<FileInfo> info = open == nullptr ? NotFoundError("") : open->Stat();
  if (info.ok()) file.source->set_size(info->size);
  return info.ok() && info->size == 0;
}

}  // namespace

// Has the file that came before `file` read to its end once more; `file`, in which there is
// something by now, waits for that. False when there is nobody to ask.
bool Follow::AskOlder(Incarnation& file) {
  const FileSource& source = *file.source;
  if (file.asked_older || source.acked() != 0 || !source.spans_files()) return false;
  if (source.Evidence().first.bytes == 0) return false;
  file.asked_older = true;
  Incarnation* older = Find(file.older);
  // What is incomplete before an empty file is so behind it.
  while (older != nullptr && StaysEmpty(*older)) older = Find(older->older);
  if (older == nullptr || older->ended || !older->displaced) return false;
  older->drained = false;
  older->successors.push_back(file.origin());
  file.predecessor = older->origin();
  file.waiting = true;
  older->source->WatchEnd();
  LookClosely(*older);
  Touch(*older);
  return true;
}

// Who goes on with what is incomplete at the end of `file`.
Incarnation* Follow::FindHeir(const Incarnation& file) {
  if (!file.displaced || file.successors.empty()) return nullptr;
  Incarnation* heir = Find(file.successors.front());
  while (heir != nullptr && StaysEmpty(*heir)) {
    heir = heir->successors.empty() ? nullptr : Find(heir->successors.front());
  }
  const bool fits = heir != nullptr && heir->waiting && !heir->searching() &&
                    heir->source->size() != 0 && heir->source->acked() == 0 &&
                    inherits_.count(heir->origin()) == 0;
  return fits ? heir : nullptr;
}

// `size` is the size of `file`, asked for after that of its heir.
bool Follow::PlanHandOver(Incarnation& file, uint64_t size) {
  FileSource& source = *file.source;
  if (!source.has_pieces_only() || source.position() != size) return false;
  Incarnation* heir = FindHeir(file);
  if (heir == nullptr || !source.PlanHandOver(size, heir->source)) return false;
  heir->asked_older = true;
  inherits_[heir->origin()] = file.origin();
  context_.moved[file.origin()] = file.source;
  cuts_.push_back(file.origin());
  context_.fresh.insert(this);
  return true;
}

// What is incomplete at the end of `file` is given to the file that came next, or sent when nothing
// came for long. True when `file` is to be looked at again.
bool Follow::SettleHalf(Incarnation& file, uint64_t size, Duration quiet) {
  FileSource& source = *file.source;
  if (PlanHandOver(file, size)) return true;
  const bool half_at_end = source.has_half() && source.end_seen() == size;
  if (!half_at_end || quiet < options_.half_line_timeout) return false;
  if (source.spans_files()) {
    // Perhaps nobody told us of the file that came next.
    OnPathChanged(file.path());
    if (file.ended || file.searching()) return true;
    // Half a line is nobody's to go on with.
    if (source.has_pieces_only() && FindHeir(file) != nullptr) return true;
  }
  if (!source.PlanCut(size)) return false;
  // Applied once it is stored: a restart must cut at the same place.
  context_.moved[file.origin()] = file.source;
  cuts_.push_back(file.origin());
  context_.fresh.insert(this);
  return false;
}

// After a restart.
void Follow::ResumeHandOver(Incarnation& file) {
  const OriginId& heir = file.source->heir();
  if (heir.empty()) return;
  const Incarnation* const begun = Find(heir);
  const auto known = known_.find(heir);
  if (begun != nullptr) {
    file.source->ResumeHandOver(begun->source->acked() != 0);
  } else {
    // One that is not known any more was read to its end long ago.
    file.source->ResumeHandOver(known == known_.end() || known->second.resume != 0);
  }
}

void Follow::HeirDelivered(const OriginId& heir) {
  const auto it = inherits_.find(heir);
  if (it == inherits_.end()) return;
  Incarnation* older = Find(it->second);
  inherits_.erase(it);
  if (older == nullptr) return;
  older->source->HandedOver();
  context_.moved[older->origin()] = older->source;
  Touch(*older);
}

}  // namespace kelp::tail
