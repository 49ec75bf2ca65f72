// The server is killed with SIGKILL at random moments under load and started again on its file:
// everything that it acknowledged or showed must be there, every workflow must end, schedules
// have started each of their times once, batches have done each of their executions once, and
// pinned workflows have stayed with the version that they belong to.
#include <filesystem>
#include <random>

#include "absl/time/time.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/chaos/kills.h"
#include "tests/chaos/load.h"

namespace chimera::chaos {
namespace {

using testing::IsEmpty;

std::string new_file() {
  const std::string path = absl::StrCat(testing::TempDir(), "chimera_kill_", getpid(), ".db");
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  return path;
}

bool is_close(enums::EventType type) {
  return type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED ||
         type == enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW;
}

// One workflow's chain of runs, read after all kills, and what its histories hold.
class Chain {
 public:
  Chain(Caller& caller, const std::string& id, std::string run_id) : id_(id) {
    while (!run_id.empty()) {
      std::vector<HistoryEvent> events = caller.history(id, run_id);
      run_id = check(run_id, events);
    }
  }

  std::map<std::string, std::string> children;  // Workflow id -> run id.
  std::map<std::string, int> signals, task_identities, activity_results, updates;
  std::map<std::string, std::vector<std::string>> bytes;  // By run id.
  std::string result;

 private:
  // Returns the id of the run that follows.
  std::string check(const std::string& run_id, const std::vector<HistoryEvent>& events) {
    EXPECT_FALSE(events.empty()) << id_ << " has lost its history";
    if (events.empty()) return {};
    std::set<std::int64_t> ended;
    for (std::size_t i = 0; i < events.size(); ++i) {
      const HistoryEvent& event = events[i];
      EXPECT_EQ(event.event_id(), static_cast<std::int64_t>(i) + 1) << id_;
      EXPECT_EQ(is_close(event.event_type()), i + 1 == events.size()) << id_ << " event " << i + 1;
      bytes[run_id].push_back(event.SerializeAsString());
      count(event, run_id, events, ended);
    }
    return events.back()
        .workflow_execution_continued_as_new_event_attributes()
        .new_execution_run_id();
  }

  void count(const HistoryEvent& event, const std::string& run_id,
             const std::vector<HistoryEvent>& events, std::set<std::int64_t>& ended) {
    if (event.has_workflow_execution_signaled_event_attributes())
      ++signals[event.workflow_execution_signaled_event_attributes().signal_name()];
    if (event.has_workflow_task_completed_event_attributes())
      ++task_identities[run_id + event.workflow_task_completed_event_attributes().identity()];
    if (event.has_workflow_execution_update_completed_event_attributes())
      ++updates[event.workflow_execution_update_completed_event_attributes().meta().update_id()];
    if (event.has_child_workflow_execution_started_event_attributes()) {
      const auto& child =
          event.child_workflow_execution_started_event_attributes().workflow_execution();
      children[child.workflow_id()] = child.run_id();
    }
    if (event.has_activity_task_completed_event_attributes()) {
      const auto& a = event.activity_task_completed_event_attributes();
      ++activity_results[run_id + text_of(a.result())];
      EXPECT_TRUE(ended.insert(a.scheduled_event_id()).second) << id_ << " ended an activity twice";
      EXPECT_TRUE(events[a.started_event_id() - 1].has_activity_task_started_event_attributes());
    }
    if (event.has_workflow_execution_completed_event_attributes())
      result = text_of(event.workflow_execution_completed_event_attributes().result());
  }

