// Commands of the language to machines, and to the commands that the server gets.
#include "absl/strings/str_cat.h"

#include "core/base/proto_time.h"
#include "core/machines/patch.h"
#include "core/workflow/run_state.h"

// Servers and histories of today still use these fields.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace chimera::core {

namespace enums = api::enums::v1;
using ApiCommand = api::command::v1::Command;

absl::Status WorkflowRun::State::take(std::vector<Command>& commands) {
  for (Command& command : commands) {
    // Commands beside the workflow's end are kept before it (flag 3); histories from before that
    // rule drop what follows.
    if (terminal_commanded_ && !flags_.use(CoreFlag::kTerminalCommandLast, replaying_)) break;
    absl::Status status =
        std::visit([&](auto& variant) { return take(variant, command); }, command.variant);
    if (!status.ok()) return status;
  }
  outgoing_.terminal_last();
  return absl::OkStatus();
}

std::unique_ptr<ApiCommand> WorkflowRun::State::outgoing(enums::CommandType type,
                                                         Command& whole) const {
  if (!live()) return nullptr;
  auto command = std::make_unique<ApiCommand>();
  command->set_command_type(type);
  if (whole.user_metadata) command->set_allocated_user_metadata(whole.user_metadata.release());
  for (auto& marker : whole.event_group_markers)
    *command->add_event_group_markers() = std::move(marker);
  return command;
}

void WorkflowRun::State::push(MachineKind kind, EventType confirmed_by, std::uint32_t seq,
                              std::unique_ptr<ApiCommand> command) {
  OutgoingCommand entry{kind, confirmed_by, seq};
  entry.command = std::move(command);
  outgoing_.push(std::move(entry));
}

namespace {

absl::Status twice(const char* what, std::uint32_t seq) {
  return absl::InvalidArgumentError(
      absl::StrCat("the language used the number ", seq, " for two ", what));
}

}  // namespace

