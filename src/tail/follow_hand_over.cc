// Records that span a rotation: what is incomplete at the end of the old file belongs to the new
// one.
#include "tail/follow.h"

namespace kelp::tail {

// The file that came after `file` goes on with what is incomplete at the end of it.
bool Follow::PlanHandOver(Incarnation& file) {
  Incarnation* heir = file.successors.empty() ? nullptr : Find(file.successors.front());
  if (heir == nullptr || !heir->waiting || heir->searching() || heir->source->size() == 0 ||
      heir->source->acked() != 0 ||
      !file.source->PlanHandOver(file.source->size(), heir->origin())) {
    return false;
  }
  file.source->SetHeir(heir->source, /*delivered=*/false);
  inherits_[heir->origin()] = file.origin();
  context_.moved[file.origin()] = file.source;
  cuts_.push_back(file.origin());
  context_.fresh.insert(this);
  return true;
}

// After a restart: finds the heir of an origin, or the origin that has this one for its heir.
void Follow::LinkHeir(Incarnation& file) {
  const auto inherits = inherits_.find(file.origin());
  if (inherits != inherits_.end()) {
    Incarnation* older = Find(inherits->second);
    if (older != nullptr) older->source->SetHeir(file.source, file.source->acked() != 0);
  }
  const OriginId heir = file.source->heir();
  if (heir.empty()) return;
  inherits_[heir] = file.origin();
  Incarnation* const begun = Find(heir);
  const auto known = known_.find(heir);
  if (begun != nullptr) {
    file.source->SetHeir(begun->source, begun->source->acked() != 0);
  } else {
    // One that is not known any more was read to its end long ago.
    file.source->SetHeir(nullptr, known == known_.end() || known->second.resume != 0);
  }
}

void Follow::HeirAcked(Incarnation& heir) {
  const auto it = inherits_.find(heir.origin());
  if (it == inherits_.end() || heir.source->acked() == 0) return;
  Incarnation* older = Find(it->second);
  inherits_.erase(it);
  if (older == nullptr) return;
  older->source->HandedOver();
  context_.moved[older->origin()] = older->source;
  Touch(*older);
}

}  // namespace kelp::tail
