// Constants and pieces of the log's format that its writer and its reader share.
//
// Format:  docs/formats/wal.md
#ifndef KELP_STORE_WAL_FORMAT_H_
#define KELP_STORE_WAL_FORMAT_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/wal.h"

namespace kelp::store {

inline constexpr std::string_view kWalMagic{"KELPWAL\0", 8};
inline constexpr uint32_t kWalVersion = 1;
inline constexpr uint64_t kWalHeaderBytes = 56;
inline constexpr uint32_t kFrameMagic = 0x3146574B;  // "KWF1"
inline constexpr uint64_t kFrameHeadBytes = 56;

struct WalHeader {
  uint64_t number = 0;
  uint64_t previous = 0;       // 0: none
  uint64_t previous_size = 0;  // of the file before, as far as it counts
  uint64_t first_sequence = 0;
};

// Errors: kDataLoss, kUnimplemented for another version.
Result<WalHeader> ParseWalHeader(std::string_view bytes, const std::string& path);

// "0000000000000001.wal"
std::string WalName(uint64_t number);
bool ParseWalName(std::string_view name, uint64_t& number);

struct WalFileRead {
  uint64_t number;
  uint64_t size;  // that counts
  bool unmade;    // nothing in it: the system stopped while it was made
};

// Reads all files of the log in order; on_frame gets the file's number with each frame.
Status ReadWalFiles(FileSystem& files, const std::string& dir,
                    const std::function<void(uint64_t, const WalFrame&)>& on_frame,
                    const std::function<void(const WalFileRead&)>& on_file, WalReport& report);

}  // namespace kelp::store

#endif  // KELP_STORE_WAL_FORMAT_H_
