// What lists have of an execution that stands alone: a row like a workflow's, in a division of its
// kind's own. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_LISTED_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_LISTED_H_

#include <string>
#include <utility>
#include <vector>

#include "server/engine/standalone/executions.h"
#include "server/visibility/entry.h"

namespace chimera::server {

struct Listed {
  std::string id, type, task_queue, division;
  // One of those numbers that filters of workflows compare, so that they share one grammar.
  enums::WorkflowExecutionStatus status{};
  bool open = true;
  WallTime execution_time{};
  std::vector<std::pair<std::string, std::string>> keywords;  // Its kind's own attributes.
};
visibility::Entry listed_entry(const StandaloneExecution& execution, const Listed& as);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_LISTED_H_
