#include "core/workflow/run_history.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/base/siphash.h"
#include "core/history/events.h"
#include "core/machines/patch.h"
#include "core/workflow/nondeterminism.h"
#include "core/workflow/run_report.h"

// Servers and histories of today still use these fields.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace chimera::core {

namespace enums = api::enums::v1;

// The server's, for histories that do not say.
constexpr std::chrono::seconds kDefaultTaskTimeout{10};

absl::Status RunHistory::apply(const Batch& batch) {
  const auto events = run_.buffer.events();
  const bool holds_last = run_.next_page_token.empty() && batch.end == events.size();
  run_.activations = 0;
  local_.begin_batch();
  if (absl::Status status = look_ahead(events, batch); !status.ok()) return status;
  const bool was_live = run_.live();
  commanded_ = false;
  for (std::size_t i = 0; i < batch.end; ++i) {
    const HistoryEvent& event = *events[i];
    const EventType type = event.event_type();
    const bool command = is_command_event(type);
    commanded_ = commanded_ || command;
    if (run_.replaying && holds_last && event.event_id() > run_.previous_started && !command &&
        type != enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) {
      run_.replaying = false;
    }
    deliver_updates(event.event_id());
    if (absl::Status status = apply_event(event); !status.ok()) return status;
    run_.last_processed = event.event_id();
    if (command && !was_live) run_.note_before(event, run_.buffer.page_of(i));
  }
  if (was_live) run_.before.clear();
  if (holds_last) deliver_updates(run_.last_processed + 1);
  run_.caught_up = holds_last && run_.live();
  if (run_.caught_up && !was_live && !run_.task->has_query()) local_.begin_work();
  // The worker of this task, as its completion tells it; the batch began with the one before.
  if (batch.lookahead_end > batch.end)
    take_versions(events[batch.end]->workflow_task_completed_event_attributes());
  run_.buffer.pop(batch.end, run_.keep_alive);
  if (run_.jobs.empty()) run_.keep_alive.clear();
  return absl::OkStatus();
}

// What this task's completion and its commands, later in history, tell of this task: they were not
// known live, but the language needs them now.
absl::Status RunHistory::look_ahead(absl::Span<const HistoryEvent* const> events,
                                    const Batch& batch) {
  if (run_.last_processed == 0 && batch.lookahead_end > batch.end) {
    if (absl::Status status = begin_dialect(*events[0], *events[batch.end]); !status.ok())
      return status;
  }
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
  local_.look_further(events.subspan(batch.end));
  return absl::OkStatus();
}

// The first task that history has completed says who made the run.
absl::Status RunHistory::begin_dialect(const HistoryEvent& started, const HistoryEvent& completed) {
  std::shared_ptr<const PayloadCodec> codec = run_.options.identity.codec;
  if (codec != nullptr) {
    const RunContext& context = run_.options.context;
    auto own = codec->in({context.namespace_, context.workflow_id});
    if (!own.ok()) return own.status();
    if (*own != nullptr) codec = *std::move(own);
  }
  run_.dialect.begin(
      completed.workflow_task_completed_event_attributes().sdk_metadata().sdk_name(),
      started.workflow_execution_started_event_attributes().original_execution_run_id(),
      std::move(codec));
  return absl::OkStatus();
}

absl::Status RunHistory::look_ahead_marker(const HistoryEvent& event, bool own) {
  const auto& marker = event.marker_recorded_event_attributes();
  if (own) local_.look_ahead(event);
  if (auto patch = read_patch_marker(marker); patch && run_.patches.know(patch->id))
    run_.jobs.push_back(NotifyHasPatch{patch->id});
  if (!run_.options.identity.has_side_effects || !is_record_marker(marker)) return absl::OkStatus();
  auto job = run_.records.know(event, machines_);
  if (!job.ok()) return job.status();
  if (*job) run_.jobs.push_back(**std::move(job));
  return absl::OkStatus();
}

