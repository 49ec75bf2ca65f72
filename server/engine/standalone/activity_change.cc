#include "server/engine/standalone/activity_change.h"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/check.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/rules/failures.h"
#include "server/engine/standalone/activity_callbacks.h"
#include "server/engine/standalone/activity_executions.h"

namespace chimera::server {
namespace {

void note_started(ActivityExecution& execution) {
  execution.last_started = execution.activity.started;
  if (execution.first_started == kUnset) execution.first_started = execution.last_started;
}

}  // namespace

ActivityChange::~ActivityChange() { CHIMERA_CHECK(committed_, execution_.run_id); }

void ActivityChange::commit() {
  committed_ = true;
  ++execution_.transitions;
  engine_.activity_executions->changed(execution_);
}

void ActivityChange::commit_unseen() {
  committed_ = true;
  engine_.activity_executions->arm_timer(execution_);
}

WallTime ActivityChange::now() { return engine_.now(); }

// --- What is done to it.

void ActivityChange::begin() {
  Activity& a = activity();
  a.scheduled_as = &execution_.attributes;
  a.id = execution_.id();
  a.take_timeouts();
  execution_.start_delay = execution_.asked_delay;
  a.first_scheduled = a.scheduled = execution_.first_dispatch();
  if (a.scheduled <= now()) attempt::dispatch(*this, a);
}

bool ActivityChange::do_due() {
  Activity& a = activity();
  bool any = false;
  while (execution_.open()) {
    const attempt::ActivityDeadline deadline = attempt::next_timeout(a);
    if (deadline.at <= now()) {
      any = true;
      const bool of_attempt = deadline.type == enums::TIMEOUT_TYPE_START_TO_CLOSE ||
                              deadline.type == enums::TIMEOUT_TYPE_HEARTBEAT;
      if (of_attempt && execution_.reset && !execution_.cancel_requested())
        land_reset(attempt::timeout_failure(deadline.type));
      else
        attempt::time_out(*this, a, deadline.type);
    } else if (attempt::next_attempt(a) <= now()) {
      attempt::dispatch(*this, a);
    } else {
      break;
    }
  }
  return any;
}

void ActivityChange::request_cancel(const std::string& reason, const std::string& identity,
                                    const std::string& request_id) {
  Activity& a = activity();
  execution_.cancel_reason = reason;
  execution_.cancel_identity = identity;
  execution_.cancel_request_id = request_id;
  a.cancel_requested_id = 1;
  execution_.reset.reset();
  if (a.is_started()) {
    a.paused = false;  // Its worker is told of the one thing only.
    return;
  }
  common::Payloads details;
  common::Payload& told = *details.add_payloads();
  (*told.mutable_metadata())["encoding"] = "json/plain";
  told.set_data(
      nlohmann::json(reason).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  cancel(details);
}

void ActivityChange::terminate(const std::string& reason, const std::string& identity,
                               const std::string& request_id) {
  execution_.terminate_request_id = request_id;
  failure::Failure failure;
  failure.set_message(reason);
  failure.mutable_terminated_failure_info()->set_identity(identity);
  end_in_failure(enums::ACTIVITY_EXECUTION_STATUS_TERMINATED, std::move(failure));
}

// --- By workers.

void ActivityChange::start(const std::string& identity, const DeploymentVersion& version,
                           wf::PollActivityTaskQueueResponse& response) {
  activity().last_version = version;
  attempt::start(*this, activity(), identity, response);
  note_started(execution_);
}

HeartbeatReply ActivityChange::heartbeat(common::Payloads& details, bool has_details) {
  const HeartbeatReply flags = attempt::heartbeat(*this, activity(), details, has_details);
  execution_.last_heartbeat = now();
  ++execution_.heartbeats;
  // One of them, as its state is one.
  if (flags.cancel_requested) return {.cancel_requested = true};
  if (execution_.reset) return {.was_reset = true};
  return {.paused = flags.paused};
}

void ActivityChange::fail(failure::Failure& failure, const std::string& identity,
                          const common::Payloads* last_heartbeat_details) {
  if (last_heartbeat_details != nullptr) {
    common::Payloads details = *last_heartbeat_details;
    heartbeat(details, /*has_details=*/true);
  }
  if (execution_.reset) return land_reset(failure);
  attempt::fail(*this, activity(), failure, identity, nullptr);
}

void ActivityChange::cancel(common::Payloads& details) {
  failure::Failure failure;
  failure.set_message("Activity canceled");
  auto& info = *failure.mutable_canceled_failure_info();
  if (details.payloads_size() > 0) *info.mutable_details() = std::move(details);
  info.set_identity(execution_.cancel_identity);
  end_in_failure(enums::ACTIVITY_EXECUTION_STATUS_CANCELED, std::move(failure));
}

// --- The owner of its attempts.

std::weak_ptr<TaskOwner> ActivityChange::tasks() {
  return std::shared_ptr<TaskOwner>(execution_.shared_from_this(), &execution_.tasks);
}

std::string ActivityChange::version_for(const Activity& activity) {
  return execution_.tasks.version_for(
      {},
      {namespace_id(), activity.attributes().task_queue().name(), enums::TASK_QUEUE_TYPE_ACTIVITY});
}

void ActivityChange::introduce(const Activity& activity,
                               wf::PollActivityTaskQueueResponse& response) const {
  response.set_task_token(TaskToken{execution_.ns->id, "", execution_.run_id, activity.scheduled_id,
                                    0, activity.attempt, activity.stamp, ""}
                              .encode());
  response.set_workflow_namespace(execution_.ns->name());
  response.mutable_workflow_execution();
  response.set_activity_run_id(execution_.run_id);
  set(response.mutable_scheduled_time(), execution_.scheduled);
}

void ActivityChange::retries(Activity&, failure::Failure& failure, Nanos delay) {
  if (failure.has_timeout_failure_info()) failure.clear_source();
  execution_.retry_interval = delay;
  execution_.by_worker = failure.application_failure_info().has_next_retry_delay();
}

void ActivityChange::completed(Activity& activity, common::Payloads& result,
                               const std::string& identity) {
  if (!activity.is_started()) {  // By its id: whoever completes it has begun it, too.
    activity.started = now();
    note_started(execution_);
  }
  activity.identity = identity;
  activity.last_attempt_completed = now();
  execution_.outcome = std::make_unique<::temporal::api::activity::v1::ActivityExecutionOutcome>();
  *execution_.outcome->mutable_result() = std::move(result);
  close(enums::ACTIVITY_EXECUTION_STATUS_COMPLETED);
}

void ActivityChange::failed(Activity& activity, failure::Failure& failure, enums::RetryState state,
                            const std::string& identity) {
  // Who waits for the outcome is to see that there is one.
  if (failure.ByteSizeLong() == 0)
    failure.set_message("activity task failed without failure details");
  activity.identity = identity;
  activity.last_attempt_completed = now();
  activity.last_failure = std::make_unique<failure::Failure>(failure);
  end_in_failure(enums::ACTIVITY_EXECUTION_STATUS_FAILED, std::move(failure), state);
}

void ActivityChange::timed_out(Activity& activity, enums::TimeoutType type,
                               failure::Failure& failure, enums::RetryState state) {
  failure.clear_source();
  if (type == enums::TIMEOUT_TYPE_START_TO_CLOSE || type == enums::TIMEOUT_TYPE_HEARTBEAT) {
    failure::Failure last = attempt::timeout_failure(type);
    last.clear_source();
    if (failure.timeout_failure_info().has_last_heartbeat_details()) {
      *last.mutable_timeout_failure_info()->mutable_last_heartbeat_details() =
          failure.timeout_failure_info().last_heartbeat_details();
    }
    if (failure.has_cause()) *last.mutable_cause() = failure.cause();
    if (execution_.cancel_requested()) {
      failure = last;
    } else if (failure.timeout_failure_info().timeout_type() != type) {
      failure.set_message(
          "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving "
          "up retrying");
    }
    activity.last_failure = std::make_unique<failure::Failure>(std::move(last));
    activity.last_attempt_completed = now();
  } else {
    state = enums::RETRY_STATE_TIMEOUT;
  }
  end_in_failure(enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT, std::move(failure), state);
}

void ActivityChange::end_in_failure(ActivityExecution::Status status, failure::Failure failure,
                                    enums::RetryState state) {
  const bool ran_out = status == enums::ACTIVITY_EXECUTION_STATUS_FAILED ||
                       status == enums::ACTIVITY_EXECUTION_STATUS_TIMED_OUT;
  if (ran_out && execution_.cancel_requested()) state = enums::RETRY_STATE_CANCEL_REQUESTED;
  execution_.outcome = std::make_unique<::temporal::api::activity::v1::ActivityExecutionOutcome>();
  *execution_.outcome->mutable_failure() = std::move(failure);
  execution_.outcome->set_retry_state(state);
  close(status);
}

void ActivityChange::close(ActivityExecution::Status status) {
  execution_.status = status;
  execution_.closed = now();
  execution_.retry_interval = {};
  execution_.reset.reset();
  deliver_callbacks(engine_, execution_);
}

void ActivityChange::land_reset(failure::Failure failure) {
  Activity& a = activity();
  const ActivityExecution::Reset how = *std::exchange(execution_.reset, std::nullopt);
  if (failure.has_timeout_failure_info()) failure.clear_source();
  if (how.restore_options) restore_options(execution_);
  if (how.forget_heartbeat) {
    a.heartbeat_details.reset();
    execution_.last_heartbeat = kUnset;
  }
  cut_retried_failure(failure);
  a.last_failure = std::make_unique<failure::Failure>(std::move(failure));
  a.last_attempt_completed = now();
  a.started = kUnset;
  a.attempt = 1;
  a.paused = how.keep_paused;
  execution_.retry_interval = {};
  if (a.paused)
    attempt::withdraw(engine_, a);
  else
    attempt::dispatch_at(*this, a, not_before_delay(execution_, now()));
}

void attach_links(ActivityExecution& execution,
                  const google::protobuf::RepeatedPtrField<common::Link>& links,
                  const std::string& request_id) {
  if (links.empty() || !execution.link_requests.insert(request_id).second) return;
  execution.links.insert(execution.links.end(), links.begin(), links.end());
}

WallTime not_before_delay(const ActivityExecution& execution, WallTime at) {
  return execution.first_started != kUnset ? at : std::max(at, execution.first_dispatch());
}

void restore_options(ActivityExecution& execution) {
  Activity& a = execution.activity;
  a.changed.reset();
  a.take_timeouts();
  if (execution.first_started != kUnset) return;
  execution.start_delay = execution.asked_delay;
  a.first_scheduled = execution.first_dispatch();
}

}  // namespace chimera::server
