#include "server/engine/rules/nexus_failures.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "nlohmann/json.hpp"

#include "server/base/errors.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {
namespace {

using Kind = StartOutcome::Kind;

// As the genuine server's JSON has it: in this order, what is empty left out.
nlohmann::ordered_json json_of(const nexus::Failure& failure, bool whole) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (whole && !failure.message().empty()) json["message"] = failure.message();
  if (whole && !failure.stack_trace().empty()) json["stackTrace"] = failure.stack_trace();
  const std::map<std::string, std::string> metadata(failure.metadata().begin(),
                                                    failure.metadata().end());
  if (!metadata.empty()) json["metadata"] = metadata;
  if (!failure.details().empty())
    json["details"] = nlohmann::ordered_json::parse(failure.details(), nullptr, false);
  if (failure.has_cause()) json["cause"] = json_of(failure.cause(), /*whole=*/true);
  return json;
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// Of an unknown kind: it goes into the details as it is.
void keep_unknown(const nexus::Failure& from, failure::Failure& to) {
  auto& info = *to.mutable_application_failure_info();
  info.set_type("NexusFailure");
  auto& payload = *info.mutable_details()->add_payloads();
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(dump(json_of(from, /*whole=*/false)));
}

absl::Status malformed(const char* what) {
  return invalid(absl::StrCat("Malformed failure: its details are not the JSON of ", what));
}

absl::Status read_temporal(const nexus::Failure& from, failure::Failure& to) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  if (!google::protobuf::util::JsonStringToMessage(from.details(), &to, options).ok())
    return malformed("a temporal.api.failure.v1.Failure");
  to.set_message(from.message());
  to.set_stack_trace(from.stack_trace());
  return absl::OkStatus();
}

absl::Status read_operation_error(const nexus::Failure& from, failure::Failure& to) {
  const auto json = nlohmann::json::parse(from.details(), nullptr, false);
  if (!json.is_object()) return malformed("an operation error");
  if (json.value("state", nlohmann::json()) == "canceled") {
    to.mutable_canceled_failure_info();
    return absl::OkStatus();
  }
  to.mutable_application_failure_info()->set_type("OperationError");
  to.mutable_application_failure_info()->set_non_retryable(true);
  return absl::OkStatus();
}

absl::Status read_handler_error(const nexus::Failure& from, failure::Failure& to) {
  const auto json = nlohmann::json::parse(from.details(), nullptr, false);
  if (!json.is_object()) return malformed("a handler error");
  auto& info = *to.mutable_nexus_handler_failure_info();
  if (const auto type = json.find("type"); type != json.end() && type->is_string())
    info.set_type(type->get<std::string>());
  if (const auto retry = json.find("retryableOverride");
      retry != json.end() && retry->is_boolean()) {
    info.set_retry_behavior(*retry ? enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE
                                   : enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE);
  }
  return absl::OkStatus();
}

absl::Status read(const nexus::Failure& from, failure::Failure& to) {
  const auto type = from.metadata().find("type");
  const std::string name = type == from.metadata().end() ? "" : type->second;
  if (name == failure::Failure::descriptor()->full_name()) return read_temporal(from, to);
  if (name == "nexus.OperationError") return read_operation_error(from, to);
  if (name == "nexus.HandlerError") return read_handler_error(from, to);
  if (!from.metadata().empty() || !from.details().empty()) keep_unknown(from, to);
  return absl::OkStatus();
}

StartOutcome not_done(failure::Failure failure) {
  StartOutcome outcome;
  outcome.failure = std::move(failure);
  return outcome;
}

StartOutcome ended_badly(bool canceled, failure::Failure failure) {
  StartOutcome outcome;
  outcome.kind = canceled ? Kind::kCanceled : Kind::kFailed;
  outcome.failure = canceled ? as_canceled(std::move(failure)) : std::move(failure);
  return outcome;
}

