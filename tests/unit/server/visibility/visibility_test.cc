#include "server/visibility/visibility.h"

#include <atomic>
#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "server/visibility/index.h"
#include "server/visibility/values.h"

namespace chimera::server::visibility {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kNamespace[] = "ns";

Entry entry(int i, std::int64_t status = 1) {
  Entry entry;
  entry.namespace_id = kNamespace;
  entry.run_id = absl::StrCat("run-", i);
  entry.workflow_id = entry.info = absl::StrCat("w", i);
  entry.status = status;
  entry.open = status == 1;
  entry.start_time = entry.close_time = i;
  return entry;
}

Query all(const char* text = "") { return *parse_query(text, attribute_types({})); }

std::vector<std::string> listed(Visibility& visibility, const char* text = "") {
  std::promise<std::vector<std::string>> infos;
  visibility.list(kNamespace, all(text), 100, {}, [&](absl::StatusOr<Page> page) {
    EXPECT_TRUE(page.ok()) << page.status();
    infos.set_value(page.ok() ? page->infos : std::vector<std::string>{});
  });
  return infos.get_future().get();
}

class VisibilityTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(ThreadOrNot, VisibilityTest, testing::Bool());

TEST_P(VisibilityTest, AQuerySeesEveryChangeBeforeIt) {
  Visibility visibility(/*apart=*/GetParam());
  EXPECT_THAT(listed(visibility), IsEmpty());
  visibility.put(entry(1));
  visibility.put(entry(2));
  EXPECT_THAT(listed(visibility), ElementsAre("w2", "w1"));
  visibility.put(entry(2, 3));
  EXPECT_THAT(listed(visibility, "ExecutionStatus = 'Failed'"), ElementsAre("w2"));
  visibility.put(entry(3));
  visibility.erase("run-3");
  visibility.erase("run-1");
  EXPECT_THAT(listed(visibility), ElementsAre("w2"));
  visibility.erase("run-2");
  visibility.put(entry(2));
  EXPECT_THAT(listed(visibility), ElementsAre("w2"));
}

TEST_P(VisibilityTest, Counts) {
  Visibility visibility(/*apart=*/GetParam());
  for (int i = 0; i < 2'000; ++i) visibility.put(entry(i, i % 2 == 0 ? 2 : 1));
  std::promise<Count> counted;

  visibility.count(kNamespace, all("GROUP BY ExecutionStatus"), [&](absl::StatusOr<Count> count) {
    ASSERT_TRUE(count.ok()) << count.status();
    counted.set_value(*std::move(count));
  });

  const Count count = counted.get_future().get();
  EXPECT_EQ(count.rows, 2'000);
  ASSERT_EQ(count.groups.size(), 2);
  EXPECT_EQ(count.groups[0].value, Value(std::int64_t{1}));
  EXPECT_EQ(count.groups[0].rows, 1'000);
}

// Its owner writes the file.
TEST(VisibilityFileTest, AnswersFromAFile) {
  const std::string name = testing::TempDir() + "/visibility_test.db";
  std::remove(name.c_str());
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(name.c_str(), &database), SQLITE_OK);
  sqlite3_exec(database, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
  auto writer = *IndexWriter::open(database);
  {
    Visibility visibility(true, name);
    EXPECT_THAT(listed(visibility), IsEmpty());
    ASSERT_TRUE(writer->put(entry(1)));
    EXPECT_THAT(listed(visibility), ElementsAre("w1"));
  }
  writer = nullptr;
  sqlite3_close(database);
  std::remove(name.c_str());
}

TEST(VisibilityFileTest, SaysThatThereIsNoFile) {
  Visibility visibility(true, testing::TempDir() + "/nowhere/none.db");
  std::promise<absl::Status> failed;
  visibility.list(kNamespace, all(), 1, {},
                  [&](const absl::StatusOr<Page>& page) { failed.set_value(page.status()); });
  EXPECT_EQ(failed.get_future().get().code(), absl::StatusCode::kUnavailable);
}

// A server need not wait for a query that takes long.
TEST(VisibilityEndTest, StopsAQueryUnderWay) {
  std::string slow = "TaskQueue != 'x'";
  for (int i = 0; i < 3'000; ++i) absl::StrAppend(&slow, " AND TaskQueue != 'x", i, "'");
  std::promise<void> begun;
  std::atomic<int> done = 0;
  {
    Visibility visibility;
    for (int i = 0; i < 5'000; ++i) visibility.put(entry(i));
    visibility.list(kNamespace, all(), 1, {},
                    [&](const absl::StatusOr<Page>&) { begun.set_value(); });
    visibility.list(kNamespace, all(slow.c_str()), 1'000'000, {},
                    [&](const absl::StatusOr<Page>& page) { done += page.ok(); });
    begun.get_future().wait();
  }
  EXPECT_EQ(done, 0);
}

// Whether a query is answered or dropped then, what it holds goes.
TEST(VisibilityEndTest, EndsWithQueriesUnderWay) {
  auto held = std::make_shared<int>(1);
  {
    Visibility visibility;
    for (int i = 0; i < 1'500; ++i) visibility.put(entry(i));
    for (int i = 0; i < 100; ++i)
      visibility.list(kNamespace, all(), 100, {}, [held](const absl::StatusOr<Page>&) {});
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace chimera::server::visibility
