#include "server/engine/run/side_record.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/engine/matched/query.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/rebuild.h"
#include "server/engine/run/update.h"

namespace chimera::server {
namespace {

using testing::UnorderedElementsAre;

constexpr char kRunId[] = "01a1ff3b-7758-7c06-94f3-6cc3bb1daabe";

using OneRun = Run;  // In a test, Run is googletest's.

class SideRecordTest : public testing::Test {
 protected:
  SideRecordTest() {
    prepare(written);
    prepare(read);
  }

  // A run with its first events: it has started, and scheduled activity "a" as event 2.
  void prepare(OneRun& run) {
    run.ns = &ns;
    run.run_id = kRunId;
    run.order = 7;
    HistoryEvent started;
    started.set_event_id(1);
    started.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
    started.mutable_workflow_execution_started_event_attributes()->set_workflow_id("w");
    Rebuild(run).add(std::move(started));
    HistoryEvent scheduled;
    scheduled.set_event_id(2);
    scheduled.set_event_type(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED);
    auto& activity = *scheduled.mutable_activity_task_scheduled_event_attributes();
    activity.set_activity_id("a");
    activity.mutable_heartbeat_timeout()->set_seconds(3);
    Rebuild(run).add(std::move(scheduled));
  }
  static Activity& activity_of(OneRun& run) {
    return *Rebuild(run).pending().of<Activities>().find(2);
  }

  WriteBatch changes() {
    WriteBatch batch;
    collect_changes(written, batch);
    return batch;
  }
  bool restore(const WriteBatch& batch) {
    if (!decode_side(batch.runs.at(0).side, read)) return false;
    for (const auto& row : batch.rows) {
      EXPECT_EQ(row.run, 7u);
      if (!decode_row(row, read)) return false;
    }
    return true;
  }

