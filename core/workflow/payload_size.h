// Values that are larger than the server takes, found before they are sent. Any thread.
#ifndef CHIMERA_CORE_WORKFLOW_PAYLOAD_SIZE_H_
#define CHIMERA_CORE_WORKFLOW_PAYLOAD_SIZE_H_

#include <string>

#include "core/base/api.h"

namespace chimera::core {

// Which command carries more than `bytes_max` (0: no limit), how much it is and what to do; empty
// when none does.
std::string too_large(const api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request,
                      std::size_t bytes_max);

// Of an activity's result that is larger.
std::string result_too_large(std::size_t bytes, std::size_t bytes_max);

// Answers to queries that are larger become failures that say so: the one who asks learns it at
// once. 0: what a message holds.
void bound_answers(api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& request,
                   std::size_t bytes_max);
void bound_answer(api::workflowservice::v1::RespondQueryTaskCompletedRequest& request,
                  std::size_t bytes_max);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_PAYLOAD_SIZE_H_
