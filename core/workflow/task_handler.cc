#include "core/workflow/task_handler.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/base/check.h"
#include "core/base/proto_time.h"
#include "core/base/utf8.h"
#include "core/workflow/alarms.h"
#include "core/workflow/payload_size.h"
#include "core/workflow/run_cache.h"

namespace chimera::core {

namespace enums = api::enums::v1;
using api::workflowservice::v1::PollWorkflowTaskQueueResponse;
using api::workflowservice::v1::RespondQueryTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskFailedRequest;

namespace {

struct Entry;
using EntryPtr = std::shared_ptr<Entry>;

// A run in the cache, or on its way in or out.
struct Entry {
  Entry(RunContext context_in, RunOptions options, WorkflowLanguage& language_in)
      : context(std::move(context_in)), run(std::move(options)), language(language_in) {}

  RunContext context;
  WorkflowRun run;
  WorkflowLanguage& language;
  std::unique_ptr<WorkflowInstance> instance;  // Made with the first activation.

  bool evicting = false;
  WorkflowTask task;                        // Under way; empty when the run is idle.
  std::optional<WorkflowTask> waiting;      // Behind it: only the newest counts,
  std::deque<WorkflowTask> queries;         // and queries, which all do.
  std::optional<WorkflowTask> inline_task;  // Came in the reply to the task under way.
  base::SteadyTime task_began{}, replay_ended{};
  enums::WorkflowExecutionStatus ending{};  // What the completion under way makes of the run.
  base::WallTime started{};

  bool stepping = false;
  bool local_work = false;          // As of its last step.
  Alarms<EntryPtr>::Alarm wake_up;  // While its task wants to be asked.

  bool busy() const { return evicting || stepping || task.message || !run.idle(); }
};

enums::WorkflowExecutionStatus ending_of(
    const api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request) {
  for (const auto& command : request.commands()) {
    switch (command.command_type()) {
      case enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION:
        return enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
      case enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION:
        return enums::WORKFLOW_EXECUTION_STATUS_FAILED;
      case enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION:
        return enums::WORKFLOW_EXECUTION_STATUS_CANCELED;
      case enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION:
        return enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW;
      default:
        break;
    }
  }
  return enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED;
}

// A history that goes on in further pages may hold what the first does not.
bool may_have_crashed(const PollWorkflowTaskQueueResponse& task) {
  const auto& events = task.history().events();
  return task.attempt() > 1 || !task.next_page_token().empty() ||
         std::any_of(events.begin(), events.end(), [](const auto& event) {
           return event.event_type() == api::enums::v1::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT;
         });
}

RunInput failed_activation(const absl::Status& status) {
  Completion::Failure failure;
  failure.failure.set_message(base::valid_utf8(std::string(status.message())));
  failure.failure.mutable_application_failure_info();
  return LanguageDone{Completion{std::move(failure)}};
}

// What becomes of a task whose answer was not sent: the cause, and the failure's type.
struct Unsent {
  enums::WorkflowTaskFailedCause cause;
  const char* reason;
};
// Not GRPC_MESSAGE_TOO_LARGE, over which server 1.32 terminates the workflow.
constexpr Unsent kTooLarge{enums::WORKFLOW_TASK_FAILED_CAUSE_PAYLOADS_TOO_LARGE,
                           "PayloadsTooLarge"};
constexpr Unsent kNotStored{enums::WORKFLOW_TASK_FAILED_CAUSE_EXTERNAL_STORAGE_FAILURE,
                            "ExternalStorageError"};

// Null: it was sent.
const Unsent* unsent_by(const absl::Status& status) {
  if (status.ok()) return nullptr;
  if (status.GetPayload(kValueNotStored)) return &kNotStored;
  return status.GetPayload(kAnswerTooLarge) || status.GetPayload(kValueTooLarge) ? &kTooLarge
                                                                                 : nullptr;
}

void end_task(Entry& entry, Alarms<EntryPtr>& alarms) {
  alarms.drop(entry.wake_up);
  entry.task = {};
}

}  // namespace

class TaskHandler::State {
 public:
  State(TaskHandlerOptions options, TaskHandlerIo& io, TaskHandlerObserver& observer,
        base::Clock& clock)
      : options_(std::move(options)),
        io_(io),
        observer_(observer),
        clock_(clock),
        cache_(std::max<std::size_t>(options_.cached_runs_max, 1), options_.cached_bytes_max),
        alarms_(
            clock, [this](auto delay, auto work) { io_.wake_after(delay, std::move(work)); },
            [this](const EntryPtr& entry) {
              if (!entry->run.idle()) step(entry, Time{});
            }) {}

