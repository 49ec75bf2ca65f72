#include "server/store/sqlite_store.h"

#include <filesystem>
#include <future>
#include <thread>

#include "absl/time/clock.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "tests/unit/server/store/store_cases.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() { remove(); }
  ~SqliteStoreTest() override {
    store.reset();
    remove();
  }
  void remove() {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  }

  // Opens the file and loads it.
  StoredState open() {
    store.reset();
    auto opened = open_sqlite_store(file);
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return {};
    store = *std::move(opened);
    auto state = store->load();
    EXPECT_TRUE(state.ok()) << state.status();
    return state.ok() ? *std::move(state) : StoredState{};
  }

  // Hands the batch over and waits until it is written.
  absl::Status commit(WriteBatch batch) {
    std::promise<absl::Status> written;
    store->commit(std::move(batch), [&](const absl::Status& status) { written.set_value(status); });
    return written.get_future().get();
  }

  const std::string file = testing::TempDir() + "chimera_sqlite_store_test.db";
  std::unique_ptr<Store> store;
};

WriteBatch batch_of(std::uint64_t number) {
  WriteBatch batch = stored_run(number, "workflow", /*closed=*/0);
  batch.values.push_back({"table", std::to_string(number), "value", false});
  return batch;
}

TEST_F(SqliteStoreTest, ANewFileIsEmpty) {
  const StoredState state = open();

  EXPECT_TRUE(state.runs.empty());
  EXPECT_TRUE(state.values.empty());
  EXPECT_EQ(state.last_number, 0u);
  EXPECT_TRUE(store->durable());
  EXPECT_TRUE(store->health().ok());
}

TEST_F(SqliteStoreTest, WhatIsOpenIsLoaded) {
  open();
  ASSERT_TRUE(commit(batch_of(2)).ok());
  ASSERT_TRUE(commit(batch_of(1)).ok());
  ASSERT_TRUE(commit(stored_run(9, "closed", /*closed=*/5)).ok());

  const StoredState state = open();

  EXPECT_EQ(state.last_number, 9u);
  ASSERT_EQ(state.runs.size(), 2u);
  EXPECT_EQ(state.runs[0].record.number, 1u) << "in the order of their creation";
  expect_stored(state.runs[0], 1, "workflow");
  expect_stored(state.runs[1], 2, "workflow");
  ASSERT_EQ(state.values.size(), 2u);
  EXPECT_EQ(state.values[0].value, "value");
}

TEST_F(SqliteStoreTest, ALaterRecordAndValueReplaceTheEarlier) {
  open();
  ASSERT_TRUE(commit(batch_of(1)).ok());
  WriteBatch change;
  change.runs.push_back({1, run_id_of(1), "ns", "workflow", 77, "closed"});
  change.rows.push_back({1, "activity", "5", "", /*erase=*/true});
  change.values.push_back({"table", "1", "other", false});

  ASSERT_TRUE(commit(std::move(change)).ok());

  const StoredState state = open();
  EXPECT_TRUE(state.runs.empty()) << "it has closed";
  const auto run = store->read(run_id_of(1));
  ASSERT_TRUE(run);
  EXPECT_EQ(run->record.closed, 77);
  EXPECT_EQ(run->record.side, "closed");
  EXPECT_EQ(run->batches.size(), 2u);
  EXPECT_EQ(run->rows.size(), 1u);
  ASSERT_EQ(state.values.size(), 1u);
  EXPECT_EQ(state.values[0].value, "other");
}

TEST_F(SqliteStoreTest, WhatWasErasedIsGone) {
  open();
  ASSERT_TRUE(commit(batch_of(1)).ok());
  ASSERT_TRUE(commit(batch_of(2)).ok());
  WriteBatch erase;
  erase.deleted_runs = {{1, run_id_of(1)}};
  erase.values.push_back({"table", "1", "", true});

  ASSERT_TRUE(commit(std::move(erase)).ok());

  EXPECT_FALSE(store->read(run_id_of(1)));
  const StoredState state = open();
  ASSERT_EQ(state.runs.size(), 1u);
  EXPECT_EQ(state.runs[0].record.number, 2u);
  WriteBatch bare;
  bare.runs.push_back({1, run_id_of(1), "ns", "workflow", 1, ""});
  ASSERT_TRUE(commit(std::move(bare)).ok());
  EXPECT_TRUE(store->read(run_id_of(1))->batches.empty());
  EXPECT_TRUE(store->read(run_id_of(1))->rows.empty());
  ASSERT_EQ(state.values.size(), 1u);
  EXPECT_EQ(state.values[0].key, "2");
}

