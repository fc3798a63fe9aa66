// Losses: what was destroyed before it was read, and what the agent said of it.
//
// Nothing may be lost silently, nor may a loss be reported that is none. By file content (one of a
// file between two emptyings), and for the origin that reads it:
// - At most: what an origin reports lost in one life of the agent is not more than the bytes of its
//   content that were destroyed, less those that it read or that are in a copy by which it could go
//   on. Of a content that was not destroyed nothing is lost.
// - At least: when bytes are destroyed, those are owed that this life of the agent saw last of the
//   content by a descriptor of it (its size then), and that the origin had not read: before the
//   life ends in peace it must have reported as many. Where a file was cut, but not below what was
//   read, only a look before it grew again can tell. What was destroyed while no agent lived is
//   owed by the next life as far as what was stored tells that it was there
//   (Checkpoint::guard, Checkpoint::seen). A life that is killed owes nothing more: what it saw
//   died with it. An origin of whose beginning nothing was seen goes on with the next content of
//   its file.
// - What is reported stands in the ledger.
//
// Place:    one per World, which tells it what happens to files; SimFileInput tells it of sources
//           and of what they report.
// Threads:  confined to the simulation's thread.
#ifndef KELP_TESTS_SIM_LOSSES_H_
#define KELP_TESTS_SIM_LOSSES_H_

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "disk.h"
#include "history.h"
#include "oracle.h"
#include "pipeline/input.h"
#include "sights.h"
#include "sim_agent.h"
#include "tail/file_source.h"

namespace kelp::sim {

class Losses {
 public:
  Losses(History& history, Oracle& oracle, const Sights& sights,
         const DurableCheckpoints& checkpoints)
      : history_(history), oracle_(oracle), sights_(sights), checkpoints_(checkpoints) {}

  // --- the agent ---
  void AgentStarts();
  void AgentDied();
  // Otherwise the figures do not matter: something must be reported when something is owed, and
  // nothing of a file of which nothing was destroyed.
  void set_exact(bool exact) { exact_ = exact; }
  // Otherwise nothing is owed: files change between two calls, and of what the second saw no note
  // may have been taken.
  void set_owed(bool owed) { count_owed_ = owed; }
  // A new configuration: what was being looked for is looked for again, with stored knowledge.
  void AgentReloads() { owed_.clear(); }
  void Added(const std::shared_ptr<tail::FileSource>& source);
  void Reported(const tail::FileSource& source, const pipeline::Loss& loss);
  uint64_t reported_in_this_life() const { return reported_total_; }
  // In peace, after all of this life: everything owed was reported.
  void CheckAllReported();

  // --- files; before it happens ---
  // `kept` bytes of it are in `copy`; `findable`: by what the agent stored.
  void Emptied(const Node& file, uint64_t kept, const std::shared_ptr<Node>& copy, bool findable);
  void CutTo(const Node& file, uint64_t length);
  // The agent looked and saw that a file whose content goes on is shorter than it saw it before.
  void SeenShorter(uint64_t file, uint64_t before, uint64_t now);
  // Its last name is gone, and the agent does not have it open.
  void Unlinked(const Node& file);
  // The last name of a file is gone that the agent has open: destroyed when it dies.
  void UnlinkedHeld(const std::shared_ptr<Node>& file) { held_.push_back(file); }
  void Packed(const std::shared_ptr<Node>& file, const std::shared_ptr<Node>& packed,
              bool findable);

 private:
  using Content = std::pair<uint64_t, uint64_t>;  // Node::serial, and how often it was emptied
  struct Copy {
    std::weak_ptr<Node> node;
    uint64_t bytes = 0;
    bool findable = false;
  };
  struct Destroyed {
    uint64_t size = 0;
    uint64_t kept = 0;  // in a copy, when it was destroyed
  };
  Content Now(uint64_t file) const;
  // nullptr when nobody reads it now.
  std::shared_ptr<const tail::FileSource> Reader(const Content& content) const;
  void Destroy(const Content& content, uint64_t size);
  void Owe(const OriginId& origin, uint64_t bytes, std::string_view why);
  // Bytes of a content in a copy that is there.
  uint64_t InCopy(const Content& content, bool findable_only) const;
  uint64_t MostFor(const Content& content, uint64_t position) const;

  bool exact_ = true;
  bool count_owed_ = true;
  History& history_;
  Oracle& oracle_;
  const Sights& sights_;
  const DurableCheckpoints& checkpoints_;
  std::map<uint64_t, uint64_t> emptied_;  // how often, by Node::serial
  std::map<Content, Copy> copies_;
  std::map<Content, Destroyed> destroyed_;
  std::map<uint64_t, uint64_t> cut_bytes_;  // of files that were cut to a part
  std::map<OriginId, Content> contents_;
  std::vector<std::shared_ptr<Node>> held_;
  // Of this life.
  std::map<Content, std::weak_ptr<tail::FileSource>> readers_;
  std::map<OriginId, uint64_t> owed_;
  std::map<OriginId, uint64_t> reported_;
  uint64_t reported_total_ = 0;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_LOSSES_H_
