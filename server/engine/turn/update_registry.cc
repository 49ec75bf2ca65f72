#include "server/engine/turn/update_registry.h"

#include <algorithm>

#include "server/base/errors.h"
#include "server/base/parse.h"
#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {
namespace {

namespace update = ::temporal::api::update::v1;
using State = Update::State;
constexpr int kFailingAttempt = 3;

UpdateStage stage_of(State state) {
  switch (state) {
    case State::kAccepted:
      return enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED;
    case State::kCompleted:
      return enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
    default:
      return enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
  }
}

UpdateAnswer answer_of(const Update& update) {
  return {stage_of(update.state), update.state == State::kCompleted ? &update.outcome : nullptr};
}

// After the turn's handler: an acceptance and its completion in one task are one answer.
void notify(Engine& engine, const UpdatePtr& update) {
  engine.follow_up([update] {
    const UpdateStage reached = stage_of(update->state);
    for (auto it = update->waiters.begin(); it != update->waiters.end();) {
      if (reached < it->stage) {
        ++it;
        continue;
      }
      const UpdateDone done = std::move(it->done);
      it = update->waiters.erase(it);
      done(absl::OkStatus(), answer_of(*update));
    }
  });
}

void abort(Engine& engine, const UpdatePtr& update, absl::Status status) {
  engine.follow_up([update, status = std::move(status)] {
    auto waiters = std::move(update->waiters);
    update->waiters.clear();
    for (auto& waiter : waiters) waiter.done(status, {});
  });
}

void wait_for(Engine& engine, const UpdatePtr& update, UpdateWait wait) {
  if (stage_of(update->state) >= wait.stage) {
    wait.done(absl::OkStatus(), answer_of(*update));
    return;
  }
  auto& waiter = update->waiters.emplace_back();
  waiter.stage = wait.stage;
  waiter.done = std::move(wait.done);
  auto place = std::prev(update->waiters.end());
  waiter.deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(update), place,
                                             fails = wait.fails] {
    engine.follow_up([weak, place, fails] {
      const UpdatePtr update = weak.lock();
      if (update == nullptr) return;
      for (auto it = update->waiters.begin(); it != update->waiters.end(); ++it) {
        if (it != place) continue;
        auto done = std::move(it->done);
        update->waiters.erase(it);
        done(fails ? absl::DeadlineExceededError("context deadline exceeded") : absl::OkStatus(),
             answer_of(*update));
        return;
      }
    });
  });
  engine.loop().patience().arm(*waiter.deadline, engine.loop().real_now() + wait.timeout);
}

failure::Failure application_failure(std::string message, std::string type) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.set_source("Server");
  failure.mutable_application_failure_info()->set_type(std::move(type));
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return failure;
}

// All that the run has had and has; one that is accepted is both known and waiting.
std::size_t count_updates(const Run& run) {
  std::size_t count = run.known_updates.size();
  for (const auto& [id, update] : run.waiting.updates) count += !run.known_updates.contains(id);
  return count;
}

// An update that history knows but memory does not (its waiters are gone, or the server was
// restarted).
UpdatePtr restore(const Run& run, const std::string& id) {
  auto it = run.known_updates.find(id);
  if (it == run.known_updates.end()) return nullptr;
  auto restored = std::make_shared<Update>();
  restored->id = id;
  restored->accepted_id = it->second.accepted_id;
  restored->state = State::kAccepted;
  if (it->second.accepted_id > 0) {
    restored->request = run.events.events(static_cast<int>(it->second.accepted_id) - 1)
                            .workflow_execution_update_accepted_event_attributes()
                            .accepted_request();
  }
  if (it->second.completed_id > 0) {
    restored->state = State::kCompleted;
    restored->outcome = run.events.events(static_cast<int>(it->second.completed_id) - 1)
                            .workflow_execution_update_completed_event_attributes()
                            .outcome();
  } else if (!run.running()) {
    restored->state = State::kCompleted;
    *restored->outcome.mutable_failure() = application_failure(
        "Workflow Update failed because the Workflow completed before the Update completed.",
        "AcceptedUpdateCompletedWorkflow");
  }
  return restored;
}

UpdatePtr find_update(const Run& run, const std::string& id) {
  if (auto it = run.waiting.updates.find(id); it != run.waiting.updates.end()) return it->second;
  UpdatePtr restored = restore(run, id);
  if (restored != nullptr && restored->state != State::kCompleted)
    run.waiting.updates[id] = restored;
  return restored;
}

// As Any::UnpackTo(), of a failure however deep, too.
template <class Message>
bool unpack(const google::protobuf::Any& any, Message& message) {
  return any.Is<Message>() && parse_deep(any.value(), message);
}

void complete(Engine& engine, const Run& run, const UpdatePtr& update) {
  update->state = State::kCompleted;
  notify(engine, update);
  run.waiting.updates.erase(update->id);
}

}  // namespace

