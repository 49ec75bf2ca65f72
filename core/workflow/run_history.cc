// Following the history: batch by batch, event by event, command events against commands.
#include <algorithm>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/base/siphash.h"
#include "core/history/events.h"
#include "core/machines/patch.h"
#include "core/workflow/run_state.h"

// Servers and histories of today still use these fields.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace chimera::core {

namespace enums = api::enums::v1;

// The server's, for histories that do not say.
constexpr std::chrono::seconds kDefaultTaskTimeout{10};

absl::Status WorkflowRun::State::apply(const Batch& batch) {
  const auto events = buffer_.events();
  const bool holds_last = next_page_token_.empty() && batch.end == events.size();
  activations_ = 0;
  ahead_.clear();
  ahead_next_ = 0;
  if (absl::Status status = look_ahead(events, batch); !status.ok()) return status;
  const bool was_live = live();
  for (std::size_t i = 0; i < batch.end; ++i) {
    const HistoryEvent& event = *events[i];
    const EventType type = event.event_type();
    if (replaying_ && holds_last && event.event_id() > previous_started_ &&
        !is_command_event(type) && type != enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
      replaying_ = false;
    }
    deliver_updates(event.event_id());
    if (absl::Status status = apply_event(event); !status.ok()) return status;
    last_processed_ = event.event_id();
  }
  if (holds_last) deliver_updates(last_processed_ + 1);
  caught_up_ = holds_last && live();
  if (caught_up_ && !was_live && !task_->has_query()) begin_local_work();
  // The worker of this task, as its completion tells it; the batch began with the one before.
  if (batch.lookahead_end > batch.end)
    take_versions(events[batch.end]->workflow_task_completed_event_attributes());
  buffer_.pop(batch.end, keep_alive_);
  if (jobs_.empty()) keep_alive_.clear();
  return absl::OkStatus();
}

// What this task's completion and its commands, later in history, tell of this task: they were not
// known live, but the language needs them now.
absl::Status WorkflowRun::State::look_ahead(absl::Span<const HistoryEvent* const> events,
                                            const Batch& batch) {
  if (last_processed_ == 0 && batch.lookahead_end > batch.end)
    begin_dialect(*events[0], *events[batch.end]);
  bool own = true;  // Of this task, not of one behind that heartbeats of local activities made.
  for (std::size_t i = batch.end; i < batch.lookahead_end; ++i) {
    const HistoryEvent& event = *events[i];
    own = own && (i == batch.end || is_command_event(event.event_type()));
    switch (event.event_type()) {
      case enums::EVENT_TYPE_MARKER_RECORDED:
        if (absl::Status status = look_ahead_marker(event, own); !status.ok()) return status;
        break;
      case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
        look_ahead_update(events, event);
        break;
      default:
        break;
    }
  }
  look_further_local(events.subspan(batch.end));
  return absl::OkStatus();
}

// The first task that history has completed says who made the run.
void WorkflowRun::State::begin_dialect(const HistoryEvent& started, const HistoryEvent& completed) {
  dialect_.begin(completed.workflow_task_completed_event_attributes().sdk_metadata().sdk_name(),
                 started.workflow_execution_started_event_attributes().original_execution_run_id(),
                 options_.identity.codec);
}

absl::Status WorkflowRun::State::look_ahead_marker(const HistoryEvent& event, bool own) {
  const auto& marker = event.marker_recorded_event_attributes();
  if (own) look_ahead_local(event);
  if (auto patch = read_patch_marker(marker); patch && patches_.know(patch->id))
    jobs_.push_back(NotifyHasPatch{patch->id});
  if (!options_.identity.has_side_effects || !is_record_marker(marker)) return absl::OkStatus();
  auto job = records_.know(event, *this);
  if (!job.ok()) return job.status();
  if (*job) jobs_.push_back(**std::move(job));
  return absl::OkStatus();
}

