#include "server/service/listing.h"

#include <nlohmann/json.hpp>

#include "server/engine/standalone/activity_view.h"
#include "server/engine/standalone/operation_view.h"

namespace chimera::server {

std::string status_name(enums::WorkflowExecutionStatus status) {
  switch (status) {
    case enums::WORKFLOW_EXECUTION_STATUS_RUNNING:
      return "Running";
    case enums::WORKFLOW_EXECUTION_STATUS_COMPLETED:
      return "Completed";
    case enums::WORKFLOW_EXECUTION_STATUS_FAILED:
      return "Failed";
    case enums::WORKFLOW_EXECUTION_STATUS_CANCELED:
      return "Canceled";
    case enums::WORKFLOW_EXECUTION_STATUS_TERMINATED:
      return "Terminated";
    case enums::WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW:
      return "ContinuedAsNew";
    case enums::WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
      return "TimedOut";
    case enums::WORKFLOW_EXECUTION_STATUS_PAUSED:
      return "Paused";
    default:
      return absl::StrCat(static_cast<int>(status));
  }
}

namespace {

template <class Info>
bool read_listed(const std::string& row, Info& info) {
  ::temporal::api::workflow::v1::WorkflowExecutionInfo entry;
  if (!entry.ParseFromString(row)) return false;
  fill_listed(entry, info);
  return true;
}

}  // namespace

bool read_row(const std::string& row,
              ::temporal::api::activity::v1::ActivityExecutionListInfo& info) {
  return read_listed(row, info);
}

bool read_row(const std::string& row, nexus::NexusOperationExecutionListInfo& info) {
  return read_listed(row, info);
}

common::Payload group_value(const visibility::Value& value) {
  const auto* status = std::get_if<std::int64_t>(&value);
  const std::string text = status != nullptr
                               ? status_name(static_cast<enums::WorkflowExecutionStatus>(*status))
                               : std::get<std::string>(value);
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  (*payload.mutable_metadata())["type"] = "Keyword";
  payload.set_data(nlohmann::json(text).dump());
  return payload;
}

}  // namespace chimera::server
