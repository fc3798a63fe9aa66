// Constants of the segment format that its writer and its reader share.
//
// Format:  docs/formats/segment.md
#ifndef KELP_STORE_SEGMENT_FORMAT_H_
#define KELP_STORE_SEGMENT_FORMAT_H_

#include <cstdint>
#include <string_view>

namespace kelp::store {

inline constexpr std::string_view kSegmentMagic{"KELPSEG\0", 8};
inline constexpr std::string_view kSegmentEndMagic{"KELPEND\0", 8};
inline constexpr uint32_t kSegmentVersion = 1;
inline constexpr uint64_t kSegmentHeaderBytes = 16;
inline constexpr uint64_t kSegmentFooterBytes = 48;

}  // namespace kelp::store

#endif  // KELP_STORE_SEGMENT_FORMAT_H_
