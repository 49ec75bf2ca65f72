#include "tests/unit/server/store/store_cases.h"

namespace chimera::server {
namespace {

TEST(MemoryStoreTest, ReadsBackWhatHasClosed) {
  const auto store = make_memory_store();

  EXPECT_FALSE(store->durable());
  expect_reads_back(*store, [&](WriteBatch batch) { store->commit(std::move(batch), {}); });
  EXPECT_EQ(store->written(), store->committed());
}

TEST(MemoryStoreTest, ALongChainIsDeletedFromItsOldEnd) {
  const auto store = make_memory_store();
  for (std::uint64_t number = 1; number <= 1'000; ++number)
    store->commit(stored_run(number, "cron", static_cast<std::int64_t>(number)), {});

  for (std::uint64_t number = 1; number < 1'000; ++number) {
    WriteBatch erase;
    erase.deleted_runs = {{number, run_id_of(number)}};
    store->commit(std::move(erase), {});
    ASSERT_EQ(store->newest("ns", "cron", [](std::uint64_t) { return false; })->number, 1'000u);
  }
  EXPECT_EQ(numbers(store->first_closed("ns", 9)), std::vector<std::uint64_t>{1'000});
}

}  // namespace
}  // namespace chimera::server