// Of workers that know no Temporal failures.
StartOutcome outcome_of(const nexus::UnsuccessfulOperationError& error) {
  const bool canceled = error.operation_state() == "canceled";
  if (!canceled && error.operation_state() != "failed")
    return not_done(handler_failure("INTERNAL", ""));
  absl::StatusOr<failure::Failure> failure = from_nexus(error.failure());
  if (!failure.ok())
    return not_done(handler_failure("INTERNAL", std::string(failure.status().message())));
  return ended_badly(canceled, *std::move(failure));
}

}  // namespace

absl::StatusOr<failure::Failure> from_nexus(const nexus::Failure& from) {
  failure::Failure to;
  to.set_message(from.message());
  to.set_stack_trace(from.stack_trace());
  if (absl::Status s = read(from, to); !s.ok()) return s;
  if (!from.has_cause()) return to;
  absl::StatusOr<failure::Failure> cause = from_nexus(from.cause());
  if (!cause.ok()) return cause.status();
  *to.mutable_cause() = *std::move(cause);
  return to;
}

failure::Failure handler_failure(std::string type, std::string message) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.mutable_nexus_handler_failure_info()->set_type(std::move(type));
  return failure;
}

absl::StatusOr<failure::Failure> from_nexus(const nexus::HandlerError& error) {
  failure::Failure failure = handler_failure(error.error_type(), "");
  failure.mutable_nexus_handler_failure_info()->set_retry_behavior(error.retry_behavior());
  if (!error.has_failure()) return failure;
  absl::StatusOr<failure::Failure> cause = from_nexus(error.failure());
  if (!cause.ok()) return cause.status();
  *failure.mutable_cause() = *std::move(cause);
  return failure;
}

failure::Failure call_failure(std::string message, bool retryable) {
  failure::Failure failure;
  failure.set_message(std::move(message));
  failure.mutable_application_failure_info()->set_type("CallError");
  failure.mutable_application_failure_info()->set_non_retryable(!retryable);
  return failure;
}

bool is_retryable(const failure::Failure& failure) {
  if (!failure.has_nexus_handler_failure_info())
    return !failure.application_failure_info().non_retryable();
  const auto& info = failure.nexus_handler_failure_info();
  if (info.retry_behavior() == enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_RETRYABLE) return true;
  if (info.retry_behavior() == enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE)
    return false;
  static const auto* final_types = new std::set<std::string>{
      "BAD_REQUEST", "UNAUTHENTICATED", "UNAUTHORIZED", "NOT_FOUND", "NOT_IMPLEMENTED", "CONFLICT"};
  return !final_types->contains(info.type());
}

failure::Failure as_canceled(failure::Failure failure) {
  if (failure.has_canceled_failure_info()) return failure;
  failure::Failure canceled;
  canceled.set_message(failure.message());
  canceled.set_stack_trace(failure.stack_trace());
  canceled.mutable_canceled_failure_info();
  if (failure.has_cause()) *canceled.mutable_cause() = std::move(*failure.mutable_cause());
  return canceled;
}

StartOutcome outcome_of(nexus::StartOperationResponse& response) {
  StartOutcome outcome;
  switch (response.variant_case()) {
    case nexus::StartOperationResponse::kSyncSuccess: {
      auto& sync = *response.mutable_sync_success();
      if (sync.payload().ByteSizeLong() > kBlobBytesMax)
        return not_done(call_failure("http: response body too large", /*retryable=*/false));
      outcome.kind = Kind::kCompleted;
      outcome.has_result = sync.has_payload();
      outcome.result = std::move(*sync.mutable_payload());
      outcome.links.Swap(sync.mutable_links());
      return outcome;
    }
    case nexus::StartOperationResponse::kAsyncSuccess: {
      auto& async = *response.mutable_async_success();
      outcome.kind = Kind::kStarted;
      outcome.token =
          async.operation_token().empty() ? async.operation_id() : async.operation_token();
      outcome.links.Swap(async.mutable_links());
      return outcome;
    }
    case nexus::StartOperationResponse::kOperationError:
      return outcome_of(response.operation_error());
    case nexus::StartOperationResponse::kFailure: {
      const bool canceled = response.failure().has_canceled_failure_info();
      return ended_badly(canceled, std::move(*response.mutable_failure()));
    }
    default:
      return not_done(handler_failure("INTERNAL", "empty outcome"));
  }
}

}  // namespace chimera::server