  const std::string id_;
};

// All runs that a schedule has started: workflow id -> run id.
std::map<std::string, std::string> runs_of(Caller& caller, const std::string& schedule) {
  wf::ListWorkflowExecutionsRequest request;
  request.set_namespace_(kNamespace);
  request.set_query(absl::StrCat("TemporalScheduledById = '", schedule, "'"));
  std::map<std::string, std::string> runs;
  do {
    const auto reply = caller.once<wf::ListWorkflowExecutionsResponse>(request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    if (!reply.ok()) return runs;
    for (const auto& info : reply->executions()) {
      const auto& execution = info.execution();
      EXPECT_TRUE(runs.emplace(execution.workflow_id(), execution.run_id()).second)
          << execution.workflow_id() << " was started twice";
    }
    request.set_next_page_token(reply->next_page_token());
  } while (!request.next_page_token().empty());
  return runs;
}

// Its times without those of backfills are seconds without a gap.
void verify_times(const std::string& schedule, const std::map<std::string, std::string>& runs,
                  const Acknowledged& all) {
  std::set<std::int64_t> times;
  for (const auto& [id, run_id] : runs) {
    absl::Time time;
    std::string error;
    ASSERT_TRUE(absl::ParseTime(absl::RFC3339_sec, id.substr(schedule.size() + 1), &time, &error))
        << id << error;
    times.insert(absl::ToUnixSeconds(time));
  }
  std::int64_t backfilled = 0;
  for (const auto& [of, time] : all.scheduled) {
    if (of != schedule) continue;
    EXPECT_TRUE(times.erase(time)) << schedule << " lost a backfill";
    ++backfilled;
  }
  ASSERT_GT(backfilled, 0);
  ASSERT_FALSE(times.empty());
  EXPECT_EQ(*times.rbegin() - *times.begin() + 1, static_cast<std::int64_t>(times.size()))
      << schedule << " lost a time";
}

// Each has had each batch's signal once, and then the last batch's termination.
void verify_batches(Caller& caller, const Acknowledged& all) {
  ASSERT_FALSE(all.batches.empty());
  for (const auto& [id, run_id] : all.kept) {
    std::map<std::string, int> signals;
    const std::vector<HistoryEvent> events = caller.history(id, run_id);
    ASSERT_FALSE(events.empty()) << id;
    for (const HistoryEvent& event : events) {
      if (event.has_workflow_execution_signaled_event_attributes())
        ++signals[event.workflow_execution_signaled_event_attributes().signal_name()];
    }
    for (const std::string& batch : all.batches) EXPECT_EQ(signals[batch], 1) << id << batch;
    EXPECT_EQ(signals.size(), all.batches.size()) << id;
    EXPECT_EQ(events.back().event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED) << id;
  }
}

// Routing and notes are as they were acknowledged last.
void verify_deployment(Caller& caller, const Acknowledged& all) {
  wf::DescribeWorkerDeploymentRequest about;
  about.set_namespace_(kNamespace);
  about.set_deployment_name(kDeployment);
  const auto described = caller.once<wf::DescribeWorkerDeploymentResponse>(about);
  ASSERT_TRUE(described.ok()) << described.status();
  const auto& routing = described->worker_deployment_info().routing_config();
  EXPECT_EQ(routing.current_deployment_version().build_id(), all.current);
  EXPECT_EQ(routing.ramping_deployment_version().build_id(), all.ramping);
  EXPECT_EQ(described->worker_deployment_info().version_summaries_size(), 2);
  for (const auto& [build, note] : all.written) {
    wf::DescribeWorkerDeploymentVersionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_deployment_version()->set_deployment_name(kDeployment);
    request.mutable_deployment_version()->set_build_id(build);
    const auto version = caller.once<wf::DescribeWorkerDeploymentVersionResponse>(request);
    ASSERT_TRUE(version.ok()) << version.status();
    const auto& entries = version->worker_deployment_version_info().metadata().entries();
    ASSERT_TRUE(entries.contains("note")) << build;
    EXPECT_EQ(entries.at("note").data(), absl::StrCat("\"", note, "\"")) << build;
  }
}

// One version has run all of its tasks: the one that was current when it was alone.
void verify_pinned(Caller& caller, const std::string& id, const Acknowledged::Pinned& pinned) {
  std::set<std::string> builds;
  for (const HistoryEvent& event : caller.history(id, pinned.run_id)) {
    if (event.has_workflow_task_completed_event_attributes())
      builds.insert(
          event.workflow_task_completed_event_attributes().deployment_version().build_id());
  }
  ASSERT_EQ(builds.size(), 1u) << id;
  if (!pinned.build.empty()) {
    EXPECT_EQ(*builds.begin(), pinned.build) << id;
  }
}

class KillTest : public testing::Test {
 protected:
  KillTest() : server_(file_) {}
  ~KillTest() override {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file_ + suffix);
  }

  void start() {
    server_.launch();
    ASSERT_TRUE(server_.connect());
  }

  // Some lives end while they begin.
  void kill_and_restart(Ledger& ledger) {
    ledger.wait_for_notes(1 + static_cast<int>(random_() % 120), [this] { server_.strike(); });
    server_.kill();
    server_.sever();
    while (random_() % 4 == 0) {
      server_.launch();
      server_.wait_ready(milliseconds(random_() % 40));
      server_.kill();
    }
    start();
  }

  // Everything in the ledger is in the file.
  static void verify(ServerProcess& server, const Acknowledged& all) {
    Caller caller(server);
    EXPECT_THAT(all.wrong, IsEmpty());
    std::map<std::string, Chain> chains;
    std::map<std::string, std::vector<std::string>> bytes;
    std::map<std::string, int> tasks, results;
    auto add = [&](const std::string& id, const std::string& run_id) {
      const Chain& chain = chains.emplace(id, Chain(caller, id, run_id)).first->second;
      EXPECT_EQ(chain.result, "done:" + id);
      bytes.insert(chain.bytes.begin(), chain.bytes.end());
      tasks.insert(chain.task_identities.begin(), chain.task_identities.end());
      results.insert(chain.activity_results.begin(), chain.activity_results.end());
      return chain.children;
    };
    for (const auto& [id, run_id] : all.started) {
      for (const auto& [child, child_run] : add(id, run_id)) add(child, child_run);
      auto finished = all.finished.find(id);
      EXPECT_TRUE(finished != all.finished.end() && finished->second == chains.at(id).result) << id;
    }
    for (const auto& [schedule, policy] : kSchedules) {
      const auto runs = runs_of(caller, schedule);
      verify_times(schedule, runs, all);
      for (const auto& [id, run_id] : runs) add(id, run_id);
    }
    verify_batches(caller, all);
    verify_deployment(caller, all);
    for (const auto& [id, pinned] : all.pinned) {
      verify_pinned(caller, id, pinned);
      add(id, pinned.run_id);
    }
    for (const auto& [id, signal] : all.signals) EXPECT_EQ(chains.at(id).signals[signal], 1) << id;
    for (const auto& [update, id] : all.updates) EXPECT_EQ(chains.at(id).updates[update], 1) << id;
    for (const auto& [run_id, seen] : all.seen) {
      const auto& now = bytes[run_id];
      ASSERT_LE(seen.size(), now.size()) << run_id;
      for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], now[i]) << run_id << i;
    }
    for (const auto& [run_id, identity] : all.tasks) {
      EXPECT_EQ(tasks[run_id + identity], 1) << run_id << identity;
    }
    for (const auto& [run_id, result] : all.activities) {
      EXPECT_EQ(results[run_id + result], 1) << run_id << result;
    }
  }

  const std::string file_ = new_file();
  ServerProcess server_;
  std::mt19937 random_{std::random_device{}()};
};

TEST_F(KillTest, NothingAcknowledgedIsLost) {
  Ledger ledger;
  start();
  {
    Load load(server_, ledger);

    for (int i = 0; i < kills() && !HasFatalFailure(); ++i) kill_and_restart(ledger);

    EXPECT_TRUE(load.finish(std::chrono::seconds(60))) << "not every workflow has ended";
  }
  server_.kill();
  ServerProcess last(file_);
  last.launch();
  ASSERT_TRUE(last.connect());
  verify(last, ledger.all());
  const Acknowledged& all = ledger.all();
  std::printf(
      "%d kills; %zu workflows, %zu signals, %zu updates, %zu tasks, %zu activities, %zu "
      "backfills, %zu batches, %zu pinned\n",
      kills(), all.started.size(), all.signals.size(), all.updates.size(), all.tasks.size(),
      all.activities.size(), all.scheduled.size(), all.batches.size(), all.pinned.size());
  EXPECT_GT(all.started.size(), 10u);
}

}  // namespace
}  // namespace chimera::chaos
