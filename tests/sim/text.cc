#include "tests/sim/text.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/text_format.h"

#include "core/machines/record_marker.h"

namespace chimera::sim {
namespace {

constexpr const char* kJobs[] = {"Initialize",       "FireTimer",
                                 "UpdateRandomSeed", "Query",
                                 "Cancel",           "Signal",
                                 "ResolveActivity",  "NotifyHasPatch",
                                 "ResolveStart",     "ResolveChild",
                                 "ResolveSignal",    "ResolveCancel",
                                 "DoUpdate",         "ResolveNexusStart",
                                 "ResolveNexus",     "NotifyRecorded",
                                 "RemoveFromCache"};
constexpr const char* kCommands[] = {"ScheduleActivity",
                                     "ScheduleLocalActivity",
                                     "RequestCancelActivity",
                                     "RequestCancelLocalActivity",
                                     "StartTimer",
                                     "CancelTimer",
                                     "StartChild",
                                     "CancelChild",
                                     "SignalExternal",
                                     "CancelSignal",
                                     "CancelExternal",
                                     "SetPatchMarker",
                                     "UpsertSearchAttributes",
                                     "ModifyProperties",
                                     "Complete",
                                     "Fail",
                                     "Cancel",
                                     "ContinueAsNew",
                                     "ScheduleNexus",
                                     "CancelNexus",
                                     "RespondToQuery",
                                     "UpdateResponse",
                                     "RecordOnce"};

std::string failure_text(const std::shared_ptr<const api::failure::v1::Failure>& failure) {
  return failure ? text(*failure) : "ok";
}

// How an operation ended: the alternatives of all the jobs that resolve one.
std::string ended(const core::Completed& completed) {
  return absl::StrCat("completed ", completed.result ? text(*completed.result) : "");
}
std::string ended(const core::Failed& failed) {
  return absl::StrCat("failed ", failure_text(failed.failure));
}
std::string ended(const core::Cancelled& cancelled) {
  return absl::StrCat("cancelled ", failure_text(cancelled.failure));
}
std::string ended(const core::ResolveChildWorkflowExecutionStart::Succeeded& started) {
  return absl::StrCat("started ", started.run_id);
}
std::string ended(const core::ResolveChildWorkflowExecutionStart::StartFailed& failed) {
  return absl::StrCat("not started ", failed.workflow_id, " ", failed.workflow_type, " ",
                      static_cast<int>(failed.cause));
}
std::string ended(const core::ResolveNexusOperationStart::OperationToken& started) {
  return absl::StrCat("started ", started.token);
}
std::string ended(const core::ResolveNexusOperationStart::StartedSync&) {
  return "started at once";
}
std::string ended(const core::ResolveNexusOperation::TimedOut& timed_out) {
  return absl::StrCat("timed out ", failure_text(timed_out.failure));
}
std::string ended(const core::Backoff& backoff) {
  return absl::StrCat("again ", backoff.attempt, " ", backoff.duration.count(), " ",
                      backoff.original_schedule_time.time_since_epoch().count());
}
template <class Other>
std::string ended(const Other&) {
  return "?";
}
template <class... Ways>
std::string ended(const std::variant<Ways...>& ways) {
  return std::visit([](const auto& way) { return ended(way); }, ways);
}

std::string record(const core::Recorded& recorded) {
  return absl::StrCat(static_cast<int>(recorded.kind), " ", recorded.id, " ", recorded.number, " ",
                      recorded.value.data());
}

struct JobDetail {
  std::string operator()(const core::InitializeWorkflow& job) const {
    return absl::StrCat(job.workflow_id, " seed ", job.randomness_seed, " ",
                        job.start_time.time_since_epoch().count());
  }
  std::string operator()(const core::UpdateRandomSeed& job) const {
    return absl::StrCat(job.randomness_seed);
  }
  std::string operator()(const core::QueryWorkflow& job) const {
    return absl::StrCat(job.query_id, " ", text(*job.query));
  }
  std::string operator()(const core::CancelWorkflow& job) const { return job.reason; }
  std::string operator()(const core::SignalWorkflow& job) const {
    return absl::StrCat(job.event_id, " ", text(*job.signal));
  }
  std::string operator()(const core::NotifyHasPatch& job) const { return job.patch_id; }
  std::string operator()(const core::NotifyRecorded& job) const { return record(job.recorded); }
  std::string operator()(const core::DoUpdate& job) const {
    return absl::StrCat(job.id, " ", job.protocol_instance_id, " ", text(*job.request));
  }
  std::string operator()(const core::RemoveFromCache& job) const { return job.message; }
  template <class Other>
  std::string operator()(const Other& job) const {
    std::string out = absl::StrCat(job.seq);
    if constexpr (requires { job.result; }) absl::StrAppend(&out, " ", ended(job.result));
    if constexpr (requires { job.status; }) absl::StrAppend(&out, " ", ended(job.status));
    if constexpr (requires { job.failure; }) absl::StrAppend(&out, " ", failure_text(job.failure));
    return out;
  }
};

std::string response(const core::UpdateResponse& command) {
  if (const auto* rejected = std::get_if<core::UpdateResponse::Rejected>(&command.response)) {
    return absl::StrCat("rejected ", text(rejected->failure));
  }
  if (const auto* completed = std::get_if<core::UpdateResponse::Completed>(&command.response)) {
    return absl::StrCat("completed ", text(completed->result));
  }
  return "accepted";
}

struct CommandDetail {
  std::string operator()(const core::UpdateResponse& command) const {
    return absl::StrCat(command.protocol_instance_id, " ", response(command));
  }
  std::string operator()(const core::StartTimer& command) const {
    return absl::StrCat(command.seq, " ", command.start_to_fire_timeout.count());
  }
  std::string operator()(const core::SetPatchMarker& command) const {
    return absl::StrCat(command.patch_id, command.deprecated ? " deprecated" : "");
  }
  std::string operator()(const core::RecordOnce& command) const { return record(command.recorded); }
  std::string operator()(const core::CompleteWorkflowExecution& command) const {
    return command.result ? text(*command.result) : "";
  }
  template <class Other>
  std::string operator()(const Other& command) const {
    std::string out;
    if constexpr (requires { command.seq; }) absl::StrAppend(&out, command.seq, " ");
    if constexpr (requires { command.cancellation_type; })
      absl::StrAppend(&out, "cancel ", static_cast<int>(command.cancellation_type), " ");
    if constexpr (requires { command.attributes; }) absl::StrAppend(&out, text(command.attributes));
    if constexpr (requires { command.search_attributes; })
      absl::StrAppend(&out, text(command.search_attributes));
    if constexpr (requires { command.upserted_memo; })
      absl::StrAppend(&out, text(command.upserted_memo));
    if constexpr (requires { command.failure; }) absl::StrAppend(&out, text(command.failure));
    if constexpr (requires { command.query_id; }) absl::StrAppend(&out, command.query_id);
    return out;
  }
};

}  // namespace

void forget_foreseen(google::protobuf::Map<std::string, api::common::v1::Payloads>& details,
                     const std::string& marker_name) {
  if (marker_name != core::kMutableSideEffectMarker) return;
  if (const auto id = details.find("side-effect-id"); id != details.end())
    id->second.mutable_payloads(0)->set_data("\"foreseen\"");
}

std::string text(const google::protobuf::Message& message) {
  static const google::protobuf::TextFormat::Printer& printer = *[] {
    auto* made = new google::protobuf::TextFormat::Printer;
    made->SetSingleLineMode(true);
    made->SetExpandAny(true);
    return made;
  }();
  std::string out;
  printer.PrintToString(message, &out);
  return out;
}

std::string text(const core::Job& job) {
  return absl::StrCat(kJobs[job.index()], " ", std::visit(JobDetail{}, job));
}

std::string text(const core::Command& command) {
  return absl::StrCat(kCommands[command.variant.index()], " ",
                      std::visit(CommandDetail{}, command.variant));
}

int job_class(const core::Job& job) {
  if (std::holds_alternative<core::InitializeWorkflow>(job)) return 0;
  if (std::holds_alternative<core::NotifyHasPatch>(job)) return 1;
  if (std::holds_alternative<core::NotifyRecorded>(job)) return 1;
  if (std::holds_alternative<core::UpdateRandomSeed>(job)) return 2;
  if (std::holds_alternative<core::SignalWorkflow>(job)) return 3;
  if (std::holds_alternative<core::DoUpdate>(job)) return 3;
  const auto* activity = std::get_if<core::ResolveActivity>(&job);
  return activity && activity->is_local ? 5 : 4;
}

}  // namespace chimera::sim
