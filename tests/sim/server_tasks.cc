// Workflow tasks: scheduled, started, answered, lost.
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "tests/sim/server.h"
#include "tests/sim/text.h"

namespace chimera::sim {

namespace enums = api::enums::v1;

namespace {

constexpr Time kMillisecond = 1'000'000;

void set_time(Time time, HistoryEvent& event) {
  base::set_timestamp(base::WallTime(std::chrono::nanoseconds(time)), *event.mutable_event_time());
}

bool is_close(enums::CommandType type) {
  return type == enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION ||
         type == enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION;
}

// Moved behind the other buffered events when they are written.
bool is_result(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_FAILED:
    case enums::EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
    case enums::EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_TERMINATED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_FAILED:
    case enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT:
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED:
      return true;
    default:
      return false;
  }
}

HistoryEvent scheduled_event(int attempt) {
  HistoryEvent event;
  event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
  auto& attributes = *event.mutable_workflow_task_scheduled_event_attributes();
  attributes.mutable_task_queue()->set_name("queue");
  attributes.set_attempt(attempt);
  return event;
}

HistoryEvent started_event(std::int64_t scheduled_id) {
  HistoryEvent event;
  event.set_event_type(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
  event.mutable_workflow_task_started_event_attributes()->set_scheduled_event_id(scheduled_id);
  return event;
}

}  // namespace

std::string completion_text(const RespondWorkflowTaskCompletedRequest& request) {
  std::string out;
  for (auto command : request.commands()) {
    if (command.has_record_marker_command_attributes()) {
      auto& marker = *command.mutable_record_marker_command_attributes();
      forget_foreseen(*marker.mutable_details(), marker.marker_name());
    }
    absl::StrAppend(&out, "  ", text(command), "\n");
  }
  for (const auto& message : request.messages()) absl::StrAppend(&out, "  ", text(message), "\n");
  return out;
}

void SimServer::ensure_task() {
  if (closed_ || task_) return;
  task_.emplace();
  task_->token = absl::StrCat("task ", ++tokens_);
  task_->attempt = attempt_;
  task_->sticky = sticky_;
  task_->scheduled_at = ++now_;
  if (attempt_ == 1) write_scheduled();
  plan_start();
}

void SimServer::write_scheduled() {
  HistoryEvent& event = append(scheduled_event(task_->attempt));
  set_time(task_->scheduled_at, event);
  task_->scheduled_id = event.event_id();
  task_->written = true;
}

void SimServer::write_started() {
  HistoryEvent& event = append(started_event(task_->scheduled_id));
  set_time(task_->started_at, event);
  task_->started_id = event.event_id();
}

// Something is written to history: a speculative task cannot vanish any more.
void SimServer::make_real() {
  if (!task_ || !task_->speculative) return;
  task_->speculative = false;
  write_scheduled();
  if (task_->started) write_started();
}

void SimServer::plan_start() {
  const std::uint64_t most = rng_.percent(30) ? 0 : rng_.percent(80) ? 20 : 500;
  after(most, [this, token = task_->token] { start_task(token); });
}

void SimServer::start_task(const std::string& token) {
  if (closed_ || !task_ || task_->token != token || task_->started) return;
  if (sticky_queue_times_out()) return;
  start(*task_);
  deliver(handed_out_);
}

bool SimServer::sticky_queue_times_out() {
  if (!task_->sticky || !rng_.percent(6)) return false;
  make_real();
  HistoryEvent timed_out = event(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
  auto& attributes = *timed_out.mutable_workflow_task_timed_out_event_attributes();
  attributes.set_scheduled_event_id(task_->scheduled_id);
  attributes.set_timeout_type(enums::TIMEOUT_TYPE_SCHEDULE_TO_START);
  append(std::move(timed_out));
  sticky_ = false;
  task_.reset();
  ensure_task();
  return true;
}

void SimServer::start(Task& task) {
  task.started = true;
  task.started_at = ++now_;
  if (task.written) {
    write_started();
  } else {
    task.scheduled_id = static_cast<std::int64_t>(history_.size()) + 1;
    task.started_id = task.scheduled_id + 1;
  }
  const std::uint64_t fate = rng_.below(100);
  if (fate < 4) task.fate = Fate::kLanguageFails;
  if (fate >= 4 && fate < 7) task.fate = Fate::kCompletionLost;
  if (fate >= 7 && fate < 10) task.fate = Fate::kReplyLost;
  const std::uint64_t most = rng_.percent(60) ? 5 : rng_.percent(80) ? 300 : 5000;
  const Time due = now_ + static_cast<Time>(rng_.below(most + 1)) * kMillisecond;
  queue_.insert({due,
                 {[this, token = task.token] {
                    auto answer = answers_.extract(token);
                    apply(std::move(answer.mapped()));
                  },
                  task.token}});
  handed_out_ = hand_out();
}

SimTask SimServer::hand_out() {
  Task& task = *task_;
  SimTask out;
  out.token = task.token;
  out.scheduled_id = task.scheduled_id;
  out.started_id = task.started_id;
  out.previous_started_id = previous_started_id_;
  out.attempt = task.attempt;
  out.sticky = task.sticky;
  out.events = history_;
  if (!task.written) {
    auto scheduled = std::make_shared<HistoryEvent>(scheduled_event(task.attempt));
    scheduled->set_event_id(task.scheduled_id);
    set_time(task.scheduled_at, *scheduled);
    auto started = std::make_shared<HistoryEvent>(started_event(task.scheduled_id));
    started->set_event_id(task.started_id);
    set_time(task.started_at, *started);
    out.events.push_back(std::move(scheduled));
    out.events.push_back(std::move(started));
  }
  task.updates = std::exchange(waiting_updates_, {});
  for (const std::string& id : task.updates) {
    auto& message = out.messages.emplace_back();
    message.set_id(absl::StrCat(id, "/request"));
    message.set_protocol_instance_id(id);
    message.set_event_id(task.started_id - 1);
    message.mutable_body()->PackFrom(updates_[id].request);
  }
  task.queries = std::exchange(queries_, {});
  out.queries = task.queries;
  return out;
}

// Updates wait for a task that is to start; without one, they get a speculative one.
void SimServer::add_updates() {
  if (closed_ || task_ || waiting_updates_.empty()) return;
  task_.emplace();
  task_->token = absl::StrCat("task ", ++tokens_);
  task_->sticky = sticky_;
  task_->scheduled_at = ++now_;
  task_->speculative = true;
  plan_start();
}

bool SimServer::language_fails() const {
  return task_ && task_->started && task_->fate == Fate::kLanguageFails;
}

void SimServer::completed(std::shared_ptr<RespondWorkflowTaskCompletedRequest> request, Done done) {
  Answer& answer = answers_[request->task_token()];
  answer.completion = std::move(request);
  answer.done = std::move(done);
}
void SimServer::failed(std::unique_ptr<RespondWorkflowTaskFailedRequest> request, Done done) {
  Answer& answer = answers_[request->task_token()];
  answer.failure = std::move(request);
  answer.done = std::move(done);
}
void SimServer::query_answered(std::unique_ptr<RespondQueryTaskCompletedRequest> request,
                               Done done) {
  Answer& answer = answers_[request->task_token()];
  answer.query = std::move(request);
  answer.done = std::move(done);
}
void SimServer::released(const std::string& token) {
  for (const auto& [time, happening] : queue_) {
    if (happening.needs_answer == token) answers_.try_emplace(token);
  }
}

void SimServer::apply(Answer answer) {
  if (closed_) {
    task_.reset();
    if (answer.done) std::move(answer.done)({absl::NotFoundError("workflow execution completed")});
    return;
  }
  if (answer.completion) return apply_completion(answer);
  if (answer.failure) {
    if (task_->fate != Fate::kLanguageFails)
      violation(absl::StrCat("the worker failed ", task_->token, ": ", text(*answer.failure)));
    log_.push_back(absl::StrCat("failed ", task_->token));
    fail_task(answer.failure->cause());
    return std::move(answer.done)({});
  }
  if (task_->fate != Fate::kLanguageFails || task_->attempt == 1)
    violation(absl::StrCat("the worker dropped ", task_->token, " without a reason"));
  time_out_task();
}

void SimServer::apply_completion(Answer& answer) {
  Reply reply;
  const RespondWorkflowTaskCompletedRequest& request = *answer.completion;
  std::string entry = absl::StrCat("completed ", task_->token, ", attempt ", task_->attempt,
                                   ", started event ", task_->started_id, "\n",
                                   completion_text(request), "  ", text(request.sdk_metadata()));
  const std::map<std::string, api::query::v1::WorkflowQueryResult> results(
      request.query_results().begin(), request.query_results().end());
  for (const auto& [id, result] : results) absl::StrAppend(&entry, "\n  ", id, " ", text(result));
  for (const auto& [id, query] : task_->queries) {
    if (!results.contains(id)) violation(absl::StrCat("no answer to ", id));
  }
  log_.push_back(std::move(entry));
  if (task_->fate == Fate::kCompletionLost) {
    time_out_task();
    reply.status = absl::UnavailableError("the completion got lost");
  } else if (unhandled(request)) {
    fail_task(enums::WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND);
    reply.status = absl::InvalidArgumentError("UnhandledCommand");
  } else {
    const bool lost = task_->fate == Fate::kReplyLost;
    complete_task(*answer.completion, reply);
    if (lost) {
      add_updates();
      reply = {absl::UnavailableError("the reply got lost")};
    } else {
      go_on(reply);
    }
  }
  std::move(answer.done)(std::move(reply));
}

bool SimServer::unhandled(const RespondWorkflowTaskCompletedRequest& request) const {
  if (buffered_.empty()) return false;
  for (const auto& command : request.commands()) {
    if (is_close(command.command_type())) return true;
  }
  return false;
}

void SimServer::fail_task(enums::WorkflowTaskFailedCause cause) {
  make_real();
  if (task_->written) {
    HistoryEvent failed = event(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
    auto& attributes = *failed.mutable_workflow_task_failed_event_attributes();
    attributes.set_scheduled_event_id(task_->scheduled_id);
    attributes.set_started_event_id(task_->started_id);
    attributes.set_cause(cause);
    append(std::move(failed));
  }
  end_attempt();
}

void SimServer::time_out_task() {
  make_real();
  if (task_->written) {
    HistoryEvent timed_out = event(enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT);
    auto& attributes = *timed_out.mutable_workflow_task_timed_out_event_attributes();
    attributes.set_scheduled_event_id(task_->scheduled_id);
    attributes.set_started_event_id(task_->started_id);
    attributes.set_timeout_type(enums::TIMEOUT_TYPE_START_TO_CLOSE);
    append(std::move(timed_out));
  }
  end_attempt();
}

// The task under way failed: what it brought comes again with the next one.
void SimServer::end_attempt() {
  waiting_updates_.insert(waiting_updates_.begin(), task_->updates.begin(), task_->updates.end());
  queries_.insert(task_->queries.begin(), task_->queries.end());
  if (sticky_) {
    sticky_ = false;
  } else {
    ++attempt_;
  }
  if (!buffered_.empty()) attempt_ = 1;
  task_.reset();
  flush();
  ensure_task();
}

void SimServer::complete_task(RespondWorkflowTaskCompletedRequest& request, Reply& reply) {
  check_answers(request);
  sticky_ = rng_.percent(85);
  attempt_ = 1;
  if (drops_speculative(request)) {
    reply.reset_history_event_id = previous_started_id_;
    task_.reset();
    return;
  }
  task_->speculative = false;
  if (!task_->written) {
    write_scheduled();
    write_started();
  }
  previous_started_id_ = task_->started_id;
  HistoryEvent completed = event(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
  auto& attributes = *completed.mutable_workflow_task_completed_event_attributes();
  attributes.set_scheduled_event_id(task_->scheduled_id);
  attributes.set_started_event_id(task_->started_id);
  *attributes.mutable_sdk_metadata() = request.sdk_metadata();
  append(std::move(completed));
  apply_commands(request);
  completed_.push_back({std::move(handed_out_), completion_text(request)});
  task_.reset();
  if (closed_) {
    buffered_.clear();
    if (rng_.percent(20)) after(1000, [this] { send_query(); });
    return;
  }
  if (buffered_.empty() && !request.force_create_new_workflow_task()) return;
  flush();
  ensure_task();
}

// Nothing came of a task that was made for updates alone.
bool SimServer::drops_speculative(const RespondWorkflowTaskCompletedRequest& request) const {
  return task_->speculative && request.commands().empty() &&
         !request.force_create_new_workflow_task();
}

// Each update that went out with a task is accepted or rejected by its completion, or the server
// would call it lost.
void SimServer::check_answers(const RespondWorkflowTaskCompletedRequest& request) {
  std::set<std::string> answered;
  for (const auto& message : request.messages()) {
    if (message.body().Is<api::update::v1::Rejection>()) {
      updates_[message.protocol_instance_id()].state = Update::kRejected;
    } else if (!message.body().Is<api::update::v1::Acceptance>()) {
      continue;
    }
    answered.insert(message.protocol_instance_id());
  }
  for (const std::string& id : task_->updates) {
    if (!answered.contains(id)) violation(absl::StrCat("the worker lost ", id));
  }
  for (const std::string& id : answered) {
    if (std::find(task_->updates.begin(), task_->updates.end(), id) == task_->updates.end())
      violation(absl::StrCat("the worker answered what it was not asked: ", id));
  }
}

void SimServer::flush() {
  std::vector<HistoryEvent> events = std::exchange(buffered_, {});
  std::stable_partition(events.begin(), events.end(),
                        [](const HistoryEvent& one) { return !is_result(one.event_type()); });
  for (HistoryEvent& one : events) append(std::move(one));
}

// The next task may come with the reply to the one before.
void SimServer::go_on(Reply& reply) {
  add_updates();
  if (!task_ || task_->started || !rng_.percent(40)) return;
  start(*task_);
  handed_out_.is_inline = true;
  handed_out_.sticky = true;
  reply.task = handed_out_;
}

int SimServer::unfinished_updates() const {
  int count = 0;
  for (const auto& [id, update] : updates_) count += update.state == Update::kAccepted;
  return count;
}

}  // namespace chimera::sim