  void handle(WorkflowTask task);
  void begin_drain();
  bool drained() const { return cache_.size() == 0 && waiting_for_room_.empty(); }
  std::size_t cached_runs() const { return cache_.size(); }

 private:
  void admit(WorkflowTask task);
  void start(const EntryPtr& entry, WorkflowTask task);
  void enqueue(Entry& entry, WorkflowTask task);
  void step(const EntryPtr& entry, RunInput input);
  // What the run is told at once, where its answer is at hand.
  using Next = std::optional<RunInput>;
  Next carry_out(const EntryPtr& entry, Activate& output);
  Next carry_out(const EntryPtr& entry, FetchPage& output);
  Next carry_out(const EntryPtr& entry, SendCompletion& output);
  Next carry_out(const EntryPtr& entry, SendFailure& output);
  Next carry_out(const EntryPtr& entry, AnswerLegacyQuery& output);
  Next carry_out(const EntryPtr& entry, DropTask& output);
  Next carry_out(const EntryPtr& entry, StartLocalActivity& output);
  Next carry_out(const EntryPtr& entry, CancelLocalActivity& output);
  Next carry_out(const EntryPtr& entry, WakeAt& output);
  Next carry_out(const EntryPtr& entry, Evicted& output);
  void completed(const EntryPtr& entry,
                 absl::StatusOr<std::shared_ptr<TaskHandlerIo::CompletedReply>> reply);
  void idle(const EntryPtr& entry);
  void evict(const EntryPtr& entry, EvictionReason reason, std::string message);
  void leaves(Entry& entry);
  void count_local_work(Entry& entry);
  void admit_waiting();
  bool measures() const { return !options_.values_are_stored || !options_.values_are_stored(); }
  bool has_room() const { return cache_.size() < cache_.runs_max() + local_runs_; }
  void make_room();
  void refuse(const WorkflowTask& task, const std::string& why);
  Next report_unsent(const EntryPtr& entry, const Unsent& unsent, std::string why);

