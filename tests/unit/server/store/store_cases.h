// What every store does with runs that have closed.
#ifndef CHIMERA_TESTS_UNIT_SERVER_STORE_STORE_CASES_H_
#define CHIMERA_TESTS_UNIT_SERVER_STORE_STORE_CASES_H_

#include <functional>
#include <string>
#include <thread>

#include "absl/strings/str_format.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/store/store.h"

namespace chimera::server {

inline std::string run_id_of(std::uint64_t number) {
  return absl::StrFormat("00000000-0000-0000-0000-%012d", number);
}

// A run with two batches and two rows.
inline WriteBatch stored_run(std::uint64_t number, const std::string& workflow_id,
                             std::int64_t closed, const std::string& ns = "ns") {
  WriteBatch batch;
  batch.runs.push_back({number, run_id_of(number), ns, workflow_id, closed, "side"});
  batch.events.push_back({number, 1, "first"});
  batch.events.push_back({number, 4, std::string("\0second", 7)});
  batch.rows.push_back({number, "activity", "5", "row", false});
  batch.rows.push_back({number, "signal", "id", "", false});
  return batch;
}

inline void expect_stored(const StoredRun& run, std::uint64_t number,
                          const std::string& workflow_id) {
  EXPECT_EQ(run.record.number, number);
  EXPECT_EQ(run.record.run_id, run_id_of(number));
  EXPECT_EQ(run.record.namespace_id, "ns");
  EXPECT_EQ(run.record.workflow_id, workflow_id);
  EXPECT_EQ(run.record.side, "side");
  EXPECT_THAT(run.batches, testing::ElementsAre("first", std::string("\0second", 7)));
  ASSERT_EQ(run.rows.size(), 2u);
  EXPECT_EQ(run.rows[0].value, "row");
  EXPECT_EQ(run.rows[1].key, "id");
}

inline std::vector<std::uint64_t> numbers(const std::vector<Store::ClosedRun>& runs) {
  std::vector<std::uint64_t> all;
  for (const auto& run : runs) all.push_back(run.number);
  return all;
}

inline void expect_reads_back(Store& store, const std::function<void(WriteBatch)>& commit) {
  using testing::ElementsAre;
  const auto none = [](std::uint64_t) { return false; };
  // Runs of a workflow id do not close in the order of their numbers.
  commit(stored_run(2, "w", 200));
  commit(stored_run(5, "w", 150));
  commit(stored_run(3, "w", 300));
  commit(stored_run(4, "other", 100));
  commit(stored_run(6, "w", 50, "elsewhere"));

  ASSERT_TRUE(store.read(run_id_of(3)));
  expect_stored(*store.read(run_id_of(3)), 3, "w");
  EXPECT_FALSE(store.read(run_id_of(7)));
  EXPECT_EQ(store.newest("ns", "w", none)->number, 5u);
  EXPECT_EQ(store.newest("ns", "w", [](std::uint64_t n) { return n == 5; })->run_id, run_id_of(3));
  EXPECT_EQ(store.newest("elsewhere", "w", none)->number, 6u);
  EXPECT_FALSE(store.newest("ns", "nobody", none));
  EXPECT_THAT(numbers(store.first_closed("ns", 3)), ElementsAre(4, 5, 2));
  EXPECT_EQ(store.first_closed("ns", 1).at(0).closed, 100);

  WriteBatch erase;
  erase.deleted_runs = {{5, run_id_of(5)}, {4, run_id_of(4)}};
  commit(std::move(erase));
  EXPECT_EQ(store.newest("ns", "w", none)->number, 3u);
  EXPECT_FALSE(store.newest("ns", "other", none));
  EXPECT_FALSE(store.read(run_id_of(4)));
  EXPECT_THAT(numbers(store.first_closed("ns", 9)), ElementsAre(2, 3));
  WriteBatch later;
  later.runs.push_back({2, run_id_of(2), "ns", "w", 200, "changed"});
  commit(std::move(later));
  EXPECT_EQ(store.read(run_id_of(2))->record.side, "changed");
  EXPECT_EQ(store.read(run_id_of(2))->batches.size(), 2u);
  erase = {};
  erase.deleted_runs = {{2, run_id_of(2)}};
  commit(std::move(erase));
  EXPECT_EQ(store.newest("ns", "w", none)->number, 3u);
  EXPECT_EQ(store.newest("elsewhere", "w", none)->number, 6u);
}

}  // namespace chimera::server

#endif  // CHIMERA_TESTS_UNIT_SERVER_STORE_STORE_CASES_H_
