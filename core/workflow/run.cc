#include "core/workflow/run.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/base/check.h"
#include "core/base/utf8.h"
#include "core/converter/failure_size.h"
#include "core/workflow/nondeterminism.h"
#include "core/workflow/run_report.h"
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

// The language has reported it before it gave its commands.
void add_to_report(const RunData& run, api::failure::v1::Failure& failure) {
  const std::string around = report_surroundings(run);
  if (!around.empty()) failure.set_message(absl::StrCat(failure.message(), "\n", around));
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
  run_.outputs = &outputs;
  std::visit([this](auto& value) { on(std::move(value)); }, input);
  run_.outputs = nullptr;
}

void WorkflowRun::State::on(TaskInput input) {
  CHIMERA_CHECK(phase_ == Phase::kIdle, "a task for a run that is busy");
  run_.task = std::move(input.task);
  asking_queries_ = asked_queries_ = false;
  query_answers_.clear();
  run_.caught_up = false;
  run_.uncounted = 0;
  local_.begin_task();
  const bool query_only = run_.task->has_query();
  if (query_only && !run_.task->queries().empty()) {
    return fail_task(absl::InvalidArgumentError("the task has both a legacy query and queries"));
  }
  run_.previous_started = run_.task->previous_started_event_id();
  // A task that ran between question and dispatch has left the run newer than the question: answer
  // from there. (The official core refuses with "Query expired".)
  if (query_only && run_.last_processed > 0) {
    run_.previous_started = std::max(run_.previous_started, run_.started_event_id);
  }
  if (run_.last_processed == 0)
    run_.replaying = run_.previous_started > 0 || run_.options.replay_only;
  history_.queue_messages();
  const std::int64_t first = first_event_id(*input.page);
  const bool from_start = run_.last_processed == 0 && first != 1;
  if (from_start) {
    tail_ = std::move(input.page);
    return fetch(/*from_start=*/true);
  }
  run_.next_page_token = input.page->next_page_token();
  if (!run_.buffer.append(std::move(input.page), run_.last_processed)) {
    return fail_task(
        absl::DataLossError(absl::StrCat("the history has a gap: it goes on at event ", first,
                                         ", but the last one applied is ", run_.last_processed)));
  }
  proceed();
}

