#include "server/store/sqlite_store.h"

#include <filesystem>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chimera::server {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  SqliteStoreTest() {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file + suffix);
  }

  // Opens the file and loads it.
  StoredState open() {
    store.reset();
    auto opened = open_sqlite_store(file);
    EXPECT_TRUE(opened.ok()) << opened.status();
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

WriteBatch batch_of(const std::string& run_id) {
  WriteBatch batch;
  batch.runs.push_back({run_id, "ns", "workflow", true, "side"});
  batch.events.push_back({run_id, 1, "first"});
  batch.events.push_back({run_id, 4, std::string("\0second", 7)});
  batch.values.push_back({"table", run_id, "value", false});
  return batch;
}

TEST_F(SqliteStoreTest, ANewFileIsEmpty) {
  const StoredState state = open();

  EXPECT_TRUE(state.runs.empty());
  EXPECT_TRUE(state.values.empty());
  EXPECT_TRUE(store->durable());
  EXPECT_TRUE(store->health().ok());
}

TEST_F(SqliteStoreTest, WhatWasWrittenIsRead) {
  open();
  ASSERT_TRUE(commit(batch_of("b")).ok());
  ASSERT_TRUE(commit(batch_of("a")).ok());

  const StoredState state = open();

  ASSERT_EQ(state.runs.size(), 2u);
  EXPECT_EQ(state.runs[0].record.run_id, "b") << "in the order of their creation";
  EXPECT_EQ(state.runs[0].record.namespace_id, "ns");
  EXPECT_EQ(state.runs[0].record.workflow_id, "workflow");
  EXPECT_TRUE(state.runs[0].record.open);
  EXPECT_EQ(state.runs[0].record.side, "side");
  EXPECT_THAT(state.runs[0].batches, testing::ElementsAre("first", std::string("\0second", 7)));
  ASSERT_EQ(state.values.size(), 2u);
  EXPECT_EQ(state.values[0].value, "value");
}

TEST_F(SqliteStoreTest, ALaterRecordAndValueReplaceTheEarlier) {
  open();
  ASSERT_TRUE(commit(batch_of("a")).ok());
  WriteBatch change;
  change.runs.push_back({"a", "ns", "workflow", false, "closed"});
  change.values.push_back({"table", "a", "other", false});

  ASSERT_TRUE(commit(std::move(change)).ok());

  const StoredState state = open();
  ASSERT_EQ(state.runs.size(), 1u);
  EXPECT_FALSE(state.runs[0].record.open);
  EXPECT_EQ(state.runs[0].record.side, "closed");
  EXPECT_EQ(state.runs[0].batches.size(), 2u);
  ASSERT_EQ(state.values.size(), 1u);
  EXPECT_EQ(state.values[0].value, "other");
}

TEST_F(SqliteStoreTest, WhatWasErasedIsGone) {
  open();
  ASSERT_TRUE(commit(batch_of("a")).ok());
  ASSERT_TRUE(commit(batch_of("b")).ok());
  WriteBatch erase;
  erase.deleted_runs = {"a"};
  erase.values.push_back({"table", "a", "", true});

  ASSERT_TRUE(commit(std::move(erase)).ok());

  const StoredState state = open();
  ASSERT_EQ(state.runs.size(), 1u);
  EXPECT_EQ(state.runs[0].record.run_id, "b");
  ASSERT_EQ(state.values.size(), 1u);
  EXPECT_EQ(state.values[0].key, "b");
}

TEST_F(SqliteStoreTest, AFileHasOneServer) {
  open();

  const auto second = open_sqlite_store(file);

  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()),
              testing::HasSubstr("is used by another server"));
}

}  // namespace
}  // namespace chimera::server
