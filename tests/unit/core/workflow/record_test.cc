// Side effects and versions in a run: what is told ahead, what is sent, what history may lack.
#include "absl/strings/str_cat.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/converter/payload.h"
#include "core/machines/patch.h"
#include "core/machines/record_marker.h"
#include "core/workflow/run.h"
#include "run_fixture.h"

namespace chimera::core::testing {
namespace {

using ::testing::HasSubstr;
using Kind = Recorded::Kind;

const Recorded kVersionTwo{Kind::kVersion, "a", 2};
const Recorded kFirst{Kind::kSideEffect, "", 1, json_payload("42")};
const Recorded kMutable{Kind::kMutableSideEffect, "ms", 1, json_payload("7")};

class RecordTest : public RunFixture {
 protected:
  RecordTest() : RunFixture(/*has_side_effects=*/true) {}

  const std::vector<Job>& jobs() { return activation().jobs; }
  const std::string& complaint() { return only<SendFailure>().request->failure().message(); }

  // The marker's event, written by this core.
  void marker(const Recorded& recorded, bool listed = true) {
    api::command::v1::RecordMarkerCommandAttributes command;
    write_record_marker(recorded, history_.last_id() + 1, listed, command);
    auto& event =
        *history_.add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
    event.set_marker_name(command.marker_name());
    *event.mutable_details() = command.details();
  }
  void upsert(const std::string& names) {
    (*history_.add(enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES)
          .mutable_upsert_workflow_search_attributes_event_attributes()
          ->mutable_search_attributes()
          ->mutable_indexed_fields())["TemporalChangeVersion"] = json_payload(names);
  }
  std::string listed(int command) {
    return completion()
        .commands(command)
        .upsert_workflow_search_attributes_command_attributes()
        .search_attributes()
        .indexed_fields()
        .at("TemporalChangeVersion")
        .data();
  }
};

TEST_F(RecordTest, MarkersGoOutInOrderAndVersionsAreListedNewestFirst) {
  step(as_input(history_.task_started().poll()));

  step(done(RecordOnce{kVersionTwo}, RecordOnce{{Kind::kVersion, "b", 1}}, SetPatchMarker{"p"},
            RecordOnce{kFirst}, RecordOnce{kMutable}));

  ASSERT_EQ(completion().commands_size(), 8);
  const auto name = [&](int i) {
    return completion().commands(i).record_marker_command_attributes().marker_name();
  };
  EXPECT_EQ(name(0), "Version");
  EXPECT_EQ(listed(1), R"(["a-2"])");
  EXPECT_EQ(name(2), "Version");
  EXPECT_EQ(listed(3), R"(["b-1","a-2"])");
  EXPECT_EQ(name(4), "core_patch");
  EXPECT_EQ(listed(5), R"(["b-1","a-2","p"])");
  EXPECT_EQ(name(6), "SideEffect");
  EXPECT_EQ(name(7), "MutableSideEffect");
  // The Go SDK counts events: 3 was the task's start, 4 is its completion, 5 the first command's.
  EXPECT_EQ(completion()
                .commands(7)
                .record_marker_command_attributes()
                .details()
                .at("side-effect-id")
                .payloads(0)
                .data(),
            "\"ms_12\"");
}

TEST_F(RecordTest, AListThatGrewTooLongIsLeftOut) {
  step(as_input(history_.task_started().poll()));

  step(done(RecordOnce{{Kind::kVersion, std::string(2042, 'x'), 1}}, RecordOnce{kVersionTwo}));

  ASSERT_EQ(completion().commands_size(), 2) << "2048 bytes are too many, and stay so";
  EXPECT_EQ(completion()
                .commands(0)
                .record_marker_command_attributes()
                .details()
                .at("version-search-attribute-updated")
                .payloads(0)
                .data(),
            "false");
}

TEST_F(RecordTest, HistoryIsToldBeforeTheTaskThatMadeIt) {
  history_.task();
  marker(kVersionTwo);
  upsert(R"(["a-2"])");
  marker(kFirst);
  marker(kMutable);
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  ASSERT_EQ(jobs().size(), 4u);
  EXPECT_TRUE(std::holds_alternative<InitializeWorkflow>(jobs()[0]));
  const auto told = [&](std::size_t i) { return std::get<NotifyRecorded>(jobs()[i]).recorded; };
  EXPECT_EQ(told(1).number, 2);
  EXPECT_EQ(told(2).value.data(), "42");
  EXPECT_EQ(told(3).value.data(), "7");

  step(done(RecordOnce{kVersionTwo}, RecordOnce{kFirst}));
  EXPECT_TRUE(std::holds_alternative<SignalWorkflow>(jobs().at(0)));
  step(done(RecordOnce{kVersionTwo}));
  EXPECT_EQ(completion().commands_size(), 0) << "history has that version";
}

TEST_F(RecordTest, VersionsAndMutableSideEffectsMayGoFromTheCode) {
  history_.task();
  marker(kVersionTwo);
  upsert(R"(["a-2"])");
  marker(kMutable);
  marker({Kind::kVersion, "unlisted", 1}, false);
  history_.timer_started(1);
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  step(done(StartTimer{1, {}}));

  EXPECT_TRUE(std::holds_alternative<SignalWorkflow>(jobs().at(0)));
}

// In replay they are no commands, so the patch is at the head when their markers come first.
TEST_F(RecordTest, APatchBehindThemWaitsForItsMarker) {
  history_.task();
  marker(kVersionTwo, false);
  marker(kMutable);
  auto& patched =
      *history_.add(enums::EVENT_TYPE_MARKER_RECORDED).mutable_marker_recorded_event_attributes();
  api::command::v1::RecordMarkerCommandAttributes command;
  write_patch_marker({"p", false}, command);
  patched.set_marker_name(command.marker_name());
  *patched.mutable_details() = command.details();
  upsert(R"(["a-2","p"])");
  history_.timer_started(1);
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  step(done(RecordOnce{kVersionTwo}, SetPatchMarker{"p"}, StartTimer{1, {}}));

  EXPECT_TRUE(std::holds_alternative<SignalWorkflow>(jobs().at(0)));
}

TEST_F(RecordTest, SideEffectsMayNot) {
  history_.task();
  marker(kFirst);
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  step(done(StartTimer{1, {}}));

  EXPECT_THAT(complaint(), HasSubstr("the code no longer asks for side effect 1 here"));
  EXPECT_THAT(complaint(), HasSubstr("event 5, MarkerRecorded, marker SideEffect"));
}

TEST_F(RecordTest, ASideEffectInAnothersPlaceIsFound) {
  history_.task();
  history_.timer_started(1);
  marker(kFirst);
  history_.signal("go").task_started();
  step(as_input(history_.poll()));

  step(done(RecordOnce{kFirst}, StartTimer{1, {}}));

  EXPECT_THAT(complaint(), HasSubstr("code:    command 1, side effect 1"));
}

TEST_F(RecordTest, WhatThisWorkerMadeMeetsItsEvents) {
  step(as_input(history_.task_started().poll()));
  step(done(RecordOnce{kVersionTwo}, RecordOnce{kFirst}, RecordOnce{kMutable}, StartTimer{1, {}}));
  step(ReplyInput{});
  const std::int64_t first = history_.last_id() + 1;
  history_.task_completed();
  marker(kVersionTwo);
  upsert(R"(["a-2"])");
  marker(kFirst);
  marker(kMutable);
  history_.timer_started(1);

  step(as_input(history_.signal("go").task_started().poll(first)));

  ASSERT_EQ(jobs().size(), 1u);
  EXPECT_TRUE(std::holds_alternative<SignalWorkflow>(jobs()[0]));
}

TEST_F(RecordTest, AMarkerThatCannotBeReadIsNamed) {
  history_.task();
  marker(kVersionTwo);
  auto poll = history_.signal("go").task_started().poll();
  poll->mutable_history()
      ->mutable_events(4)
      ->mutable_marker_recorded_event_attributes()
      ->mutable_details()
      ->erase("version");

  step(as_input(poll));

  EXPECT_THAT(complaint(), HasSubstr("the marker's details cannot be read"));
}

TEST_F(RecordTest, ALanguageWithoutThemSaysSo) {
  WorkflowRun run(run_options(/*has_side_effects=*/false));
  history_.task();
  marker(kVersionTwo);
  history_.signal("go").task_started();
  std::vector<RunOutput> outputs;
  run.step(as_input(history_.poll()), outputs);
  ASSERT_EQ(std::get<Activate>(outputs.at(0)).activation->jobs.size(), 1u);
  outputs.clear();

  run.step(done(), outputs);

  const std::string& message = std::get<SendFailure>(outputs.at(0)).request->failure().message();
  EXPECT_THAT(message, HasSubstr("workflows of test-sdk make no such marker"));
  EXPECT_THAT(message, HasSubstr("marker Version"));
}

// A worker takes over what a Go worker began.
TEST_F(RecordTest, IdsOfAnotherSdkAreTakenFromHistory) {
  history_.task();
  const std::int64_t scheduled = history_.activity_scheduled("5", "Flaky");
  const std::int64_t timer = history_.timer_started(6);
  history_.timer_fired(6, timer).task_started();
  auto poll = history_.poll();
  auto& metadata = *poll->mutable_history()
                        ->mutable_events(3)
                        ->mutable_workflow_task_completed_event_attributes()
                        ->mutable_sdk_metadata();
  metadata.clear_core_used_flags();
  metadata.set_sdk_name("temporal-go");
  step(as_input(poll));

  step(done(schedule(1, "Flaky", ActivityCancellationType::kTryCancel), StartTimer{1, {}}));
  EXPECT_EQ(std::get<FireTimer>(jobs().at(0)).seq, 1u);
  step(done(StartTimer{2, {}}, RequestCancelActivity{1}));
  const auto& cancelled = std::get<ResolveActivity>(jobs().at(0));
  EXPECT_EQ(std::get<Cancelled>(cancelled.result).failure->activity_failure_info().activity_id(),
            "5");
  step(done());

  ASSERT_EQ(completion().commands_size(), 2);
  EXPECT_EQ(completion().commands(0).start_timer_command_attributes().timer_id(), "chimera-2");
  EXPECT_EQ(completion()
                .commands(1)
                .request_cancel_activity_task_command_attributes()
                .scheduled_event_id(),
            scheduled);
}

// Nondeterminism that the language finds is treated as the core's own.
TEST(RecordOptionTest, TheLanguagesNondeterminismFailsTheWorkflowWhereItShall) {
  RunOptions with = run_options(/*has_side_effects=*/true);
  with.nondeterminism_fails_workflow = true;
  WorkflowRun run(with);
  HistoryBuilder history;
  std::vector<RunOutput> outputs;
  run.step(as_input(history.task_started().poll()), outputs);
  outputs.clear();
  Completion::Failure failure;
  failure.failure.set_message("they disagree");
  failure.cause = enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;

  run.step(LanguageDone{Completion{std::move(failure)}}, outputs);

  const auto& request = *std::get<SendCompletion>(outputs.at(0)).request;
  ASSERT_EQ(request.commands_size(), 1);
  EXPECT_EQ(request.commands(0).fail_workflow_execution_command_attributes().failure().message(),
            "they disagree");
}

}  // namespace
}  // namespace chimera::core::testing
