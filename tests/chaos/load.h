// Load, the clients and workers of the kill test: threads that start, signal and update workflows,
// make and backfill schedules, start batches, roll out versions, run their tasks and activities,
// read their histories, and write down every acknowledgement.
#ifndef CHIMERA_TESTS_CHAOS_LOAD_H_
#define CHIMERA_TESTS_CHAOS_LOAD_H_

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/chaos/caller.h"
#include "tests/chaos/ledger.h"

namespace chimera::chaos {

// Schedules of every second, whose actions overlap, and whose actions wait for each other.
inline constexpr std::pair<const char*, enums::ScheduleOverlapPolicy> kSchedules[] = {
    {"overlapping", enums::SCHEDULE_OVERLAP_POLICY_ALLOW_ALL},
    {"waiting", enums::SCHEDULE_OVERLAP_POLICY_BUFFER_ALL},
};

// Two builds that take turns as the current version of a deployment.
inline constexpr char kDeployment[] = "rolled", kVersionedQueue[] = "load-versioned";
inline constexpr const char* kBuilds[] = {"red", "green"};

class Load {
 public:
  Load(ServerProcess& server, Ledger& ledger);
  ~Load();
  // No new workflows; returns when those under way have ended, false if that takes too long.
  bool finish(std::chrono::seconds patience);

 private:
  void drive(int client);
  void drive_one(const std::string& id, const std::string& type);
  void signal_and_update(const std::string& id, const std::string& run_id);
  void work(bool sticky);
  void work_as(const std::string& build);
  void run_task(wf::PollWorkflowTaskQueueResponse& task, const std::string& build = {});
  void run_activities();
  void read_histories();
  void drive_batches();
  bool run_batches();  // False: something went wrong, or the test is over.
  bool keep_some();
  bool run_batch(const wf::StartBatchOperationRequest& request);
  void drive_schedules();
  bool keep_schedules();  // False: something went wrong, or the test is over.
  bool backfill(const std::string& id, int number);
  bool until_idle(const std::string& id);
  bool until_due(const std::string& id, int backfills);
  bool pause(const std::string& id);
  void drive_deployments();
  bool roll_out();  // False: something went wrong, or the test is over.
  bool make_current(const std::string& build);
  bool ramp(const std::string& build);
  bool write_on(const std::string& build, const std::string& text);
  std::string start_pinned(const std::string& id, const std::string& expected);
  bool run_pinned(const std::string& id, const std::string& build);
  static api::deployment::v1::WorkerDeploymentOptions deployment_options(const std::string& build);
  bool went(const std::string& what, const absl::Status& status);
  std::string result_of(const std::string& id, const std::string& run_id);

  Caller caller_;
  ServerProcess& server_;
  Ledger& ledger_;
  std::atomic<bool> starting_{true};
  std::mutex mutex_;
  std::condition_variable idle_;
  int driving_ = 0;
  std::atomic<int> serial_{0};
  std::vector<std::thread> threads_;
};

// What the workflow code of the load does next, from its whole history and the task's messages.
// Pure. Types: "Work" (activities, a timer, three signals and an update), "Chain" (continues as
// new), "Parent" (a child of type Chain), "Scheduled" (ends at once), "Pinned" (a timer).
wf::RespondWorkflowTaskCompletedRequest decide(const wf::PollWorkflowTaskQueueResponse& task,
                                               const std::vector<HistoryEvent>& events);

}  // namespace chimera::chaos

#endif  // CHIMERA_TESTS_CHAOS_LOAD_H_
