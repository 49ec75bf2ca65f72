#include "tests/sim/whole.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/history/events.h"
#include "core/machines/describe.h"
#include "core/telemetry/log.h"
#include "tests/sim/driver.h"
#include "tests/sim/replay.h"
#include "tests/sim/text.h"

namespace chimera::sim {
namespace {

namespace enums = api::enums::v1;

WholeCoverage& counted() {
  static WholeCoverage coverage;
  return coverage;
}

// Workers say much about a network like this.
void be_quiet() {
  static const bool done = (core::set_log_level(core::LogLevel::kOff), true);
  static_cast<void>(done);
}

// The command with which the program ended the run, as the history has it; empty: it did not.
std::string end_command(const HistoryEvent& last) {
  switch (last.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      core::CompleteWorkflowExecution complete;
      const auto& result = last.workflow_execution_completed_event_attributes().result();
      if (result.payloads_size() > 0) complete.result = result.payloads(0);
      return text(core::Command{std::move(complete)});
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const auto& failure = last.workflow_execution_failed_event_attributes().failure();
      return failure.message();
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: {
      const auto& input = last.workflow_execution_continued_as_new_event_attributes().input();
      return text(input);
    }
    default:
      return "";
  }
}

class WholeJudge {
 public:
  WholeJudge(std::uint64_t seed, PartFault fault)
      : seed_(seed),
        program_(make_program(seed, /*nexus=*/false)),
        rng_(seed, "whole judge"),
        driver_(seed, program_, fault) {}

  std::string judge() {
    driver_.run();
    for (const EventPtr& event : driver_.history())
      absl::StrAppend(&history_, "  ", core::describe_event(*event), "  ", text(*event), "\n");
    trace_ = driver_.world().trace();
    steps_ = driver_.world().steps();
    last_steps_ = driver_.world().last_steps();
    std::string found = judge_course();
    if (found.empty()) count();
    if (!driver_.bury() && found.empty()) found = "a worker that lost its server does not end";
    return found;
  }

  WholeCourse course(std::string found) const {
    WholeCourse course{.trace = trace_, .steps = steps_, .history = history_};
    if (found.empty()) return course;
    course.found =
        Finding{seed_, found,
                absl::StrCat("seed ", seed_, "\n", describe(program_), "history:\n", history_,
                             "the last that happened:\n", last_steps_, "\nfound: ", found)};
    return course;
  }

 private:
  std::string judge_course() {
    if (!driver_.violations().empty()) return driver_.violations().front();
    if (driver_.history().empty() || !core::is_final_event(driver_.history().back()->event_type()))
      return "the history has no end";
    if (std::string found = judge_activities(); !found.empty()) return found;
    return judge_replay();
  }

  // What the history says of an activity's end, an attempt of it has said.
  std::string judge_activities() {
    std::map<std::int64_t, std::string> ids;
    for (const EventPtr& event : driver_.history()) {
      if (event->has_activity_task_scheduled_event_attributes()) {
        ids[event->event_id()] = event->activity_task_scheduled_event_attributes().activity_id();
        continue;
      }
      if (!event->has_activity_task_completed_event_attributes()) continue;
      const auto& attributes = event->activity_task_completed_event_attributes();
      const std::string id = ids[attributes.scheduled_event_id()];
      const auto found = driver_.book().results.find({driver_.run_id(), id});
      if (found == driver_.book().results.end() ||
          !found->second.contains(attributes.result().payloads(0).data()))
        return absl::StrCat("activity ", id, " has a result that no attempt of it gave");
    }
    return "";
  }

  std::string judge_replay() {
    RunRecord replayed;
    replay_all(driver_.history(), driver_.run_id(), program_, replayed, Fault::kNone, rng_);
    if (!replayed.violations.empty())
      return absl::StrCat("in the whole replay: ", replayed.violations.front());
    const auto& whole = replayed.instances.front();
    const std::string end = end_command(*driver_.history().back());
    if (!end.empty() && (whole.empty() || !absl::StrContains(whole.back().text, end)))
      return absl::StrCat("the history ends with ", end, ", but its replay with ",
                          whole.empty() ? "nothing" : whole.back().text);
    return judge_instances(whole);
  }

  // Of what the workers' instances saw, that which the server has taken.
  std::string judge_instances(const std::vector<ActivationRecord>& whole) {
    std::map<std::int64_t, std::int64_t> taken;  // Started event: its time.
    std::map<std::int64_t, std::string> expected;
    for (const EventPtr& event : driver_.history()) {
      if (!event->has_workflow_task_completed_event_attributes()) continue;
      const auto started = event->workflow_task_completed_event_attributes().started_event_id();
      const auto& time = driver_.history()[static_cast<std::size_t>(started) - 1]->event_time();
      taken[started] = time.seconds() * 1'000'000'000 + time.nanos();
    }
    for (const ActivationRecord& record : whole) expected[record.history_length] += record.text;
    const RunRecord* seen = driver_.workflows().record(driver_.run_id());
    if (seen == nullptr) return "no worker has run the workflow";
    for (const auto& instance : seen->instances) {
      std::map<std::int64_t, std::string> tasks;
      for (const ActivationRecord& record : instance) {
        const auto task = taken.find(record.history_length);
        if (task == taken.end()) continue;
        const bool this_attempt =
            absl::StrContains(record.text, absl::StrCat("activation at ", task->second, "\n"));
        if (record.replaying || this_attempt) tasks[record.history_length] += record.text;
      }
      for (const auto& [task, told] : tasks) {
        // A worker that was killed may not have come to the task's end.
        if (absl::StartsWith(expected[task], told)) continue;
        return absl::StrCat("the task of event ", task, " was\n", told, "but its replay is\n",
                            expected[task]);
      }
    }
    return "";
  }

  void count() {
    WholeCoverage& coverage = counted();
    ++coverage.seeds;
    coverage.events += driver_.history().size();
    coverage.kills += static_cast<std::uint64_t>(driver_.kills());
    coverage.shutdowns += static_cast<std::uint64_t>(driver_.shutdowns());
    for (const auto& host : driver_.hosts()) {
      coverage.eager_starts += host->had_eager_start();
      coverage.eager_activities += static_cast<std::uint64_t>(host->ledger().eager_activities());
      coverage.inline_tasks += static_cast<std::uint64_t>(host->ledger().inline_tasks());
    }
    coverage.activities += static_cast<std::uint64_t>(driver_.book().remote);
    coverage.local_activities += static_cast<std::uint64_t>(driver_.book().local);
    coverage.cancelled_activities += static_cast<std::uint64_t>(driver_.book().cancelled);
    if (const RunRecord* seen = driver_.workflows().record(driver_.run_id()))
      coverage.rebuilt_runs += seen->instances.size() - 1;
    for (const EventPtr& event : driver_.history())
      ++coverage.event_types[core::event_name(event->event_type())];
  }

  const std::uint64_t seed_;
  const Program program_;
  Rng rng_;
  Driver driver_;
  std::string history_, last_steps_;
  std::uint64_t trace_ = 0, steps_ = 0;
};

}  // namespace

WholeCourse simulate_whole(std::uint64_t seed, PartFault fault) {
  be_quiet();
  WholeJudge judge(seed, fault);
  std::string found = judge.judge();
  return judge.course(std::move(found));
}

const WholeCoverage& whole_coverage() { return counted(); }

}  // namespace chimera::sim
