#include "server/archival/record_file.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::server::archival {
namespace {

using testing::ElementsAre;

class RecordFileTest : public testing::Test {
 protected:
  RecordFileTest() { std::filesystem::remove_all(folder); }
  ~RecordFileTest() override { std::filesystem::remove_all(folder); }

  static Record record(const std::string& id, std::int64_t closed) {
    Record record{"ns-id", "ns", "file:///h", {}};
    record.info.mutable_execution()->set_workflow_id(id);
    record.info.mutable_execution()->set_run_id("run-" + id);
    record.info.mutable_type()->set_name("Case");
    record.info.set_status(enums::WORKFLOW_EXECUTION_STATUS_COMPLETED);
    record.info.mutable_start_time()->set_seconds(1);
    record.info.mutable_execution_time()->set_seconds(2);
    record.info.mutable_close_time()->set_seconds(closed);
    record.info.mutable_execution_duration()->set_nanos(5'000'000);
    record.info.set_history_length(5);
    return record;
  }
  void write(const std::string& id, std::int64_t closed) const {
    ASSERT_TRUE(write_record(folder, record(id, closed)).ok());
  }
  // The ids on the pages.
  std::vector<std::string> ids(const std::string& query, int page_size = 100) const {
    RecordList list{folder, "ns-id", {}, *parse_filter(query), "", page_size};
    std::vector<std::string> all;
    do {
      const auto page = list_records(list);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) break;
      for (const Info& info : page->infos) all.push_back(info.execution().workflow_id());
      all.push_back("|");
      list.token = page->next_token;
    } while (!list.token.empty());
    return all;
  }

  const std::string folder = absl::StrCat(testing::TempDir(), "chimera_records_", getpid());
};

TEST_F(RecordFileTest, IsReadBack) {
  const AttributeTypes own{{"Text", enums::INDEXED_VALUE_TYPE_TEXT},
                           {"Number", enums::INDEXED_VALUE_TYPE_INT},
                           {"Ratio", enums::INDEXED_VALUE_TYPE_DOUBLE},
                           {"Truth", enums::INDEXED_VALUE_TYPE_BOOL},
                           {"When", enums::INDEXED_VALUE_TYPE_DATETIME},
                           {"List", enums::INDEXED_VALUE_TYPE_KEYWORD_LIST},
                           {"Gone", enums::INDEXED_VALUE_TYPE_KEYWORD}};
  Record written = record("order", 9);
  const std::pair<const char*, const char*> values[] = {{"Text", "\"5 \\u00e4\""},
                                                        {"Number", "-7"},
                                                        {"Ratio", "2.5"},
                                                        {"Truth", "true"},
                                                        {"When", "\"2026-01-01T00:00:00Z\""},
                                                        {"List", "[\"a\",\"b\"]"}};
  for (const auto& [name, json] : values) {
    auto& payload = (*written.info.mutable_search_attributes()->mutable_indexed_fields())[name];
    (*payload.mutable_metadata())["encoding"] = "json/plain";
    payload.set_data(json);
  }
  (*written.info.mutable_memo()->mutable_fields())["note"].set_data("\x01\xff");

  const auto read = decode_record(encode_record(written), own);

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->namespace_id, "ns-id");
  EXPECT_EQ(read->namespace_name, "ns");
  EXPECT_EQ(read->history_uri, "file:///h");
  EXPECT_EQ(read->info.execution().run_id(), "run-order");
  EXPECT_EQ(read->info.type().name(), "Case");
  EXPECT_EQ(read->info.status(), written.info.status());
  EXPECT_EQ(read->info.history_length(), 5);
  EXPECT_EQ(read->info.execution_duration().nanos(), 5'000'000);
  EXPECT_EQ(read->info.close_time().seconds(), 9);
  EXPECT_EQ(read->info.memo().fields().at("note").data(), "\x01\xff");
  const auto& fields = read->info.search_attributes().indexed_fields();
  EXPECT_EQ(fields.at("Text").data(), "\"5 \xc3\xa4\"");
  EXPECT_EQ(fields.at("Number").data(), "-7");
  EXPECT_EQ(fields.at("Number").metadata().at("type"), "Int");
  EXPECT_EQ(fields.at("Ratio").data(), "2.5");
  EXPECT_EQ(fields.at("Truth").data(), "true");
  EXPECT_EQ(fields.at("When").data(), "\"2026-01-01T00:00:00Z\"");
  EXPECT_EQ(fields.at("List").data(), "[\"a\",\"b\"]");
  EXPECT_EQ(fields.size(), 6u);
}

