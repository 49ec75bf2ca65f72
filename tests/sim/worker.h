// SimWorker, a worker's lane over the simulated server: the real TaskHandler, with a cache as small
// as wished, histories in pages of random size, and other runs that push ours out.
// Owns the handler; borrows the rest. One thread.
#ifndef CHIMERA_TESTS_SIM_WORKER_H_
#define CHIMERA_TESTS_SIM_WORKER_H_

#include <deque>
#include <memory>
#include <string>

#include "core/workflow/task_handler.h"
#include "tests/sim/instance.h"
#include "tests/sim/locals.h"
#include "tests/sim/server.h"

namespace chimera::sim {

// What a worker may do differently without anyone noticing.
struct WorkerHabits {
  std::size_t cached_runs = 1000;
  unsigned pushed_out_percent = 0;     // Before a task, another run needs the place.
  unsigned whole_history_percent = 0;  // A sticky task comes with events that are known already.
  unsigned late_answers_percent = 0;   // The language answers in its own time.
  std::size_t page_events_max = 0;     // 0: all in one page.
};

class SimWorker : private core::TaskHandlerIo, private core::TaskHandlerObserver, base::Clock {
 public:
  SimWorker(SimServer& server, const Program& program, RunRecord& record, Fault fault,
            WorkerHabits habits, std::uint64_t seed);
  ~SimWorker() override;

  // Until the run is over, something is wrong, or nothing moves.
  void run_to_end();

 private:
  using PollReply = api::workflowservice::v1::PollWorkflowTaskQueueResponse;
  // Lets go of a task, and of those that came inline after it.
  using Tokens = std::shared_ptr<std::vector<std::string>>;

  void deliver(SimTask task);
  void fill(SimTask task, PollReply& poll);
  void push_out();
  bool wrong() const;

  void respond_completed(std::shared_ptr<RespondWorkflowTaskCompletedRequest> request,
                         Done<CompletedReply> done) override;
  void respond_failed(std::unique_ptr<RespondWorkflowTaskFailedRequest> request,
                      absl::AnyInvocable<void(absl::Status) &&> done) override;
  void respond_query(std::unique_ptr<RespondQueryTaskCompletedRequest> request,
                     absl::AnyInvocable<void(absl::Status) &&> done) override;
  void fetch_history(const api::common::v1::WorkflowExecution& execution,
                     std::string next_page_token, Done<HistoryReply> done) override;
  void start_local_activity(core::LocalActivityStart start,
                            absl::AnyInvocable<void(core::LocalActivityOutcome) &&> done) override;
  void cancel_local_activity(const core::RunContext& run, std::uint32_t seq) override;
  void wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) override;
  void post(absl::AnyInvocable<void() &&> work) override { posted_.push_back(std::move(work)); }
  base::WallTime now() const override { return {}; }
  base::SteadyTime steady() const override { return steady_; }
  void run_posted();
  bool go_on_locally();
  void run_prompt();

  SimServer& server_;
  RunRecord& record_;
  const WorkerHabits habits_;
  Rng rng_;
  SimLanguage language_;
  std::vector<EventPtr> events_;  // Of the newest task, for the pages that are fetched.
  std::deque<absl::AnyInvocable<void() &&>> posted_, prompt_;
  SimLocals locals_;
  std::map<std::uint32_t, absl::AnyInvocable<void(core::LocalActivityOutcome) &&>> local_ends_;
  std::int64_t started_event_id_ = 0;  // Of the task handed out last.
  std::vector<std::pair<base::SteadyTime, absl::AnyInvocable<void() &&>>> wakes_;
  base::SteadyTime steady_{};
  std::map<std::string, Tokens> tokens_;
  int others_ = 0;
  std::unique_ptr<core::TaskHandler> handler_;
};

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_WORKER_H_
