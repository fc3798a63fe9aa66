// Files that the build put into the program (embed.cmake).
#ifndef KELP_SERVER_EMBEDDED_H_
#define KELP_SERVER_EMBEDDED_H_

#include <span>
#include <string_view>

namespace kelp::server {

struct EmbeddedFile {
  std::string_view name;  // "index.html"
  std::string_view bytes;
};

// The console's dist folder; empty when it was not built.
std::span<const EmbeddedFile> ConsoleFiles();
// openapi.json.
std::span<const EmbeddedFile> OpenApiFiles();

}  // namespace kelp::server

#endif  // KELP_SERVER_EMBEDDED_H_