void RunHistory::look_ahead_update(absl::Span<const HistoryEvent* const> events,
                                   const HistoryEvent& event) {
  const auto& accepted = event.workflow_execution_update_accepted_event_attributes();
  if (!run_.known_updates.insert(accepted.protocol_instance_id()).second) return;
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

void RunHistory::take_versions(
    const api::history::v1::WorkflowTaskCompletedEventAttributes& completed) {
  run_.flags.seen(completed);
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

absl::Status RunHistory::apply_event(const HistoryEvent& event) {
  if (event.event_id() != run_.last_processed + 1) {
    return absl::DataLossError(absl::StrCat("the history goes from event ", run_.last_processed,
                                            " to ", event.event_id()));
  }
  const EventType type = event.event_type();
  if (run_.change_versions.skips(event)) return absl::OkStatus();
  if (is_command_event(type)) return machines_.match(event);
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
      run_.outgoing.begin_task();
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_FAILED:
      if (const auto& failed = event.workflow_task_failed_event_attributes();
          failed.cause() == enums::WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW) {
        run_.jobs.push_back(UpdateRandomSeed{base::run_seed(failed.new_run_id())});
      }
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
      run_.jobs.push_back(
          SignalWorkflow{&event.workflow_execution_signaled_event_attributes(), event.event_id()});
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
      run_.jobs.push_back(
          CancelWorkflow{event.workflow_execution_cancel_requested_event_attributes().cause()});
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED:
    case enums::EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ADMITTED:
      if (run_.live()) admit_update(event);
      return absl::OkStatus();
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED:
      run_.ended = true;
      return absl::OkStatus();
    default:
      return machines_.route(event);
  }
}

absl::Status RunHistory::check_confirmed(const HistoryEvent* event) {
  if (!confirming_) return absl::OkStatus();
  confirming_ = false;
  Patches::pass(run_.outgoing);
  const OutgoingCommand* head = run_.outgoing.front();
  if (!head || !run_.options.report_extra_commands) return absl::OkStatus();
  if (!event && run_.options.replay_only) {
    return absl::DataLossError(cut_history_message(run_.options.context, run_.last_processed,
                                                   describe_command(run_, *head)));
  }
  return machines_.nondeterminism(event, head,
                                  "no event for this command: the task ended before it");
}

void RunHistory::apply_started(const HistoryEvent& event) {
  const auto& started = event.workflow_execution_started_event_attributes();
  run_.time = base::to_wall_time(event.event_time());
  run_.properties.begin(started);
  run_.task_timeout = base::to_nanoseconds(started.workflow_task_timeout());
  if (run_.task_timeout <= std::chrono::nanoseconds::zero())
    run_.task_timeout = kDefaultTaskTimeout;
  run_.jobs.push_back(InitializeWorkflow{&started, run_.options.context.workflow_id,
                                         base::run_seed(started.original_execution_run_id()),
                                         run_.time});
}

void RunHistory::apply_task_started(const HistoryEvent& event) {
  const auto& started = event.workflow_task_started_event_attributes();
  run_.started_event_id = event.event_id();
  run_.time = std::max(run_.time, base::to_wall_time(event.event_time()));
  history_size_ = static_cast<std::uint64_t>(started.history_size_bytes());
  suggest_continue_as_new_ = started.suggest_continue_as_new();
  target_version_changed_ = started.target_worker_deployment_version_changed();
  suggest_reasons_.clear();
  for (int reason : started.suggest_continue_as_new_reasons()) {
    suggest_reasons_.push_back(static_cast<enums::SuggestContinueAsNewReason>(reason));
  }
}

void RunHistory::queue_messages() {
  for (const auto& message : run_.task->messages()) {
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
void RunHistory::admit_update(const HistoryEvent& event) {
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

void RunHistory::queue_update(PendingUpdate update) {
  const auto after = std::upper_bound(
      pending_updates_.begin(), pending_updates_.end(), update.sequencing_event_id,
      [](std::int64_t id, const PendingUpdate& other) { return id < other.sequencing_event_id; });
  pending_updates_.insert(after, std::move(update));
}

void RunHistory::deliver_updates(std::int64_t before_event_id) {
  std::size_t delivered = 0;
  for (PendingUpdate& update : pending_updates_) {
    if (update.sequencing_event_id >= before_event_id) break;
    ++delivered;
    UpdateMachine& machine = run_.updates[update.instance_id];
    if (machine.request || !machine.message_id.empty()) continue;  // Told again.
    machine.update_id = update.request->meta().update_id();
    machine.identity = update.request->meta().identity();
    machine.message_id = update.message_id;
    machine.sequencing_event_id = update.sequencing_event_id;
    machine.owner = update.owner;
    machine.request = update.request;
    run_.keep_alive.push_back(update.owner);
    run_.jobs.push_back(
        DoUpdate{machine.update_id, update.instance_id, update.request, update.run_validator});
  }
  pending_updates_.erase(pending_updates_.begin(),
                         pending_updates_.begin() + static_cast<std::ptrdiff_t>(delivered));
}

// A query's history may go on behind the last task that was answered: a signal came since. That
// belongs to a task to come, at that task's time; only the answered task's commands are applied.
Batch RunHistory::up_to_query(const Batch& batch) {
  const auto events = run_.buffer.events();
  if (!run_.task->has_query() || run_.started_event_id == 0 ||
      run_.started_event_id < run_.task->previous_started_event_id() ||
      is_final_event(events.back()->event_type()))
    return batch;
  std::size_t end = 0;
  if (events[0]->event_type() == enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED) ++end;
  while (end < events.size() && end > 0 && is_command_event(events[end]->event_type())) ++end;
  // sdk-core 1.35 leaves the completion of an empty task out where the task before had commands.
  run_.uncounted = commanded_ && end == 1 && events.size() == 1 ? 1 : 0;
  run_.buffer.truncate(end);
  run_.next_page_token.clear();
  return {Batch::Kind::kComplete, end, end};
}

std::shared_ptr<Activation> RunHistory::make_activation() const {
  auto activation = std::make_shared<Activation>();
  activation->run_id = run_.options.context.run_id;
  activation->time = run_.time;
  activation->is_replaying = run_.replaying;
  activation->history_length = static_cast<std::uint32_t>(run_.last_processed);
  activation->history_size_bytes = history_size_;
  activation->continue_as_new_suggested = suggest_continue_as_new_;
  activation->suggest_continue_as_new_reasons = suggest_reasons_;
  activation->target_worker_deployment_version_changed = target_version_changed_;
  activation->deployment_version_for_current_task =
      run_.replaying ? deployment_version_ : run_.options.own_deployment_version;
  activation->available_internal_flags = run_.flags.of_language();
  activation->last_sdk_version = run_.flags.sdk_version();
  return activation;
}

}  // namespace chimera::core
