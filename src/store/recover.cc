// Opening what is on disk: manifests, segments, leftovers.
#include "base/log.h"
#include "store/layout.h"
#include "store/store_impl.h"

namespace kelp::store {

Status StoreImpl::OpenLogstores() {
  ASSIGN_OR_RETURN(const std::vector<LogstoreName> names,
                   ListLogstores(env_.files(), options_.dir));
  for (const LogstoreName& name : names) {
    RETURN_IF_ERROR(OpenLogstore(name).Annotate("cannot open the logstore " + name.project + "/" +
                                                name.logstore));
  }
  return OkStatus();
}

Status StoreImpl::OpenLogstore(const LogstoreName& name) {
  const std::string dir = LogstoreDir(options_.dir, name);
  const std::string path = JoinPath(dir, kManifestName);
  const Result<std::string> bytes = ReadFile(env_.files(), path, ByteSize{UINT64_MAX});
  if (bytes.status().code() == Code::kNotFound) return OkStatus();  // dropped, not yet removed
  RETURN_IF_ERROR(bytes.status());
  ASSIGN_OR_RETURN(Manifest manifest, DecodeManifest(*bytes, path));
  MutexLock lock(mu_);
  logstores_[name] = std::make_shared<Logstore>(name, dir, std::move(manifest));
  return OkStatus();
}

}  // namespace kelp::store
