// The history that a task carries to a worker: its first page, and a token for the rest.
// Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_TASK_HISTORY_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_TASK_HISTORY_H_

#include <cstdint>

#include "server/engine/run/run.h"

namespace chimera::server {

// From event `first` on. `with_unwritten`: the last page shows the unwritten events of the started
// task, too.
void fill_history(const Run& run, std::int64_t first, bool with_unwritten,
                  wf::PollWorkflowTaskQueueResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_TASK_HISTORY_H_
