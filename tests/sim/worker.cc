#include "tests/sim/worker.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace chimera::sim {

namespace enums = api::enums::v1;

namespace {

constexpr char kOther[] = "another run";
constexpr int kStepsMax = 20000;

// Waits for ever, in the place of a run that is to leave.
class Idler : public core::WorkflowInstance {
 public:
  std::optional<core::Completion> activate(std::shared_ptr<const core::Activation>,
                                           core::ActivationDone) override {
    return core::Completion{core::Completion::Success{}};
  }
  std::size_t memory_bytes() const override { return 1; }
};
class IdleLanguage : public core::WorkflowLanguage {
 public:
  const core::LanguageIdentity& identity() const override { return identity_; }
  absl::StatusOr<std::unique_ptr<core::WorkflowInstance>> create(const core::RunContext&) override {
    return std::make_unique<Idler>();
  }

 private:
  const core::LanguageIdentity identity_{"idle", "1", "Idle"};
};

}  // namespace

SimWorker::SimWorker(SimServer& server, const Program& program, RunRecord& record, Fault fault,
                     WorkerHabits habits, std::uint64_t seed)
    : server_(server),
      record_(record),
      habits_(habits),
      rng_(seed, "worker"),
      language_(program, record, fault) {
  core::TaskHandlerOptions options;
  options.cached_runs_max = habits.cached_runs;
  options.namespace_ = "default";
  options.task_queue = "queue";
  static IdleLanguage idle;
  options.language_of = [this](const std::string& type) -> core::WorkflowLanguage* {
    return type == "Random" ? static_cast<core::WorkflowLanguage*>(&language_) : &idle;
  };
  handler_ = std::make_unique<core::TaskHandler>(
      std::move(options), static_cast<core::TaskHandlerIo&>(*this),
      static_cast<core::TaskHandlerObserver&>(*this), static_cast<base::Clock&>(*this));
  server_.deliver = [this](SimTask task) { deliver(std::move(task)); };
  record_.task = [this] { return server_.current_task(); };
  record_.told = [this](const core::Activation& activation) { locals_.told(activation); };
  record_.language_fails = [this] { return server_.language_fails(); };
  if (habits.late_answers_percent > 0) {
    record_.answers_later = [this] { return rng_.percent(habits_.late_answers_percent); };
    record_.later = [this](absl::AnyInvocable<void()&&> work) {
      posted_.push_back(std::move(work));
    };
  }
}

SimWorker::~SimWorker() {
  // What is found wrong may leave tasks open; their answers no longer interest anyone.
  handler_->begin_drain();
  run_prompt();
  run_posted();
  for (int i = 0; i < 300 && !handler_->drained(); ++i) {
    if (server_.advance() != SimServer::Advance::kProgress && posted_.empty()) break;
    run_prompt();
    run_posted();
  }
  if (!handler_->drained()) (void)handler_.release();  // The report tells what hangs.
}

bool SimWorker::wrong() const {
  return !server_.violations().empty() || !record_.violations.empty();
}

void SimWorker::run_posted() {
  while (!posted_.empty()) {
    absl::AnyInvocable<void() &&> work = std::move(posted_.front());
    posted_.pop_front();
    std::move(work)();
    run_prompt();
  }
}

// What was answered inside a call of the handler's is told right after it.
void SimWorker::run_prompt() {
  while (!prompt_.empty()) {
    absl::AnyInvocable<void() &&> work = std::move(prompt_.front());
    prompt_.pop_front();
    std::move(work)();
  }
}

void SimWorker::run_to_end() {
  for (int steps = 0; !wrong(); ++steps) {
    if (steps == kStepsMax) return record_.violations.push_back("the run does not end");
    if (rng_.percent(50)) run_posted();
    SimServer::Advance advance = server_.advance();
    run_prompt();
    if (advance == SimServer::Advance::kBlocked) {
      if (posted_.empty() && go_on_locally()) continue;
      if (posted_.empty())
        return record_.violations.push_back("the worker hangs: a task gets no answer");
      run_posted();
    }
    if (advance == SimServer::Advance::kOver) break;
  }
  run_posted();
  if (wrong()) return;
  handler_->begin_drain();
  run_prompt();
  run_posted();
  if (!handler_->drained()) record_.violations.push_back("the worker cannot be drained");
}

// Another run's first task: where the cache is full, ours leaves.
void SimWorker::push_out() {
  auto poll = std::make_shared<PollReply>();
  poll->set_task_token(kOther);
  poll->mutable_workflow_execution()->set_workflow_id(kOther);
  poll->mutable_workflow_execution()->set_run_id(absl::StrCat(kOther, " ", ++others_));
  poll->mutable_workflow_type()->set_name("Idle");
  poll->set_attempt(1);
  poll->set_started_event_id(3);
  const auto add = [&](core::EventType type) -> core::HistoryEvent& {
    core::HistoryEvent& event = *poll->mutable_history()->add_events();
    event.set_event_id(poll->history().events_size());
    event.set_event_type(type);
    return event;
  };
  add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
      .mutable_workflow_execution_started_event_attributes();
  add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED).mutable_workflow_task_scheduled_event_attributes();
  add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED).mutable_workflow_task_started_event_attributes();
  handler_->handle({std::move(poll), nullptr});
  run_prompt();
}

void SimWorker::deliver(SimTask task) {
  if (rng_.percent(habits_.pushed_out_percent)) push_out();
  auto tokens = std::make_shared<std::vector<std::string>>(1, task.token);
  tokens_[task.token] = tokens;
  std::shared_ptr<void> permit(nullptr, [&server = server_, tokens](void*) {
    for (const std::string& token : *tokens) server.released(token);
  });
  auto poll = std::make_shared<PollReply>();
  fill(std::move(task), *poll);
  handler_->handle({std::move(poll), std::move(permit)});
  run_prompt();
}