void WorkflowRun::State::look_ahead_update(absl::Span<const HistoryEvent* const> events,
                                           const HistoryEvent& event) {
  const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
  if (!known_updates_.insert(accepted.protocol_instance_id()).second) return;
  PendingUpdate update;
  update.sequencing_event_id = accepted.accepted_request_sequencing_event_id();
  update.instance_id = accepted.protocol_instance_id();
  update.run_validator = false;
  update.request = &accepted.accepted_request();
  if (!accepted.has_accepted_request()) {
    // Carried over by a reset: the request is in an UpdateAdmitted before.
    for (const HistoryEvent* other : events) {
      if (other->event_id() >= event.event_id()) break;
      if (other->has_workflow_execution_update_admitted_event_attributes() &&
          other->workflow_execution_update_admitted_event_attributes()
                  .request()
                  .meta()
                  .update_id() == update.instance_id) {
        update.request = &other->workflow_execution_update_admitted_event_attributes().request();
      }
    }
  }
  // The pages of events that are not applied yet are let go one by one; this request must outlive
  // them.
  auto request = std::make_shared<api::update::v1::Request>(*update.request);
  update.request = request.get();
  update.owner = std::move(request);
  update.message_id = absl::StrCat(update.request->meta().update_id(), "/request");
  queue_update(std::move(update));
}

void WorkflowRun::State::take_versions(
    const api::history::v1::WorkflowTaskCompletedEventAttributes& completed) {
  flags_.seen(completed);
  api::deployment::v1::WorkerDeploymentVersion version;
  if (completed.has_deployment_version()) {
    version = completed.deployment_version();
  } else if (!completed.worker_deployment_version().empty()) {
    const std::string& name = completed.worker_deployment_version();
    const std::size_t dot = name.find('.');
    version.set_deployment_name(name.substr(0, dot));
    if (dot != std::string::npos) version.set_build_id(name.substr(dot + 1));
  } else if (completed.has_worker_version() && !completed.worker_version().build_id().empty()) {
    version.set_build_id(completed.worker_version().build_id());
  } else {
    deployment_version_.reset();
    return;
  }
  deployment_version_ = std::move(version);
}

absl::Status WorkflowRun::State::apply_event(const HistoryEvent& event) {
  if (event.event_id() != last_processed_ + 1) {
    return absl::DataLossError(
        absl::StrCat("the history goes from event ", last_processed_, " to ", event.event_id()));
  }
  const EventType type = event.event_type();
  if (change_versions_.skips(event)) return absl::OkStatus();
  if (is_command_event(type)) return match_command(event);
  if (type != enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
    if (absl::Status status = check_confirmed(&event); !status.ok()) return status;
  }
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
      apply_started(event);
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_STARTED:
      apply_task_started(event);
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
      take_versions(event.workflow_task_completed_event_attributes());
      confirming_ = true;
      outgoing_.begin_task();
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
      if (const auto& failed = event.workflow_task_failed_event_attributes();
          failed.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) {
        jobs_.push_back(UpdateRandomSeed{base::run_seed(failed.new_run_id())});
      }
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      jobs_.push_back(
          SignalWorkflow{&event.workflow_execution_signaled_event_attributes(), event.event_id()});
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      jobs_.push_back(
          CancelWorkflow{event.workflow_execution_cancel_requested_event_attributes().cause()});
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      if (live()) admit_update(event);
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      ended_ = true;
      return absl::OkStatus();
    default:
      return route(event);
  }
}

// The events of a task's commands are over (`event` is the next one, or null at the end of the
// history): what the code commanded and history lacks is an extra command.
absl::Status WorkflowRun::State::check_confirmed(const HistoryEvent* event) {
  if (!confirming_) return absl::OkStatus();
  confirming_ = false;
  Patches::pass(outgoing_);
  const OutgoingCommand* head = outgoing_.front();
  if (!head || !options_.report_extra_commands) return absl::OkStatus();
  return nondeterminism(event, head, "no event for this command: the task ended before it");
}

void WorkflowRun::State::apply_started(const HistoryEvent& event) {
  const auto& started = event.workflow_execution_started_event_attributes();
  time_ = base::to_wall_time(event.event_time());
  properties_.begin(started);
  task_timeout_ = base::to_nanoseconds(started.workflow_task_timeout());
  if (task_timeout_ <= std::chrono::nanoseconds::zero()) task_timeout_ = kDefaultTaskTimeout;
  jobs_.push_back(InitializeWorkflow{&started, options_.context.workflow_id,
                                     base::run_seed(started.original_execution_run_id()), time_});
}

