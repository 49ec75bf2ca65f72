// Each recorded history, replayed: our activations must be those of the official core. The recorded
// completions stand in for the language.
#include <gtest/gtest.h>

#include "core/workflow/run.h"
#include "coresdk.h"
#include "golden.h"

namespace chimera::core::testing {
namespace {

namespace enums = api::enums::v1;
namespace ws = api::workflowservice::v1;

struct Replay {
  std::string run_id, file, failure;
  std::vector<Exchange> exchanges;
};

std::vector<Replay> replays_of(const GoldenSet& set) {
  std::vector<Replay> replays;
  for (const auto& entry : set.replay) {
    const std::string kind = entry[0];
    if (kind == "replay") {
      replays.push_back({entry[1], entry[2]["file"], entry[2].value("failure", "")});
    } else if (kind == "act") {
      replays.back().exchanges.push_back({parse<CoresdkActivation>(entry[2]), {}});
    } else {
      replays.back().exchanges.back().completion.push_back(parse<CoresdkCompletion>(entry[2]));
    }
  }
  return replays;
}

// What the official core does otherwise in replay than live, as it did it live:
// timeouts of local activities come wrapped,
void as_live(CoresdkActivation& activation) {
  for (auto& job : *activation.mutable_jobs()) {
    if (!job.has_resolve_activity() || !job.resolve_activity().is_local()) continue;
    auto& result = *job.mutable_resolve_activity()->mutable_result();
    if (!result.failed().failure().has_timeout_failure_info()) continue;
    const auto bare = result.failed().failure();
    auto& failure = *result.mutable_failed()->mutable_failure();
    failure.Clear();
    failure.set_message("Local Activity timed out");
    *failure.mutable_cause() = bare;
    auto& info = *failure.mutable_activity_failure_info();
    info.mutable_activity_type()->set_name("hang");
    info.set_activity_id(std::to_string(job.resolve_activity().seq()));
    info.set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);
  }
}

// and tasks between heartbeats of local activities are told apart.
void take_live_exchanges(Replay& replay, const GoldenSet& set) {
  std::vector<Exchange> live;
  for (const auto& entry : set.live) {
    if (entry[1] != replay.run_id) continue;
    if (entry[0] == "act") {
      live.push_back({parse<CoresdkActivation>(entry[2]), {}});
    } else if (entry[0] == "comp") {
      live.back().completion.push_back(parse<CoresdkCompletion>(entry[2]));
    }
  }
  if (is_eviction(live.back().activation)) live.pop_back();
  for (std::size_t i = 0; i < live.size(); ++i) {
    live[i].activation.set_is_replaying(true);
    live[i].activation.set_last_sdk_version("1.35.0");
  }
  Exchange end = replay.exchanges.back();
  end.activation.mutable_jobs(0)->mutable_remove_from_cache()->set_reason(
      coresdk::workflow_activation::RemoveFromCache::LANG_REQUESTED);
  end.activation.set_history_length(
      static_cast<std::uint32_t>(set.histories.at(replay.file).events_size()));
  live.push_back(std::move(end));
  replay.exchanges = std::move(live);
}

// The task in which a replayer hands over a whole history.
TaskInput whole_history(const Replay& replay, const GoldenSet& set) {
  auto task = std::make_shared<ws::PollWorkflowTaskQueueResponse>();
  *task->mutable_history() = set.histories.at(replay.file);
  task->mutable_workflow_execution()->set_run_id(replay.run_id);
  task->mutable_workflow_execution()->set_workflow_id(set.workflow_ids.at(replay.file));
  task->set_attempt(1);
  for (const auto& event : task->history().events()) {
    if (event.event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
      task->set_previous_started_event_id(
          event.workflow_task_completed_event_attributes().started_event_id());
    }
  }
  task->set_started_event_id(task->previous_started_event_id());
  auto page = std::make_shared<HistoryPage>(task, &task->history(), "");
  return {task, page};
}

void replay(const Replay& recorded, const GoldenSet& set) {
  RunOptions options;
  // The official replayer names a run after its first run.
  const auto& started =
      set.histories.at(recorded.file).events(0).workflow_execution_started_event_attributes();
  options.context = {set.workflow_ids.at(recorded.file), started.original_execution_run_id(),
                     "Golden", "replay", "default"};
  options.identity = {"temporal-python", "1.35.0", "PythonSDK"};
  options.replay_only = true;
  WorkflowRun run(options);
  std::vector<RunOutput> outputs;
  run.step(whole_history(recorded, set), outputs);
  std::size_t next = 0;
  bool failed = false;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (std::holds_alternative<DropTask>(outputs[i])) {
      run.step(EvictInput{EvictionReason::kLangRequested, "Always evict workflows after replay"},
               outputs);
    } else if (auto* failure = std::get_if<SendFailure>(&outputs[i])) {
      failed = true;
      EXPECT_FALSE(recorded.failure.empty()) << failure->request->failure().message();
      run.step(ReplyInput{absl::OkStatus()}, outputs);
    } else if (const auto* activate = std::get_if<Activate>(&outputs[i])) {
      const CoresdkActivation actual = to_coresdk(*activate->activation);
      // Ours may find a disagreement earlier: an extra command is one when the task ends, not at
      // the next command.
      if (failed && is_eviction(actual)) next = recorded.exchanges.size() - 1;
      ASSERT_LT(next, recorded.exchanges.size()) << actual.DebugString();
      const Exchange& expected = recorded.exchanges[next++];
      ASSERT_EQ(compare(expected.activation, actual), "") << "activation " << next << "\n"
                                                          << actual.DebugString();
      ASSERT_EQ(expected.completion.size(), 1u);
      run.step(LanguageDone{from_coresdk(expected.completion[0], "replay")}, outputs);
    }
  }
  EXPECT_EQ(next, recorded.exchanges.size());
  EXPECT_EQ(failed, !recorded.failure.empty()) << recorded.failure;
}

class GoldenReplayTest : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenReplayTest, ActivationsAreTheOfficialOnes) {
  const GoldenSet set = load_set(GetParam());
  int number = 0;
  for (Replay& recorded : replays_of(set)) {
    if (set.name == "la_heartbeat_time") {
      take_live_exchanges(recorded, set);
      recorded.failure.clear();
    }
    for (Exchange& exchange : recorded.exchanges) as_live(exchange.activation);
    SCOPED_TRACE("replay " + std::to_string(++number) + ", " + recorded.file + ", run " +
                 recorded.run_id);
    replay(recorded, set);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, GoldenReplayTest, ::testing::ValuesIn(set_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace chimera::core::testing