TEST_F(SqliteStoreTest, ReadsBackWhatHasClosed) {
  open();
  expect_reads_back(*store,
                    [this](WriteBatch batch) { EXPECT_TRUE(commit(std::move(batch)).ok()); });
}

TEST_F(SqliteStoreTest, TellsWhatIsWritten) {
  open();
  ASSERT_TRUE(commit(batch_of(1)).ok());
  EXPECT_EQ(store->committed(), 1u);
  // Its caller hears of it a little before.
  while (store->written() < 1) std::this_thread::yield();
}

TEST_F(SqliteStoreTest, PagesOfWhatIsDeletedAreGivenBack) {
  open();
  for (std::uint64_t number = 1; number <= 50; ++number) {
    WriteBatch batch = stored_run(number, "w", 1);
    batch.events[0].history.assign(100'000, 'x');
    ASSERT_TRUE(commit(std::move(batch)).ok());
  }
  open();
  const auto full = std::filesystem::file_size(file);
  WriteBatch erase;
  for (std::uint64_t number = 1; number <= 50; ++number)
    erase.deleted_runs.push_back({number, run_id_of(number)});
  ASSERT_TRUE(commit(std::move(erase)).ok());

  const absl::Time late = absl::Now() + absl::Seconds(30);
  while (std::filesystem::file_size(file) > full / 10 && absl::Now() < late)
    std::this_thread::yield();
  EXPECT_LE(std::filesystem::file_size(file), full / 10);
}

TEST_F(SqliteStoreTest, AFileHasOneServer) {
  open();

  const auto second = open_sqlite_store(file);

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              testing::HasSubstr("is used by another server"));
}

// Events and rows by run ids, no times of closing.
constexpr char kFirstLayout[] = R"(
PRAGMA application_id=1128811858;
CREATE TABLE value(tab TEXT, key TEXT, data BLOB, PRIMARY KEY(tab, key)) WITHOUT ROWID;
CREATE TABLE run(pk INTEGER PRIMARY KEY, run_id TEXT UNIQUE, namespace_id TEXT,
                 workflow_id TEXT, open INTEGER, side BLOB);
CREATE TABLE event(run_id TEXT, first_id INTEGER, data BLOB, PRIMARY KEY(run_id, first_id))
  WITHOUT ROWID;
INSERT INTO value VALUES('namespace', 'ns', 'its');
INSERT INTO run VALUES(3, '00000000-0000-0000-0000-000000000003', 'ns', 'workflow', 1, 'side');
INSERT INTO run VALUES(4, '00000000-0000-0000-0000-000000000004', 'ns', 'done', 0, 'side');
INSERT INTO event VALUES('00000000-0000-0000-0000-000000000003', 1, 'first');
INSERT INTO event VALUES('00000000-0000-0000-0000-000000000003', 4, 'second');
INSERT INTO event VALUES('00000000-0000-0000-0000-000000000004', 1, 'first');
INSERT INTO event VALUES('00000000-0000-0000-0000-000000000004', 4, 'second');
INSERT INTO value VALUES('activity', '00000000-0000-0000-0000-0000000000035', 'row');
INSERT INTO value VALUES('signal', '00000000-0000-0000-0000-000000000003id', '');
INSERT INTO value VALUES('activity', '00000000-0000-0000-0000-0000000000045', 'row');
INSERT INTO value VALUES('signal', '00000000-0000-0000-0000-000000000004id', '');
)";

TEST_F(SqliteStoreTest, AFileOfTheFirstLayoutIsTakenOver) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, kFirstLayout, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(raw);
  sqlite3_close(raw);

  for (int times = 0; times < 2; ++times) {
    const StoredState state = open();

    ASSERT_EQ(state.runs.size(), 1u);
    EXPECT_EQ(state.runs[0].record.number, 3u);
    EXPECT_THAT(state.runs[0].batches, ElementsAre("first", "second"));
    ASSERT_EQ(state.runs[0].rows.size(), 2u);
    EXPECT_EQ(state.runs[0].rows[0].key, "5");
    EXPECT_EQ(state.runs[0].rows[0].value, "row");
    EXPECT_EQ(state.runs[0].rows[1].key, "id");
    ASSERT_EQ(state.values.size(), 2u) << "and one that says what is still to be done";
    const auto closed = store->read("00000000-0000-0000-0000-000000000004");
    ASSERT_TRUE(closed);
    EXPECT_GT(closed->record.closed, 0);
    EXPECT_THAT(closed->batches, ElementsAre("first", "second"));
    EXPECT_EQ(closed->rows.size(), 2u);
  }
}

}  // namespace
}  // namespace chimera::server
