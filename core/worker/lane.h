// Lane, one strand (by default a thread) that owns some of a worker's runs: tasks come in through
// its inbox, run steps and C++ fibers inline, and leave as requests. Built and destroyed by the
// worker; enqueue from any thread, everything else on the lane's own. Local activities that are
// known to be quick run there, too; where one is not, another thread becomes the lane's
// (relieved_thread.h).
#ifndef CHIMERA_CORE_WORKER_LANE_H_
#define CHIMERA_CORE_WORKER_LANE_H_

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"

#include "core/base/executor.h"
#include "core/worker/context.h"
#include "core/worker/thread_stack.h"
#include "core/workflow/task_handler.h"

namespace chimera::core {

// What a lane has been doing for too long.
struct StuckRun {
  RunContext run;
  std::string task_token;  // To fail its task with; empty while evicting.
  std::chrono::nanoseconds since{};
};

class Lane : private TaskHandlerIo, private TaskHandlerObserver {
 public:
  // Shares the context with the worker: a lane whose code never yields outlives it. `on_drained`
  // runs once, on the lane, when drained() has become true.
  Lane(std::shared_ptr<const WorkerContext> context, TaskHandlerOptions options,
       std::function<void()> on_drained);
  ~Lane() override;  // Requires drained().

  void enqueue(WorkflowTask task);  // Any thread.
  // Evicts all runs as they become idle; drained() is true when none is left. Any thread.
  void begin_drain();
  bool drained() const { return drained_.load(); }
  // The run whose code has been running on this lane for longer than `limit`. The lane is
  // quarantined then: it gets no new tasks until the code has returned. Any thread.
  std::optional<StuckRun> quarantine_if_stuck(std::chrono::nanoseconds limit);
  // What the lane's thread executes just now, one line per frame; empty where it has none.
  std::string stack() const {
    const auto thread = strand_->thread();
    return thread ? stack_of(*thread) : "";
  }
  bool quarantined() const { return quarantined_.load(std::memory_order_relaxed); }
  // Whether a run's code, or this run's, is on the lane's thread just now. Any thread.
  bool executes() const {
    absl::MutexLock lock(&watch_mutex_);
    return running_ != nullptr;
  }
  bool executes(const std::string& run_id) const {
    absl::MutexLock lock(&watch_mutex_);
    return running_ != nullptr && running_->run_id == run_id;
  }

 private:
  void respond_completed(
      std::shared_ptr<api::workflowservice::v1::RespondWorkflowTaskCompletedRequest> request,
      Done<CompletedReply> done) override;
  void respond_failed(
      std::unique_ptr<api::workflowservice::v1::RespondWorkflowTaskFailedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) override;
  void respond_query(
      std::unique_ptr<api::workflowservice::v1::RespondQueryTaskCompletedRequest> request,
      absl::AnyInvocable<void(absl::Status) &&> done) override;
  void fetch_history(const api::common::v1::WorkflowExecution& execution,
                     std::string next_page_token, Done<HistoryReply> done) override;
  void start_local_activity(LocalActivityStart start,
                            absl::AnyInvocable<void(LocalActivityOutcome) &&> done) override;
  void cancel_local_activity(const RunContext& run, std::uint32_t seq) override;
  void wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) override;
  void post(absl::AnyInvocable<void() &&> work) override { strand_->post(std::move(work)); }
  void running(const RunContext* run,
               const api::workflowservice::v1::PollWorkflowTaskQueueResponse* task) override;

  void cache_hit(const std::string& workflow_type) override {
    types_.of(workflow_type).cache_hit.add();
    context_.figures->cache_hits.fetch_add(1, std::memory_order_relaxed);
  }
  void cache_miss() override {
    context_.metrics->cache_miss.add();
    context_.figures->cache_misses.fetch_add(1, std::memory_order_relaxed);
  }
  void cache_size(std::size_t runs) override;
  void forced_eviction() override { context_.metrics->forced_eviction.add(); }
  void task_failed(const TaskFailure& failure) override;
  void answer_refused(const RunContext& run, const absl::Status& status) override;
  void task_done(const std::string& workflow_type, std::chrono::nanoseconds execution,
                 std::chrono::nanoseconds replay) override;
  void workflow_ended(const std::string& workflow_type,
                      api::enums::v1::WorkflowExecutionStatus status,
                      std::chrono::nanoseconds end_to_end) override;

  class Here;
  using Permits = std::vector<base::SlotSupplier::Permit>;
  Permits ask_for_eager_activities(
      api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request) const;
  void start_eager_activities(const std::shared_ptr<CompletedReply>& reply, Permits permits);
  base::Strand::Next after_work();
  bool run_local();
  void look_whether_drained();

  const std::shared_ptr<const WorkerContext> owner_;
  const WorkerContext& context_;
  WorkflowTypeTable types_;
  std::size_t cached_runs_ = 0;
  std::atomic<bool> quarantined_{false};
  TaskHandler handler_;
  bool draining_ = false;
  int queries_ = 0;  // Answers to queries of their own that the server has not taken yet.
  // Local activities that wait for the lane to be done with its inbox, and what cancels them.
  std::deque<absl::AnyInvocable<void(StartingThread&) &&>> local_;
  const std::function<void()> on_drained_;
  std::atomic<bool> drained_{false};

  mutable absl::Mutex watch_mutex_;  // Taken twice a task by the lane, rarely by the watchdog.
  const RunContext* running_ ABSL_GUARDED_BY(watch_mutex_) = nullptr;
  base::SteadyTime running_since_ ABSL_GUARDED_BY(watch_mutex_){};
  const api::workflowservice::v1::PollWorkflowTaskQueueResponse* running_task_
      ABSL_GUARDED_BY(watch_mutex_) = nullptr;

  // Shared with the calls under way: the thread that brings a reply may still be inside post() when
  // the reply has ended the lane. The last member: it runs what uses the others.
  const std::shared_ptr<base::Strand> strand_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_LANE_H_