void WorkflowRun::State::apply_task_started(const HistoryEvent& event) {
  const auto& started = event.workflow_task_started_event_attributes();
  started_event_id_ = event.event_id();
  time_ = std::max(time_, base::to_wall_time(event.event_time()));
  history_size_ = static_cast<std::uint64_t>(started.history_size_bytes());
  suggest_continue_as_new_ = started.suggest_continue_as_new();
  target_version_changed_ = started.target_worker_deployment_version_changed();
  suggest_reasons_.clear();
  for (int reason : started.suggest_continue_as_new_reasons()) {
    suggest_reasons_.push_back(static_cast<enums::SuggestContinueAsNewReason>(reason));
  }
}

absl::Status WorkflowRun::State::match_command(const HistoryEvent& event) {
  if (event.has_marker_recorded_event_attributes()) {
    if (const auto patch = read_patch_marker(event.marker_recorded_event_attributes())) {
      meeting_ = outgoing_.front();
      absl::Status status = patches_.meet(*patch, event, *this, outgoing_);
      meeting_ = nullptr;
      return status;
    }
    if (is_record_marker(event.marker_recorded_event_attributes())) return match_record(event);
  }
  Patches::pass(outgoing_);
  const OutgoingCommand* head = outgoing_.front();
  if (!head) return nondeterminism(&event, nullptr, "no command was issued for this event");
  if (head->confirmed_by != event.event_type()) {
    return nondeterminism(&event, head, "the command does not make such an event");
  }
  if (absl::Status status = confirm(*head, event); !status.ok()) return status;
  outgoing_.pop();
  if (is_final_event(event.event_type())) ended_ = true;
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::match_record(const HistoryEvent& event) {
  Patches::pass(outgoing_);
  meeting_ = outgoing_.front();
  absl::Status status =
      options_.identity.has_side_effects
          ? records_.meet(event, *this, outgoing_)
          : disagree(event, absl::StrCat("workflows of ", options_.identity.sdk_name,
                                         " make no such marker"));
  meeting_ = nullptr;
  return status;
}

// The task's own messages: updates that history does not know yet.
void WorkflowRun::State::queue_messages() {
  for (const auto& message : task_->messages()) {
    auto request = std::make_shared<api::update::v1::Request>();
    if (!message.body().UnpackTo(request.get())) continue;  // Nothing else is sent to workers.
    PendingUpdate update;
    update.sequencing_event_id = message.event_id();
    update.instance_id = message.protocol_instance_id();
    update.message_id = message.id();
    update.request = request.get();
    update.owner = std::move(request);
    update.run_validator = true;
    queue_update(std::move(update));
  }
}

// An update that a reset applies again. Replay learns from its acceptance that it was not rejected.
void WorkflowRun::State::admit_update(const HistoryEvent& event) {
  const auto& request = event.workflow_execution_update_admitted_event_attributes().request();
  PendingUpdate update;
  update.sequencing_event_id = event.event_id();
  update.instance_id = request.meta().update_id();
  update.message_id = absl::StrCat(update.instance_id, "/request");
  auto copy = std::make_shared<api::update::v1::Request>(request);  // Outlives its page.
  update.request = copy.get();
  update.owner = std::move(copy);
  update.run_validator = true;
  queue_update(std::move(update));
}

void WorkflowRun::State::queue_update(PendingUpdate update) {
  const auto after = std::upper_bound(
      pending_updates_.begin(), pending_updates_.end(), update.sequencing_event_id,
      [](std::int64_t id, const PendingUpdate& other) { return id < other.sequencing_event_id; });
  pending_updates_.insert(after, std::move(update));
}

void WorkflowRun::State::deliver_updates(std::int64_t before_event_id) {
  std::size_t delivered = 0;
  for (PendingUpdate& update : pending_updates_) {
    if (update.sequencing_event_id >= before_event_id) break;
    ++delivered;
    UpdateMachine& machine = updates_[update.instance_id];
    if (machine.request || !machine.message_id.empty()) continue;  // Told again.
    machine.update_id = update.request->meta().update_id();
    machine.identity = update.request->meta().identity();
    machine.message_id = update.message_id;
    machine.sequencing_event_id = update.sequencing_event_id;
    machine.owner = update.owner;
    machine.request = update.request;
    keep_alive_.push_back(update.owner);
    jobs_.push_back(
        DoUpdate{machine.update_id, update.instance_id, update.request, update.run_validator});
  }
  pending_updates_.erase(pending_updates_.begin(),
                         pending_updates_.begin() + static_cast<std::ptrdiff_t>(delivered));
}

}  // namespace chimera::core
