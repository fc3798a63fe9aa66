// Sights: what the agent saw of files, in all its lives together.
//
// Nobody can report what he never saw, nor tell that a file was cut when he looked neither before
// nor after. So what the oracle may demand depends on what the agent looked at: each of its calls
// that tells the size of a file, or reads it, is noted here.
//
// Place:    one per World; SimFileSystem tells it of the agent's calls, the World of cuts.
// Threads:  confined to the simulation's thread.
#ifndef KELP_TESTS_SIM_SIGHTS_H_
#define KELP_TESTS_SIM_SIGHTS_H_

#include <cstdint>
#include <functional>
#include <map>

#include "base/env.h"
#include "disk.h"
#include "oracle.h"
#include "sim_agent.h"

namespace kelp::sim {

// TailOptions::left_bytes_min, in proportion to the files here.
constexpr uint64_t kLeftBytesMin = 1024;

class Sights {
 public:
  Sights(Clock& clock, Oracle& oracle, const DurableCheckpoints& checkpoints)
      : clock_(clock), oracle_(oracle), checkpoints_(checkpoints) {}

  // --- the agent's calls; files by Node::serial ---
  // `by_name`: it asked for a name, perhaps only to know of what kind it is.
  void Looked(uint64_t file, uint64_t size, bool by_name);
  void Read(uint64_t file, uint64_t end);
  void AgentDied();

  // --- the World ---
  // The file is being cut to its first `length` bytes. When more had been read of it:
  // - Its lines may come again unless the agent can tell that what is left is the same. It can when
  //   one life looked before anything was written behind the cut, and lived on until it had stored
  //   what it concluded, and enough is left to be told by (kLeftBytesMin); what is behind the
  //   agent's last mark may come again all the same.
  // - When no life noticed the cut and lived on for so long, the next one may go on from a position
  //   below the cut under the same origin, and then the destination takes for repeats what was
  //   written in the place of lines that it has. Or, when no position is stored yet, it sees that
  //   what it saw first is not there, and what is left comes again.
  void Cut(const Node& file, uint64_t length, bool agent_lives);
  // A look that finds less of the same content than the one before.
  std::function<void(uint64_t file, uint64_t before, uint64_t now)> on_shorter;
  // Bytes of the file that were read; of what it holds now.
  uint64_t ReadOf(uint64_t file) const;
  // The size that this life saw last of what it holds now, by a descriptor.
  uint64_t SeenOf(uint64_t file) const;

 private:
  struct CutFile {
    uint64_t inode = 0;
    UnixNanos born = kNoTime;
    uint64_t length = 0;
    uint64_t read = 0;    // before it was cut
    Duration seen_at{0};  // 0: not
  };
  bool Concluded(const CutFile& cut) const;
  uint64_t StoredOf(const CutFile& cut) const;
  void Unnoticed(uint64_t file, const CutFile& cut);

  Clock& clock_;
  Oracle& oracle_;
  const DurableCheckpoints& checkpoints_;
  std::map<uint64_t, uint64_t> read_;
  std::map<uint64_t, uint64_t> seen_;
  std::map<uint64_t, CutFile> cuts_;  // below what had been read
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIGHTS_H_
