// EncoderPool: the batch set encoders that all lanes of the process share.
#ifndef KELP_OUTPUT_KELP_ENCODER_POOL_H_
#define KELP_OUTPUT_KELP_ENCODER_POOL_H_

#include <memory>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "codec/kelp_batch.h"

namespace kelp::output {

// An encoder holds the rows of a set before compression and the compressor's tables: megabytes. An
// agent has four lanes for each output, but no more of them can encode at once than there are
// cores; so there are so many encoders, and lanes wait for one.
//
//   EncoderPool::User user(pool);              // while a lane's thread lives
//   EncoderPool::Lease lease = pool.Borrow(level);
//   lease->Add(*batch, arrival);
//
// Threads:  thread-safe. Blocking: Borrow, while others encode.
// Limits:   one encoder for each core; none without users.
// Tests:    encoder_pool_test.cc
class EncoderPool {
 public:
  class Lease {
   public:
    Lease(EncoderPool& pool, int level, std::unique_ptr<codec::BatchSetEncoder> encoder)
        : pool_(pool), level_(level), encoder_(std::move(encoder)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { pool_.Return(level_, std::move(encoder_)); }
    codec::BatchSetEncoder& operator*() { return *encoder_; }
    codec::BatchSetEncoder* operator->() { return encoder_.get(); }
    // Memory is scarce: the encoder goes when it comes back.
    void DropAfterUse() { level_ = kDropped; }

   private:
    EncoderPool& pool_;
    int level_;
    std::unique_ptr<codec::BatchSetEncoder> encoder_;
  };

  class User {
   public:
    explicit User(EncoderPool& pool) : pool_(pool) { pool_.AddUser(); }
    ~User() { pool_.RemoveUser(); }
    User(const User&) = delete;
    User& operator=(const User&) = delete;

   private:
    EncoderPool& pool_;
  };

  explicit EncoderPool(int encoders_max) : free_(encoders_max) {}
  EncoderPool(const EncoderPool&) = delete;
  EncoderPool& operator=(const EncoderPool&) = delete;

  // Waits until fewer than all are lent. REQUIRES: the caller is a User and holds no other lease.
  Lease Borrow(int zstd_level);
  // How many are kept for the next Borrow.
  size_t kept() const;

  // That of the process; never destroyed.
  static EncoderPool& Shared();

 private:
  static constexpr int kDropped = -1;
  void Return(int level, std::unique_ptr<codec::BatchSetEncoder> encoder);
  void AddUser();
  void RemoveUser();

  mutable Mutex mu_;
  CondVar returned_;
  int free_ GUARDED_BY(mu_);  // so many more may be lent
  int users_ GUARDED_BY(mu_) = 0;
  std::vector<std::pair<int, std::unique_ptr<codec::BatchSetEncoder>>> kept_ GUARDED_BY(mu_);
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_ENCODER_POOL_H_