  Namespace ns;
  OneRun written, read;
};

TEST_F(SideRecordTest, WhatNoEventTellsIsKept) {
  written.start_request_id = "start";
  written.sticky_queue = "sticky";
  written.sticky_timeout = seconds{5};
  written.task.kind = WorkflowTask::Kind::kTransient;
  written.task.attempt = 3;
  written.task.scheduled_id = 4;
  written.task.stamp = 77;
  Activity& activity = activity_of(written);
  activity.attempt = 2;
  activity.stamp = 78;
  activity.identity = "worker";
  activity.heartbeat_details = std::make_unique<common::Payloads>();
  activity.heartbeat_details->add_payloads()->set_data("half");
  activity.last_failure = std::make_unique<failure::Failure>();
  activity.last_failure->set_message("broken");
  activity.paused = true;
  activity.pause_reason = "to look";
  written.signal_request_ids.insert("one");
  written.signal_request_ids.insert(std::string("two\0\xFF", 5));

  ASSERT_TRUE(restore(changes()));

  EXPECT_EQ(read.start_request_id, "start");
  EXPECT_EQ(read.sticky_queue, "sticky");
  EXPECT_EQ(read.sticky_timeout, seconds{5});
  EXPECT_EQ(read.task.kind, WorkflowTask::Kind::kTransient);
  EXPECT_EQ(read.task.attempt, 3);
  EXPECT_EQ(read.task.scheduled_id, 4);
  EXPECT_EQ(read.task.stamp, 77u);
  const Activity& same = activity_of(read);
  EXPECT_EQ(same.attempt, 2);
  EXPECT_EQ(same.stamp, 78u);
  EXPECT_EQ(same.identity, "worker");
  EXPECT_EQ(same.heartbeat_details->payloads(0).data(), "half");
  EXPECT_EQ(same.last_failure->message(), "broken");
  EXPECT_TRUE(same.paused);
  EXPECT_EQ(same.pause_reason, "to look");
  EXPECT_EQ(same.heartbeat, seconds{3}) << "from its event";
  EXPECT_THAT(read.signal_request_ids.all(),
              UnorderedElementsAre("one", std::string("two\0\xFF", 5)));
}

TEST_F(SideRecordTest, OnlyWhatChangedIsWritten) {
  written.signal_request_ids.insert("one");
  const WriteBatch first = changes();
  ASSERT_TRUE(restore(first));
  EXPECT_EQ(first.events.size(), 1u);
  EXPECT_EQ(first.rows.size(), 2u);

  const WriteBatch nothing = changes();
  activity_of(written).identity = "worker";
  const WriteBatch activity = changes();
  Rebuild(written).pending().close();
  const WriteBatch gone = changes();

  EXPECT_TRUE(nothing.events.empty());
  EXPECT_TRUE(nothing.rows.empty());
  ASSERT_EQ(activity.rows.size(), 1u);
  EXPECT_FALSE(activity.rows[0].erase);
  ASSERT_EQ(gone.rows.size(), 1u);
  EXPECT_TRUE(gone.rows[0].erase);
  EXPECT_EQ(gone.rows[0].key, activity.rows[0].key);
}

TEST_F(SideRecordTest, WhatWasReadIsNotWrittenAgain) {
  written.signal_request_ids.insert("one");
  ASSERT_TRUE(restore(changes()));

  WriteBatch batch;
  collect_changes(read, batch);

  EXPECT_TRUE(batch.rows.empty());
}

TEST_F(SideRecordTest, AHistoryIsReadBackInItsBatches) {
  written.batches = {1, 2};
  written.start_request_id = "start";
  written.signal_request_ids.insert("one");
  activity_of(written).identity = "worker";
  const WriteBatch batch = changes();
  ASSERT_EQ(batch.events.size(), 2u);
  EXPECT_EQ(batch.events[1].first_id, 2);
  OneRun back;
  back.ns = &ns;
  back.run_id = kRunId;

  const absl::Status restored = server::restore(
      {batch.runs[0], {batch.events[0].history, batch.events[1].history}, batch.rows}, back);

  ASSERT_TRUE(restored.ok()) << restored;
  EXPECT_EQ(back.events.events_size(), 2);
  EXPECT_EQ(back.batches, written.batches);
  EXPECT_EQ(back.start_request_id, "start");
  EXPECT_EQ(activity_of(back).identity, "worker");
  EXPECT_TRUE(back.signal_request_ids.all().contains("one"));
}

TEST_F(SideRecordTest, ADamagedRunIsNamed) {
  OneRun back;
  back.ns = &ns;
  back.run_id = kRunId;

  const absl::Status restored = server::restore({{}, {"\x01"}, {}}, back);

  EXPECT_EQ(restored.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(restored.message()), testing::HasSubstr(kRunId));
}

// The record as it was until version 2, field by field.
class OldRecord {
 public:
  OldRecord& number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
    bytes += static_cast<char>(value);
    return *this;
  }
  OldRecord& numbers(std::initializer_list<std::uint64_t> values) {
    for (const std::uint64_t value : values) number(value);
    return *this;
  }
  OldRecord& text(const std::string& value) {
    number(value.size());
    bytes += value;
    return *this;
  }
  std::string bytes;
};

TEST_F(SideRecordTest, ARecordOfVersion2IsRead) {
  OldRecord old;
  old.number(2);
  old.text("start").text("sticky").numbers({5, 0, 0, 0}).text("").text("").number(9);
  old.text("build").number(0).text("").number(0);
  old.numbers({1, 1, 3, 0, 0, 0, 0, 0, 0}).text("queue").numbers({0, 0, 0});  // The task.
  old.text("").text("").number(77);
  old.numbers({1, 2, 4, 0, 0, 0, 0, 78});  // One activity: id 2, attempt 4.
  old.text("worker").text("request").numbers({0, 0, 1, 0}).text("someone").text("to look");
  old.numbers({0, 0, 0});
  old.number(0);                          // Nothing buffered.
  old.number(2).text("one").text("two");  // Signals.

  ASSERT_TRUE(decode_side(old.bytes, read));

  EXPECT_EQ(read.start_request_id, "start");
  EXPECT_EQ(read.transitions, 9);
  EXPECT_EQ(read.task.queue, "queue");
  EXPECT_EQ(read.task.stamp, 77u);
  EXPECT_EQ(activity_of(read).attempt, 4);
  EXPECT_EQ(activity_of(read).pause_reason, "to look");
  EXPECT_THAT(read.signal_request_ids.all(), UnorderedElementsAre("one", "two"));
  WriteBatch batch;
  collect_changes(read, batch);
  EXPECT_EQ(batch.rows.size(), 3u) << "they get their rows";
}

TEST_F(SideRecordTest, WhatIsCutIsDamaged) {
  const WriteBatch batch = changes();
  const std::string& side = batch.runs.at(0).side;
  for (std::size_t size = 0; size < side.size(); ++size) {
    OneRun run;
    prepare(run);
    EXPECT_FALSE(decode_side(side.substr(0, size), run)) << size;
  }
  WriteBatch::RunRow row = batch.rows.at(0);
  row.value.resize(row.value.size() / 2);
  EXPECT_FALSE(decode_row(row, read));
}

TEST_F(SideRecordTest, OddBytesAreAnswered) {
  const WriteBatch batch = changes();
  std::mt19937 random(20260501);
  for (int i = 0; i < 5'000; ++i) {
    OneRun run;
    prepare(run);
    std::string side = batch.runs.at(0).side;
    WriteBatch::RunRow row = batch.rows.at(0);
    for (std::string* bytes : {&side, &row.value}) {
      for (unsigned n = 1 + random() % 4; n > 0; --n)
        (*bytes)[random() % bytes->size()] = static_cast<char>(random());
    }
    decode_side(side, run);
    decode_row(row, run);
  }
}

}  // namespace
}  // namespace chimera::server
