// What workers answer to Nexus tasks.
#include <optional>
#include <utility>

#include "nlohmann/json.hpp"

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/nexus/requests.h"
#include "server/engine/rules/nexus_failures.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"
#include "server/service/task_lookup.h"

namespace chimera::server {
namespace {

// The request that the token is of.
absl::StatusOr<std::string> asked(Engine& engine, const auto& request) {
  if (absl::Status s = check_token(engine, request.namespace_(), request.task_token()); !s.ok())
    return s;
  return TaskToken::decode(request.task_token())->run_id;
}

absl::Status check_details(const nexus::Failure& failure) {
  if (failure.details().empty() || nlohmann::json::accept(failure.details()))
    return absl::OkStatus();
  return invalid("failure details must be JSON serializable");
}

absl::Status check_operation_token(const DynamicConfig& config,
                                   const nexus::StartOperationResponse::Async& started) {
  const std::string& token =
      started.operation_token().empty() ? started.operation_id() : started.operation_token();
  if (token.empty()) return invalid("missing opration token in response");
  if (static_cast<std::int64_t>(token.size()) <= config.nexus_token_max) return absl::OkStatus();
  return invalid(absl::StrCat("operation token length exceeds allowed limit (", token.size(), "/",
                              config.nexus_token_max, ")"));
}

absl::Status complete(Engine& engine, wf::RespondNexusTaskCompletedRequest& request,
                      wf::RespondNexusTaskCompletedResponse&) {
  const auto asked_for = asked(engine, request);
  if (!asked_for.ok()) return asked_for.status();
  const auto& start = request.response().start_operation();
  if (start.has_async_success()) {
    if (absl::Status s = check_operation_token(engine.config(), start.async_success()); !s.ok())
      return s;
  }
  if (absl::Status s = check_details(start.operation_error().failure()); !s.ok()) return s;
  return engine.nexus_requests->complete(*asked_for, std::move(*request.mutable_response()));
}

absl::Status fail(Engine& engine, wf::RespondNexusTaskFailedRequest& request,
                  wf::RespondNexusTaskFailedResponse&) {
  const auto asked_for = asked(engine, request);
  if (!asked_for.ok()) return asked_for.status();
  if (!request.has_error() && !request.has_failure())
    return invalid("request must contain error or failure");
  if (absl::Status s = check_details(request.error().failure()); !s.ok()) return s;
  if (request.has_failure() && !request.failure().has_nexus_handler_failure_info()) {
    return invalid("request Failure must contain error or failure with NexusHandlerFailureInfo");
  }
  // The older form comes first, as in the genuine server.
  if (!request.has_error())
    return engine.nexus_requests->fail(*asked_for, std::move(*request.mutable_failure()));
  absl::StatusOr<failure::Failure> failure = from_nexus(request.error());
  return engine.nexus_requests->fail(
      *asked_for, failure.ok()
                      ? *std::move(failure)
                      : handler_failure("INTERNAL", std::string(failure.status().message())));
}

}  // namespace

void register_nexus_tasks(MethodTable& table) {
  table.add("RespondNexusTaskCompleted", complete);
  table.add("RespondNexusTaskFailed", fail);
}

}  // namespace chimera::server
