#include "sdk-cpp/src/execution_wire.h"

#include "core/history/json.h"
#include "sdk-cpp/src/version_wire.h"

namespace chimera::sdk {

WorkflowExecution to_public(const api::workflow::v1::WorkflowExecutionInfo& info,
                            const Codec& codec) {
  WorkflowExecution out{.id = info.execution().workflow_id(),
                        .run_id = info.execution().run_id(),
                        .workflow_type = info.type().name(),
                        .task_queue = info.task_queue(),
                        .status = static_cast<WorkflowExecutionStatus>(info.status()),
                        .start_time = base::to_wall_time(info.start_time()),
                        .close_time = base::to_wall_time(info.close_time()),
                        .execution_time = base::to_wall_time(info.execution_time()),
                        .history_length = info.history_length(),
                        .parent_id = info.parent_execution().workflow_id(),
                        .parent_run_id = info.parent_execution().run_id(),
                        .root_id = info.root_execution().workflow_id(),
                        .root_run_id = info.root_execution().run_id()};
  out.memo = to_public(info.memo(), codec);
  out.search_attributes = to_public(info.search_attributes());
  if (info.has_versioning_info()) out.versioning_info = to_public(info.versioning_info());
  return out;
}

WorkflowHistoryEvent to_public(const api::history::v1::HistoryEvent& event) {
  absl::StatusOr<std::string> json = core::event_to_json(event);
  if (!json.ok()) throw ConversionError(std::string(json.status().message()));
  return {.id = event.event_id(),
          .type = api::enums::v1::EventType_Name(event.event_type()),
          .time = base::to_wall_time(event.event_time()),
          .json = *std::move(json)};
}

}  // namespace chimera::sdk
