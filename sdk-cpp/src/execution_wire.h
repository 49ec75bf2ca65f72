// Workflow executions in requests and answers, for the client's calls about them. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_EXECUTION_WIRE_H_
#define CHIMERA_SDK_CPP_SRC_EXECUTION_WIRE_H_

#include <chrono>

#include "chimera/client.h"
#include "core/base/api.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

inline constexpr std::chrono::milliseconds kLongPoll{70'000};  // As sdk-core 1.35.

inline void set_execution(api::common::v1::WorkflowExecution& execution,
                          const detail::Target& target) {
  execution.set_workflow_id(target.id);
  execution.set_run_id(target.run_id);
}

WorkflowExecution to_public(const api::workflow::v1::WorkflowExecutionInfo& info,
                            const Codec& codec);
// Throws ConversionError.
WorkflowHistoryEvent to_public(const api::history::v1::HistoryEvent& event);

// Of what lists count, whatever it is.
template <class Response>
WorkflowCount to_count(const Response& response) {
  WorkflowCount out{.count = response.count(), .groups = {}};
  for (const auto& group : response.groups()) {
    auto& counted = out.groups.emplace_back();
    counted.count = group.count();
    for (const auto& value : group.group_values()) counted.values.push_back(to_value(value));
  }
  return out;
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_EXECUTION_WIRE_H_
