#include "core/workflow/run_report.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "core/machines/describe.h"
#include "core/machines/local_marker.h"
#include "core/machines/record_marker.h"
#include "core/workflow/attributes.h"
#include "core/workflow/divergence.h"
#include "core/workflow/nondeterminism.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;

constexpr std::size_t kShownAfter = 3;

StepKind kind_of(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
      return StepKind::kActivity;
    case enums::EVENT_TYPE_ACTIVITY_TASK_CANCEL_REQUESTED:
      return StepKind::kCancelActivity;
    case enums::EVENT_TYPE_TIMER_STARTED:
      return StepKind::kTimer;
    case enums::EVENT_TYPE_TIMER_CANCELED:
      return StepKind::kCancelTimer;
    case enums::EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
      return StepKind::kChildWorkflow;
    case enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED:
      return StepKind::kNexusOperation;
    case enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED:
      return StepKind::kCancelNexusOperation;
    case enums::EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return StepKind::kSignal;
    case enums::EVENT_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
      return StepKind::kCancelWorkflow;
    case enums::EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES:
      return StepKind::kSearchAttributes;
    case enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
      return StepKind::kMemo;
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_REJECTED:
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED:
      return StepKind::kUpdate;
    default:
      return is_final_event(type) ? StepKind::kEnd : StepKind::kOther;
  }
}

// How a workflow ends, of the event's type.
std::string ending(EventType type) {
  switch (type) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
      return "(completed)";
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED:
      return "(failed)";
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED:
      return "(canceled)";
    default:
      return "(continued as new)";
  }
}

Step step_of(const api::history::v1::MarkerRecordedEventAttributes& marker) {
  if (const auto patch = read_patch_marker(marker)) return {StepKind::kPatch, patch->id};
  const std::string& name = marker.marker_name();
  if (name == kVersionMarker) return {StepKind::kVersion};
  if (name == kSideEffectMarker) return {StepKind::kSideEffect};
  if (name == kMutableSideEffectMarker) return {StepKind::kMutableSideEffect};
  if (!is_local_marker(marker)) return {};
  const auto local = read_local_marker(marker);
  if (!local) return {StepKind::kLocalActivity};
  return {StepKind::kLocalActivity, local->activity_type, local->activity_id};
}

Step step_of(const HistoryEvent& event) {
  if (event.has_marker_recorded_event_attributes())
    return step_of(event.marker_recorded_event_attributes());
  Step step{kind_of(event.event_type())};
  if (event.has_activity_task_scheduled_event_attributes()) {
    const auto& scheduled = event.activity_task_scheduled_event_attributes();
    step.name = scheduled.activity_type().name();
    step.id = scheduled.activity_id();
  } else if (event.has_start_child_workflow_execution_initiated_event_attributes()) {
    const auto& initiated = event.start_child_workflow_execution_initiated_event_attributes();
    step.name = initiated.workflow_type().name();
    step.id = initiated.workflow_id();
  } else if (event.has_signal_external_workflow_execution_initiated_event_attributes()) {
    step.name = event.signal_external_workflow_execution_initiated_event_attributes().signal_name();
  } else if (event.has_nexus_operation_scheduled_event_attributes()) {
    const auto& scheduled = event.nexus_operation_scheduled_event_attributes();
    step.name = absl::StrCat(scheduled.service(), "/", scheduled.operation());
  } else if (step.kind == StepKind::kEnd) {
    step.name = ending(event.event_type());
  }
  return step;
}

void name_step(const ActivityMachine& machine, Step& step) {
  step.name = machine.type;
  step.id = machine.id;
}
void name_step(const LocalActivityMachine& machine, Step& step) {
  step.name = machine.type;
  step.id = machine.id;
}
void name_step(const ChildWorkflowMachine& machine, Step& step) {
  step.name = std::string(machine.type());
  step.id = std::string(machine.workflow_id());
}
void name_step(const NexusOperationMachine& machine, Step& step) {
  step.name = absl::StrCat(machine.service(), "/", machine.operation());
}
void name_step(const MachineBase&, Step&) {}

Step step_of(const RunData& run, const OutgoingCommand& command) {
  switch (command.kind) {
    case MachineKind::kPatch:
      return {StepKind::kPatch, command.id};
    case MachineKind::kVersion:
      return {StepKind::kVersion};
    case MachineKind::kSideEffect:
      return {StepKind::kSideEffect};
    case MachineKind::kMutableSideEffect:
      return {StepKind::kMutableSideEffect};
    case MachineKind::kEnd:
      return {StepKind::kEnd, ending(command.confirmed_by)};
    default:
      break;
  }
  Step step{command.confirmed_by == enums::EVENT_TYPE_MARKER_RECORDED
                ? StepKind::kLocalActivity
                : kind_of(command.confirmed_by)};
  const auto* signal = command.issued
                           ? std::get_if<SignalExternalWorkflowExecution>(&command.issued->variant)
                           : nullptr;
  if (signal) step.name = signal->attributes.signal_name();
  const auto found = run.table.find(command.kind, command.seq);
  if (found == run.table.end()) return step;
  std::visit(
      [&](const auto& machine) {
        if (command.confirmed_by == machine.kBegunBy) name_step(machine, step);
      },
      found->second);
  return step;
}