absl::Status check_wait_stage(UpdateStage& stage) {
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED) {
    return absl::PermissionDeniedError(
        "operation not permitted: waiting on update admitted is not supported.");
  }
  if (stage == enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_UNSPECIFIED) {
    stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
  }
  return absl::OkStatus();
}

bool is_known_update(const Run& run, const std::string& update_id) {
  return run.waiting.updates.contains(update_id) || run.known_updates.contains(update_id);
}

bool is_completed_update(const Run& run, const std::string& update_id) {
  auto it = run.known_updates.find(update_id);
  return it != run.known_updates.end() && it->second.completed_id > 0;
}

bool suggests_fewer_updates(const DynamicConfig& config, const Run& run) {
  const auto threshold = static_cast<std::size_t>((config.updates_max * 9 + 9) / 10);
  return threshold > 0 && count_updates(run) >= threshold;
}

absl::Status admit_update(Engine& engine, const Run& run, update::Request request,
                          UpdateWait wait) {
  const std::string id = request.meta().update_id();
  if (UpdatePtr existing = find_update(run, id)) {
    wait_for(engine, existing, std::move(wait));
    return absl::OkStatus();
  }
  if (!run.running()) return not_found("workflow execution already completed");
  if (run.paused())
    return absl::FailedPreconditionError("Workflow is paused. Cannot update the workflow.");
  if (run.task.attempt >= kFailingAttempt) {
    return not_ready(
        "Unable to perform workflow execution update due to Workflow Task in failed state.");
  }
  if (run.is_closing()) return closing();
  const auto in_flight_max = static_cast<std::size_t>(engine.config().updates_in_flight_max);
  if (run.waiting.updates.size() >= in_flight_max) {
    return exhausted(
        absl::StrCat("limit on number of concurrent in-flight updates has been reached (",
                     in_flight_max, ")"),
        enums::RESOURCE_EXHAUSTED_CAUSE_CONCURRENT_LIMIT);
  }
  const auto total_max = static_cast<std::size_t>(engine.config().updates_max);
  if (count_updates(run) >= total_max) {
    return absl::FailedPreconditionError(
        absl::StrCat("limit on the total number of distinct updates in this workflow has been "
                     "reached (",
                     total_max, ")"));
  }
  auto admitted = std::make_shared<Update>();
  admitted->id = id;
  admitted->order = engine.ids().next_stamp();
  admitted->request = std::move(request);
  run.waiting.updates[id] = admitted;
  wait_for(engine, admitted, std::move(wait));
  Transition t(engine, run);
  if (run.backoff_until != kUnset) {
    t.run().backoff_until = kUnset;
    t.want_task();
  }
  t.count_if_written();
  t.commit();
  return absl::OkStatus();
}

absl::Status poll_update(Engine& engine, const Run& run, const std::string& update_id,
                         UpdateWait wait) {
  UpdatePtr found = find_update(run, update_id);
  if (found == nullptr) return not_found(absl::StrCat("update \"", update_id, "\" not found"));
  wait_for(engine, found, std::move(wait));
  return absl::OkStatus();
}

void admit_from_history(const Run& run) {
  for (const HistoryEvent& event : run.events.events()) {
    if (!event.has_workflow_execution_update_admitted_event_attributes()) continue;
    const auto& request = event.workflow_execution_update_admitted_event_attributes().request();
    const std::string& id = request.meta().update_id();
    if (is_known_update(run, id)) continue;
    auto admitted = std::make_shared<Update>();
    admitted->id = id;
    admitted->request = request;
    admitted->in_history = true;
    admitted->sequencing_id = event.event_id();
    run.waiting.updates[id] = std::move(admitted);
  }
}

bool has_unsent_updates(const Run& run) {
  for (const auto& [id, update] : run.waiting.updates) {
    if (update->state == State::kAdmitted) return true;
  }
  return false;
}

void send_updates(const Run& run, wf::PollWorkflowTaskQueueResponse& response) {
  std::vector<Update*> sent;
  for (auto& [id, update] : run.waiting.updates) {
    if (update->state != State::kAdmitted) continue;
    update->state = State::kSent;
    if (!update->in_history) sent.push_back(update.get());
  }
  std::sort(sent.begin(), sent.end(),
            [](const Update* a, const Update* b) { return a->order < b->order; });
  for (Update* update : sent) {
    // Behind what came after the task was scheduled, such as a signal.
    update->sequencing_id = run.task.started_id - 1;
    auto& message = *response.add_messages();
    message.set_id(absl::StrCat(update->id, "/request"));
    message.set_protocol_instance_id(update->id);
    message.set_event_id(update->sequencing_id);
    message.mutable_body()->PackFrom(update->request);
  }
}

void resend_sent_updates(const Run& run) {
  for (auto& [id, update] : run.waiting.updates) {
    if (update->state == State::kSent) update->state = State::kAdmitted;
  }
}

