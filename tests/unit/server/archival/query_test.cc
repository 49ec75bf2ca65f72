#include "server/archival/query.h"

#include <gtest/gtest.h>

namespace chimera::server::archival {
namespace {

std::string refusal(const std::string& text) {
  const auto filter = parse_filter(text);
  if (filter.ok()) return "accepted";
  EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(filter.status().message());
}

TEST(ArchiveQueryTest, NothingAsksForAll) {
  for (const char* text : {"", "  "}) {
    const auto filter = parse_filter(text);
    ASSERT_TRUE(filter.ok()) << filter.status();
    EXPECT_FALSE(filter->workflow_id || filter->run_id || filter->workflow_type || filter->status);
    EXPECT_LT(filter->earliest, 0);
    EXPECT_FALSE(filter->nothing);
  }
}

TEST(ArchiveQueryTest, ReadsWhatItMayAskFor) {
  const auto filter = parse_filter(
      "WorkflowId = 'it''s' and (RunId = \"r\" AND WorkflowType = 'T') and ExecutionStatus = "
      "'TimedOut' and CloseTime >= '2026-01-02T03:04:05.5Z' and CloseTime < 1800000000000000000");

  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(filter->workflow_id, "it's");
  EXPECT_EQ(filter->run_id, "r");
  EXPECT_EQ(filter->workflow_type, "T");
  EXPECT_EQ(filter->status, enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT);
  EXPECT_EQ(filter->earliest, 1'767'323'045'500'000'000);
  EXPECT_EQ(filter->latest, 1'799'999'999'999'999'999);
}

TEST(ArchiveQueryTest, ARangeOfTimesIsTheNarrowest) {
  const auto filter =
      parse_filter("CloseTime > 5 and CloseTime >= 4 and CloseTime <= 9 and CloseTime < 12");
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(filter->earliest, 6);
  EXPECT_EQ(filter->latest, 9);
  const auto exact = parse_filter("CloseTime = 7");
  ASSERT_TRUE(exact.ok());
  EXPECT_EQ(exact->earliest, 7);
  EXPECT_EQ(exact->latest, 7);
}

TEST(ArchiveQueryTest, StatusesHaveNamesAndNumbers) {
  for (const char* text : {"4", "'4'", "'canceled'", "' Canceled '"}) {
    const auto filter = parse_filter(absl::StrCat("ExecutionStatus = ", text));
    ASSERT_TRUE(filter.ok()) << filter.status();
    EXPECT_EQ(filter->status, enums::WORKFLOW_EXECUTION_STATUS_CANCELED);
  }
  EXPECT_EQ(parse_filter("ExecutionStatus = 'continued_as_new'")->status,
            enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW);
  EXPECT_EQ(refusal("ExecutionStatus = 'Running'"), "unknown workflow close status: running");
}

TEST(ArchiveQueryTest, WhatContradictsItselfAsksForNothing) {
  EXPECT_TRUE(parse_filter("WorkflowId = 'a' and WorkflowId = 'b'")->nothing);
  EXPECT_FALSE(parse_filter("WorkflowId = 'a' and WorkflowId = 'a'")->nothing);
  EXPECT_TRUE(parse_filter("ExecutionStatus = 2 and ExecutionStatus = 3")->nothing);
}

TEST(ArchiveQueryTest, RefusesInTheGenuineServersWords) {
  EXPECT_EQ(refusal("WorkflowId = 'a' or RunId = 'b'"),
            "only comparison and \"and\" expression is supported");
  EXPECT_EQ(refusal("not WorkflowId = 'a'"), "only comparison and \"and\" expression is supported");
  EXPECT_EQ(refusal("CloseTime between 1 and 2"),
            "only comparison and \"and\" expression is supported");
  EXPECT_EQ(refusal("WorkflowId"), "only comparison and \"and\" expression is supported");
  EXPECT_EQ(refusal("StartTime = 1"), "unknown filter name: StartTime");
  EXPECT_EQ(refusal("1 = WorkflowId"), "invalid filter name: 1");
  EXPECT_EQ(refusal("WorkflowId = RunId"), "invalid value: RunId");
  EXPECT_EQ(refusal("WorkflowId in ('a', 'b')"), "invalid value: ('a', 'b')");
  EXPECT_EQ(refusal("WorkflowId = 5"), "value 5 is not a string value");
  EXPECT_EQ(refusal("WorkflowId != 5"), "value 5 is not a string value");
  EXPECT_EQ(refusal("WorkflowId != 'a'"), "only operation = is support for WorkflowId");
  EXPECT_EQ(refusal("RunId > 'a'"), "only operation = is support for RunId");
  EXPECT_EQ(refusal("WorkflowType like 'a'"), "only operation = is support for WorkflowType");
  EXPECT_EQ(refusal("ExecutionStatus > 'nonsense'"),
            "only operation = is support for ExecutionStatus");
  EXPECT_EQ(refusal("CloseTime != 5"), "operator != is not supported for close time");
  EXPECT_EQ(refusal("CloseTime > 1.5"), "value 1.5 is not a string value");
  EXPECT_EQ(refusal("CloseTime > -1.5"), "invalid value: -1.5");
  EXPECT_EQ(refusal("CloseTime > true"), "invalid value: true");
  EXPECT_EQ(refusal("CloseTime = 99999999999999999999"),
            "value 99999999999999999999 is not a string value");
  EXPECT_EQ(refusal("ExecutionStatus = 1.5"), "unknown workflow close status: 1.5");
  EXPECT_EQ(refusal("workflowid = 'a'"), "unknown filter name: workflowid");
  EXPECT_EQ(refusal("("), "syntax error at position 28");
  EXPECT_EQ(refusal("WorkflowId = 'a' and"), "syntax error at position 47");
  EXPECT_EQ(refusal("WorkflowId == 'a'"), "syntax error at position 40");
}

// As Go says it.
TEST(ArchiveQueryTest, RefusesTimesInGosWords) {
  const auto said = [](const std::string& time) {
    return refusal(absl::StrCat("CloseTime = '", time, "'"));
  };
  const std::string layout = " as \"2006-01-02T15:04:05Z07:00\": cannot parse ";
  EXPECT_EQ(said("x"), "parsing time \"x\"" + layout + "\"x\" as \"2006\"");
  EXPECT_EQ(said(""), "parsing time \"\"" + layout + "\"\" as \"2006\"");
  EXPECT_EQ(said("2026-01-01"), "parsing time \"2026-01-01\"" + layout + "\"\" as \"T\"");
  EXPECT_EQ(said("2026-01-01T00:00:00"),
            "parsing time \"2026-01-01T00:00:00\"" + layout + "\"\" as \"Z07:00\"");
  EXPECT_EQ(said("2026-01-01T00:00:00.Z"),
            "parsing time \"2026-01-01T00:00:00.Z\"" + layout + "\".Z\" as \"Z07:00\"");
  EXPECT_EQ(said("2026-01-01T00:00:00+0100"),
            "parsing time \"2026-01-01T00:00:00+0100\"" + layout + "\"+0100\" as \"Z07:00\"");
  EXPECT_EQ(said("2026-13-01T00:00:00Z"),
            "parsing time \"2026-13-01T00:00:00Z\": month out of range");
  EXPECT_EQ(said("2026-02-30T00:00:00Z"),
            "parsing time \"2026-02-30T00:00:00Z\": day out of range");
  EXPECT_EQ(said("2026-01-01T00:00:61Z"),
            "parsing time \"2026-01-01T00:00:61Z\": second out of range");
  EXPECT_EQ(said("2026-01-01T00:00:00Zx"),
            "parsing time \"2026-01-01T00:00:00Zx\": extra text: \"x\"");
}

TEST(ArchiveQueryTest, RefusesWhatTheGenuineServerPassesOver) {
  EXPECT_EQ(refusal("WorkflowId = 'a' order by CloseTime"),
            "operation is not supported: 'order by' clause");
  EXPECT_EQ(refusal("WorkflowId = 'a' limit 3"), "operation is not supported: 'limit' clause");
  EXPECT_EQ(refusal("order by CloseTime"), "operation is not supported: 'order by' clause");
}

}  // namespace
}  // namespace chimera::server::archival
