#include "sdk-cpp/src/nexus_pool.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "core/base/utf8.h"
#include "core/converter/failure_size.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/log.h"

namespace chimera::sdk {
namespace {

using nexus::HandlerError;
using nexus::HandlerErrorType, nexus::RetryBehavior;
using Completed = core::NexusResult::Completed;
using Failed = core::NexusResult::Failed;

// The last link: the handler itself.
class HandlerCode final : public NexusInbound {
 public:
  explicit HandlerCode(const detail::NexusOperationType& type)
      : NexusInbound(nullptr), type_(type) {}
  std::optional<std::string> start(const StartNexusHandlerInput& input,
                                   PayloadSink& result) override {
    return type_.start(PayloadSource(&input.input), result);
  }
  void cancel(const std::string& token) override {
    if (type_.cancel) return type_.cancel(token);
    throw HandlerError(HandlerErrorType::kNotImplemented,
                       absl::StrCat("the operation ", type_.name, " cannot be cancelled"));
  }

 private:
  const detail::NexusOperationType& type_;
};

// As the official SDKs have the errors of calls to the server.
HandlerError of_rpc(const RpcError& error) {
  HandlerErrorType type = HandlerErrorType::kInternal;
  RetryBehavior retry = RetryBehavior::kUnspecified;
  switch (error.code()) {
    case StatusCode::kInvalidArgument:
      type = HandlerErrorType::kBadRequest;
      break;
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
      retry = RetryBehavior::kNonRetryable;
      break;
    case StatusCode::kAborted:
    case StatusCode::kUnavailable:
      type = HandlerErrorType::kUnavailable;
      break;
    case StatusCode::kNotFound:
      type = HandlerErrorType::kNotFound;
      break;
    case StatusCode::kResourceExhausted:
      type = HandlerErrorType::kResourceExhausted;
      break;
    case StatusCode::kUnimplemented:
      type = HandlerErrorType::kNotImplemented;
      break;
    case StatusCode::kDeadlineExceeded:
      type = HandlerErrorType::kUpstreamTimeout;
      break;
    default:  // That this worker may not call says nothing of the caller's rights.
      break;
  }
  return {type, error.what(), retry, std::current_exception()};
}

// Of the exception that is being handled.
HandlerError handler_error() {
  try {
    throw;
  } catch (const HandlerError& error) {
    return error;
  } catch (const ApplicationError& error) {
    const bool final = error.non_retryable();
    return {HandlerErrorType::kInternal,
            absl::StrCat("Handler failed with ", final ? "non-retryable" : "retryable",
                         " application error"),
            final ? RetryBehavior::kNonRetryable : RetryBehavior::kRetryable,
            std::current_exception()};
  } catch (const WorkflowAlreadyStartedError& error) {
    return {HandlerErrorType::kInternal, error.message(), RetryBehavior::kNonRetryable,
            std::current_exception()};
  } catch (const RpcError& error) {
    return of_rpc(error);
  } catch (...) {
    return {HandlerErrorType::kInternal, "Internal handler error", RetryBehavior::kUnspecified,
            std::current_exception()};
  }
}

void log_failure(const NexusContext& context, const std::string& what) {
  log(LogLevel::kWarning, "nexus", absl::StrCat("failed: ", what), log_fields(context.info()));
}

Failed failed_with(const NexusContext& context, const HandlerError& error) {
  return {to_failure(error, context.codec(), core::kFailureBytesMax)};
}

core::NexusResult operation_failed(const NexusContext& context,
                                   const nexus::OperationError& error) {
  const std::exception_ptr cause = error.cause();
  Completed out;
  auto& failure = *out.response.mutable_start_operation()->mutable_failure();
  if (error.state() == nexus::OperationState::kCancelled) {
    failure = to_failure(CancelledError(error.what()), context.codec(), core::kFailureBytesMax);
    if (cause != nullptr)
      *failure.mutable_cause() = to_failure(cause, context.codec(), core::kFailureBytesMax);
  } else {
    failure = to_failure(
        ApplicationError(error.what(),
                         {.type = "OperationError", .non_retryable = true, .cause = cause}),
        context.codec(), core::kFailureBytesMax);
  }
  return {std::move(out)};
}

// The caller has given up; or the worker has, and the server may ask another one.
core::NexusResult cancelled(const NexusContext& context) {
  if (context.cancel_reason() == core::NexusCancelReason::kWorkerShutdown)
    return {
        failed_with(context, HandlerError(HandlerErrorType::kUnavailable, "the worker is ending"))};
  return {core::NexusResult::CancelAcknowledged{}};
}

// Of what the handler threw.
core::NexusResult result_of_current(const NexusContext& context) {
  try {
    std::rethrow_exception(context.codec().to_failure(std::current_exception()));
  } catch (const nexus::OperationError& error) {
    if (context.request().has_start_operation()) return operation_failed(context, error);
    log_failure(context, describe_current());
    return {failed_with(context, handler_error())};
  } catch (const CancelledError&) {
    if (context.cancel_reason()) return cancelled(context);
    log_failure(context, describe_current());
    return {failed_with(context, handler_error())};
  } catch (...) {
    log_failure(context, describe_current());
    return {failed_with(context, handler_error())};
  }
}

template <class Out>
void put_links(const NexusContext& context, Out& out) {
  for (const nexus::Link& each : context.links()) {
    auto& link = *out.add_links();
    link.set_url(each.url);
    link.set_type(each.type);
  }
}

}  // namespace

CppNexusLanguage::CppNexusLanguage(Codec codec, int threads_max)
    : codec_(std::move(codec)),
      threads_("Nexus handlers", threads_max,
               [this](const std::shared_ptr<NexusContext>& context) { run(*context); }) {}

void CppNexusLanguage::add(const detail::NexusServiceType& service) {
  Operations& operations = services_[service.name];
  for (const auto& each : service.operations) operations.emplace(each.name, each);
}

void CppNexusLanguage::set_worker(const core::WorkerOptions& options) {
  namespace_ = options.namespace_;
  task_queue_ = options.task_queue;
}

void CppNexusLanguage::set_client(detail::ClientPtr client) {
  const absl::MutexLock lock(&mutex_);
  client_ = std::move(client);
}

void CppNexusLanguage::start(core::NexusTask task) {
  NexusContext::Worker worker{codec_, namespace_, task_queue_, *metrics_, nullptr};
  {
    const absl::MutexLock lock(&mutex_);
    worker.client = client_;
  }
  std::shared_ptr<NexusContext> context;
  const auto handle = task.handle;
  try {
    context = std::make_shared<NexusContext>(std::move(task), std::move(worker));
  } catch (...) {  // Out of a codec, for this operation's values.
    return handle->complete(
        {Failed{to_failure(HandlerError(HandlerErrorType::kInternal,
                                        base::cut_utf8(describe_current(), core::kFailureBytesMax)),
                           nullptr)}});
  }
  {
    const absl::MutexLock lock(&mutex_);
    running_[context->token()] = context;
    if (shutting_down_) context->worker_shutdown().request();
  }
  threads_.add(std::move(context));
}

void CppNexusLanguage::cancel(const std::string& task_token, core::NexusCancelReason reason) {
  std::shared_ptr<NexusContext> context;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = running_.find(task_token);
    if (found == running_.end()) return;  // It has ended.
    context = found->second;
  }
  context->cancel(reason);
}

