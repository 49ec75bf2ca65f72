#include "sdk-cpp/src/errors.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <typeinfo>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include <cxxabi.h>

#include "core/base/transport.h"
#include "core/converter/failure.h"
#include "core/converter/failure_size.h"

namespace chimera {

// The only one who may set what a FailureError was not constructed with.
struct FailureAccess {
  static void fill(FailureError& error, std::string stack_trace, std::string source,
                   std::shared_ptr<const FailureError> cause) {
    error.stack_trace_ = std::move(stack_trace);
    error.source_ = std::move(source);
    error.cause_ = std::move(cause);
  }
  static const std::shared_ptr<const FailureError>& cause(const FailureError& error) {
    return error.cause_;
  }
};

ApplicationError::ApplicationError(std::string message, ApplicationErrorOptions options)
    : FailureError(std::move(message)), options_(std::move(options)) {
  if (!options_.type.empty()) what_ = absl::StrCat(options_.type, ": ", message_);
  if (options_.cause != nullptr) cause_ = sdk::to_error(std::exchange(options_.cause, nullptr));
}
CancelledError::CancelledError(std::string message, Details details)
    : FailureError(std::move(message)), details_(std::move(details)) {}
TerminatedError::TerminatedError(std::string message) : FailureError(std::move(message)) {}
TimeoutError::TimeoutError(std::string message, TimeoutType type, Details last_heartbeat_details)
    : FailureError(std::move(message)),
      type_(type),
      last_heartbeat_details_(std::move(last_heartbeat_details)) {}
ServerError::ServerError(std::string message, bool non_retryable)
    : FailureError(std::move(message)), non_retryable_(non_retryable) {}
ActivityError::ActivityError(std::string message, ActivityErrorInfo info)
    : FailureError(std::move(message)), info_(std::move(info)) {}
ChildWorkflowError::ChildWorkflowError(std::string message, ChildWorkflowErrorInfo info)
    : FailureError(std::move(message)), info_(std::move(info)) {}
NexusOperationError::NexusOperationError(std::string message, NexusOperationErrorInfo info)
    : FailureError(std::move(message)), info_(std::move(info)) {}

namespace nexus {
namespace {
// In the order of HandlerErrorType, behind kUnknown.
constexpr const char* kTypeNames[] = {"UNKNOWN",         "BAD_REQUEST",        "UNAUTHENTICATED",
                                      "UNAUTHORIZED",    "NOT_FOUND",          "REQUEST_TIMEOUT",
                                      "CONFLICT",        "RESOURCE_EXHAUSTED", "INTERNAL",
                                      "NOT_IMPLEMENTED", "UNAVAILABLE",        "UPSTREAM_TIMEOUT"};
}  // namespace

std::string name_of(HandlerErrorType type) { return kTypeNames[static_cast<int>(type)]; }

HandlerError::HandlerError(HandlerErrorType type, std::string message, RetryBehavior retry_behavior,
                           std::exception_ptr cause)
    : HandlerError(name_of(type), std::move(message), retry_behavior) {
  if (cause != nullptr) cause_ = sdk::to_error(cause);
}
HandlerError::HandlerError(std::string type_name, std::string message, RetryBehavior retry_behavior)
    : FailureError(std::move(message)),
      type_name_(std::move(type_name)),
      retry_behavior_(retry_behavior) {
  what_ = absl::StrCat(type_name_, ": ", message_);
}

HandlerErrorType HandlerError::type() const {
  const auto found = std::ranges::find(kTypeNames, type_name_);
  if (found == std::end(kTypeNames)) return HandlerErrorType::kUnknown;
  return static_cast<HandlerErrorType>(found - std::begin(kTypeNames));
}

bool HandlerError::retryable() const {
  if (retry_behavior_ != RetryBehavior::kUnspecified)
    return retry_behavior_ == RetryBehavior::kRetryable;
  switch (type()) {
    case HandlerErrorType::kBadRequest:
    case HandlerErrorType::kUnauthenticated:
    case HandlerErrorType::kUnauthorized:
    case HandlerErrorType::kNotFound:
    case HandlerErrorType::kConflict:
    case HandlerErrorType::kNotImplemented:
      return false;
    default:
      return true;
  }
}
}  // namespace nexus

WorkflowAlreadyStartedError::WorkflowAlreadyStartedError(std::string workflow_id,
                                                         std::string workflow_type,
                                                         std::string run_id)
    : FailureError(absl::StrCat("workflow ", workflow_type, " with id ", workflow_id,
                                " has been started already",
                                run_id.empty() ? "" : absl::StrCat(" (run ", run_id, ")"))),
      workflow_id_(std::move(workflow_id)),
      workflow_type_(std::move(workflow_type)),
      run_id_(std::move(run_id)) {}
ActivityAlreadyStartedError::ActivityAlreadyStartedError(std::string activity_id,
                                                         std::string activity_type,
                                                         std::string run_id)
    : FailureError(absl::StrCat("activity ", activity_type, " with id ", activity_id,
                                " has been started already",
                                run_id.empty() ? "" : absl::StrCat(" (run ", run_id, ")"))),
      activity_id_(std::move(activity_id)),
      activity_type_(std::move(activity_type)),
      run_id_(std::move(run_id)) {}
NexusOperationAlreadyStartedError::NexusOperationAlreadyStartedError(std::string operation_id,
                                                                     std::string run_id)
    : FailureError(absl::StrCat("a Nexus operation with id ", operation_id,
                                " has been started already",
                                run_id.empty() ? "" : absl::StrCat(" (run ", run_id, ")"))),
      operation_id_(std::move(operation_id)),
      run_id_(std::move(run_id)) {}
std::string name_of(StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}
ScheduleAlreadyRunningError::ScheduleAlreadyRunningError(std::string schedule_id)
    : TemporalError(absl::StrCat("schedule '", schedule_id, "' is there already")),
      schedule_id_(std::move(schedule_id)) {}

WorkflowFailureError::WorkflowFailureError(std::shared_ptr<const FailureError> cause)
    : TemporalError(absl::StrCat("workflow did not complete: ", describe(cause.get()))),
      cause_(std::move(cause)) {}
ActivityFailureError::ActivityFailureError(std::shared_ptr<const FailureError> cause)
    : TemporalError(absl::StrCat("activity did not complete: ", describe(cause.get()))),
      cause_(std::move(cause)) {}
NexusOperationFailureError::NexusOperationFailureError(std::shared_ptr<const FailureError> cause)
    : TemporalError(absl::StrCat("Nexus operation did not complete: ", describe(cause.get()))),
      cause_(std::move(cause)) {}
WorkflowUpdateFailedError::WorkflowUpdateFailedError(std::shared_ptr<const FailureError> cause)
    : TemporalError(absl::StrCat("update failed: ", describe(cause.get()))),
      cause_(std::move(cause)) {}

namespace {

const char* class_name(const FailureError& error) {
  if (dynamic_cast<const ApplicationError*>(&error)) return "ApplicationError";
  if (dynamic_cast<const CancelledError*>(&error)) return "CancelledError";
  if (dynamic_cast<const TerminatedError*>(&error)) return "TerminatedError";
  if (dynamic_cast<const TimeoutError*>(&error)) return "TimeoutError";
  if (dynamic_cast<const ServerError*>(&error)) return "ServerError";
  if (dynamic_cast<const ActivityError*>(&error)) return "ActivityError";
  if (dynamic_cast<const ChildWorkflowError*>(&error)) return "ChildWorkflowError";
  if (dynamic_cast<const NexusOperationError*>(&error)) return "NexusOperationError";
  if (dynamic_cast<const nexus::HandlerError*>(&error)) return "nexus::HandlerError";
  return "FailureError";
}

// As people write it: without what the library adds to a name.
std::string plain_type(std::string name) {
  constexpr std::string_view kNested = "std::_Nested_exception<";  // Of std::throw_with_nested().
  if (name.starts_with(kNested)) {
    name = name.substr(kNested.size(), name.rfind('>') - kNested.size());
    while (!name.empty() && name.back() == ' ') name.pop_back();
  }
  return absl::StrReplaceAll(
      name, {{"std::__cxx11::basic_string<char, std::char_traits<char>, std::allocator<char> >",
              "std::string"},
             {"std::__cxx11::", "std::"},
             {"decltype(nullptr)", "std::nullptr_t"}});
}

std::string demangled(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return plain_type(status == 0 ? name.get() : type.name());
}

// The cause that std::throw_with_nested() gave the exception that is being handled; null: none.
std::exception_ptr current_nested() {
  try {
    throw;
  } catch (const std::nested_exception& nested) {
    return nested.nested_ptr();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

std::string describe(const FailureError* error) {
  if (error == nullptr) return "no cause";
  std::string text;
  for (const FailureError* at = error; at != nullptr; at = at->cause()) {
    absl::StrAppend(&text, text.empty() ? "" : ", caused by ", class_name(*at), " ", at->what());
  }
  return text;
}

std::string describe(const std::exception& error) {
  if (const auto* failure = dynamic_cast<const FailureError*>(&error)) return describe(failure);
  return absl::StrCat(demangled(typeid(error)), ": ", error.what());
}

bool is_cancelled(const std::exception& error) {
  if (dynamic_cast<const CancelledError*>(&error) != nullptr) return true;
  const auto* failure = dynamic_cast<const FailureError*>(&error);
  const bool wraps = dynamic_cast<const ActivityError*>(&error) != nullptr ||
                     dynamic_cast<const ChildWorkflowError*>(&error) != nullptr ||
                     dynamic_cast<const NexusOperationError*>(&error) != nullptr;
  return wraps && dynamic_cast<const CancelledError*>(failure->cause()) != nullptr;
}

namespace sdk {
namespace {

using ErrorPtr = std::shared_ptr<FailureError>;

// One overload per kind of failure.
struct ErrorMaker {
  const std::string& message;

  ErrorPtr operator()(std::monostate) const { return std::make_shared<ApplicationError>(message); }
  ErrorPtr operator()(const core::ApplicationFailure& kind) const {
    return std::make_shared<ApplicationError>(
        message,
        ApplicationErrorOptions{.type = kind.type,
                                .details = Details(to_public(kind.details)),
                                .non_retryable = kind.non_retryable,
                                .next_retry_delay = kind.next_retry_delay,
                                .category = static_cast<ApplicationErrorCategory>(kind.category)});
  }
  ErrorPtr operator()(const core::TimeoutFailure& kind) const {
    return std::make_shared<TimeoutError>(message, static_cast<TimeoutType>(kind.type),
                                          Details(to_public(kind.last_heartbeat_details)));
  }
  ErrorPtr operator()(const core::CanceledFailure& kind) const {
    return std::make_shared<CancelledError>(message, Details(to_public(kind.details)));
  }
  ErrorPtr operator()(const core::TerminatedFailure&) const {
    return std::make_shared<TerminatedError>(message);
  }
  ErrorPtr operator()(const core::ServerFailure& kind) const {
    return std::make_shared<ServerError>(message, kind.non_retryable);
  }
  ErrorPtr operator()(const core::ResetWorkflowFailure&) const {
    return std::make_shared<ApplicationError>(message,
                                              ApplicationErrorOptions{.type = "ResetWorkflow"});
  }
  ErrorPtr operator()(const core::ActivityFailure& kind) const {
    return std::make_shared<ActivityError>(
        message, ActivityErrorInfo{.scheduled_event_id = kind.scheduled_event_id,
                                   .started_event_id = kind.started_event_id,
                                   .identity = kind.identity,
                                   .activity_type = kind.activity_type,
                                   .activity_id = kind.activity_id,
                                   .retry_state = static_cast<RetryState>(kind.retry_state)});
  }
  ErrorPtr operator()(const core::ChildWorkflowFailure& kind) const {
    return std::make_shared<ChildWorkflowError>(
        message, ChildWorkflowErrorInfo{.namespace_ = kind.namespace_,
                                        .workflow_id = kind.workflow_id,
                                        .run_id = kind.run_id,
                                        .workflow_type = kind.workflow_type,
                                        .initiated_event_id = kind.initiated_event_id,
                                        .started_event_id = kind.started_event_id,
                                        .retry_state = static_cast<RetryState>(kind.retry_state)});
  }
  ErrorPtr operator()(const core::NexusOperationFailure& kind) const {
    return std::make_shared<NexusOperationError>(
        message, NexusOperationErrorInfo{.scheduled_event_id = kind.scheduled_event_id,
                                         .endpoint = kind.endpoint,
                                         .service = kind.service,
                                         .operation = kind.operation,
                                         .operation_token = kind.operation_token});
  }
  ErrorPtr operator()(const core::NexusHandlerFailure& kind) const {
    return std::make_shared<nexus::HandlerError>(
        kind.type, message, static_cast<nexus::RetryBehavior>(kind.retry_behavior));
  }
};

std::shared_ptr<const FailureError> make_error(const core::FailureInfo& failure) {
  std::shared_ptr<const FailureError> cause;
  if (failure.cause != nullptr) cause = make_error(*failure.cause);
  ErrorPtr error = std::visit(ErrorMaker{failure.message}, failure.kind);
  FailureAccess::fill(*error, failure.stack_trace, failure.source, std::move(cause));
  return error;
}

core::FailureInfo take_apart(const FailureError& error);

void set_kind(const FailureError& error, core::FailureInfo& failure) {
  if (const auto* application = dynamic_cast<const ApplicationError*>(&error)) {
    failure.kind = core::ApplicationFailure{
        .type = application->type(),
        .non_retryable = application->non_retryable(),
        .next_retry_delay = application->next_retry_delay(),
        .category = static_cast<api::enums::v1::ApplicationErrorCategory>(application->category()),
        .details = to_proto(application->details().payloads())};
  } else if (dynamic_cast<const WorkflowAlreadyStartedError*>(&error) != nullptr) {
    failure.kind =
        core::ApplicationFailure{.type = "WorkflowAlreadyStarted", .non_retryable = true};
  } else if (dynamic_cast<const ActivityAlreadyStartedError*>(&error) != nullptr) {
    failure.kind =
        core::ApplicationFailure{.type = "ActivityAlreadyStarted", .non_retryable = true};
  } else if (dynamic_cast<const NexusOperationAlreadyStartedError*>(&error) != nullptr) {
    failure.kind =
        core::ApplicationFailure{.type = "NexusOperationAlreadyStarted", .non_retryable = true};
  } else if (const auto* cancelled = dynamic_cast<const CancelledError*>(&error)) {
    failure.kind = core::CanceledFailure{to_proto(cancelled->details().payloads())};
  } else if (const auto* timeout = dynamic_cast<const TimeoutError*>(&error)) {
    failure.kind = core::TimeoutFailure{static_cast<api::enums::v1::TimeoutType>(timeout->type()),
                                        to_proto(timeout->last_heartbeat_details().payloads())};
  } else if (dynamic_cast<const TerminatedError*>(&error) != nullptr) {
    failure.kind = core::TerminatedFailure{};
  } else if (const auto* server = dynamic_cast<const ServerError*>(&error)) {
    failure.kind = core::ServerFailure{server->non_retryable()};
  } else if (const auto* activity = dynamic_cast<const ActivityError*>(&error)) {
    const ActivityErrorInfo& info = activity->info();
    failure.kind = core::ActivityFailure{
        info.scheduled_event_id, info.started_event_id,
        info.identity,           info.activity_type,
        info.activity_id,        static_cast<api::enums::v1::RetryState>(info.retry_state)};
  } else if (const auto* child = dynamic_cast<const ChildWorkflowError*>(&error)) {
    const ChildWorkflowErrorInfo& info = child->info();
    failure.kind =
        core::ChildWorkflowFailure{info.namespace_,
                                   info.workflow_id,
                                   info.run_id,
                                   info.workflow_type,
                                   info.initiated_event_id,
                                   info.started_event_id,
                                   static_cast<api::enums::v1::RetryState>(info.retry_state)};
  } else if (const auto* operation = dynamic_cast<const NexusOperationError*>(&error)) {
    const NexusOperationErrorInfo& info = operation->info();
    failure.kind = core::NexusOperationFailure{info.scheduled_event_id, info.endpoint, info.service,
                                               info.operation, info.operation_token};
  } else if (const auto* handler = dynamic_cast<const nexus::HandlerError*>(&error)) {
    failure.kind = core::NexusHandlerFailure{
        handler->type_name(),
        static_cast<api::enums::v1::NexusHandlerErrorRetryBehavior>(handler->retry_behavior())};
  }
}

// std::throw_with_nested() adds its cause to the class, where ours does not know of it.
std::shared_ptr<const FailureError> cause_of(const FailureError& error) {
  const auto* nested = dynamic_cast<const std::nested_exception*>(&error);
  if (nested == nullptr || nested->nested_ptr() == nullptr || error.cause() != nullptr)
    return FailureAccess::cause(error);
  return to_error(nested->nested_ptr());
}

core::FailureInfo take_apart(const FailureError& error) {
  core::FailureInfo failure{.message = error.message(),
                            .source = error.source().empty() ? kFailureSource : error.source(),
                            .stack_trace = error.stack_trace()};
  set_kind(error, failure);
  if (const auto cause = cause_of(error)) {
    failure.cause = std::make_shared<const core::FailureInfo>(take_apart(*cause));
  }
  return failure;
}

}  // namespace

std::shared_ptr<const FailureError> to_error(const api::failure::v1::Failure& failure,
                                             const Codec& codec) {
  if (codec.payloads() == nullptr) return make_error(core::from_proto(failure));
  api::failure::v1::Failure plain = failure;
  const absl::Status status = core::decode_failure(*codec.payloads(), plain);
  if (!status.ok()) throw ConversionError(std::string(status.message()));
  return make_error(core::from_proto(plain));
}

api::failure::v1::Failure to_failure(const FailureError& error, const Codec& codec,
                                     std::size_t bytes_max) {
  api::failure::v1::Failure failure = core::to_proto(take_apart(error));
  if (bytes_max > 0) core::shorten(failure, bytes_max);
  if (codec.payloads() != nullptr) {
    const absl::Status status = core::encode_failure(*codec.payloads(), failure);
    if (!status.ok()) {
      return core::to_proto(core::application_failure(
          absl::StrCat("Failed building exception result: ", std::string(status.message())),
          "CodecError"));
    }
  }
  return failure;
}

api::failure::v1::Failure plain_failure(std::string message, std::string type) {
  core::FailureInfo failure = core::application_failure(std::move(message), std::move(type));
  failure.source = kFailureSource;
  return core::to_proto(failure);
}

api::failure::v1::Failure to_failure(const std::exception_ptr& exception, const Codec& codec,
                                     std::size_t bytes_max) {
  try {
    std::rethrow_exception(exception);
  } catch (const FailureError& error) {
    return to_failure(error, codec, bytes_max);
  } catch (...) {
    return to_failure(*to_error(exception), codec, bytes_max);
  }
}

api::failure::v1::Failure current_failure(const Codec& codec, std::size_t bytes_max) {
  return to_failure(codec.to_failure(std::current_exception()), codec, bytes_max);
}

void throw_failure(const FailureError& came, const Codec& codec) {
  if (!codec.converts_failures()) came.raise();
  std::rethrow_exception(codec.from_failure(as_exception(came)));
}

std::exception_ptr as_exception(const FailureError& error) {
  std::exception_ptr thrown;
  try {
    error.raise();
  } catch (...) {
    thrown = std::current_exception();
  }
  return thrown;
}

bool is_failure(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const FailureError&) {
    return true;
  } catch (...) {
    return false;
  }
}

// std::nested_exception's inner one becomes the cause.
std::shared_ptr<const FailureError> to_error(const std::exception_ptr& exception) {
  try {
    std::rethrow_exception(exception);
  } catch (const FailureError& failure) {
    return make_error(take_apart(failure));
  } catch (const std::exception& error) {
    return std::make_shared<ApplicationError>(
        error.what(),
        ApplicationErrorOptions{.type = demangled(typeid(error)), .cause = current_nested()});
  } catch (...) {
    return std::make_shared<ApplicationError>(
        describe_current(),
        ApplicationErrorOptions{.type = current_type(), .cause = current_nested()});
  }
}

std::string current_type() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type == nullptr ? "unknown" : demangled(*type);
}

std::string describe_current() {
  try {
    throw;
  } catch (const std::exception& error) {
    return describe(error);
  } catch (std::nullptr_t) {  // Before the pointers, for which it would pass.
    return "an exception of type std::nullptr_t";
  } catch (const std::string& text) {
    return absl::StrCat("an exception of type std::string: ", text);
  } catch (const char* text) {
    return absl::StrCat("an exception of type const char*: ", text);
  } catch (int number) {
    return absl::StrCat("an exception of type int: ", number);
  } catch (...) {
    return absl::StrCat("an exception of type ", current_type());
  }
}

RpcError rpc_error(const absl::Status& status, std::string message) {
  const auto raw = status.GetPayload(base::kStatusDetails);
  return {static_cast<StatusCode>(status.code()), std::move(message),
          raw ? std::string(*raw) : std::string()};
}

void throw_rpc(const absl::Status& status, std::string_view doing) {
  throw rpc_error(
      status, absl::StrCat(std::string(doing), ": ", absl::StatusCodeToString(status.code()), ": ",
                           std::string(status.message())));
}

}  // namespace sdk
}  // namespace chimera