// It comes from a server 1.32, whose records have search attributes by the names of its columns.
TEST_F(RecordFileTest, ReadsWhatTheGenuineServerWrote) {
  const auto page = list_records({CHIMERA_TEST_DATA "/data/archive/visibility",
                                  "7a4bba49-1868-4735-af55-81e02a8052e9",
                                  {},
                                  *parse_filter("RunId = '01a22b88-a00f-789c-b2e2-cd20259df4b9'"),
                                  "",
                                  10});

  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->infos.size(), 1u);
  const Info& info = page->infos[0];
  EXPECT_EQ(info.execution().workflow_id(), "w1");
  EXPECT_EQ(info.status(), enums::WORKFLOW_EXECUTION_STATUS_TERMINATED);
  EXPECT_EQ(info.close_time().nanos(), 908'810'760);
  EXPECT_EQ(info.execution_duration().nanos(), 21'244'677);
  EXPECT_EQ(info.history_length(), 5);
  EXPECT_EQ(info.memo().fields().at("note").data(), "5");
  EXPECT_EQ(info.search_attributes().indexed_fields().at("Keyword06").data(), "\"x\"");
  EXPECT_EQ(info.search_attributes().indexed_fields().at("Int01").data(), "5");
}

TEST_F(RecordFileTest, WhatARecordLeavesOutIsFilledIn) {
  const auto read = decode_record(
      R"({"workflowId":"w", "startTime":"2026-11-30T08:00:00Z", "new":1,
          "searchAttributes":{"BuildIds":"[\"unversioned\"]"}})",
      {});

  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->info.execution_time().seconds(), read->info.start_time().seconds());
  const auto& builds = read->info.search_attributes().indexed_fields().at("BuildIds");
  EXPECT_EQ(builds.data(), "[\"unversioned\"]");
  EXPECT_EQ(builds.metadata().at("type"), "KeywordList");
}

TEST_F(RecordFileTest, TheLastOneClosedIsListedFirstByPages) {
  EXPECT_THAT(ids(""), ElementsAre("|"));
  write("a", 10);
  write("b", 30);
  write("c", 20);
  write("d", 20);

  EXPECT_THAT(ids(""), testing::UnorderedElementsAre("b", "c", "d", "a", "|"));
  EXPECT_EQ(ids("").front(), "b");
  EXPECT_EQ(ids("")[3], "a");
  // A page that is full has a token, even if nothing is behind it.
  EXPECT_THAT(ids("", 2), ElementsAre("b", testing::_, "|", testing::_, "a", "|", "|"));
  EXPECT_THAT(ids("", 1), ElementsAre("b", "|", testing::AnyOf("c", "d"), "|",
                                      testing::AnyOf("c", "d"), "|", "a", "|", "|"));
}

TEST_F(RecordFileTest, ListsWhatTheFilterAsksFor) {
  write("a", 10);
  write("b", 20);
  write("c", 30);

  EXPECT_THAT(ids("WorkflowId = 'b'"), ElementsAre("b", "|"));
  EXPECT_THAT(ids("RunId = 'run-c'"), ElementsAre("c", "|"));
  EXPECT_THAT(ids("WorkflowType = 'Other'"), ElementsAre("|"));
  EXPECT_THAT(ids("ExecutionStatus = 'Failed'"), ElementsAre("|"));
  EXPECT_THAT(ids("CloseTime >= 20000000000"), ElementsAre("c", "b", "|"));
  EXPECT_THAT(ids("CloseTime < 20000000000"), ElementsAre("a", "|"));
  EXPECT_THAT(ids("CloseTime = '1970-01-01T00:00:20Z' and WorkflowType = 'Case'"),
              ElementsAre("b", "|"));
  EXPECT_THAT(ids("WorkflowId = 'a' and WorkflowId = 'b'"), ElementsAre("|"));
}