void CppNexusLanguage::begin_shutdown() {
  std::vector<std::shared_ptr<NexusContext>> running;
  {
    const absl::MutexLock lock(&mutex_);
    shutting_down_ = true;
    for (const auto& [token, context] : running_) running.push_back(context);
  }
  for (const auto& context : running) context->worker_shutdown().request();
}

void CppNexusLanguage::run(NexusContext& context) {
  NexusContext::enter(&context);
  core::NexusResult result = [&] {
    const RunningScope names_crashes(context.owner());
    return handle(context);
  }();
  NexusContext::enter(nullptr);
  std::shared_ptr<NexusContext> last;  // Released without the lock.
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = running_.find(context.token());
    last = std::move(found->second);
    running_.erase(found);
  }
  context.handle().complete(std::move(result));
}

core::NexusResult CppNexusLanguage::handle(NexusContext& context) {
  try {
    try {
      return answer(context);
    } catch (...) {
      return result_of_current(context);
    }
  } catch (...) {  // Out of a codec or a failure converter, which the failure cannot pass.
    const std::string what = describe_current();
    log_failure(context, what);
    return {Failed{to_failure(
        HandlerError(HandlerErrorType::kInternal,
                     base::cut_utf8(absl::StrCat("Failed building exception result: ", what),
                                    core::kFailureBytesMax)),
        nullptr)}};
  }
}

const detail::NexusOperationType& CppNexusLanguage::find(const nexus::Info& info) const {
  const Operations& operations = services_.at(info.service);
  const auto found = operations.find(info.operation);
  if (found != operations.end()) return found->second;
  throw HandlerError(
      HandlerErrorType::kNotFound,
      absl::StrCat(
          "Nexus service '", info.service, "' has no operation '", info.operation,
          "'. It has: ", absl::StrJoin(operations, ", ", [](std::string* out, const auto& each) {
            out->append(each.first);
          })));
}

core::NexusResult CppNexusLanguage::answer(NexusContext& context) {
  HandlerCode code(find(context.info()));
  const Chain<NexusInbound> chain(interceptors_, static_cast<NexusInbound&>(code));
  Completed out;
  if (context.request().has_cancel_operation()) {
    chain.first().cancel(context.info().operation_token);
    out.response.mutable_cancel_operation();
    return {std::move(out)};
  }
  const Codec& codec = context.codec();
  ProtoPayload scratch, result;
  PayloadSink sink(&result);
  const auto token = chain.first().start(
      {decoded(context.request().start_operation().payload(), codec, scratch)}, sink);
  auto& response = *out.response.mutable_start_operation();
  if (token) {
    if (token->empty()) {
      throw HandlerError(HandlerErrorType::kInternal,
                         absl::StrCat("the handler of ", context.info().service, "/",
                                      context.info().operation, " gave an empty operation token"),
                         RetryBehavior::kNonRetryable);
    }
    response.mutable_async_success()->set_operation_token(*token);
    put_links(context, *response.mutable_async_success());
  } else {
    encode_in_place(result, codec);
    *response.mutable_sync_success()->mutable_payload() = std::move(result);
    put_links(context, *response.mutable_sync_success());
  }
  return {std::move(out)};
}

}  // namespace chimera::sdk
