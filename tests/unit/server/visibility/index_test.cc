#include "server/visibility/index.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_join.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "server/visibility/values.h"

namespace chimera::server::visibility {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr char kNamespace[] = "ns-1";

const AttributeTypes kTypes{
    {"Kw", enums::INDEXED_VALUE_TYPE_KEYWORD},   {"Num", enums::INDEXED_VALUE_TYPE_INT},
    {"Ratio", enums::INDEXED_VALUE_TYPE_DOUBLE}, {"Flag", enums::INDEXED_VALUE_TYPE_BOOL},
    {"Due", enums::INDEXED_VALUE_TYPE_DATETIME}, {"List", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
    {"Words", enums::INDEXED_VALUE_TYPE_TEXT}};

std::string run_id(int i) {
  const std::string digits = absl::StrCat(100'000'000'000 + i);
  return absl::StrCat("00000000-0000-4000-8000-", digits);
}

// Open; its info is its workflow id.
Entry entry(int i, std::vector<Attribute> attributes = {}) {
  Entry entry;
  entry.namespace_id = kNamespace;
  entry.run_id = run_id(i);
  entry.workflow_id = absl::StrCat("w", i);
  entry.workflow_type = "Order";
  entry.task_queue = "orders";
  entry.root_workflow_id = entry.workflow_id;
  entry.root_run_id = entry.run_id;
  entry.start_time = entry.execution_time = i * kSecond;
  entry.attributes = std::move(attributes);
  entry.info = entry.workflow_id;
  return entry;
}

Entry closed(Entry entry, std::int64_t status, std::int64_t close_time) {
  entry.open = false;
  entry.status = status;
  entry.close_time = close_time;
  entry.duration = close_time - entry.execution_time;
  entry.history_length = 5 + entry.start_time / kSecond % 3;
  entry.history_size = 500;
  entry.transitions = 3;
  return entry;
}

Query parsed(const std::string& text) {
  auto query = parse_query(text, attribute_types(kTypes));
  EXPECT_TRUE(query.ok()) << text << ": " << query.status();
  return query.ok() ? *std::move(query) : Query{};
}

class IndexTest : public testing::Test {
 protected:
  void SetUp() override { open(":memory:"); }
  void TearDown() override {
    reader = nullptr;
    writer = nullptr;
    sqlite3_close(database);
  }

  void open(const char* name) {
    ASSERT_EQ(sqlite3_open(name, &database), SQLITE_OK);
    writer = *IndexWriter::open(database);
    reader = *IndexReader::open(database);
  }

  std::vector<std::string> list(const std::string& text, int size = 1000,
                                const std::optional<Place>& after = {}) {
    const auto page = reader->list(kNamespace, parsed(text), size, after);
    EXPECT_TRUE(page.ok()) << text << ": " << page.status();
    return page.ok() ? page->infos : std::vector<std::string>{};
  }

  std::int64_t count(const std::string& text) {
    const auto counted = reader->count(kNamespace, parsed(text));
    EXPECT_TRUE(counted.ok()) << text << ": " << counted.status();
    return counted.ok() ? counted->rows : -1;
  }

  sqlite3* database = nullptr;
  std::unique_ptr<IndexWriter> writer;
  std::unique_ptr<IndexReader> reader;
};

TEST_F(IndexTest, OpenOnesFirstThenTheLatestClosed) {
  ASSERT_TRUE(writer->put(closed(entry(1), 2, 30 * kSecond)));
  ASSERT_TRUE(writer->put(closed(entry(2), 2, 20 * kSecond)));
  ASSERT_TRUE(writer->put(closed(entry(3), 3, 30 * kSecond)));
  ASSERT_TRUE(writer->put(entry(4)));
  ASSERT_TRUE(writer->put(entry(5)));

  EXPECT_THAT(list(""), ElementsAre("w5", "w4", "w3", "w1", "w2"));
  EXPECT_THAT(list("ExecutionStatus IN ('Completed', 'Running')"),
              ElementsAre("w5", "w4", "w1", "w2"));
  EXPECT_THAT(list("CloseTime IS NULL"), ElementsAre("w5", "w4"));
  EXPECT_EQ(count("ExecutionStatus = 'Completed'"), 2);
}

TEST_F(IndexTest, ALaterEntryReplacesTheRun) {
  ASSERT_TRUE(writer->put(
      entry(1, {{"Kw", AttributeType::kKeyword, "old"},
                {"List", AttributeType::kKeywordList, std::vector<std::string>{"a", "b"}}})));
  ASSERT_TRUE(
      writer->put(closed(entry(1, {{"Kw", AttributeType::kKeyword, "new"}}), 2, 9 * kSecond)));

  EXPECT_THAT(list(""), ElementsAre("w1"));
  EXPECT_THAT(list("Kw = 'new'"), ElementsAre("w1"));
  EXPECT_THAT(list("Kw = 'old'"), IsEmpty());
  EXPECT_THAT(list("List = 'a'"), IsEmpty());
  EXPECT_THAT(list("ExecutionStatus = 'Running'"), IsEmpty());

  ASSERT_TRUE(writer->erase(run_id(1)));
  ASSERT_TRUE(writer->erase(run_id(1)));
  EXPECT_THAT(list(""), IsEmpty());
  for (const char* table : {"visible", "visible_value", "visible_info"}) {
    Statement rows;
    ASSERT_EQ(rows.prepare(database, absl::StrCat("SELECT count(*) FROM ", table)), SQLITE_OK);
    ASSERT_TRUE(rows.next());
    EXPECT_EQ(rows.number(0), 0) << table;
  }
}

TEST_F(IndexTest, NamespacesAreApart) {
  Entry other = entry(2, {{"Kw", AttributeType::kKeyword, "x"}});
  other.namespace_id = "ns-2";
  ASSERT_TRUE(writer->put(entry(1, {{"Kw", AttributeType::kKeyword, "x"}})));
  ASSERT_TRUE(writer->put(other));

  EXPECT_THAT(list("Kw = 'x'"), ElementsAre("w1"));
  EXPECT_THAT(reader->list("ns-2", parsed(""), 10, {})->infos, ElementsAre("w2"));
  EXPECT_THAT(reader->list("ns-3", parsed(""), 10, {})->infos, IsEmpty());
}

TEST_F(IndexTest, ADivisionIsHiddenUnlessItIsNamed) {
  const Attribute division{"TemporalNamespaceDivision", AttributeType::kKeyword, "d"};
  ASSERT_TRUE(writer->put(entry(1)));
  ASSERT_TRUE(writer->put(entry(2, {division})));
  ASSERT_TRUE(writer->put(entry(3)));

  EXPECT_THAT(list(""), ElementsAre("w3", "w1"));
  EXPECT_THAT(list("WorkflowId = 'w2'"), IsEmpty());
  EXPECT_THAT(list("TemporalNamespaceDivision = 'd'"), ElementsAre("w2"));
  EXPECT_THAT(list("TemporalNamespaceDivision = 'd' OR WorkflowId = 'w1'"),
              ElementsAre("w2", "w1"));
  EXPECT_THAT(list("TemporalNamespaceDivision IS NULL"), ElementsAre("w3", "w1"));
  const auto groups = reader->count(kNamespace, parsed("GROUP BY TemporalNamespaceDivision"));
  ASSERT_TRUE(groups.ok()) << groups.status();
  EXPECT_EQ(groups->rows, 3);
  ASSERT_EQ(groups->groups.size(), 2);
  EXPECT_EQ(groups->groups[0].value, Value(""));
  EXPECT_EQ(groups->groups[0].rows, 2);
  EXPECT_EQ(groups->groups[1].value, Value("d"));
}

TEST_F(IndexTest, PagesGoOnWhereTheyStopped) {
  for (int i = 0; i < 10; ++i) {
    // Some start together, and close together.
    Entry one = i < 5 ? entry(i) : closed(entry(i), 2, (100 + i / 2) * kSecond);
    one.start_time = i / 3 * kSecond;
    ASSERT_TRUE(writer->put(one));
  }
  const std::vector<std::string> all = list("");
  ASSERT_EQ(all.size(), 10);

  for (const char* text : {"", "WorkflowType = 'Order'", "WorkflowId STARTS_WITH 'w'",
                           "ExecutionStatus IN (1, 2)", "NOT ExecutionStatus = 7"}) {
    for (int size = 1; size <= 11; ++size) {
      std::vector<std::string> seen;
      std::optional<Place> after;
      do {
        const auto page = reader->list(kNamespace, parsed(text), size, after);
        ASSERT_TRUE(page.ok()) << page.status();
        seen.insert(seen.end(), page->infos.begin(), page->infos.end());
        after = page->last;
      } while (after);
      EXPECT_EQ(seen, all) << text << ", pages of " << size;
    }
  }
}

// The row that a page ended with closes, then goes: the next page is the same.
TEST_F(IndexTest, APlaceOutlivesItsRow) {
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(writer->put(entry(i)));
  const auto page = reader->list(kNamespace, parsed(""), 2, {});
  ASSERT_THAT(page->infos, ElementsAre("w4", "w3"));

  ASSERT_TRUE(writer->put(closed(entry(3), 2, 9 * kSecond)));
  EXPECT_THAT(list("ExecutionStatus = 'Running'", 5, page->last), ElementsAre("w2", "w1"));
  ASSERT_TRUE(writer->erase(run_id(3)));
  EXPECT_THAT(list("", 5, page->last), ElementsAre("w2", "w1"));
}

TEST_F(IndexTest, WordsOfAnyScript) {
  const char* const texts[] = {"snake_case and \u00c9t\u00e9",
                               "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
                               "\u65e5\u672c\u8a9e \u6771\u4eac", "a lazy-dog"};
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(writer->put(entry(i, {{"Words", AttributeType::kText, texts[i]}})));

  EXPECT_THAT(list("Words = 'snake'"), ElementsAre("w0"));
  EXPECT_THAT(list("Words = 'snake_case'"), ElementsAre("w0"));
  EXPECT_THAT(list("Words = 'ete'"), ElementsAre("w0"));
  EXPECT_THAT(list("Words = '\u041c\u0418\u0420'"), ElementsAre("w1"));
  EXPECT_THAT(list("Words = '\u6771\u4eac'"), ElementsAre("w2"));
  EXPECT_THAT(list("Words = '\u65e5\u672c'"), IsEmpty()) << "whole words";
  EXPECT_THAT(list("Words = 'lazy-dog'"), ElementsAre("w3"));
  EXPECT_THAT(list("Words = 'dog-lazy'"), IsEmpty()) << "words that are joined stand in order";
  EXPECT_THAT(list("Words = 'dog snake'"), ElementsAre("w3", "w0"));
  EXPECT_THAT(list("Words = '!!!'"), IsEmpty());
}

TEST_F(IndexTest, TooLargeAFilterIsRefused) {
  ASSERT_TRUE(writer->put(entry(1)));
  std::vector<std::string> few, many;
  for (int i = 0; i < 2'000; ++i) {
    few.push_back(absl::StrCat("WorkflowId = 'w", i, "'"));
    many.push_back(absl::StrCat("'w", i, "'"));
  }
  EXPECT_THAT(list(absl::StrJoin(few, " OR ")), ElementsAre("w1"));
  sqlite3_limit(database, SQLITE_LIMIT_VARIABLE_NUMBER, 1'000);

  const auto refused = reader->list(
      kNamespace, parsed(absl::StrCat("WorkflowId IN (", absl::StrJoin(many, ","), ")")), 10, {});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("the filter is too large"));
}

TEST_F(IndexTest, AQueryThatIsStoppedSaysSo) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(writer->put(entry(i)));
  sqlite3_progress_handler(database, 50, [](void*) { return 1; }, nullptr);

  const auto stopped = reader->list(kNamespace, parsed("TaskQueue = 'x'"), 10, {});

  sqlite3_progress_handler(database, 0, nullptr, nullptr);
  EXPECT_EQ(stopped.status().message(), "invalid query: the filter takes too long");
  EXPECT_THAT(list("TaskQueue = 'x'"), IsEmpty());
}

// What a store with a file does: one connection writes, others read.
TEST(IndexFileTest, AReaderOfItsOwnConnectionSeesWhatIsCommitted) {
  const std::string name = testing::TempDir() + "/index_test.db";
  std::remove(name.c_str());
  sqlite3 *writing = nullptr, *reading = nullptr;
  ASSERT_EQ(sqlite3_open(name.c_str(), &writing), SQLITE_OK);
  sqlite3_exec(writing, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
  auto writer = *IndexWriter::open(writing);
  ASSERT_EQ(sqlite3_open_v2(name.c_str(), &reading, SQLITE_OPEN_READONLY, nullptr), SQLITE_OK);
  auto reader = *IndexReader::open(reading);
  const auto listed = [&] { return reader->list(kNamespace, parsed(""), 10, {})->infos; };

  sqlite3_exec(writing, "BEGIN", nullptr, nullptr, nullptr);
  ASSERT_TRUE(writer->put(entry(1)));
  EXPECT_THAT(listed(), IsEmpty());
  sqlite3_exec(writing, "COMMIT", nullptr, nullptr, nullptr);
  EXPECT_THAT(listed(), ElementsAre("w1"));

  reader = nullptr;
  writer = nullptr;
  sqlite3_close(reading);
  sqlite3_close(writing);
  std::remove(name.c_str());
}

// --- Against the evaluation in memory: whatever index an answer comes from, it is the same.

std::optional<Value> value_in(const Entry& entry, std::string_view name) {
  const auto text = [](const std::string& value) {
    return value.empty() ? std::nullopt : std::optional<Value>(value);
  };
  const auto when_closed = [&](std::int64_t value) {
    return entry.open ? std::nullopt : std::optional<Value>(value);
  };
  if (name == "WorkflowId") return text(entry.workflow_id);
  if (name == "WorkflowType") return text(entry.workflow_type);
  if (name == "RunId") return text(entry.run_id);
  if (name == "ParentWorkflowId") return text(entry.parent_workflow_id);
  if (name == "ExecutionStatus") return Value(entry.status);
  if (name == "StartTime") return Value(entry.start_time);
  if (name == "CloseTime") return when_closed(entry.close_time);
  if (name == "ExecutionDuration") return when_closed(entry.duration);
  if (name == "HistoryLength") return when_closed(entry.history_length);
  for (const Attribute& each : entry.attributes) {
    if (each.name == name) return each.value;
  }
  return std::nullopt;
}

const char* const kComparisons[] = {
    "Kw = 'apple'",
    "Kw != 'apple'",
    "Kw > 'apple'",
    "Kw BETWEEN 'a' AND 'b'",
    "Kw = ''",
    "Kw STARTS_WITH 'APP'",
    "Kw NOT STARTS_WITH 'app'",
    "Kw IN ('apple', 'it''s')",
    "Kw NOT IN ('apple')",
    "Kw STARTS_WITH '50%_'",
    "Kw IS NULL",
    "Kw IS NOT NULL",
    "Num = 2",
    "Num = 2.0",
    "Num != 2",
    "Num > 1",
    "Num >= 1.5",
    "Num < 0",
    "Num BETWEEN -1 AND 2",
    "Num NOT BETWEEN -1 AND 2",
    "Num IN (1, 2, '3')",
    "Num IS NULL",
    "Num STARTS_WITH '-'",
    "Ratio = 0.5",
    "Ratio > 1",
    "Ratio <= -0.5",
    "Flag = true",
    "Flag != true",
    "Flag = 1",
    "Flag IS NULL",
    "Due = '1970-01-01T00:00:02Z'",
    "Due > '1970-01-01T00:00:02Z'",
    "Due IS NULL",
    "List = 'a'",
    "List = 'A'",
    "List != 'a'",
    "List IN ('a', 'd e')",
    "List NOT IN ('b', 'c')",
    "List IS NULL",
    "Words = 'quick'",
    "Words = 'DOG fox'",
    "Words = 'lazy-dog'",
    "Words = 'dog-lazy'",
    "Words != 'quick'",
    "Words IS NOT NULL",
    "ExecutionStatus = 'Running'",
    "ExecutionStatus != 'Completed'",
    "ExecutionStatus IN ('Failed', 'Canceled')",
    "ExecutionStatus > 2",
    "WorkflowType = 'Pay'",
    "WorkflowType != 'Pay'",
    "WorkflowType STARTS_WITH 'p'",
    "WorkflowId = 'order-7'",
    "WorkflowId STARTS_WITH 'ORDER-1'",
    "WorkflowId IN ('order-1', 'Order-2', 'Order-3')",
    "WorkflowId > 'a'",
    "ParentWorkflowId IS NULL",
    "ParentWorkflowId = 'p'",
    "StartTime > '1970-01-01T00:00:20Z'",
    "StartTime <= '1970-01-01T00:00:20Z'",
    "StartTime BETWEEN '1970-01-01T00:00:05Z' AND '1970-01-01T00:00:15Z'",
    "StartTime = '1970-01-01T00:00:05Z'",
    "CloseTime > '1970-01-01T00:00:20Z'",
    "CloseTime < '1970-01-01T00:00:20Z'",
    "CloseTime != '1970-01-01T00:00:20Z'",
    "CloseTime BETWEEN '1970-01-01T00:00:05Z' AND '1970-01-01T00:00:15Z'",
    "CloseTime NOT BETWEEN '1970-01-01T00:00:05Z' AND '1970-01-01T00:00:15Z'",
    "CloseTime IS NULL",
    "CloseTime IS NOT NULL",
    "ExecutionDuration > '5s'",
    "HistoryLength = 6",
    "HistoryLength IS NULL",
    "RunId = '00000000-0000-4000-8000-100000000007'",
    "RunId > '00000000-0000-4000-8000-100000000007'"};

class RandomQueries {
 public:
  explicit RandomQueries(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  Entry entry(int i) {
    static const char* const kTexts[] = {"apple", "Apple pie", "banana", "", "it's", "50%_off"};
    std::vector<Attribute> attributes;
    const auto maybe = [&](const char* name, AttributeType type, Value value) {
      if (below(3) != 0) attributes.push_back({name, type, std::move(value)});
    };
    maybe("Kw", AttributeType::kKeyword, std::string(kTexts[below(6)]));
    maybe("Num", AttributeType::kInt, static_cast<std::int64_t>(below(9)) - 3);
    maybe("Ratio", AttributeType::kDouble, static_cast<double>(below(5)) / 2);
    maybe("Flag", AttributeType::kBool, below(2) == 1);
    maybe("Due", AttributeType::kDatetime, static_cast<std::int64_t>(below(5)) * kSecond);
    maybe("List", AttributeType::kKeywordList,
          std::vector<std::string>{below(2) ? "a" : "b", below(2) ? "c" : "d e"});
    maybe("Words", AttributeType::kText, std::string(below(2) ? "the quick fox" : "a lazy-dog"));
    Entry one = visibility::entry(i, std::move(attributes));
    one.workflow_id = one.info = absl::StrCat(below(2) ? "Order-" : "order-", i);
    one.workflow_type = below(2) ? "Order" : "Pay";
    if (below(4) == 0) one.parent_workflow_id = "p";
    one.start_time = one.execution_time = static_cast<std::int64_t>(below(40)) * kSecond;
    if (below(4) == 0) return one;
    return closed(one, 2 + static_cast<std::int64_t>(below(3)),
                  one.start_time + static_cast<std::int64_t>(below(20)) * kSecond);
  }

  std::string filter(int depth) {
    if (depth == 0 || below(3) == 0) return comparison();
    if (below(5) == 0) return absl::StrCat("NOT (", filter(depth - 1), ")");
    return absl::StrCat("(", filter(depth - 1), below(2) ? " AND " : " OR ", filter(depth - 1),
                        ")");
  }

 private:
  std::string comparison() { return kComparisons[below(std::size(kComparisons))]; }

  std::mt19937 random_;
};

TEST_F(IndexTest, AnswersAsTheEvaluationInMemory) {
  RandomQueries make(20260501);
  std::vector<Entry> entries;
  for (int i = 0; i < 200; ++i) {
    entries.push_back(make.entry(i));
    ASSERT_TRUE(writer->put(make.entry(i)));  // Something else first.
    ASSERT_TRUE(writer->put(entries.back()));
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    const auto place = [](const Entry& one) {
      return std::tuple(one.open, one.open ? 0 : one.close_time, one.start_time, one.run_id);
    };
    return place(a) > place(b);
  });

  for (int i = 0; i < 1'500; ++i) {
    const std::string text = make.filter(static_cast<int>(make.below(4)));
    const Query query = parsed(text);
    std::vector<std::string> expected;
    for (const Entry& each : entries) {
      if (matches(query, [&](std::string_view name) { return value_in(each, name); }))
        expected.push_back(each.workflow_id);
    }
    ASSERT_EQ(list(text), expected) << text;
    ASSERT_EQ(count(text), static_cast<std::int64_t>(expected.size())) << text;
    ASSERT_EQ(count(text + " GROUP BY ExecutionStatus"), static_cast<std::int64_t>(expected.size()))
        << text;
    std::vector<std::string> paged;
    std::optional<Place> after;
    do {
      const auto page = reader->list(kNamespace, query, 7, after);
      ASSERT_TRUE(page.ok()) << page.status();
      paged.insert(paged.end(), page->infos.begin(), page->infos.end());
      after = page->last;
    } while (after);
    ASSERT_EQ(paged, expected) << text;
  }
}

}  // namespace
}  // namespace chimera::server::visibility
