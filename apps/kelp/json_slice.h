// Reads JSON by slices: members and items are handed out as the text they have in the document, so
// that numbers keep every digit and `-o json` prints what the server sent.
//
// Threads: pure functions. Tests: row_test.cc
#ifndef KELP_APPS_KELP_JSON_SLICE_H_
#define KELP_APPS_KELP_JSON_SLICE_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace kelp::cli {

// Calls `fn` for each member of the object, in order; its value is a slice of `text`. False when
// `text` is not one JSON object; then some members may have been handed out.
bool ForEachMember(std::string_view text,
                   const std::function<void(std::string_view key, std::string_view value)>& fn);
// The same for the items of an array.
bool ForEachItem(std::string_view text, const std::function<void(std::string_view item)>& fn);

// The value of a member of the object, or nothing.
std::optional<std::string_view> Member(std::string_view object, std::string_view key);

// A string's content, unescaped; other values as they are written.
std::string ValueText(std::string_view value);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_JSON_SLICE_H_