absl::Status WorkflowRun::State::take(ScheduleActivity& command, Command& whole) {
  auto& attributes = command.attributes;
  if (attributes.activity_id().empty()) attributes.set_activity_id(absl::StrCat(command.seq));
  const auto [at, fresh] = activities_.try_emplace(command.seq);
  if (!fresh) return twice("activities", command.seq);
  ActivityMachine& machine = at->second;
  machine.id = attributes.activity_id();
  machine.type = attributes.activity_type().name();
  machine.on_cancel =
      command.cancellation_type == ActivityCancellationType::kTryCancel
          ? ActivityMachine::Event::kTryCancel
      : command.cancellation_type == ActivityCancellationType::kWaitCancellationCompleted
          ? ActivityMachine::Event::kWaitCancel
          : ActivityMachine::Event::kAbandon;
  auto out = outgoing(enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK, whole);
  if (out) {
    if (attributes.task_queue().name().empty()) {
      attributes.mutable_task_queue()->set_name(options_.context.task_queue);
      attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    if (!command.do_not_eagerly_execute) {
      attributes.set_request_eager_execution(attributes.task_queue().name() ==
                                             options_.context.task_queue);
    }
    *out->mutable_schedule_activity_task_command_attributes() = std::move(attributes);
  }
  push(MachineKind::kActivity, enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, command.seq,
       std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(RequestCancelActivity& command, Command& whole) {
  using A = ActivityMachine::Action;
  const auto found = activities_.find(command.seq);
  if (found == activities_.end())
    return absl::OkStatus();  // It has ended: the language may not know yet.
  ActivityMachine& machine = found->second;
  A action;
  if (!ActivityMachine::kTable.advance(machine.state, machine.on_cancel, action))
    return absl::OkStatus();
  if (action == A::kDropCommandAndResolveCancelled)
    outgoing_.drop(MachineKind::kActivity, command.seq);
  if (action == A::kCommandCancel || action == A::kCommandCancelAndResolveCancelled) {
    auto out = outgoing(enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK, whole);
    if (out) {
      out->mutable_request_cancel_activity_task_command_attributes()->set_scheduled_event_id(
          machine.scheduled_event_id);
    }
    push(MachineKind::kActivity, enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED, command.seq,
         std::move(out));
  }
  if (action != A::kNone && action != A::kCommandCancel) {
    jobs_.push_back(ResolveActivity{command.seq, Cancelled{activity_cancelled(machine)}});
  }
  if (machine.state == ActivityMachine::State::kDone) {
    if (action == A::kResolveCancelledAndSwallow) {
      swallow_.insert(machine.scheduled_event_id);
      by_event_.erase(machine.scheduled_event_id);
    }
    activities_.erase(found);
  }
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(ScheduleLocalActivity& command, Command&) {
  return absl::UnimplementedError(
      absl::StrCat("local activity ", command.activity_type,
                   ": local activities are not supported yet; run it as an activity"));
}

absl::Status WorkflowRun::State::take(RequestCancelLocalActivity&, Command&) {
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(StartTimer& command, Command& whole) {
  const auto [at, fresh] = timers_.try_emplace(command.seq);
  if (!fresh) return twice("timers", command.seq);
  if (whole.user_metadata) {
    at->second.metadata = std::make_unique<api::sdk::v1::UserMetadata>(*whole.user_metadata);
  }
  auto out = outgoing(enums::COMMAND_TYPE_START_TIMER, whole);
  if (out) {
    auto& attributes = *out->mutable_start_timer_command_attributes();
    attributes.set_timer_id(absl::StrCat(command.seq));
    base::set_duration(command.start_to_fire_timeout, *attributes.mutable_start_to_fire_timeout());
  }
  push(MachineKind::kTimer, enums::EVENT_TYPE_TIMER_STARTED, command.seq, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(CancelTimer& command, Command& whole) {
  using M = TimerMachine;
  const auto found = timers_.find(command.seq);
  if (found == timers_.end()) return absl::OkStatus();  // It has fired.
  M::Action action;
  if (!M::kTable.advance(found->second.state, M::Event::kCancel, action)) return absl::OkStatus();
  if (action == M::Action::kDropCommand) {
    outgoing_.drop(MachineKind::kTimer, command.seq);
    timers_.erase(found);
  } else if (action == M::Action::kCommandCancel) {
    auto out = outgoing(enums::COMMAND_TYPE_CANCEL_TIMER, whole);
    if (out) {
      out->mutable_cancel_timer_command_attributes()->set_timer_id(absl::StrCat(command.seq));
      if (found->second.metadata && !out->has_user_metadata()) {
        out->set_allocated_user_metadata(found->second.metadata.release());
      }
    }
    push(MachineKind::kTimer, enums::EVENT_TYPE_TIMER_CANCELED, command.seq, std::move(out));
  }
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(StartChildWorkflowExecution& command, Command& whole) {
  using E = ChildWorkflowMachine::Event;
  auto& attributes = command.attributes;
  const auto [at, fresh] = children_.try_emplace(command.seq);
  if (!fresh) return twice("child workflows", command.seq);
  ChildWorkflowMachine& machine = at->second;
  if (attributes.namespace_().empty()) attributes.set_namespace_(options_.context.namespace_);
  machine.namespace_ = attributes.namespace_();
  machine.workflow_id = attributes.workflow_id();
  machine.type = attributes.workflow_type().name();
  switch (command.cancellation_type) {
    case ChildWorkflowCancellationType::kAbandon:
      machine.on_cancel = E::kAbandon;
      break;
    case ChildWorkflowCancellationType::kTryCancel:
      machine.on_cancel = E::kTryCancel;
      break;
    case ChildWorkflowCancellationType::kWaitCancellationCompleted:
    case ChildWorkflowCancellationType::kWaitCancellationRequested:
      machine.on_cancel = E::kWaitCancel;
  }
  auto out = outgoing(enums::COMMAND_TYPE_START_CHILD_WORKFLOW_EXECUTION, whole);
  if (out) {
    if (attributes.task_queue().name().empty()) {
      attributes.mutable_task_queue()->set_name(options_.context.task_queue);
      attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    }
    *out->mutable_start_child_workflow_execution_command_attributes() = std::move(attributes);
  }
  push(MachineKind::kChildWorkflow, enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED,
       command.seq, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(CancelChildWorkflowExecution& command, Command&) {
  using A = ChildWorkflowMachine::Action;
  const auto found = children_.find(command.seq);
  if (found == children_.end()) return absl::OkStatus();
  ChildWorkflowMachine& machine = found->second;
  A action;
  if (!ChildWorkflowMachine::kTable.advance(machine.state, machine.on_cancel, action))
    return absl::OkStatus();
  switch (action) {
    case A::kDropCommandAndResolveStartCancelled:
      outgoing_.drop(MachineKind::kChildWorkflow, command.seq);
      jobs_.push_back(ResolveChildWorkflowExecutionStart{
          command.seq, Cancelled{child_cancelled_before_start(machine, command.reason)}});
      children_.erase(found);
      return absl::OkStatus();
    case A::kRequestCancel:
      request_child_cancel(machine, command.reason);
      return absl::OkStatus();
    case A::kRequestCancelAndResolveCancelled:
    case A::kRequestCancelAndResolveStartCancelled:
      request_child_cancel(machine, command.reason);
      break;
    case A::kResolveCancelled:
    case A::kResolveStartCancelled:
      break;
    default:
      return absl::OkStatus();
  }
  Cancelled cancelled{child_cancelled(machine, nullptr)};
  if (action == A::kResolveStartCancelled || action == A::kRequestCancelAndResolveStartCancelled) {
    jobs_.push_back(ResolveChildWorkflowExecutionStart{command.seq, std::move(cancelled)});
  } else {
    jobs_.push_back(ResolveChildWorkflowExecution{command.seq, std::move(cancelled)});
  }
  swallow_.insert(machine.initiated_event_id);
  by_event_.erase(machine.initiated_event_id);
  children_.erase(found);
  return absl::OkStatus();
}

void WorkflowRun::State::request_child_cancel(const ChildWorkflowMachine& child,
                                              const std::string& reason) {
  // The language numbers its own requests from 1 up.
  const std::uint32_t seq = 0x80000000u + next_child_cancel_++;
  cancels_[seq].of_child = true;
  Command none{CancelTimer{}};
  auto out = outgoing(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, none);
  if (out) {
    auto& attributes =
        *out->mutable_request_cancel_external_workflow_execution_command_attributes();
    attributes.set_namespace_(child.namespace_);
    attributes.set_workflow_id(child.workflow_id);
    attributes.set_run_id(child.run_id);
    attributes.set_child_workflow_only(true);
    attributes.set_reason(reason);
  }
  push(MachineKind::kCancelExternal,
       enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, seq, std::move(out));
}

absl::Status WorkflowRun::State::take(SignalExternalWorkflowExecution& command, Command& whole) {
  if (!signals_.try_emplace(command.seq).second) return twice("signals", command.seq);
  auto out = outgoing(enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = command.attributes;
    if (attributes.namespace_().empty()) attributes.set_namespace_(options_.context.namespace_);
    *out->mutable_signal_external_workflow_execution_command_attributes() = std::move(attributes);
  }
  push(MachineKind::kSignalExternal, enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED,
       command.seq, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(CancelSignalWorkflow& command, Command&) {
  using M = SignalExternalMachine;
  const auto found = signals_.find(command.seq);
  if (found == signals_.end()) return absl::OkStatus();
  M::Action action;
  if (!M::kTable.advance(found->second.state, M::Event::kCancel, action)) return absl::OkStatus();
  if (action == M::Action::kDropCommandAndResolveCancelled) {
    outgoing_.drop(MachineKind::kSignalExternal, command.seq);
    jobs_.push_back(ResolveSignalExternalWorkflow{command.seq, signal_cancelled()});
    signals_.erase(found);
  }
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(RequestCancelExternalWorkflowExecution& command,
                                      Command& whole) {
  if (!cancels_.try_emplace(command.seq).second) return twice("cancellations", command.seq);
  auto out = outgoing(enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = command.attributes;
    if (attributes.namespace_().empty()) attributes.set_namespace_(options_.context.namespace_);
    attributes.set_reason(absl::StrCat("Cancel requested by workflow with run id ",
                                       options_.context.run_id,
                                       " with reason: ", attributes.reason()));
    *out->mutable_request_cancel_external_workflow_execution_command_attributes() =
        std::move(attributes);
  }
  push(MachineKind::kCancelExternal,
       enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED, command.seq,
       std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(SetPatchMarker& command, Command& whole) {
  if (patches_made_.contains(command.patch_id))
    return absl::OkStatus();  // One marker per patch and run.
  const bool in_history = patches_known_.contains(command.patch_id);
  patches_made_.insert(command.patch_id);
  auto out = outgoing(enums::COMMAND_TYPE_RECORD_MARKER, whole);
  if (out) {
    write_patch_marker({command.patch_id, command.deprecated},
                       *out->mutable_record_marker_command_attributes());
  }
  OutgoingCommand entry{MachineKind::kPatch, enums::EVENT_TYPE_MARKER_RECORDED, 0,
                        command.patch_id};
  entry.deprecated = command.deprecated;
  entry.command = std::move(out);
  outgoing_.push(std::move(entry));
  if (replaying_ && !in_history) return absl::OkStatus();
  if (flags_.use(CoreFlag::kUpsertOnPatch, replaying_)) upsert_change_versions();
  return absl::OkStatus();
}

void WorkflowRun::State::upsert_change_versions() {
  auto value = change_version_attribute(patches_made_);
  if (!value) return;
  Command none{CancelTimer{}};
  auto out = outgoing(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, none);
  if (out) {
    auto& fields = *out->mutable_upsert_workflow_search_attributes_command_attributes()
                        ->mutable_search_attributes()
                        ->mutable_indexed_fields();
    fields[kChangeVersionAttribute] = *std::move(value);
  }
  push(MachineKind::kSearchAttributes, enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, 0,
       std::move(out));
}

absl::Status WorkflowRun::State::take(UpsertWorkflowSearchAttributes& command, Command& whole) {
  auto& fields = *command.search_attributes.mutable_indexed_fields();
  fields.erase(kChangeVersionAttribute);  // That one is the core's.
  if (!search_attributes_)
    search_attributes_ = std::make_unique<api::common::v1::SearchAttributes>();
  for (const auto& [name, value] : fields)
    (*search_attributes_->mutable_indexed_fields())[name] = value;
  auto out = outgoing(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, whole);
  if (out) {
    *out->mutable_upsert_workflow_search_attributes_command_attributes()
         ->mutable_search_attributes() = std::move(command.search_attributes);
  }
  push(MachineKind::kSearchAttributes, enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES, 0,
       std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(ModifyWorkflowProperties& command, Command& whole) {
  auto out = outgoing(enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES, whole);
  if (out) {
    *out->mutable_modify_workflow_properties_command_attributes()->mutable_upserted_memo() =
        std::move(command.upserted_memo);
  }
  push(MachineKind::kMemo, enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED, 0, std::move(out));
  return absl::OkStatus();
}

void WorkflowRun::State::end_with(EventType confirmed_by, std::unique_ptr<ApiCommand> command) {
  terminal_commanded_ = true;
  push(MachineKind::kEnd, confirmed_by, 0, std::move(command));
}

absl::Status WorkflowRun::State::take(CompleteWorkflowExecution& command, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = outgoing(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_complete_workflow_execution_command_attributes();
    if (command.result) *attributes.mutable_result()->add_payloads() = *std::move(command.result);
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(FailWorkflowExecution& command, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = outgoing(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION, whole);
  if (out)
    *out->mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        std::move(command.failure);
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(CancelWorkflowExecution&, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = outgoing(enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION, whole);
  if (out) out->mutable_cancel_workflow_execution_command_attributes();
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(ContinueAsNewWorkflowExecution& command, Command& whole) {
  if (terminal_commanded_) return absl::OkStatus();
  auto out = outgoing(enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION, whole);
  if (out) {
    auto& attributes = *out->mutable_continue_as_new_workflow_execution_command_attributes();
    attributes = std::move(command.attributes);
    // The server takes the run's own type and task queue where the names are empty.
    attributes.mutable_workflow_type();
    attributes.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_NORMAL);
    if (attributes.memo().fields().empty() && memo_) *attributes.mutable_memo() = *memo_;
    if (attributes.search_attributes().indexed_fields().empty() && search_attributes_) {
      *attributes.mutable_search_attributes() = *search_attributes_;
    }
    if (!attributes.has_retry_policy() && retry_policy_)
      *attributes.mutable_retry_policy() = *retry_policy_;
  }
  end_with(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW, std::move(out));
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(ScheduleNexusOperation& command, Command&) {
  return absl::UnimplementedError(absl::StrCat("Nexus operation ", command.attributes.service(),
                                               "/", command.attributes.operation(),
                                               ": Nexus operations are not supported yet"));
}

absl::Status WorkflowRun::State::take(RequestCancelNexusOperation&, Command&) {
  return absl::OkStatus();
}

absl::Status WorkflowRun::State::take(RespondToQuery& command, Command&) {
  return absl::InvalidArgumentError(absl::StrCat("the language answered the query ",
                                                 command.query_id, ", which it was not asked"));
}

absl::Status WorkflowRun::State::take(UpdateResponse& command, Command&) {
  using M = UpdateMachine;
  const std::string& id = command.protocol_instance_id;
  const auto found = updates_.find(id);
  if (found == updates_.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the language answered update ", id, ", which is not under way"));
  }
  M& machine = found->second;
  const M::Event event =
      std::holds_alternative<UpdateResponse::Accepted>(command.response)   ? M::Event::kAccept
      : std::holds_alternative<UpdateResponse::Rejected>(command.response) ? M::Event::kReject
                                                                           : M::Event::kComplete;
  const M::State before = machine.state;
  M::Action action;
  if (!M::kTable.advance(machine.state, event, action)) {
    return absl::InvalidArgumentError(absl::StrCat("the language gave the answer \"",
                                                   enum_name(event), "\" to update ", id,
                                                   ", which is in state ", enum_name(before)));
  }
  switch (action) {
    case M::Action::kSendAcceptance:
      send_acceptance(machine, id);
      break;
    case M::Action::kSendRejection:
      send_rejection(machine, id, std::get<UpdateResponse::Rejected>(command.response).failure);
      updates_.erase(found);
      break;
    case M::Action::kSendResponse:
      send_response(machine, id, command);
      break;
    default:
      break;
  }
  return absl::OkStatus();
}

void WorkflowRun::State::send_message(const std::string& instance_id, std::string message_id,
                                      const google::protobuf::Message& body) {
  auto message = std::make_unique<api::protocol::v1::Message>();
  message->set_id(std::move(message_id));
  message->set_protocol_instance_id(instance_id);
  message->mutable_body()->PackFrom(body);
  messages_.push_back(std::move(message));
}

namespace {

// What an acceptance or a rejection quotes of the request.
void quote(const api::update::v1::Request& request, api::update::v1::Request& out) {
  *out.mutable_meta() = request.meta();
  *out.mutable_input() = request.input();
}

std::unique_ptr<ApiCommand> protocol_message(const std::string& message_id) {
  auto command = std::make_unique<ApiCommand>();
  command->set_command_type(enums::COMMAND_TYPE_PROTOCOL_MESSAGE);
  command->mutable_protocol_message_command_attributes()->set_message_id(message_id);
  return command;
}

}  // namespace

void WorkflowRun::State::send_acceptance(UpdateMachine& update, const std::string& instance_id) {
  OutgoingCommand entry{MachineKind::kUpdate, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
                        0, instance_id};
  if (live()) {
    const std::string id = absl::StrCat(update.message_id, "/accept");
    api::update::v1::Acceptance body;
    body.set_accepted_request_message_id(update.message_id);
    body.set_accepted_request_sequencing_event_id(update.sequencing_event_id);
    quote(*update.request, *body.mutable_accepted_request());
    send_message(instance_id, id, body);
    entry.command = protocol_message(id);
  }
  outgoing_.push(std::move(entry));
  update.owner.reset();
  update.request = nullptr;
}

void WorkflowRun::State::send_rejection(UpdateMachine& update, const std::string& instance_id,
                                        api::failure::v1::Failure& failure) {
  if (!live()) return;
  api::update::v1::Rejection body;
  body.set_rejected_request_message_id(update.message_id);
  body.set_rejected_request_sequencing_event_id(update.sequencing_event_id);
  quote(*update.request, *body.mutable_rejected_request());
  *body.mutable_failure() = std::move(failure);
  send_message(instance_id, absl::StrCat(update.message_id, "/reject"), body);
}

void WorkflowRun::State::send_response(UpdateMachine& update, const std::string& instance_id,
                                       UpdateResponse& response) {
  OutgoingCommand entry{MachineKind::kUpdate, enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED,
                        0, instance_id};
  if (live()) {
    const std::string id = absl::StrCat(update.message_id, "/complete");
    api::update::v1::Response body;
    body.mutable_meta()->set_update_id(update.update_id);
    body.mutable_meta()->set_identity(update.identity);
    if (auto* rejected = std::get_if<UpdateResponse::Rejected>(&response.response)) {
      *body.mutable_outcome()->mutable_failure() = std::move(rejected->failure);
    } else {
      auto& result = std::get<UpdateResponse::Completed>(response.response).result;
      *body.mutable_outcome()->mutable_success()->add_payloads() = std::move(result);
    }
    send_message(instance_id, id, body);
    entry.command = protocol_message(id);
  }
  outgoing_.push(std::move(entry));
}

}  // namespace chimera::core
