#include "core/converter/failure.h"

#include <utility>

#include "core/base/proto_time.h"
#include "core/base/utf8.h"
#include "core/converter/json.h"
#include "core/converter/payload.h"

namespace chimera::core {
namespace {

using ProtoFailure = api::failure::v1::Failure;
constexpr int kDeepest = 100;

// The failure converter's form with encode_common_attributes: {"message": ..., "stack_trace": ...}.
void restore_encoded_attributes(const ProtoFailure& proto, FailureInfo& failure) {
  if (!proto.has_encoded_attributes()) return;
  if (encoding_of(proto.encoded_attributes()) != kEncodingJson) return;
  const auto document = JsonDocument::parse(proto.encoded_attributes().data());
  if (!document.ok() || document->root().kind() != JsonKind::kObject) return;
  document->root().for_each([&](std::string_view key, JsonNode value) {
    if (value.kind() != JsonKind::kString) return true;
    if (key == "message") failure.message = value.string();
    if (key == "stack_trace") failure.stack_trace = value.string();
    return true;
  });
}

ApplicationFailure read(const api::failure::v1::ApplicationFailureInfo& info) {
  ApplicationFailure kind{.type = info.type(),
                          .non_retryable = info.non_retryable(),
                          .category = info.category(),
                          .details = info.details()};
  if (info.has_next_retry_delay())
    kind.next_retry_delay = base::to_nanoseconds(info.next_retry_delay());
  return kind;
}

ActivityFailure read(const api::failure::v1::ActivityFailureInfo& info) {
  return {.scheduled_event_id = info.scheduled_event_id(),
          .started_event_id = info.started_event_id(),
          .identity = info.identity(),
          .activity_type = info.activity_type().name(),
          .activity_id = info.activity_id(),
          .retry_state = info.retry_state()};
}

ChildWorkflowFailure read(const api::failure::v1::ChildWorkflowExecutionFailureInfo& info) {
  return {.namespace_ = info.namespace_(),
          .workflow_id = info.workflow_execution().workflow_id(),
          .run_id = info.workflow_execution().run_id(),
          .workflow_type = info.workflow_type().name(),
          .initiated_event_id = info.initiated_event_id(),
          .started_event_id = info.started_event_id(),
          .retry_state = info.retry_state()};
}

NexusOperationFailure read(const api::failure::v1::NexusOperationFailureInfo& info) {
  return {.scheduled_event_id = info.scheduled_event_id(),
          .endpoint = info.endpoint(),
          .service = info.service(),
          .operation = info.operation(),
          .operation_token = info.operation_token()};
}

void read_kind(const ProtoFailure& proto, FailureInfo& failure) {
  switch (proto.failure_info_case()) {
    case ProtoFailure::kApplicationFailureInfo:
      failure.kind = read(proto.application_failure_info());
      return;
    case ProtoFailure::kTimeoutFailureInfo:
      failure.kind = TimeoutFailure{proto.timeout_failure_info().timeout_type(),
                                    proto.timeout_failure_info().last_heartbeat_details()};
      return;
    case ProtoFailure::kCanceledFailureInfo:
      failure.kind = CanceledFailure{proto.canceled_failure_info().details()};
      return;
    case ProtoFailure::kTerminatedFailureInfo:
      failure.kind = TerminatedFailure{};
      return;
    case ProtoFailure::kServerFailureInfo:
      failure.kind = ServerFailure{proto.server_failure_info().non_retryable()};
      return;
    case ProtoFailure::kResetWorkflowFailureInfo:
      failure.kind =
          ResetWorkflowFailure{proto.reset_workflow_failure_info().last_heartbeat_details()};
      return;
    case ProtoFailure::kActivityFailureInfo:
      failure.kind = read(proto.activity_failure_info());
      return;
    case ProtoFailure::kChildWorkflowExecutionFailureInfo:
      failure.kind = read(proto.child_workflow_execution_failure_info());
      return;
    case ProtoFailure::kNexusOperationExecutionFailureInfo:
      failure.kind = read(proto.nexus_operation_execution_failure_info());
      return;
    case ProtoFailure::kNexusHandlerFailureInfo:
      failure.kind = NexusHandlerFailure{proto.nexus_handler_failure_info().type(),
                                         proto.nexus_handler_failure_info().retry_behavior()};
      return;
    case ProtoFailure::FAILURE_INFO_NOT_SET:
      return;
  }
}

FailureInfo read(const ProtoFailure& proto, int depth) {
  FailureInfo failure{
      .message = proto.message(), .source = proto.source(), .stack_trace = proto.stack_trace()};
  restore_encoded_attributes(proto, failure);
  read_kind(proto, failure);
  if (proto.has_cause() && depth < kDeepest) {
    failure.cause = std::make_shared<const FailureInfo>(read(proto.cause(), depth + 1));
  }
  return failure;
}

// One overload per kind; the empty Payloads are left out as the official converters do.
struct KindWriter {
  ProtoFailure& proto;