void abort_sent_updates(Transition& t) {
  Run& run = t.run();
  std::erase_if(run.waiting.updates, [&](const auto& item) {
    if (item.second->state != State::kSent) return false;
    if (item.second->in_history) {  // Every task that follows shows it.
      item.second->state = State::kAdmitted;
      return false;
    }
    abort(t.engine(), item.second,
          not_ready("Unable to perform workflow execution update due to unexpected workflow task "
                    "failure."));
    return true;
  });
}

bool only_rejections(
    const google::protobuf::RepeatedPtrField<::temporal::api::protocol::v1::Message>& messages) {
  for (const auto& message : messages) {
    if (!message.body().Is<update::Rejection>()) return false;
  }
  return true;
}

std::string check_update_message(const Run& run,
                                 const ::temporal::api::protocol::v1::Message& message) {
  const std::string& id = message.protocol_instance_id();
  const auto& body = message.body();
  if (!body.Is<update::Acceptance>() && !body.Is<update::Rejection>() &&
      !body.Is<update::Response>()) {
    return absl::StrCat("message ", message.id(), " has an unknown body type ", body.type_url());
  }
  if (!is_known_update(run, id)) return absl::StrCat("update \"", id, "\" not found");
  auto it = run.waiting.updates.find(id);
  if (it == run.waiting.updates.end() || body.Is<update::Response>()) return {};
  if (it->second->state != State::kSent) {
    return absl::StrCat("invalid state transition attempted for Update ", id, ": message ",
                        message.id());
  }
  return {};
}

void apply_update_message(Transition& t, const ::temporal::api::protocol::v1::Message& message) {
  Run& run = t.run();
  const UpdatePtr found = find_update(run, message.protocol_instance_id());
  if (found == nullptr || !run.running()) return;
  if (message.body().Is<update::Acceptance>()) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
    auto& a = *event.mutable_workflow_execution_update_accepted_event_attributes();
    a.set_protocol_instance_id(found->id);
    a.set_accepted_request_message_id(absl::StrCat(found->id, "/request"));
    a.set_accepted_request_sequencing_event_id(found->sequencing_id);
    if (!found->in_history) *a.mutable_accepted_request() = found->request;
    found->accepted_id = t.write(std::move(event)).event_id();
    found->state = State::kAccepted;
    notify(t.engine(), found);
  } else if (update::Response response; unpack(message.body(), response)) {
    HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
    auto& a = *event.mutable_workflow_execution_update_completed_event_attributes();
    *a.mutable_meta() = response.meta();
    a.mutable_meta()->set_update_id(found->id);
    a.set_accepted_event_id(found->accepted_id);
    if (response.outcome().has_failure())
      cut_causes(*response.mutable_outcome()->mutable_failure());
    *a.mutable_outcome() = response.outcome();
    t.write(std::move(event));
    found->outcome = std::move(*response.mutable_outcome());
    complete(t.engine(), run, found);
  } else if (update::Rejection rejection; unpack(message.body(), rejection)) {
    cut_causes(*rejection.mutable_failure());
    *found->outcome.mutable_failure() = std::move(*rejection.mutable_failure());
    complete(t.engine(), run, found);
  }
}

void reject_unanswered_updates(Transition& t) {
  if (!t.run().running()) return;
  std::vector<UpdatePtr> unanswered;
  for (auto& [id, update] : t.run().waiting.updates) {
    if (update->state == State::kSent) unanswered.push_back(update);
  }
  for (const UpdatePtr& update : unanswered) {
    *update->outcome.mutable_failure() = application_failure(
        "Workflow Update is rejected because it wasn't processed by worker. Probably, Workflow "
        "Update is not supported "
        "by the worker.",
        "UnprocessedUpdate");
    complete(t.engine(), t.run(), update);
  }
}

void end_updates(Engine& engine, const Run& run) {
  auto updates = std::move(run.waiting.updates);
  run.waiting.updates.clear();
  for (auto& [id, update] : updates) {
    if (update->state == State::kAccepted) {
      *update->outcome.mutable_failure() = application_failure(
          "Workflow Update failed because the Workflow completed before the Update completed.",
          "AcceptedUpdateCompletedWorkflow");
      update->state = State::kCompleted;
      notify(engine, update);
    } else if (!run.new_run_id.empty()) {  // The run that follows takes them over.
      update->state = State::kAdmitted;
      engine.follow_up([&engine, update = update, next_id = run.new_run_id] {
        const Run* next = engine.runs().by_id(next_id);
        if (next == nullptr || !next->running())
          return abort(engine, update, not_found("workflow execution already completed"));
        next->waiting.updates[update->id] = update;
        Transition t(engine, *next);
        t.commit();
      });
    } else {
      abort(engine, update, not_found("workflow update was aborted by closing workflow"));
    }
  }
}

}  // namespace chimera::server
