#include "store/store_impl.h"

namespace kelp::store {
Status StoreImpl::Maintain() { return OkStatus(); }
void StoreImpl::MaintainLoop() {}
Result<CheckReport> Store::Check(Env&, const std::string&,
                                 const std::function<void(uint64_t, uint64_t)>&) {
  return CheckReport();
}
}  // namespace kelp::store
