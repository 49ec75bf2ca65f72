#include "core/workflow/run.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/converter/failure_size.h"
#include "core/workflow/run_state.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
using api::workflowservice::v1::RespondQueryTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskCompletedRequest;
using api::workflowservice::v1::RespondWorkflowTaskFailedRequest;

constexpr char kLegacyQuery[] = "legacy_query";

// Jobs of an activation come in this order; within a class, as they came (as in sdk-core 1.35).
int job_class(const Job& job) {
  if (std::holds_alternative<InitializeWorkflow>(job)) return 0;
  if (std::holds_alternative<NotifyHasPatch>(job) || std::holds_alternative<NotifyRecorded>(job))
    return 1;
  if (std::holds_alternative<UpdateRandomSeed>(job)) return 2;
  if (std::holds_alternative<SignalWorkflow>(job) || std::holds_alternative<DoUpdate>(job))
    return 3;
  if (const auto* activity = std::get_if<ResolveActivity>(&job); activity && activity->is_local)
    return 5;
  return 4;
}

api::failure::v1::Failure application_failure(std::string message, std::string_view source) {
  api::failure::v1::Failure failure;
  failure.set_message(base::valid_utf8(std::move(message)));
  failure.set_source(std::string(source));
  failure.mutable_application_failure_info();
  return failure;
}

}  // namespace

