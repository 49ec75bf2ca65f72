#include "tests/sim/simulation.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

#include "core/history/events.h"
#include "core/machines/describe.h"
#include "tests/sim/replay.h"
#include "tests/sim/text.h"
#include "tests/sim/worker.h"

namespace chimera::sim {
namespace {

namespace enums = api::enums::v1;

Coverage& counted() {
  static Coverage coverage;
  return coverage;
}

// A run to its end: the server and what the program's instances saw.
struct Course {
  Course(std::uint64_t seed, const Program& program, Fault fault, const WorkerHabits& habits)
      : server(seed) {
    SimWorker worker(server, program, record, fault, habits, seed);
    worker.run_to_end();
    violations = server.violations();
    violations.insert(violations.end(), record.violations.begin(), record.violations.end());
    judge_end(program);
  }

  void judge_end(const Program& program) {
    if (!violations.empty()) {
      violations.front() += absl::StrCat("; the program waits for:", record.waiting);
      return;
    }
    const EventType last = server.history().back()->event_type();
    if (!core::is_final_event(last)) violations.push_back("the run did not end");
    const bool at_once = last == enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED ||
                         (last == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED &&
                          program.on_cancel == Program::OnCancel::kEndAtOnce);
    if (!at_once && program.waits_for_handlers && server.unfinished_updates() > 0)
      violations.push_back("an accepted update was never completed");
  }

  SimServer server;
  RunRecord record;
  std::vector<std::string> violations;
};

WorkerHabits random_habits(std::uint64_t seed) {
  Rng rng(seed, "habits");
  WorkerHabits habits;
  const std::uint64_t cache = rng.below(4);
  habits.cached_runs = cache == 0 ? 0 : cache < 3 ? 1 : 2;
  habits.pushed_out_percent = rng.percent(30) ? 100 : 50;
  habits.whole_history_percent = rng.percent(50) ? 30 : 0;
  habits.late_answers_percent = rng.percent(50) ? 50 : 0;
  habits.page_events_max = rng.percent(70) ? rng.between(2, 30) : 0;
  return habits;
}

std::string print(const std::vector<EventPtr>& history) {
  std::string out;
  for (const EventPtr& event : history) {
    absl::StrAppend(&out, "  ", core::describe_event(*event), "  ", text(*event), "\n");
  }
  return out;
}

std::string difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual) {
  for (std::size_t i = 0; i < std::max(expected.size(), actual.size()); ++i) {
    const std::string none = "nothing";
    const std::string& a = i < expected.size() ? expected[i] : none;
    const std::string& b = i < actual.size() ? actual[i] : none;
    if (a != b) return absl::StrCat("number ", i, ", expected\n", a, "\nactual\n", b);
  }
  return "";
}

// By workflow task (its started event): what the program was told and answered.
using Tasks = std::map<std::int64_t, std::vector<std::string>>;

// Of one instance, the tasks that the server took an answer to; others left no trace.
Tasks kept_tasks(const std::vector<ActivationRecord>& instance,
                 const std::map<std::int64_t, std::string>& completed) {
  Tasks tasks;
  for (const ActivationRecord& record : instance) {
    const auto task = completed.find(record.history_length);
    if (task == completed.end()) continue;
    if (record.replaying || record.task == task->second)
      tasks[record.history_length].push_back(record.text);
  }
  return tasks;
}

class Judge {
 public:
  Judge(std::uint64_t seed, Fault fault)
      : seed_(seed), fault_(fault), program_(make_program(seed)), rng_(seed, "judge") {}

  std::string judge() {
    Course plain(seed_, program_, Fault::kNone, WorkerHabits{});
    count(plain);
    history_ = print(plain.server.history());
    if (!plain.violations.empty())
      return absl::StrCat("without evictions: ", plain.violations.front());
    Course evicted(seed_, program_, fault_, random_habits(seed_));
    if (!evicted.violations.empty()) {
      history_ = print(evicted.server.history());
      return absl::StrCat("with evictions: ", evicted.violations.front());
    }
    if (const std::string found = difference(plain.server.log(), evicted.server.log());
        !found.empty())
      return absl::StrCat("the answers with evictions differ from those without: ", found);
    if (print(evicted.server.history()) != history_) return "the histories differ";
    if (const std::string found = judge_replay(plain, evicted); !found.empty()) return found;
    return judge_prefixes(plain);
  }
  std::string report() const { return absl::StrCat(describe(program_), "history:\n", history_); }

 private:
  std::string judge_replay(const Course& plain, const Course& evicted) {
    std::map<std::int64_t, std::string> completed;
    for (const CompletedTask& task : plain.server.completed_tasks())
      completed[task.task.started_id] = task.task.token;
    RunRecord record;
    replay_all(plain.server.history(), plain.server.run_id(), program_, record, fault_, rng_);
    if (!record.violations.empty())
      return absl::StrCat("in the whole replay: ", record.violations.front());
    const Tasks replayed = kept_tasks(record.instances.front(), completed);
    for (const Course* course : {&plain, &evicted}) {
      for (const auto& instance : course->record.instances) {
        for (const auto& [task, activations] : kept_tasks(instance, completed)) {
          const auto found = replayed.find(task);
          const std::string what = difference(
              activations, found == replayed.end() ? std::vector<std::string>() : found->second);
          if (!what.empty())
            return absl::StrCat("the whole replay differs in the task of event ", task, ": ", what);
        }
      }
    }
    return "";
  }

  std::string judge_prefixes(const Course& plain) {
    for (const CompletedTask& completed : plain.server.completed_tasks()) {
      RunRecord record;
      const std::string again =
          answer_again(completed, plain.server.run_id(), program_, record, fault_, rng_);
      ++counted().replays;
      const std::string where = absl::StrCat("the replay up to event ", completed.task.started_id);
      if (!record.violations.empty()) return absl::StrCat(where, ": ", record.violations.front());
      if (again != completed.text)
        return absl::StrCat(where, " answers\n", again, "\nbut the answer was\n", completed.text);
    }
    return "";
  }

  void count(const Course& course) {
    Coverage& coverage = counted();
    ++coverage.seeds;
    coverage.tasks += course.server.completed_tasks().size();
    coverage.events += course.server.history().size();
    for (const EventPtr& event : course.server.history())
      ++coverage.event_types[core::event_name(event->event_type())];
  }

  const std::uint64_t seed_;
  const Fault fault_;
  const Program program_;
  Rng rng_;
  std::string history_;
};

}  // namespace

std::optional<Finding> simulate(std::uint64_t seed, Fault fault) {
  Judge judge(seed, fault);
  std::string what = judge.judge();
  if (what.empty()) return std::nullopt;
  return Finding{seed, what, absl::StrCat("seed ", seed, "\n", judge.report(), "found: ", what)};
}

const Coverage& coverage() { return counted(); }

}  // namespace chimera::sim
