// Documents that people save over HTTP: which keys they have, and their text as it is kept.
#ifndef KELP_SERVER_DOCUMENT_H_
#define KELP_SERVER_DOCUMENT_H_

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/status.h"

namespace kelp::server {

// One key of a document: says what is wrong with its value (JSON text), if anything.
using DocumentCheck = std::function<Status(std::string_view key, std::string_view value)>;

struct DocumentKind {
  const char* name;  // in the file of the domain
  const char* path;  // in addresses
  const char* list;  // the key of lists
  std::map<std::string, DocumentCheck, std::less<>> keys;
};

const DocumentKind& SavedSearchKind();
const DocumentKind& DashboardKind();

// The object `body` as it is kept: its keys in their order without "name", "updated" and
// "editable", which the server knows better. Limits: of document.cc. Errors: kInvalidArgument names
// the key. Threads: pure. Tests: library_api_test.cc, request_fuzz.cc
Result<std::string> ReadDocument(const DocumentKind& kind, std::string_view body);

}  // namespace kelp::server

#endif  // KELP_SERVER_DOCUMENT_H_
