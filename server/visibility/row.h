// Row, what a list filter may ask of an execution. Loop thread.
#ifndef CHIMERA_SERVER_VISIBILITY_ROW_H_
#define CHIMERA_SERVER_VISIBILITY_ROW_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/base/types.h"
#include "server/visibility/attributes.h"
#include "server/visibility/query.h"

namespace chimera::server {

// Views into the execution: short-lived.
struct Row {
  std::string_view workflow_id, run_id, workflow_type, task_queue;
  std::string_view parent_workflow_id, parent_run_id, root_workflow_id, root_run_id;
  enums::WorkflowExecutionStatus status = enums::WORKFLOW_EXECUTION_STATUS_RUNNING;
  WallTime start_time{}, execution_time{};
  // Only shown of what has closed.
  WallTime close_time{};
  std::int64_t history_length = 0, history_size = 0, transitions = 0;
  // The namespace's attributes, and the execution's value of one of them.
  const AttributeTypes* types = nullptr;
  std::function<std::optional<common::Payload>(const std::string& name)> attribute;
};

// The namespace's attributes, as the parser asks for them. `own` is borrowed.
visibility::TypeOf attribute_types(const AttributeTypes& own);
// The row's value of an attribute; none if it has none (an open run has no CloseTime).
std::optional<visibility::Value> row_value(const Row& row, std::string_view name);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_VISIBILITY_ROW_H_
