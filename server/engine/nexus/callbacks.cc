#include "server/engine/nexus/callbacks.h"

#include <utility>

#include "absl/strings/ascii.h"

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/pending/callback.h"
#include "server/engine/rules/urls.h"
#include "server/engine/run/transition.h"

namespace chimera::server {
namespace {

using nexus_invocation::Completion;

// What the callback's handler may not have told yet: that it began with this run.
common::Link::WorkflowEvent link_to(const Run& run, const RunCallback& callback) {
  common::Link::WorkflowEvent link;
  link.set_namespace_(run.ns->name());
  link.set_workflow_id(run.workflow_id);
  link.set_run_id(run.run_id);
  if (callback.attached_by.empty()) {
    link.mutable_event_ref()->set_event_id(1);
    link.mutable_event_ref()->set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED);
  } else {
    link.mutable_request_id_ref()->set_request_id(callback.attached_by);
    link.mutable_request_id_ref()->set_event_type(
        enums::EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED);
  }
  return link;
}

// As little as the genuine server tells of why a run was ended.
void tell_end(const Run& run, Completion& completion) {
  const HistoryEvent& last = run.last_event();
  failure::Failure& failure = completion.failure;
  completion.failed = run.status != enums::WORKFLOW_EXECUTION_STATUS_COMPLETED;
  switch (run.status) {
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED: {
      const auto& result = last.workflow_execution_completed_event_attributes().result();
      completion.has_result = result.payloads_size() > 0;
      if (completion.has_result) completion.result = result.payloads(0);
      return;
    }
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED:
      failure = last.workflow_execution_failed_event_attributes().failure();
      return;
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED: {
      completion.canceled = true;
      failure.set_message("operation canceled");
      const auto& a = last.workflow_execution_canceled_event_attributes();
      auto& info = *failure.mutable_canceled_failure_info();
      if (a.has_details()) *info.mutable_details() = a.details();
      return;
    }
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
      failure.set_message("operation exceeded internal timeout");
      failure.mutable_timeout_failure_info();
      return;
    default:
      failure.set_message("operation terminated");
      failure.mutable_terminated_failure_info();
  }
}

Completion completion_of(const Run& run, const RunCallback& callback) {
  Completion completion;
  tell_end(run, completion);
  completion.started = run.server_time(run.start_time);
  // Handlers put it there, for a run that ends before their answer is here.
  const auto& header = callback.callback.nexus().header();
  const auto token = header.find("nexus-operation-token");
  if (token != header.end()) completion.operation_token = token->second;
  *completion.links.Add()->mutable_workflow_event() = link_to(run, callback);
  return completion;
}

void deliver(Engine& engine, const Run& run, std::size_t place) {
  const RunCallback& callback = run.open<Callbacks>().all()[place];
  if (!callback.is_standing_by()) return;
  const auto& header = callback.callback.nexus().header();
  const auto token = header.find(kCallbackToken);
  const absl::Status told = nexus_invocation::complete(
      engine, token == header.end() ? "" : token->second, completion_of(run, callback));
  Transition t(engine, run);
  RunCallback& now = t.open<Callbacks>().all()[place];
  now.state = told.ok() ? enums::CALLBACK_STATE_SUCCEEDED : enums::CALLBACK_STATE_FAILED;
  told.ok() ? now.attempts.end(t.now()) : now.attempts.fail(t.now(), delivery_failure(told));
  t.count();
  t.commit_unseen();
}

absl::Status check_url(const DynamicConfig& config, const std::string& text) {
  if (static_cast<std::int64_t>(text.size()) > config.callback_url_max) {
    return invalid(absl::StrCat("invalid url: url length longer than max length allowed of ",
                                config.callback_url_max));
  }
  if (text == kSystemCallback) return absl::OkStatus();
  Url url;
  if (const std::string problem = parse_url(text, url); !problem.empty())
    return invalid(absl::StrCat("invalid callback url: ", problem));
  if (url.scheme != "http" && url.scheme != "https")
    return invalid(absl::StrCat("invalid url: unknown scheme: ", text));
  if (url.host.empty()) return invalid("invalid url: missing host");
  return invalid(
      absl::StrCat("invalid url: url does not match any configured callback address: ", text));
}

absl::Status check_header(const DynamicConfig& config, common::Callback::Nexus& callback) {
  std::size_t size = 0;
  google::protobuf::Map<std::string, std::string> lower;
  for (const auto& [name, value] : callback.header()) {
    size += name.size() + value.size();
    lower[absl::AsciiStrToLower(name)] = value;
  }
  if (static_cast<std::int64_t>(size) > config.callback_header_max) {
    return invalid(absl::StrCat("invalid header: header size longer than max allowed size of ",
                                config.callback_header_max));
  }
  callback.mutable_header()->swap(lower);
  return absl::OkStatus();
}

}  // namespace

// "handler error (NOT_FOUND): ...".
failure::Failure delivery_failure(const absl::Status& status) {
  failure::Failure failure;
  const char* type = absl::IsNotFound(status) ? "NOT_FOUND" : "BAD_REQUEST";
  failure.set_message(absl::StrCat("handler error (", type, "): ", status.message()));
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return failure;
}

absl::Status check_callbacks(const DynamicConfig& config,
                             google::protobuf::RepeatedPtrField<common::Callback>& callbacks) {
  if (callbacks.size() > config.callbacks_max) {
    return invalid(absl::StrCat("cannot attach more than ", config.callbacks_max,
                                " callbacks to an execution"));
  }
  for (common::Callback& callback : callbacks) {
    if (callback.has_internal())
      return invalid("unsupported callback variant: *common.Callback_Internal_");
    if (!callback.has_nexus()) return absl::UnimplementedError("unknown callback variant: <nil>");
    if (absl::Status s = check_url(config, callback.nexus().url()); !s.ok()) return s;
    if (absl::Status s = check_header(config, *callback.mutable_nexus()); !s.ok()) return s;
  }
  return absl::OkStatus();
}

void deliver_callbacks(Engine& engine, const Run& run) {
  if (run.open<Callbacks>().all().empty()) return;
  engine.follow_up([&engine, run = share(run)] {
    for (std::size_t place = 0; place < run->open<Callbacks>().all().size(); ++place)
      deliver(engine, *run, place);
  });
}

void describe_callbacks(const Run& run, wf::DescribeWorkflowExecutionResponse& response) {
  for (const RunCallback& each : run.open<Callbacks>().all()) {
    auto& info = *response.add_callbacks();
    *info.mutable_callback() = each.callback;
    info.mutable_trigger()->mutable_workflow_closed();
    set(info.mutable_registration_time(), each.registered);
    info.set_state(each.state);
    each.attempts.describe(info);
  }
}

}  // namespace chimera::server
