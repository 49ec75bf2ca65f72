#include "server/engine/standalone/operation_change.h"

#include <utility>

#include "core/base/check.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/standalone/operation_executions.h"

namespace chimera::server {
namespace {

using State = NexusOperation::State;

class StandaloneCaller final : public NexusCaller {
 public:
  StandaloneCaller(Engine& engine, const OperationExecution& execution)
      : engine_(engine), execution_(execution.weak_from_this()) {}
  const NexusOperation* operation() const override {
    const auto execution = execution_.lock();
    const bool is_there = execution != nullptr && execution->open() && !execution->erased;
    return is_there ? &execution->operation : nullptr;
  }
  const Namespace& ns() const override { return *execution_.lock()->ns; }
  WallTime clock(WallTime server_time) const override { return server_time; }
  WallTime server_time(WallTime own) const override { return own; }
  nexus::Link link() const override {
    const auto execution = execution_.lock();
    common::Link::NexusOperation link;
    link.set_namespace_(execution->ns->name());
    link.set_operation_id(execution->id());
    link.set_run_id(execution->run_id);
    return to_nexus(link);
  }
  std::string completion_token() const override {
    const auto execution = execution_.lock();
    return NexusToken{execution->ns->id, execution->id(), execution->run_id, /*scheduled_id=*/0,
                      execution->request_id()}
        .encode();
  }
  void change(absl::FunctionRef<void(NexusChange&)> change) override {
    const auto execution = execution_.lock();
    OperationChange of_it(engine_, *execution);
    change(of_it);
    of_it.commit();
  }

 private:
  Engine& engine_;
  const std::weak_ptr<const OperationExecution> execution_;
};

failure::Failure timeout_failure(enums::TimeoutType type) {
  failure::Failure failure;
  failure.set_message("operation timed out");
  failure.mutable_timeout_failure_info()->set_timeout_type(type);
  return failure;
}

}  // namespace

NexusCallerPtr caller_of(Engine& engine, const OperationExecution& execution) {
  return std::make_shared<StandaloneCaller>(engine, execution);
}

OperationChange::~OperationChange() { CHIMERA_CHECK(committed_, execution_.run_id); }

void OperationChange::commit() {
  committed_ = true;
  ++execution_.transitions;
  engine_.operation_executions->changed(execution_);
}

void OperationChange::commit_unseen() {
  committed_ = true;
  engine_.operation_executions->arm_timer(execution_);
}

WallTime OperationChange::now() { return engine_.now(); }

// --- What is done to it.

void OperationChange::send() {
  if (operation().state == State::kScheduled) post(nexus_invocation::request_start);
  if (operation().is_canceling()) post(nexus_invocation::request_cancel);
}

void OperationChange::post(void (*request)(Engine&, const NexusCallerPtr&)) {
  engine_.follow_up([&engine = engine_, caller = caller_of(engine_, execution_), request] {
    request(engine, caller);
  });
}

bool OperationChange::do_due() {
  const auto type = operation().overdue(now());
  if (type != enums::TIMEOUT_TYPE_UNSPECIFIED) {
    fail(enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT, timeout_failure(type),
         /*of_attempt=*/false);
    return true;
  }
  const auto is_due = [this](NexusAttempts& attempts) {
    if (!attempts.waits() || attempts.next > now()) return false;
    attempts.next = kUnset;
    return true;
  };
  const bool start = is_due(operation().attempts), cancel = is_due(operation().cancel.attempts);
  if (start) {
    operation().state = State::kScheduled;
    post(nexus_invocation::request_start);
  }
  if (cancel) begin_cancel();
  return start || cancel;
}

void OperationChange::begin_cancel() {
  operation().cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED;
  post(nexus_invocation::request_cancel);
}

void OperationChange::request_cancel(const std::string& reason, const std::string& identity,
                                     const std::string& request_id) {
  execution_.cancel_reason = reason;
  execution_.cancel_identity = identity;
  execution_.cancel_request_id = request_id;
  operation().cancel.requested_id = 1;
  if (operation().is_started()) begin_cancel();  // Before that its handler has given no token.
}

void OperationChange::terminate(const std::string& reason, const std::string& identity,
                                const std::string& request_id) {
  execution_.terminate_request_id = request_id;
  failure::Failure failure;
  failure.set_message(reason);
  failure.mutable_terminated_failure_info()->set_identity(identity);
  fail(enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED, std::move(failure),
       /*of_attempt=*/false);
}

// --- By its handler.

void OperationChange::attach(const Links& links) {
  execution_.links.insert(execution_.links.end(), links.begin(), links.end());
}

void OperationChange::started(const std::string& token, Links links, WallTime at) {
  attach(links);
  NexusOperation& operation = execution_.operation;
  operation.started = at == kUnset ? now() : at;
  // What waits for its next attempt has ended the last one already.
  if (operation.state == State::kBackingOff) --operation.attempts.count;
  operation.attempts.end(operation.started);
  operation.state = State::kStarted;
  operation.token = token;
  if (execution_.cancel_requested()) begin_cancel();
}

void OperationChange::completed(common::Payload* result, Links links) {
  attach(links);
  if (result != nullptr) execution_.result = std::make_unique<common::Payload>(std::move(*result));
  close(enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED);
}

void OperationChange::ended_badly(bool canceled, failure::Failure cause) {
  fail(canceled ? enums::NEXUS_OPERATION_EXECUTION_STATUS_CANCELED
                : enums::NEXUS_OPERATION_EXECUTION_STATUS_FAILED,
       std::move(cause), /*of_attempt=*/!operation().is_started());
}

void OperationChange::timed_out(enums::TimeoutType type) {
  fail(enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT, timeout_failure(type),
       /*of_attempt=*/true);
}

void OperationChange::cancel_requested(const failure::Failure* failure) {
  auto& cancel = operation().cancel;
  if (failure == nullptr) {
    cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED;
    cancel.attempts.end(now());
  } else {
    cancel.state = enums::NEXUS_OPERATION_CANCELLATION_STATE_FAILED;
    cancel.attempts.fail(now(), *failure);
  }
}

void OperationChange::fail(OperationExecution::Status status, failure::Failure failure,
                           bool of_attempt) {
  NexusAttempts& attempts = operation().attempts;
  if (of_attempt) {
    attempts.last_ended = now();
    attempts.last_failure = std::make_unique<failure::Failure>(failure);
  }
  execution_.failure = std::make_unique<failure::Failure>(std::move(failure));
  close(status);
}

void OperationChange::close(OperationExecution::Status status) {
  execution_.status = status;
  execution_.closed = now();
  operation().attempts.next = kUnset;
}

}  // namespace chimera::server