std::string line_of(const HistoryEvent& event) {
  std::string line = describe_event(event);
  if (event.has_marker_recorded_event_attributes()) {
    const Step step = step_of(event.marker_recorded_event_attributes());
    if (!step.name.empty()) absl::StrAppend(&line, " \"", step.name, "\"");
    return line;
  }
  const std::string attributes = attributes_of(event);
  return attributes.empty() ? line : absl::StrCat(line, ", ", attributes);
}

// A local activity's is commanded when it has ended.
std::uint64_t place_of(const RunData& run, const OutgoingCommand& command) {
  if (command.issued) return command.issued->place;
  const auto found = run.table.find(command.kind, command.seq);
  if (found == run.table.end()) return 0;
  const auto* local = std::get_if<LocalActivityMachine>(&found->second);
  return local ? local->place : 0;
}

std::string line_of(const RunData& run, const OutgoingCommand& command) {
  std::string line = describe_command(run, command);
  const std::string attributes = command.issued ? attributes_of(*command.issued) : "";
  if (!attributes.empty()) absl::StrAppend(&line, ", ", attributes);
  const std::uint64_t place = place_of(run, command);
  const auto in_words = run.options.identity.place;
  const std::string where = place != 0 && in_words ? in_words(place) : "";
  if (!where.empty()) absl::StrAppend(&line, ", at ", where);
  return line;
}

std::vector<const HistoryEvent*> commands_from(const RunData& run, std::int64_t event_id,
                                               bool of_the_task) {
  std::vector<const HistoryEvent*> commands;
  for (const HistoryEvent* event : run.buffer.events()) {
    if (event->event_id() < event_id) continue;
    if (is_command_event(event->event_type())) {
      commands.push_back(event);
    } else if (of_the_task) {
      break;
    }
  }
  return commands;
}

std::vector<Step> steps_of(const std::vector<const HistoryEvent*>& events) {
  std::vector<Step> steps;
  for (const HistoryEvent* event : events) steps.push_back(step_of(*event));
  return steps;
}

void add_surroundings(const RunData& run, std::int64_t next_event_id, Disagreement& report) {
  for (const AppliedEvent& applied : run.before) report.before.push_back(line_of(*applied.event));
  for (const HistoryEvent* after : commands_from(run, next_event_id, /*of_the_task=*/false)) {
    if (report.history_after.size() < kShownAfter) report.history_after.push_back(line_of(*after));
  }
}

std::string cause_of(const RunData& run, const HistoryEvent* event,
                     const OutgoingCommand* command) {
  // An event that goes on with what no machine began, or in another way than it can.
  if (event != nullptr && !is_command_event(event->event_type()) && command == nullptr) return "";
  Divergence divergence;
  const std::int64_t from = event ? event->event_id() : run.last_processed + 1;
  const auto own = commands_from(run, from, /*of_the_task=*/true);
  const auto all = commands_from(run, from, /*of_the_task=*/false);
  divergence.history = steps_of(own);
  divergence.later = steps_of({all.begin() + static_cast<std::ptrdiff_t>(own.size()), all.end()});
  for (const OutgoingCommand* each : run.outgoing.waiting())
    divergence.code.push_back(step_of(run, *each));
  return likely_cause(divergence);
}

}  // namespace

std::string describe_command(const RunData& run, const OutgoingCommand& command) {
  switch (command.kind) {
    case MachineKind::kUpdate:
      return UpdateMachine::describe(command);
    case MachineKind::kPatch:
      return absl::StrCat("patch \"", command.id, "\"");
    case MachineKind::kVersion:
    case MachineKind::kSideEffect:
    case MachineKind::kMutableSideEffect:
      return Records::describe(command);
    case MachineKind::kSearchAttributes:
      return "UpsertWorkflowSearchAttributes";
    case MachineKind::kMemo:
      return "ModifyWorkflowProperties";
    case MachineKind::kEnd:
      return absl::StrCat("the workflow's end (", event_name(command.confirmed_by), ")");
    default:
      break;
  }
  const auto found = run.table.find(command.kind, command.seq);
  if (found == run.table.end())
    return absl::StrCat("a command for ", event_name(command.confirmed_by), " ", command.seq);
  return std::visit([&](const auto& machine) { return machine.describe(command.confirmed_by); },
                    found->second);
}

std::string report_disagreement(const RunData& run, const HistoryEvent* event,
                                const OutgoingCommand* command, const std::string& what) {
  Disagreement report;
  report.what = what;
  report.commands_matched = run.outgoing.matched();
  if (event) report.event = line_of(*event);
  if (command) report.command = line_of(run, *command);
  add_surroundings(run, event ? event->event_id() + 1 : run.last_processed + 1, report);
  for (const OutgoingCommand* after : run.outgoing.waiting()) {
    if (after != command && report.code_after.size() < kShownAfter)
      report.code_after.push_back(line_of(run, *after));
  }
  report.cause = cause_of(run, event, command);
  return nondeterminism_message(run.options.context, report);
}

std::string report_surroundings(const RunData& run) {
  Disagreement report;
  add_surroundings(run, run.last_processed + 1, report);
  return std::string(absl::StripSuffix(surroundings(report), "\n"));
}

}  // namespace chimera::core