  void operator()(std::monostate) const {}
  void operator()(const ApplicationFailure& kind) const {
    auto& info = *proto.mutable_application_failure_info();
    info.set_type(base::valid_utf8(kind.type));
    info.set_non_retryable(kind.non_retryable);
    info.set_category(kind.category);
    if (kind.details.payloads_size() > 0) *info.mutable_details() = kind.details;
    if (kind.next_retry_delay)
      base::set_duration(*kind.next_retry_delay, *info.mutable_next_retry_delay());
  }
  void operator()(const TimeoutFailure& kind) const {
    auto& info = *proto.mutable_timeout_failure_info();
    info.set_timeout_type(kind.type);
    if (kind.last_heartbeat_details.payloads_size() > 0) {
      *info.mutable_last_heartbeat_details() = kind.last_heartbeat_details;
    }
  }
  void operator()(const CanceledFailure& kind) const {
    auto& info = *proto.mutable_canceled_failure_info();
    if (kind.details.payloads_size() > 0) *info.mutable_details() = kind.details;
  }
  void operator()(const TerminatedFailure&) const { proto.mutable_terminated_failure_info(); }
  void operator()(const ServerFailure& kind) const {
    proto.mutable_server_failure_info()->set_non_retryable(kind.non_retryable);
  }
  void operator()(const ResetWorkflowFailure& kind) const {
    auto& info = *proto.mutable_reset_workflow_failure_info();
    if (kind.last_heartbeat_details.payloads_size() > 0) {
      *info.mutable_last_heartbeat_details() = kind.last_heartbeat_details;
    }
  }
  void operator()(const ActivityFailure& kind) const {
    auto& info = *proto.mutable_activity_failure_info();
    info.set_scheduled_event_id(kind.scheduled_event_id);
    info.set_started_event_id(kind.started_event_id);
    info.set_identity(kind.identity);
    info.mutable_activity_type()->set_name(kind.activity_type);
    info.set_activity_id(kind.activity_id);
    info.set_retry_state(kind.retry_state);
  }
  void operator()(const ChildWorkflowFailure& kind) const {
    auto& info = *proto.mutable_child_workflow_execution_failure_info();
    info.set_namespace_(kind.namespace_);
    info.mutable_workflow_execution()->set_workflow_id(kind.workflow_id);
    info.mutable_workflow_execution()->set_run_id(kind.run_id);
    info.mutable_workflow_type()->set_name(kind.workflow_type);
    info.set_initiated_event_id(kind.initiated_event_id);
    info.set_started_event_id(kind.started_event_id);
    info.set_retry_state(kind.retry_state);
  }
  void operator()(const NexusOperationFailure& kind) const {
    auto& info = *proto.mutable_nexus_operation_execution_failure_info();
    info.set_scheduled_event_id(kind.scheduled_event_id);
    info.set_endpoint(kind.endpoint);
    info.set_service(kind.service);
    info.set_operation(kind.operation);
    info.set_operation_token(kind.operation_token);
  }
  void operator()(const NexusHandlerFailure& kind) const {
    auto& info = *proto.mutable_nexus_handler_failure_info();
    info.set_type(kind.type);
    info.set_retry_behavior(kind.retry_behavior);
  }
};

}  // namespace

FailureInfo from_proto(const ProtoFailure& failure) { return read(failure, 0); }

ProtoFailure to_proto(const FailureInfo& failure) {
  ProtoFailure proto;
  ProtoFailure* at = &proto;
  for (const FailureInfo* level = &failure; level != nullptr; level = level->cause.get()) {
    if (level != &failure) at = at->mutable_cause();
    at->set_message(base::valid_utf8(level->message));
    at->set_source(base::valid_utf8(level->source));
    at->set_stack_trace(base::valid_utf8(level->stack_trace));
    std::visit(KindWriter{*at}, level->kind);
  }
  return proto;
}

FailureInfo application_failure(std::string message, std::string type) {
  return {.message = std::move(message), .kind = ApplicationFailure{.type = std::move(type)}};
}

}  // namespace chimera::core