  const TaskHandlerOptions options_;
  TaskHandlerIo& io_;
  TaskHandlerObserver& observer_;
  base::Clock& clock_;
  RunCache<Entry> cache_;
  std::deque<WorkflowTask> waiting_for_room_;
  Alarms<EntryPtr> alarms_;
  std::size_t leaving_ = 0;  // Cached runs that are being evicted.
  // Runs with local activities: they come on top of the cache's bound, since they cannot leave.
  std::size_t local_runs_ = 0;
  bool draining_ = false;
};

void TaskHandler::State::handle(WorkflowTask task) {
  const std::string& run_id = task.message->workflow_execution().run_id();
  if (EntryPtr entry = cache_.find(run_id)) {
    if (entry->busy()) return enqueue(*entry, std::move(task));
    return start(entry, std::move(task));
  }
  if (!waiting_for_room_.empty() || (options_.cached_runs_max > 0 && !has_room())) {
    waiting_for_room_.push_back(std::move(task));
    return make_room();
  }
  admit(std::move(task));
}

// A run that is not cached.
void TaskHandler::State::admit(WorkflowTask task) {
  const PollWorkflowTaskQueueResponse& message = *task.message;
  RunContext context{message.workflow_execution().workflow_id(),
                     message.workflow_execution().run_id(),
                     message.workflow_type().name(),
                     options_.task_queue,
                     options_.namespace_,
                     may_have_crashed(message)};
  WorkflowLanguage* language = options_.language_of(context.workflow_type);
  if (!language) {
    return refuse(task, absl::StrCat("Workflow class ", context.workflow_type,
                                     " is not registered on this worker, available workflows: ",
                                     options_.known_types));
  }
  RunOptions options;
  options.context = context;
  options.identity = language->identity();
  options.sdk_metadata = options_.sdk_metadata;
  options.own_deployment_version = options_.own_deployment_version;
  options.nondeterminism_fails_workflow =
      options_.nondeterminism_fails_workflow &&
      options_.nondeterminism_fails_workflow(context.workflow_type);
  const std::string run_id = context.run_id;
  auto entry = std::make_shared<Entry>(std::move(context), std::move(options), *language);
  cache_.insert(run_id, entry);
  observer_.cache_size(cache_.size());
  if (message.history().events().empty() || message.history().events(0).event_id() > 1)
    observer_.cache_miss();
  start(entry, std::move(task));
}

void TaskHandler::State::start(const EntryPtr& entry, WorkflowTask task) {
  const auto& events = task.message->history().events();
  const std::int64_t applied = entry->run.last_processed_event_id();
  if (applied > 0) {
    if (!events.empty() && events[0].event_id() > applied + 1) {
      // Tasks went to others meanwhile: what we hold is old. Begin again with the whole history.
      enqueue(*entry, std::move(task));
      return evict(entry, EvictionReason::kCacheMiss,
                   "the task's history begins after what the cached run knows");
    }
    observer_.cache_hit(entry->context.workflow_type);
  }
  entry->task = std::move(task);
  entry->task_began = clock_.steady();
  entry->replay_ended = {};
  const auto& message = entry->task.message;
  auto page =
      std::make_shared<HistoryPage>(message, &message->history(), message->next_page_token());
  step(entry, TaskInput{message, std::move(page)});
}

void TaskHandler::State::enqueue(Entry& entry, WorkflowTask task) {
  if (task.message->has_query()) {
    entry.queries.push_back(std::move(task));
  } else {
    entry.waiting = std::move(task);  // The server gave up on an older one.
  }
}

void TaskHandler::State::step(const EntryPtr& entry, RunInput input) {
  CHIMERA_CHECK(!entry->stepping, "an answer came inside the call that asked for it");
  entry->stepping = true;
  std::vector<RunOutput> outputs;
  for (Next next = std::move(input); next;) {
    observer_.running(&entry->context, entry->task.message.get());
    entry->run.step(*std::move(next), outputs);
    observer_.running(nullptr, nullptr);
    next = std::nullopt;
    for (RunOutput& output : outputs) {
      CHIMERA_CHECK(!next, "a run goes on although it waits for an answer");
      next = std::visit([&](auto& one) { return carry_out(entry, one); }, output);
    }
    outputs.clear();
  }
  entry->stepping = false;
  count_local_work(*entry);
  idle(entry);
}

void TaskHandler::State::count_local_work(Entry& entry) {
  const bool now = entry.run.has_local_work();
  if (now == std::exchange(entry.local_work, now)) return;
  if (!now) {
    --local_runs_;
    return;
  }
  ++local_runs_;
  admit_waiting();
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, Activate& output) {
  if (!output.activation->is_replaying && entry->replay_ended == base::SteadyTime{}) {
    entry->replay_ended = clock_.steady();
  }
  const Job& first = output.activation->jobs.front();
  if (std::holds_alternative<RemoveFromCache>(first)) leaves(*entry);
  if (const auto* initialize = std::get_if<InitializeWorkflow>(&first))
    entry->started = initialize->start_time;
  if (!entry->instance) {
    if (std::holds_alternative<RemoveFromCache>(first))
      return LanguageDone{Completion{Completion::Success{}}};
    auto instance = entry->language.create(entry->context);
    if (!instance.ok()) return failed_activation(instance.status());
    entry->instance = *std::move(instance);
  }
  observer_.running(&entry->context, entry->task.message.get());
  std::optional<Completion> completion = entry->instance->activate(
      std::move(output.activation), [this, entry = entry](Completion later) mutable {
        io_.post([this, entry = std::move(entry), later = std::move(later)]() mutable {
          step(entry, LanguageDone{std::move(later)});
        });
      });
  observer_.running(nullptr, nullptr);
  if (!completion) return std::nullopt;
  return LanguageDone{*std::move(completion)};
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry,
                                                       StartLocalActivity& output) {
  const std::uint32_t seq = output.seq;
  io_.start_local_activity({entry->context, seq, std::move(output.activity)},
                           [this, entry, seq](LocalActivityOutcome outcome) {
                             step(entry, LocalActivityDone{seq, std::move(outcome)});
                           });
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry,
                                                       CancelLocalActivity& output) {
  io_.cancel_local_activity(entry->context, output.seq);
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, WakeAt& output) {
  alarms_.set(entry->wake_up, entry->task_began + output.since_task, entry);
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, FetchPage& output) {
  io_.fetch_history(
      entry->task.message->workflow_execution(), std::move(output.next_page_token),
      [this, entry](absl::StatusOr<std::shared_ptr<TaskHandlerIo::HistoryReply>> reply) {
        if (!reply.ok()) return step(entry, PageInput{reply.status()});
        auto page = std::make_shared<HistoryPage>(*reply, &(*reply)->history(),
                                                  (*reply)->next_page_token());
        step(entry, PageInput{std::move(page)});
      });
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry,
                                                       SendCompletion& output) {
  if (measures()) {
    if (!output.request->query_results().empty())
      bound_answers(*output.request, options_.payload_bytes_max);
    if (std::string why = too_large(*output.request, options_.payload_bytes_max); !why.empty())
      return report_unsent(entry, kTooLarge, std::move(why));
  }
  output.request->set_resource_id(absl::StrCat("workflow:", entry->context.workflow_id));
  entry->ending = ending_of(*output.request);
  const base::SteadyTime now = clock_.steady();
  observer_.task_done(entry->context.workflow_type, now - entry->task_began,
                      entry->replay_ended == base::SteadyTime{}
                          ? std::chrono::nanoseconds{}
                          : entry->replay_ended - entry->task_began);
  io_.respond_completed(
      std::move(output.request),
      [this, entry](absl::StatusOr<std::shared_ptr<TaskHandlerIo::CompletedReply>> reply) {
        completed(entry, std::move(reply));
      });
  return std::nullopt;
}

// An answer that the server does not take, or would end the workflow over: a mended version of its
// code can do better. Or one that cannot be sent now.
TaskHandler::State::Next TaskHandler::State::report_unsent(const EntryPtr& entry,
                                                           const Unsent& unsent, std::string why) {
  const int attempt = entry->task.message->attempt();
  observer_.task_failed(
      {.run = entry->context, .attempt = attempt, .reason = unsent.reason, .message = why});
  const auto held_back = [] {
    return ReplyInput{absl::CancelledError("the task's commands were held back")};
  };
  if (attempt > 1) {  // Reported once, as other failures.
    end_task(*entry, alarms_);
    return held_back();
  }
  auto request = std::make_unique<RespondWorkflowTaskFailedRequest>();
  request->set_task_token(entry->task.message->task_token());
  request->set_cause(unsent.cause);
  request->mutable_failure()->set_message(std::move(why));
  request->mutable_failure()->mutable_application_failure_info()->set_type(unsent.reason);
  io_.respond_failed(std::move(request), [this, entry, held_back](const absl::Status&) {
    end_task(*entry, alarms_);
    step(entry, held_back());
  });
  return std::nullopt;
}

void TaskHandler::State::completed(
    const EntryPtr& entry, absl::StatusOr<std::shared_ptr<TaskHandlerIo::CompletedReply>> reply) {
  const absl::Status& status = reply.status();
  if (const Unsent* unsent = unsent_by(status)) {
    std::string why(status.message());
    if (status.GetPayload(kAnswerTooLarge))
      why.insert(0,
                 "the task's answer is larger than a message to the server may be; pass less data "
                 "in one go, or store it elsewhere and pass where it is. ");
    Next next = report_unsent(entry, *unsent, std::move(why));
    if (next) step(entry, *std::move(next));
    return;
  }
  WorkflowTask done = std::move(entry->task);
  end_task(*entry, alarms_);
  if (!reply.ok()) observer_.answer_refused(entry->context, reply.status());
  ReplyInput input{reply.status()};
  if (reply.ok()) {
    input.reset_history_event_id = (*reply)->reset_history_event_id();
    if ((*reply)->has_workflow_task()) {
      // The inline task goes on with the slot of the one that it answers.
      entry->inline_task = WorkflowTask{
          std::shared_ptr<const PollWorkflowTaskQueueResponse>(*reply, &(*reply)->workflow_task()),
          done.permit};
    }
    if (entry->ending != enums::WORKFLOW_EXECUTION_STATUS_UNSPECIFIED) {
      const std::chrono::nanoseconds whole = entry->started == base::WallTime{}
                                                 ? std::chrono::nanoseconds{}
                                                 : clock_.now() - entry->started;
      observer_.workflow_ended(entry->context.workflow_type, entry->ending, whole);
    }
  }
  step(entry, std::move(input));
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, SendFailure& output) {
  observer_.task_failed({.run = entry->context,
                         .attempt = entry->task.message ? entry->task.message->attempt() : 1,
                         .reason = failure_reason(output.request->cause()),
                         .message = output.request->failure().message()});
  io_.respond_failed(std::move(output.request), [this, entry](absl::Status status) {
    end_task(*entry, alarms_);
    step(entry, ReplyInput{std::move(status)});
  });
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry,
                                                       AnswerLegacyQuery& output) {
  if (measures()) bound_answer(*output.request, options_.payload_bytes_max);
  // Nothing waits for the reply: a query that got lost is the client's to repeat.
  io_.respond_query(std::move(output.request),
                    [permit = std::move(entry->task.permit)](absl::Status) {});
  end_task(*entry, alarms_);
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, DropTask& output) {
  if (output.failure_reason != nullptr) {
    observer_.task_failed(
        {.run = entry->context,
         .attempt = entry->task.message ? entry->task.message->attempt() : 1,
         .reason = output.failure_reason,
         .message = absl::StrCat(output.why, " (the server tries the task again later)")});
  }
  end_task(*entry, alarms_);
  return std::nullopt;
}

TaskHandler::State::Next TaskHandler::State::carry_out(const EntryPtr& entry, Evicted&) {
  leaves(*entry);
  --leaving_;
  end_task(*entry, alarms_);
  entry->instance.reset();
  const std::string& run_id = entry->context.run_id;
  cache_.erase(run_id);
  observer_.cache_size(cache_.size());
  // What still waits for the run starts it anew, once this step is over.
  std::vector<WorkflowTask> again;
  if (entry->waiting) {
    again.push_back(*std::move(entry->waiting));
  } else if (entry->inline_task) {
    again.push_back(*std::move(entry->inline_task));
  }
  for (WorkflowTask& query : entry->queries) again.push_back(std::move(query));
  entry->waiting.reset();
  entry->inline_task.reset();
  entry->queries.clear();
  for (WorkflowTask& task : again) handle(std::move(task));
  admit_waiting();
  return std::nullopt;
}

void TaskHandler::State::admit_waiting() {
  while (!waiting_for_room_.empty() && has_room()) {
    WorkflowTask task = std::move(waiting_for_room_.front());
    waiting_for_room_.pop_front();
    EntryPtr cached = cache_.find(task.message->workflow_execution().run_id());
    if (cached) {
      enqueue(*cached, std::move(task));
      idle(cached);
    } else {
      admit(std::move(task));
    }
  }
}

// After each step: what the run does next when it has nothing to do.
void TaskHandler::State::idle(const EntryPtr& entry) {
  if (entry->busy()) return;
  if (entry->waiting) {
    entry->inline_task.reset();
    return start(entry, *std::exchange(entry->waiting, std::nullopt));
  }
  if (entry->inline_task) return start(entry, *std::exchange(entry->inline_task, std::nullopt));
  if (!entry->queries.empty()) {
    WorkflowTask query = std::move(entry->queries.front());
    entry->queries.pop_front();
    return start(entry, std::move(query));
  }
  if (draining_) return evict(entry, EvictionReason::kLangRequested, "the worker shuts down");
  if (options_.cached_runs_max == 0)
    return evict(entry, EvictionReason::kCacheFull, "Workflow cache full");
  cache_.set_bytes(
      entry->context.run_id,
      entry->run.memory_bytes() + (entry->instance ? entry->instance->memory_bytes() : 0));
  make_room();
}

void TaskHandler::State::evict(const EntryPtr& entry, EvictionReason reason, std::string message) {
  leaves(*entry);
  step(entry, EvictInput{reason, std::move(message)});
}

// From here on the run counts no more, but it holds its place until the language has let it go.
void TaskHandler::State::leaves(Entry& entry) {
  if (std::exchange(entry.evicting, true)) return;
  ++leaving_;
  cache_.set_bytes(entry.context.run_id, 0);
}

void TaskHandler::State::make_room() {
  const auto may_leave = [](const Entry& entry) {
    return !entry.busy() && !entry.run.has_local_work();
  };
  const auto too_many_runs = [this] {
    return waiting_for_room_.size() + cache_.size() > cache_.runs_max() + leaving_ + local_runs_;
  };
  while (too_many_runs() || cache_.too_many_bytes()) {
    EntryPtr oldest = cache_.oldest(may_leave);
    if (!oldest) return;  // All are at work; the first to become idle leaves.
    observer_.forced_eviction();
    evict(oldest, EvictionReason::kCacheFull, "Workflow cache full");
  }
}

// A task for a type that nobody runs here.
void TaskHandler::State::refuse(const WorkflowTask& task, const std::string& why) {
  const PollWorkflowTaskQueueResponse& message = *task.message;
  if (message.has_query()) {
    auto request = std::make_unique<RespondQueryTaskCompletedRequest>();
    request->set_task_token(message.task_token());
    request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
    request->set_error_message(why);
    return io_.respond_query(std::move(request), [permit = task.permit](absl::Status) {});
  }
  observer_.task_failed({.run = {.workflow_id = message.workflow_execution().workflow_id(),
                                 .run_id = message.workflow_execution().run_id(),
                                 .workflow_type = message.workflow_type().name()},
                         .attempt = message.attempt(),
                         .reason = "WorkflowError",
                         .message = why});
  if (message.attempt() > 1)
    return;  // Reported once; then the server's task timeout makes the pauses.
  auto request = std::make_unique<RespondWorkflowTaskFailedRequest>();
  request->set_task_token(message.task_token());
  request->set_cause(enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE);
  request->mutable_failure()->set_message(why);
  request->mutable_failure()->mutable_application_failure_info()->set_type("NotFoundError");
  io_.respond_failed(std::move(request), [permit = task.permit](absl::Status) {});
}

void TaskHandler::State::begin_drain() {
  draining_ = true;
  const auto may_leave = [](const Entry& entry) { return !entry.busy(); };
  while (EntryPtr entry = cache_.oldest(may_leave)) {
    evict(entry, EvictionReason::kLangRequested, "the worker shuts down");
  }
}

TaskHandler::TaskHandler(TaskHandlerOptions options, TaskHandlerIo& io,
                         TaskHandlerObserver& observer, base::Clock& clock)
    : state_(std::make_unique<State>(std::move(options), io, observer, clock)) {}

TaskHandler::~TaskHandler() {
  CHIMERA_CHECK(drained(), "a task handler ends only when it is drained");
}

void TaskHandler::handle(WorkflowTask task) { state_->handle(std::move(task)); }
void TaskHandler::begin_drain() { state_->begin_drain(); }
bool TaskHandler::drained() const { return state_->drained(); }
std::size_t TaskHandler::cached_runs() const { return state_->cached_runs(); }

}  // namespace chimera::core