TEST_F(RecordFileTest, PassesOverFilesThatAreNoRecords) {
  write("a", 10);
  std::ofstream(folder + "/ns-id/README") << "x";

  EXPECT_THAT(ids(""), ElementsAre("a", "|"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "no part is left";
}

TEST_F(RecordFileTest, ADamagedRecordIsNamedAndHidesNoOther) {
  write("a", 10);
  write("b", 30);
  const std::string own = folder + "/ns-id/";
  std::ofstream(own + "20000000000_5.visibility") << "{";
  std::ofstream(own + "21000000000_5.visibility");
  std::ofstream(own + "22000000000_5.visibility") << "{}";
  for (const auto& entry : std::filesystem::directory_iterator(own)) {
    const std::string name = entry.path().filename();
    // A copy under another time would be listed twice.
    if (name.starts_with("30")) std::filesystem::copy(entry.path(), own + "4" + name.substr(1));
  }

  const auto page = list_records({folder, "ns-id", {}, Filter(), "", 10});

  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->infos.size(), 2u);
  EXPECT_THAT(page->damaged,
              ElementsAre(testing::HasSubstr("/40000000000_"),
                          testing::HasSubstr("/22000000000_5.visibility is damaged: its record is "
                                             "another than its name tells"),
                          testing::HasSubstr("/21000000000_5.visibility is damaged: no object"),
                          testing::HasSubstr("/20000000000_5.visibility is damaged: no object")));
  EXPECT_THAT(ids("", 1), ElementsAre("b", "|", "a", "|", "|"));
}

// A pipe would be waited for.
TEST_F(RecordFileTest, WhatIsNoRegularFileIsNotOpened) {
  write("a", 10);
  const std::string own = folder + "/ns-id/";
  ASSERT_EQ(mkfifo((own + "20000000000_5.visibility").c_str(), 0600), 0);
  ASSERT_EQ(mkfifo((own + "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink(own + "pipe", own + "21000000000_5.visibility");
  std::filesystem::create_directory(own + "22000000000_5.visibility");
  std::filesystem::create_symlink(own + "nowhere", own + "23000000000_5.visibility");
  std::filesystem::create_symlink("/dev/zero", own + "24000000000_5.visibility");

  EXPECT_THAT(ids(""), ElementsAre("a", "|"));
}

TEST_F(RecordFileTest, AFileThatCannotBeReadNowIsAskedForAgain) {
  write("a", 10);
  const std::string own = folder + "/ns-id/", loop = own + "20000000000_5.visibility";
  std::filesystem::create_symlink(loop, loop);

  const auto status = list_records({folder, "ns-id", {}, Filter(), "", 10}).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr(loop));
}

TEST_F(RecordFileTest, APipeInTheWayOfAPartIsReplaced) {
  write("a", 10);
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/ns-id")) {
    const std::string part = folder + "/." + entry.path().filename().string() + ".part";
    ASSERT_EQ(mkfifo(part.c_str(), 0600), 0);
  }
  std::filesystem::remove_all(folder + "/ns-id");
  write("a", 10);

  EXPECT_THAT(ids(""), ElementsAre("a", "|"));
}

TEST_F(RecordFileTest, ATokenThatIsNoneIsRefused) {
  write("a", 10);
  for (const char* token : {"x", "{}", R"({"LastCloseTime":"x","LastRunID":"r"})"}) {
    const auto status = list_records({folder, "ns-id", {}, Filter(), token, 10}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << token;
    EXPECT_EQ(status.message(), "next page token is corrupted");
  }
}

}  // namespace
}  // namespace chimera::server::archival