void SimWorker::fill(SimTask task, PollReply& poll) {
  poll.set_task_token(task.token);
  poll.mutable_workflow_execution()->set_workflow_id("workflow");
  poll.mutable_workflow_execution()->set_run_id(server_.run_id());
  poll.mutable_workflow_type()->set_name("Random");
  poll.set_previous_started_event_id(task.previous_started_id);
  poll.set_started_event_id(task.started_id);
  if (!task.query) started_event_id_ = task.started_id;
  poll.set_attempt(task.attempt);
  for (auto& message : task.messages) *poll.add_messages() = std::move(message);
  for (auto& [id, query] : task.queries) (*poll.mutable_queries())[id] = std::move(query);
  if (task.query) *poll.mutable_query() = *std::move(task.query);
  events_ = std::move(task.events);
  const bool partial =
      task.sticky && (task.is_inline || !rng_.percent(habits_.whole_history_percent));
  std::size_t first = partial ? static_cast<std::size_t>(task.previous_started_id) : 0;
  if (partial && poll.has_query()) first = events_.size();
  std::size_t last = events_.size();
  if (habits_.page_events_max > 0)
    last = std::min(last, first + 1 + rng_.below(habits_.page_events_max));
  for (std::size_t i = first; i < last; ++i) *poll.mutable_history()->add_events() = *events_[i];
  if (last < events_.size()) poll.set_next_page_token(absl::StrCat(last));
}

void SimWorker::fetch_history(const api::common::v1::WorkflowExecution&,
                              std::string next_page_token, Done<HistoryReply> done) {
  std::uint64_t first = 0;
  (void)absl::SimpleAtoi(next_page_token, &first);
  std::size_t last = events_.size();
  if (habits_.page_events_max > 0)
    last = std::min<std::size_t>(last, first + 1 + rng_.below(habits_.page_events_max));
  auto reply = std::make_shared<HistoryReply>();
  for (std::size_t i = first; i < last; ++i) *reply->mutable_history()->add_events() = *events_[i];
  if (last < events_.size()) reply->set_next_page_token(absl::StrCat(last));
  auto& queue = rng_.percent(habits_.late_answers_percent) ? posted_ : prompt_;
  queue.push_back([done = std::move(done), reply = std::move(reply)]() mutable {
    std::move(done)(std::move(reply));
  });
}

void SimWorker::start_local_activity(core::LocalActivityStart start,
                                     absl::AnyInvocable<void(core::LocalActivityOutcome) &&> done) {
  locals_.start(start.seq, *start.activity, server_.run_id());
  local_ends_[start.seq] = std::move(done);
}

void SimWorker::cancel_local_activity(const core::RunContext&, std::uint32_t seq) {
  locals_.stop(seq);
}

void SimWorker::wake_after(std::chrono::nanoseconds delay, absl::AnyInvocable<void() &&> wake) {
  wakes_.emplace_back(steady_ + delay, std::move(wake));
}

// The worker waits for local activities alone: one ends, or the task's time is nearly over.
bool SimWorker::go_on_locally() {
  if (locals_.empty()) return false;
  if (auto end = locals_.next(started_event_id_)) {
    auto done = std::move(local_ends_[end->seq]);
    std::move(done)(std::move(end->outcome));
  } else {
    steady_ += std::chrono::hours(1);
    for (auto& [due, wake] : std::exchange(wakes_, {})) std::move(wake)();
  }
  run_prompt();
  return true;
}

void SimWorker::respond_completed(std::shared_ptr<RespondWorkflowTaskCompletedRequest> request,
                                  Done<CompletedReply> done) {
  if (request->task_token() == kOther) {
    prompt_.push_back([done = std::move(done)]() mutable {
      std::move(done)(std::make_shared<CompletedReply>());
    });
    return;
  }
  Tokens tokens = tokens_[request->task_token()];
  server_.completed(std::move(request), [this, tokens = std::move(tokens),
                                         done = std::move(done)](SimServer::Reply reply) mutable {
    if (!reply.status.ok()) {
      prompt_.push_back(
          [done = std::move(done), status = reply.status]() mutable { std::move(done)(status); });
      return;
    }
    auto out = std::make_shared<CompletedReply>();
    out->set_reset_history_event_id(reply.reset_history_event_id);
    if (reply.task) {
      tokens->push_back(reply.task->token);
      tokens_[reply.task->token] = tokens;
      fill(*std::move(reply.task), *out->mutable_workflow_task());
    }
    prompt_.push_back([done = std::move(done), out = std::move(out)]() mutable {
      std::move(done)(std::move(out));
    });
  });
}

void SimWorker::respond_failed(std::unique_ptr<RespondWorkflowTaskFailedRequest> request,
                               absl::AnyInvocable<void(absl::Status) &&> done) {
  server_.failed(
      std::move(request), [this, done = std::move(done)](SimServer::Reply reply) mutable {
        prompt_.push_back(
            [done = std::move(done), status = reply.status]() mutable { std::move(done)(status); });
      });
}

void SimWorker::respond_query(std::unique_ptr<RespondQueryTaskCompletedRequest> request,
                              absl::AnyInvocable<void(absl::Status) &&> done) {
  server_.query_answered(
      std::move(request), [this, done = std::move(done)](SimServer::Reply reply) mutable {
        prompt_.push_back(
            [done = std::move(done), status = reply.status]() mutable { std::move(done)(status); });
      });
}

}  // namespace chimera::sim
