#include "server/archival/history_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/archival/setting.h"

namespace chimera::server::archival {
namespace {

const RunKey kKey{"32049b68-7872-4094-8e63-d0dd59896a83", "order-17",
                  "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"};

class HistoryFileTest : public testing::Test {
 protected:
  HistoryFileTest() { std::filesystem::remove_all(folder); }
  ~HistoryFileTest() override { std::filesystem::remove_all(folder); }

  // Of events that begin batches with the ids `begins`.
  static history::History of(int events) {
    history::History all;
    for (int id = 1; id <= events; ++id) {
      HistoryEvent& event = *all.add_events();
      event.set_event_id(id);
      event.set_event_type(enums::EVENT_TYPE_MARKER_RECORDED);
      event.mutable_event_time()->set_seconds(1'800'000'000 + id);
      event.mutable_marker_recorded_event_attributes()->set_marker_name(absl::StrCat("m", id));
    }
    return all;
  }
  void keep(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + name) << text;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      all.push_back(entry.path().filename().string());
    return all;
  }

  const std::string folder = absl::StrCat(testing::TempDir(), "chimera_histories_", getpid());
  HistoryReader reader;
};

// The hashes are those of the genuine server's library, one behind the other.
TEST_F(HistoryFileTest, IsNamedByItsRun) {
  EXPECT_EQ(history_name(kKey, 3),
            "784505258183304939"
            "13976405540785281575"
            "13706503826807872108"
            "_3.history");
}

TEST_F(HistoryFileTest, IsReadBackByPagesOfWholeBatches) {
  const history::History written = of(7);
  ASSERT_TRUE(write_history(folder, kKey, written, {1, 3, 4, 7}).ok());

  std::vector<std::vector<int>> pages;
  std::string token;
  do {
    const auto page = reader.read(folder, kKey, token, 2);
    ASSERT_TRUE(page.ok()) << page.status();
    pages.emplace_back();
    for (const HistoryEvent& event : page->events.events()) {
      pages.back().push_back(static_cast<int>(event.event_id()));
      EXPECT_EQ(event.SerializeAsString(),
                written.events(static_cast<int>(event.event_id() - 1)).SerializeAsString());
    }
    token = page->next_token;
    if (pages.size() == 1) {
      EXPECT_EQ(token, R"({"CloseFailoverVersion":0,"NextBatchIdx":1})");
    }
  } while (!token.empty());

  EXPECT_EQ(pages, (std::vector<std::vector<int>>{{1, 2}, {3, 4, 5, 6}, {7}}));
  EXPECT_THAT(names(), testing::ElementsAre(history_name(kKey, 0))) << "no part is left";
}

TEST_F(HistoryFileTest, TheHighestVersionIsRead) {
  for (const int version : {2, 10, 9}) {
    history::History events = of(1);
    events.mutable_events(0)->set_version(version);
    ASSERT_TRUE(write_history(folder, kKey, events, {1}).ok());
  }

  const auto page = reader.read(folder, kKey, "", 100);

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.events(0).version(), 10);
}

TEST_F(HistoryFileTest, DeepFailuresAreKept) {
  history::History events = of(1);
  auto* failure = events.mutable_events(0)
                      ->mutable_workflow_execution_failed_event_attributes()
                      ->mutable_failure();
  for (int i = 0; i < 80; ++i) {
    failure->set_message(absl::StrCat("deep ", i, " \xc3\xa4\n"));
    failure = failure->mutable_cause();
  }
  failure->mutable_application_failure_info()->mutable_details()->add_payloads()->set_data(
      "\x00\xff");
  ASSERT_TRUE(write_history(folder, kKey, events, {1}).ok());

  const auto page = reader.read(folder, kKey, "", 100);

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.events(0).SerializeAsString(), events.events(0).SerializeAsString());
}

// A pipe would be waited for.
TEST_F(HistoryFileTest, WhatIsNoRegularFileIsNotOpened) {
  ASSERT_TRUE(write_history(folder, kKey, of(1), {1}).ok());
  ASSERT_EQ(mkfifo((folder + "/" + history_name(kKey, 1)).c_str(), 0600), 0);

  EXPECT_EQ(reader.read(folder, kKey, "", 100).status().code(), absl::StatusCode::kNotFound);
}

// It comes from a server 1.32.
TEST_F(HistoryFileTest, ReadsWhatTheGenuineServerWrote) {
  const RunKey key{"7a4bba49-1868-4735-af55-81e02a8052e9", "w1",
                   "01a22b88-a00f-789c-b2e2-cd20259df4b9"};

  const auto page = reader.read(CHIMERA_TEST_DATA "/data/archive/history", key, "", 2);

  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->events.events_size(), 2) << "of four batches";
  EXPECT_EQ(page->next_token, R"({"CloseFailoverVersion":0,"NextBatchIdx":1})");
  const HistoryEvent& start = page->events.events(0);
  EXPECT_EQ(start.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  EXPECT_EQ(start.event_time().nanos(), 887'566'083);
  EXPECT_EQ(start.task_id(), 1048587);
  EXPECT_EQ(start.workflow_execution_started_event_attributes().memo().fields().at("note").data(),
            "5");
}

TEST_F(HistoryFileTest, PassesOverWhatANewerServerWrites) {
  keep(history_name(kKey, 0), R"([{"events":[{"eventId":"1","new":{"a":[1]}}],"newer":1}])");

  const auto page = reader.read(folder, kKey, "", 100);

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->events.events(0).event_id(), 1);
}

TEST_F(HistoryFileTest, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(reader.read(folder, kKey, "", 5).status().code(), absl::StatusCode::kNotFound);
  keep("other", "x");
  const auto status = reader.read(folder, kKey, "", 5).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "requested workflow history does not exist");
}

TEST_F(HistoryFileTest, ATokenThatIsNoneIsRefused) {
  ASSERT_TRUE(write_history(folder, kKey, of(2), {1}).ok());
  for (const char* token : {"x", "{}", "[]", R"({"CloseFailoverVersion":0,"NextBatchIdx":-1})",
                            R"({"CloseFailoverVersion":0,"NextBatchIdx":2})"}) {
    const auto status = reader.read(folder, kKey, token, 5).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << token;
    EXPECT_EQ(status.message(), "next page token is corrupted");
  }
}

TEST_F(HistoryFileTest, ADamagedFileIsNamed) {
  for (const char* text : {"", "{}", "[{\"events\":5}]", "[{]"}) {
    keep(history_name(kKey, 0), text);
    const auto status = reader.read(folder, kKey, "", 5).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(history_name(kKey, 0)));
  }
}

TEST_F(HistoryFileTest, WhatCannotBeWrittenSaysWhere) {
  keep("a_file", "x");

  const auto status = write_history(folder + "/a_file", kKey, of(1), {1});

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(folder + "/a_file"));
}

}  // namespace
}  // namespace chimera::server::archival
