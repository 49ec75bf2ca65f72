#include "server/engine/standalone/activity_callbacks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "server/engine/engine.h"
#include "server/engine/nexus/callbacks.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/standalone/activity_change.h"

namespace chimera::server {
namespace {

using nexus_invocation::Completion;

Completion completion_of(const ActivityExecution& execution, const RunCallback& callback) {
  Completion completion;
  const auto& outcome = *execution.outcome;
  completion.canceled = execution.status == enums::ACTIVITY_EXECUTION_STATUS_CANCELED;
  completion.failed = outcome.has_failure() && !completion.canceled;
  if (outcome.has_failure()) completion.failure = outcome.failure();
  completion.has_result = outcome.result().payloads_size() > 0;
  if (completion.has_result) completion.result = outcome.result().payloads(0);
  completion.started = execution.scheduled;
  const auto& header = callback.callback.nexus().header();
  const auto token = header.find("nexus-operation-token");
  if (token != header.end()) completion.operation_token = token->second;
  auto& link = *completion.links.Add()->mutable_activity();
  link.set_namespace_(execution.ns->name());
  link.set_activity_id(execution.id());
  link.set_run_id(execution.run_id);
  return completion;
}

void deliver(Engine& engine, const ActivityExecution& execution, std::size_t place) {
  const RunCallback& callback = execution.callbacks[place];
  if (!callback.is_standing_by()) return;
  const auto& header = callback.callback.nexus().header();
  const auto token = header.find(kCallbackToken);
  const absl::Status told = nexus_invocation::complete(
      engine, token == header.end() ? "" : token->second, completion_of(execution, callback));
  if (execution.erased) return;  // With its namespace: nobody asks how it went.
  ActivityChange change(engine, execution);
  RunCallback& now = change.execution().callbacks[place];
  now.state = told.ok() ? enums::CALLBACK_STATE_SUCCEEDED : enums::CALLBACK_STATE_FAILED;
  told.ok() ? now.attempts.end(change.now())
            : now.attempts.fail(change.now(), delivery_failure(told));
  change.commit();
}

}  // namespace

absl::Status may_attach_callbacks(const Engine& engine, const ActivityExecution& execution,
                                  int count) {
  if (!execution.open())
    return absl::FailedPreconditionError("cannot attach callbacks to a closed activity");
  const auto there = static_cast<std::int64_t>(execution.callbacks.size());
  if (there + count > engine.config().callbacks_max) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot attach more than ", engine.config().callbacks_max,
                     " callbacks to an activity (", there, " callbacks already attached)"));
  }
  return absl::OkStatus();
}

bool has_callbacks_of(const ActivityExecution& execution, const std::string& request_id) {
  return std::any_of(execution.callbacks.begin(), execution.callbacks.end(),
                     [&](const RunCallback& each) { return each.attached_by == request_id; });
}

void attach_callbacks(ActivityExecution& execution,
                      const google::protobuf::RepeatedPtrField<common::Callback>& callbacks,
                      const std::string& request_id, WallTime at) {
  for (const common::Callback& callback : callbacks) {
    RunCallback& added = execution.callbacks.emplace_back();
    added.callback = callback;
    added.attached_by = request_id;
    added.registered = at;
  }
}

void deliver_callbacks(Engine& engine, const ActivityExecution& execution) {
  if (execution.callbacks.empty()) return;
  engine.follow_up([&engine, execution = share(execution)] {
    for (std::size_t place = 0; place < execution->callbacks.size(); ++place)
      deliver(engine, *execution, place);
  });
}

void describe_callbacks(const ActivityExecution& execution,
                        wf::DescribeActivityExecutionResponse& response) {
  for (const RunCallback& each : execution.callbacks) {
    auto& shown = *response.add_callbacks();
    shown.mutable_trigger()->mutable_activity_closed();
    auto& info = *shown.mutable_info();
    *info.mutable_callback() = each.callback;
    set(info.mutable_registration_time(), each.registered);
    info.set_state(each.state);
    each.attempts.describe(info);
  }
}

}  // namespace chimera::server
