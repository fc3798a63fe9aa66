#include "output/kelp/encoder_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "output/common/testing.h"

namespace kelp::output {
namespace {

TEST(EncoderPoolTest, KeepsEncodersWhileSomebodyUsesThem) {
  EncoderPool pool(2);
  {
    const EncoderPool::User user(pool);
    { EncoderPool::Lease lease = pool.Borrow(1); }
    EXPECT_EQ(pool.kept(), 1u);
    {
      EncoderPool::Lease lease = pool.Borrow(1);
      EXPECT_EQ(pool.kept(), 0u) << "the same one";
      lease.DropAfterUse();
    }
    EXPECT_EQ(pool.kept(), 0u);
    for (const int level : {1, 2, 3, 4}) EncoderPool::Lease lease = pool.Borrow(level);
    EXPECT_LE(pool.kept(), 2u) << "levels that nobody uses any more make room";
    EXPECT_GT(pool.kept(), 0u);
  }
  EXPECT_EQ(pool.kept(), 0u);
}

TEST(EncoderPoolTest, WaitsWhileAllAreLent) {
  EncoderPool pool(1);
  const EncoderPool::User user(pool);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EncoderPool::Lease lease = pool.Borrow(1);
        const int now = ++inside;
        if (now > most) most = now;
        lease->Add(*testing::NewBatch({"a row"}), 0);
        EXPECT_FALSE(lease->Finish().empty());
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace kelp::output
