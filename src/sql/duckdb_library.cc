#include "sql/duckdb_library.h"

#include <dlfcn.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/log.h"
#include "base/sync.h"

namespace kelp::sql {
namespace {

constexpr const char* kFileName = "libduckdb.so";

std::string ProgramDir() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0 || static_cast<size_t>(size) >= sizeof(path)) return ".";
  const std::string program(path, static_cast<size_t>(size));
  return program.substr(0, program.rfind('/'));
}

std::vector<std::string> Candidates(const std::string& path) {
  if (!path.empty()) return {path};
  const std::string dir = ProgramDir();
  return {dir + "/" + kFileName, dir + "/../lib/kelp/" + kFileName, KELP_DUCKDB_LIBRARY_PATH};
}

Status Missing(const std::string& why) {
  return UnimplementedError(
      "SQL needs the library of DuckDB, which cannot be loaded (" + why +
      "). Put libduckdb.so 1.4 beside kelp-server or name it in server.yaml as sql.library; "
      "tools/get_duckdb fetches it. Searches without SQL work as before");
}

Result<std::unique_ptr<DuckDbLibrary>> Open(const std::string& path) {
  std::string problem = "not found";
  void* handle = nullptr;
  for (const std::string& candidate : Candidates(path)) {
    if (access(candidate.c_str(), R_OK) != 0) continue;
    handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) break;
    if (const char* said = dlerror(); said != nullptr) problem = said;
  }
  if (handle == nullptr) return Missing(path.empty() ? problem : path + ": " + problem);
  auto library = std::make_unique<DuckDbLibrary>();
  const char* missing = nullptr;
  const auto resolve = [&](auto& member, const char* name) {
    void* symbol = dlsym(handle, name);
    if (symbol == nullptr && missing == nullptr) missing = name;
    member = reinterpret_cast<std::remove_reference_t<decltype(member)>>(symbol);
  };
#define KELP_DUCKDB_RESOLVE(name) resolve(library->name, "duckdb_" #name);
  KELP_DUCKDB_FUNCTIONS(KELP_DUCKDB_RESOLVE)
#undef KELP_DUCKDB_RESOLVE
  if (missing != nullptr) {
    dlclose(handle);
    return Missing(std::string("it has no function ") + missing);
  }
  LOG(kInfo, "loaded DuckDB {} for SQL", library->library_version());
  return library;
}

}  // namespace

Result<const DuckDbLibrary*> DuckDbLibrary::Load(const std::string& path) {
  static Mutex mu;
  static const DuckDbLibrary* loaded = nullptr;
  MutexLock lock(mu);
  if (loaded == nullptr) {
    ASSIGN_OR_RETURN(std::unique_ptr<DuckDbLibrary> library, Open(path));
    loaded = library.release();  // until the process ends: its threads and handles stay valid
  }
  return loaded;
}

}  // namespace kelp::sql