void WorkflowRun::State::on(PageInput input) {
  CHIMERA_CHECK(phase_ == Phase::kPage, "a page that nobody asked for");
  if (!input.page.ok()) {
    if (run_.task->has_query()) {
      run_.outputs->push_back(
          DropTask{absl::StrCat("the history for a query could not be fetched: ",
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
  run_.next_page_token = page->next_page_token();
  bool whole = run_.buffer.append(std::move(page), run_.last_processed);
  if (run_.next_page_token.empty() && tail_)
    whole = run_.buffer.append(std::move(tail_), run_.last_processed) && whole;
  if (!whole) return fail_task(absl::DataLossError("the history has a gap between its pages"));
  proceed();
}

void WorkflowRun::State::on(LanguageDone input) {
  if (phase_ == Phase::kEvicting) {
    phase_ = Phase::kGone;
    run_.outputs->push_back(Evicted{eviction_, eviction_message_});
    return;
  }
  CHIMERA_CHECK(phase_ == Phase::kLanguage, "a completion without an activation");
  if (auto* failure = std::get_if<Completion::Failure>(&input.completion.status)) {
    if (asking_queries_ && run_.task->has_query())
      return refuse_legacy_query(failure->failure.message());
    const bool nondeterminism =
        failure->cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR;
    if (nondeterminism) add_to_report(run_, failure->failure);
    if (nondeterminism && fails_workflow()) return fail_workflow(std::move(failure->failure));
    return fail_task(std::move(failure->failure), failure->cause,
                     nondeterminism ? EvictionReason::kNondeterminism : EvictionReason::kLangFail);
  }
  auto& success = std::get<Completion::Success>(input.completion.status);
  if (asking_queries_) {
    take_query_answers(success.commands);
    if (!success.unusable.empty()) {
      eviction_ = EvictionReason::kLangFail;
      eviction_message_ = std::move(success.unusable);
    }
    asking_queries_ = false;
    asked_queries_ = true;
    return finish_task();
  }
  versioning_behavior_ = success.versioning_behavior;
  run_.flags.used_by_language(success.used_internal_flags);
  if (absl::Status status = commands_.take(success.commands); !status.ok())
    return fail_task(status);
  if (run_.terminal_commanded) {
    run_.jobs.clear();
    local_.let_go();
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
  if (run_.terminal_commanded) {
    run_.ended = true;
    return evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
  }
  if (local_.dropped()) return evict(EvictionReason::kLangRequested, "the worker shuts down");
  if (input.reset_history_event_id > 0) {
    // The task was speculative and has left no trace: its Scheduled and Started will be told anew
    // (sdk-core 1.35).
    run_.started_event_id = input.reset_history_event_id;
    run_.last_processed -= 2;
  }
}

void WorkflowRun::State::on(EvictInput input) {
  CHIMERA_CHECK(phase_ == Phase::kIdle, "eviction of a run that is busy");
  evict(input.reason, std::move(input.message));
}

void WorkflowRun::State::on(LocalActivityDone input) {
  if (phase_ == Phase::kEvicting || phase_ == Phase::kGone) return;
  if (phase_ != Phase::kLocal) return local_.keep(std::move(input));
  local_.end(input);
  proceed();
}

void WorkflowRun::State::on(Time) {
  if (phase_ == Phase::kLocal) return send_completion(/*heartbeat=*/true);
  if (phase_ == Phase::kLanguage) local_.want_heartbeat();
}

void WorkflowRun::State::fetch(bool from_start) {
  phase_ = Phase::kPage;
  run_.outputs->push_back(FetchPage{run_.next_page_token, from_start});
}

void WorkflowRun::State::proceed() {
  for (;;) {
    if (!run_.terminal_commanded) {
      if (run_.caught_up) local_.settle();
      local_.release_ahead(/*at_rest=*/false);
    }
    if (!run_.jobs.empty() || (!run_.terminal_commanded && local_.release_ahead(/*at_rest=*/true)))
      return dispatch();
    const Batch batch = next_batch(run_.buffer.events(), run_.next_page_token.empty());
    if (batch.kind == Batch::Kind::kNeedMore) return fetch(/*from_start=*/false);
    if (batch.kind == Batch::Kind::kNone) break;
    if (absl::Status status = history_.apply(history_.up_to_query(batch)); !status.ok())
      return fail_task(status);
  }
  if (run_.last_processed < run_.task->started_event_id()) {
    return fail_task(absl::DataLossError(
        absl::StrCat("the history ends at event ", run_.last_processed,
                     ", but the task began with ", run_.task->started_event_id())));
  }
  if (absl::Status status = run_.options.replay_only || run_.task->has_query()
                                ? history_.check_confirmed(nullptr)
                                : absl::OkStatus();
      !status.ok()) {
    return fail_task(status);
  }
  finish_task();
}

void WorkflowRun::State::dispatch() {
  std::stable_sort(run_.jobs.begin(), run_.jobs.end(),
                   [](const Job& a, const Job& b) { return job_class(a) < job_class(b); });
  std::shared_ptr<Activation> activation = history_.make_activation();
  activation->jobs = std::move(run_.jobs);
  activation->keep_alive = std::move(run_.keep_alive);
  run_.jobs.clear();
  run_.keep_alive.clear();
  language_knows_ = true;
  ++run_.activations;
  phase_ = Phase::kLanguage;
  run_.outputs->push_back(Activate{std::move(activation)});
}

// Queries come after all else, alone.
bool WorkflowRun::State::ask_queries() {
  if (asked_queries_ || (!run_.task->has_query() && run_.task->queries().empty())) return false;
  std::shared_ptr<Activation> activation = history_.make_activation();
  activation->is_replaying = true;
  if (run_.task->has_query()) {
    activation->history_length -= run_.uncounted;
    activation->jobs.push_back(QueryWorkflow{kLegacyQuery, &run_.task->query()});
  }
  const std::map<std::string, const api::query::v1::WorkflowQuery*> queries = [this] {
    std::map<std::string, const api::query::v1::WorkflowQuery*> sorted;
    for (const auto& [id, query] : run_.task->queries()) sorted.emplace(id, &query);
    return sorted;
  }();
  for (const auto& [id, query] : queries) activation->jobs.push_back(QueryWorkflow{id, query});
  activation->keep_alive.push_back(run_.task);
  asking_queries_ = true;
  phase_ = Phase::kLanguage;
  run_.outputs->push_back(Activate{std::move(activation)});
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
  if (run_.task->has_query()) return answer_legacy_query();
  if (run_.options.replay_only) {
    run_.outputs->push_back(DropTask{"replayed"});
    return end_task();
  }
  if (run_.ended) {
    run_.outputs->push_back(DropTask{"the run has ended"});
    end_task();
    return evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
  }
  if (run_.terminal_commanded || !local_.holds_task()) return send_completion();
  // What waits for this task's end shall not wait for a local activity: the queries that it
  // brought, and other workers.
  if (asked_queries_ || local_.heartbeat_due()) return send_completion(/*heartbeat=*/true);
  phase_ = Phase::kLocal;
  local_.ask_wake();
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
  auto request = run_.outgoing.send();
  request->set_task_token(run_.task->task_token());
  for (auto& message : run_.messages) request->mutable_messages()->AddAllocated(message.release());
  run_.messages.clear();
  for (RespondToQuery& answer : query_answers_) {
    fill_answer(answer, (*request->mutable_query_results())[answer.query_id]);
  }
  query_answers_.clear();
  if (run_.options.sdk_metadata)
    run_.flags.record(run_.options.identity, *request->mutable_sdk_metadata());
  request->mutable_metering_metadata()->set_nonfirst_local_activity_execution_attempts(
      local_.take_later_attempts());
  request->set_force_create_new_workflow_task(heartbeat);
  // A worker that ends leaves the next task to others.
  request->set_return_new_workflow_task(heartbeat && !local_.dropped());
  request->set_versioning_behavior(versioning_behavior_);
  phase_ = Phase::kReply;
  run_.outputs->push_back(SendCompletion{std::move(request)});
}

void WorkflowRun::State::answer_legacy_query() {
  auto request = std::make_unique<RespondQueryTaskCompletedRequest>();
  request->set_task_token(run_.task->task_token());
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
  run_.outputs->push_back(AnswerLegacyQuery{std::move(request)});
  end_query();
}

void WorkflowRun::State::end_query() {
  end_task();
  if (run_.ended) return evict(EvictionReason::kWorkflowExecutionEnding, "Workflow completed");
  if (eviction_ != EvictionReason::kUnspecified) evict(eviction_, std::move(eviction_message_));
}

void WorkflowRun::State::refuse_legacy_query(const std::string& why) {
  auto request = std::make_unique<RespondQueryTaskCompletedRequest>();
  request->set_task_token(run_.task->task_token());
  request->set_completed_type(enums::QUERY_RESULT_TYPE_FAILED);
  request->set_error_message(why);
  run_.outputs->push_back(AnswerLegacyQuery{std::move(request)});
  end_query();
}

// What the option says of nondeterminism, where it can be done.
bool WorkflowRun::State::fails_workflow() const {
  return run_.options.nondeterminism_fails_workflow && run_.task && !run_.task->has_query() &&
         !run_.options.replay_only;
}

void WorkflowRun::State::fail_task(const absl::Status& status) {
  const bool nondeterminism = absl::IsFailedPrecondition(status);
  auto failure =
      application_failure(std::string(status.message()), run_.options.identity.failure_source);
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
  if (run_.task->has_query()) return refuse_legacy_query(failure.message());
  if (run_.task->attempt() > 1) {
    std::string why = reason == EvictionReason::kNondeterminism
                          ? std::string(first_line(failure.message()))
                          : failure.message();
    run_.outputs->push_back(DropTask{std::move(why), failure_reason(cause)});
    end_task();
    return evict(reason, std::move(eviction_message_));
  }
  auto request = std::make_unique<RespondWorkflowTaskFailedRequest>();
  request->set_task_token(run_.task->task_token());
  request->set_cause(cause);
  *request->mutable_failure() = std::move(failure);
  phase_ = Phase::kReply;
  run_.outputs->push_back(SendFailure{std::move(request)});
}

void WorkflowRun::State::fail_workflow(api::failure::v1::Failure failure) {
  eviction_message_ = failure.message();
  eviction_ = EvictionReason::kNondeterminism;
  auto request = std::make_shared<RespondWorkflowTaskCompletedRequest>();
  request->set_task_token(run_.task->task_token());
  auto& command = *request->add_commands();
  command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
  *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
      std::move(failure);
  phase_ = Phase::kReply;
  run_.outputs->push_back(SendCompletion{std::move(request)});
}

void WorkflowRun::State::evict(EvictionReason reason, std::string message) {
  eviction_ = reason;
  eviction_message_ = std::move(message);
  run_.jobs.clear();
  run_.keep_alive.clear();
  local_.let_go();
  if (!language_knows_) {
    phase_ = Phase::kGone;
    run_.outputs->push_back(Evicted{eviction_, eviction_message_});
    return;
  }
  auto activation = std::make_shared<Activation>();
  activation->run_id = run_.options.context.run_id;
  activation->time = run_.time;
  activation->history_length = static_cast<std::uint32_t>(run_.last_processed);
  activation->jobs.push_back(RemoveFromCache{reason, eviction_message_});
  phase_ = Phase::kEvicting;
  run_.outputs->push_back(Activate{std::move(activation)});
}

void WorkflowRun::State::end_task() {
  phase_ = Phase::kIdle;
  run_.task.reset();
  tail_.reset();
}

std::size_t WorkflowRun::State::memory_bytes() const {
  return sizeof(*this) + run_.outgoing.memory_bytes() + run_.table.memory_bytes() +
         run_.updates.capacity() * (sizeof(UpdateMachine) + 32) + run_.properties.memory_bytes();
}

const char* failure_reason(enums::WorkflowTaskFailedCause cause) {
  return cause == enums::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR ? "NonDeterminismError"
                                                                            : "WorkflowError";
}

}  // namespace chimera::core