WorkflowRun::WorkflowRun(RunOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
WorkflowRun::~WorkflowRun() = default;
void WorkflowRun::step(RunInput input, std::vector<RunOutput>& outputs) {
  state_->step(std::move(input), outputs);
}
bool WorkflowRun::idle() const { return state_->idle(); }
bool WorkflowRun::has_local_work() const { return state_->has_local_work(); }
bool WorkflowRun::ended() const { return state_->ended(); }
std::int64_t WorkflowRun::last_processed_event_id() const { return state_->last_processed(); }
std::size_t WorkflowRun::memory_bytes() const { return state_->memory_bytes(); }

void WorkflowRun::State::step(RunInput input, std::vector<RunOutput>& outputs) {
  outputs_ = &outputs;
  std::visit([this](auto& value) { on(std::move(value)); }, input);
  outputs_ = nullptr;
}

void WorkflowRun::State::on(TaskInput input) {
  CHIMERA_CHECK(phase_ == Phase::kIdle, "a task for a run that is busy");
  task_ = std::move(input.task);
  asking_queries_ = asked_queries_ = false;
  query_answers_.clear();
  caught_up_ = wake_asked_ = heartbeat_due_ = false;
  const bool query_only = task_->has_query();
  if (query_only && !task_->queries().empty()) {
    return fail_task(absl::InvalidArgumentError("the task has both a legacy query and queries"));
  }
  previous_started_ = task_->previous_started_event_id();
  // A task that ran between question and dispatch has left the run newer than the question: answer
  // from there. (The official core refuses with "Query expired".)
  if (query_only && last_processed_ > 0) {
    previous_started_ = std::max(previous_started_, started_event_id_);
  }
  if (last_processed_ == 0) replaying_ = previous_started_ > 0 || options_.replay_only;
  queue_messages();
  const std::int64_t first = first_event_id(*input.page);
  const bool from_start = last_processed_ == 0 && first != 1;
  if (from_start) {
    tail_ = std::move(input.page);
    return fetch(/*from_start=*/true);
  }
  next_page_token_ = input.page->next_page_token();
  if (!buffer_.append(std::move(input.page), last_processed_)) {
    return fail_task(
        absl::DataLossError(absl::StrCat("the history has a gap: it goes on at event ", first,
                                         ", but the last one applied is ", last_processed_)));
  }
  proceed();
}

void WorkflowRun::State::on(PageInput input) {
  CHIMERA_CHECK(phase_ == Phase::kPage, "a page that nobody asked for");
  if (!input.page.ok()) {
    if (task_->has_query()) {
      outputs_->push_back(DropTask{absl::StrCat("the history for a query could not be fetched: ",
                                                std::string(input.page.status().message())),
                                   "WorkflowError"});
      end_task();
      return evict(EvictionReason::kPaginationOrHistoryFetch,
                   std::string(input.page.status().message()));
    }
    return fail_task(absl::DataLossError(
        absl::StrCat("the history could not be fetched: ", input.page.status().ToString())));
  }
  std::shared_ptr<const HistoryPage> page = *std::move(input.page);
  next_page_token_ = page->next_page_token();
  bool whole = buffer_.append(std::move(page), last_processed_);
  if (next_page_token_.empty() && tail_)
    whole = buffer_.append(std::move(tail_), last_processed_) && whole;
  if (!whole) return fail_task(absl::DataLossError("the history has a gap between its pages"));
  proceed();
}

void WorkflowRun::State::on(LanguageDone input) {
  if (phase_ == Phase::kEvicting) {
    phase_ = Phase::kGone;
    outputs_->push_back(Evicted{eviction_, eviction_message_});
    return;
  }
  CHIMERA_CHECK(phase_ == Phase::kLanguage, "a completion without an activation");
  if (auto* failure = std::get_if<Completion::Failure>(&input.completion.status)) {
    if (asking_queries_ && task_->has_query())
      return refuse_legacy_query(failure->failure.message());
    const bool nondeterminism =
        failure->cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
    if (nondeterminism && fails_workflow()) return fail_workflow(std::move(failure->failure));
    return fail_task(std::move(failure->failure), failure->cause,
                     nondeterminism ? EvictionReason::kNondeterminism : EvictionReason::kLangFail);
  }
  auto& success = std::get<Completion::Success>(input.completion.status);
  if (asking_queries_) {
    take_query_answers(success.commands);
    asking_queries_ = false;
    asked_queries_ = true;
    return finish_task();
  }
  versioning_behavior_ = success.versioning_behavior;
  flags_.used_by_language(success.used_internal_flags);
  if (absl::Status status = take(success.commands); !status.ok()) return fail_task(status);
  if (terminal_commanded_) {
    jobs_.clear();
    let_go_local();
  }
  proceed();
}

void WorkflowRun::State::on(ReplyInput input) {
  CHIMERA_CHECK(phase_ == Phase::kReply, "a reply that nobody waits for");
  end_task();
  if (eviction_ != EvictionReason::kUnspecified)
    return evict(eviction_, std::move(eviction_message_));
  if (absl::IsNotFound(input.status)) {
    return evict(EvictionReason::kTaskNotFound, "the server no longer waits for this task");
  }
  if (absl::IsInvalidArgument(input.status) &&
      absl::StrContains(input.status.message(), "UnhandledCommand")) {
    return evict(EvictionReason::kUnhandledCommand, "new events came before the task's completion");
  }
  if (!input.status.ok()) return evict(EvictionReason::kFatal, input.status.ToString());
  if (terminal_commanded_) {
    ended_ = true;
    return evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
  }
  if (dropped_) return evict(EvictionReason::kLangRequested, "the worker shuts down");
  if (input.reset_history_event_id > 0) {
    // The task was speculative and has left no trace: its Scheduled and Started will be told anew
    // (sdk-core 1.35).
    started_event_id_ = input.reset_history_event_id;
    last_processed_ -= 2;
  }
}

void WorkflowRun::State::on(EvictInput input) {
  CHIMERA_CHECK(phase_ == Phase::kIdle, "eviction of a run that is busy");
  evict(input.reason, std::move(input.message));
}

void WorkflowRun::State::fetch(bool from_start) {
  phase_ = Phase::kPage;
  outputs_->push_back(FetchPage{next_page_token_, from_start});
}

void WorkflowRun::State::proceed() {
  for (;;) {
    if (!terminal_commanded_) {
      if (caught_up_) settle();
      release_ahead(/*at_rest=*/false);
    }
    if (!jobs_.empty() || (!terminal_commanded_ && release_ahead(/*at_rest=*/true)))
      return dispatch();
    const Batch batch = next_batch(buffer_.events(), next_page_token_.empty());
    if (batch.kind == Batch::Kind::kNeedMore) return fetch(/*from_start=*/false);
    if (batch.kind == Batch::Kind::kNone) break;
    if (absl::Status status = apply(up_to_query(batch)); !status.ok()) return fail_task(status);
  }
  if (last_processed_ < task_->started_event_id()) {
    return fail_task(
        absl::DataLossError(absl::StrCat("the history ends at event ", last_processed_,
                                         ", but the task began with ", task_->started_event_id())));
  }
  if (absl::Status status =
          options_.replay_only || task_->has_query() ? check_confirmed(nullptr) : absl::OkStatus();
      !status.ok()) {
    return fail_task(status);
  }
  finish_task();
}

// A query's history may go on behind the last task that was answered: a signal came since. That
// belongs to a task to come, at that task's time; only the answered task's commands are applied.
Batch WorkflowRun::State::up_to_query(const Batch& batch) {
  const auto events = buffer_.events();
  if (!task_->has_query() || started_event_id_ == 0 ||
      started_event_id_ < task_->previous_started_event_id() ||
      is_final_event(events.back()->event_type()))
    return batch;
  std::size_t end = 0;
  if (events[0]->event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) ++end;
  while (end < events.size() && end > 0 && is_command_event(events[end]->event_type())) ++end;
  buffer_.truncate(end);
  next_page_token_.clear();
  return {Batch::Kind::kComplete, end, end};
}

std::shared_ptr<Activation> WorkflowRun::State::make_activation() const {
  auto activation = std::make_shared<Activation>();
  activation->run_id = options_.context.run_id;
  activation->time = time_;
  activation->is_replaying = replaying_;
  activation->history_length = static_cast<std::uint32_t>(last_processed_);
  activation->history_size_bytes = history_size_;
  activation->continue_as_new_suggested = suggest_continue_as_new_;
  activation->suggest_continue_as_new_reasons = suggest_reasons_;
  activation->target_worker_deployment_version_changed = target_version_changed_;
  activation->deployment_version_for_current_task =
      replaying_ ? deployment_version_ : options_.own_deployment_version;
  activation->available_internal_flags = flags_.of_language();
  activation->last_sdk_version = flags_.sdk_version();
  return activation;
}

void WorkflowRun::State::dispatch() {
  std::stable_sort(jobs_.begin(), jobs_.end(),
                   [](const Job& a, const Job& b) { return job_class(a) < job_class(b); });
  std::shared_ptr<Activation> activation = make_activation();
  activation->jobs = std::move(jobs_);
  activation->keep_alive = std::move(keep_alive_);
  jobs_.clear();
  keep_alive_.clear();
  language_knows_ = true;
  ++activations_;
  phase_ = Phase::kLanguage;
  outputs_->push_back(Activate{std::move(activation)});
}

// Queries come after all else, alone.
bool WorkflowRun::State::ask_queries() {
  if (asked_queries_ || (!task_->has_query() && task_->queries().empty())) return false;
  std::shared_ptr<Activation> activation = make_activation();
  activation->is_replaying = true;
  if (task_->has_query()) {
    activation->jobs.push_back(QueryWorkflow{kLegacyQuery, &task_->query()});
  }
  const std::map<std::string, const api::query::v1::WorkflowQuery*> queries = [this] {
    std::map<std::string, const api::query::v1::WorkflowQuery*> sorted;
    for (const auto& [id, query] : task_->queries()) sorted.emplace(id, &query);
    return sorted;
  }();
  for (const auto& [id, query] : queries) activation->jobs.push_back(QueryWorkflow{id, query});
  activation->keep_alive.push_back(task_);
  asking_queries_ = true;
  phase_ = Phase::kLanguage;
  outputs_->push_back(Activate{std::move(activation)});
  return true;
}

void WorkflowRun::State::take_query_answers(std::vector<Command>& commands) {
  for (Command& command : commands) {
    if (auto* answer = std::get_if<RespondToQuery>(&command.variant))
      query_answers_.push_back(std::move(*answer));
  }
}

void WorkflowRun::State::finish_task() {
  if (ask_queries()) return;
  if (task_->has_query()) return answer_legacy_query();
  if (options_.replay_only) {
    outputs_->push_back(DropTask{"replayed"});
    return end_task();
  }
  if (ended_) {
    outputs_->push_back(DropTask{"the run has ended"});
    end_task();
    return evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
  }
  if (!wait_for_local_work()) send_completion();
}

namespace {

void fill_answer(RespondToQuery& answer, api::query::v1::WorkflowQueryResult& result) {
  if (auto* payload = std::get_if<api::common::v1::Payload>(&answer.answer)) {
    result.set_result_type(enums::QUERY_RESULT_TYPE_ANSWERED);
    *result.mutable_answer()->add_payloads() = std::move(*payload);
  } else {
    auto& failure = std::get<api::failure::v1::Failure>(answer.answer);
    cut_causes(failure);
    shorten(failure, kFailureBytesMax);
    result.set_result_type(enums::QUERY_RESULT_TYPE_FAILED);
    result.set_error_message(failure.message());
    *result.mutable_failure() = std::move(failure);
  }
}

}  // namespace

void WorkflowRun::State::send_completion(bool heartbeat) {
  auto request = std::make_unique<RespondWorkflowTaskCompletedRequest>();
  request->set_task_token(task_->task_token());
  outgoing_.send(*request->mutable_commands());
  for (auto& message : messages_) request->mutable_messages()->AddAllocated(message.release());
  messages_.clear();
  for (RespondToQuery& answer : query_answers_) {
    fill_answer(answer, (*request->mutable_query_results())[answer.query_id]);
  }
  query_answers_.clear();
  if (options_.sdk_metadata) flags_.record(options_.identity, *request->mutable_sdk_metadata());
  request->mutable_metering_metadata()->set_nonfirst_local_activity_execution_attempts(
      std::exchange(later_attempts_, 0));
  request->set_force_create_new_workflow_task(heartbeat);
  // A worker that ends leaves the next task to others.
  request->set_return_new_workflow_task(heartbeat && !dropped_);
  request->set_versioning_behavior(versioning_behavior_);
  phase_ = Phase::kReply;
  outputs_->push_back(SendCompletion{std::move(request)});
}

void WorkflowRun::State::answer_legacy_query() {
  auto request = std::make_unique<RespondQueryTaskCompletedRequest>();
  request->set_task_token(task_->task_token());
  api::query::v1::WorkflowQueryResult result;
  const auto answer =
      std::find_if(query_answers_.begin(), query_answers_.end(),
                   [](const RespondToQuery& one) { return one.query_id == kLegacyQuery; });
  if (answer == query_answers_.end())
    return refuse_legacy_query("the workflow's code gave no answer to the query");
  fill_answer(*answer, result);
  request->set_completed_type(result.result_type());
  if (result.has_answer()) *request->mutable_query_result() = std::move(*result.mutable_answer());
  request->set_error_message(std::move(*result.mutable_error_message()));
  if (result.has_failure()) *request->mutable_failure() = std::move(*result.mutable_failure());
  outputs_->push_back(AnswerLegacyQuery{std::move(request)});
  end_task();
  if (ended_) evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
}

void WorkflowRun::State::refuse_legacy_query(const std::string& why) {
  auto request = std::make_unique<RespondQueryTaskCompletedRequest>();
  request->set_task_token(task_->task_token());
  request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
  request->set_error_message(why);
  outputs_->push_back(AnswerLegacyQuery{std::move(request)});
  end_task();
  if (ended_) evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
}

// What the option says of nondeterminism, where it can be done.
bool WorkflowRun::State::fails_workflow() const {
  return options_.nondeterminism_fails_workflow && task_ && !task_->has_query() &&
         !options_.replay_only;
}

void WorkflowRun::State::fail_task(const absl::Status& status) {
  const bool nondeterminism = absl::IsFailedPrecondition(status);
  auto failure =
      application_failure(std::string(status.message()), options_.identity.failure_source);
  if (nondeterminism && fails_workflow()) return fail_workflow(std::move(failure));
  const EvictionReason reason = nondeterminism ? EvictionReason::kNondeterminism
                                : absl::IsDataLoss(status)
                                    ? EvictionReason::kPaginationOrHistoryFetch
                                    : EvictionReason::kFatal;
  fail_task(std::move(failure),
            nondeterminism ? enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR
                           : enums::WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
            reason);
}

// Reported once: later attempts stay silent, so that the server's task timeout makes the pause
// between them.
void WorkflowRun::State::fail_task(api::failure::v1::Failure failure,
                                   enums::WorkflowTaskFailedCause cause, EvictionReason reason) {
  eviction_ = reason;
  eviction_message_ = absl::StrCat("Workflow activation completion failed: ", failure.message());
  cut_causes(failure);
  shorten(failure, kFailureBytesMax);
  if (task_->has_query()) {
    refuse_legacy_query(failure.message());
    if (phase_ == Phase::kIdle) evict(reason, eviction_message_);
    return;
  }
  if (task_->attempt() > 1) {
    outputs_->push_back(DropTask{failure.message(), failure_reason(cause)});
    end_task();
    return evict(reason, std::move(eviction_message_));
  }
  auto request = std::make_unique<RespondWorkflowTaskFailedRequest>();
  request->set_task_token(task_->task_token());
  request->set_cause(cause);
  *request->mutable_failure() = std::move(failure);
  phase_ = Phase::kReply;
  outputs_->push_back(SendFailure{std::move(request)});
}

void WorkflowRun::State::fail_workflow(api::failure::v1::Failure failure) {
  eviction_message_ = failure.message();
  eviction_ = EvictionReason::kNondeterminism;
  auto request = std::make_unique<RespondWorkflowTaskCompletedRequest>();
  request->set_task_token(task_->task_token());
  auto& command = *request->add_commands();
  command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
  *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
      std::move(failure);
  phase_ = Phase::kReply;
  outputs_->push_back(SendCompletion{std::move(request)});
}

void WorkflowRun::State::evict(EvictionReason reason, std::string message) {
  eviction_ = reason;
  eviction_message_ = std::move(message);
  jobs_.clear();
  keep_alive_.clear();
  let_go_local();
  if (!language_knows_) {
    phase_ = Phase::kGone;
    outputs_->push_back(Evicted{eviction_, eviction_message_});
    return;
  }
  auto activation = std::make_shared<Activation>();
  activation->run_id = options_.context.run_id;
  activation->time = time_;
  activation->history_length = static_cast<std::uint32_t>(last_processed_);
  activation->jobs.push_back(RemoveFromCache{reason, eviction_message_});
  phase_ = Phase::kEvicting;
  outputs_->push_back(Activate{std::move(activation)});
}

void WorkflowRun::State::end_task() {
  phase_ = Phase::kIdle;
  task_.reset();
  tail_.reset();
}

std::size_t WorkflowRun::State::memory_bytes() const {
  return sizeof(*this) + outgoing_.memory_bytes() +
         machines_.capacity() * (sizeof(Machines::value_type) + 1) + by_event_.capacity() * 17 +
         updates_.capacity() * (sizeof(UpdateMachine) + 32) + swallow_.capacity() * 9 +
         properties_.memory_bytes();
}

const char* failure_reason(enums::WorkflowTaskFailedCause cause) {
  return cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR ? "NonDeterminismError"
                                                                            : "WorkflowError";
}

}  // namespace chimera::core
