// Which run a worker's task token means. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_TASK_LOOKUP_H_
#define CHIMERA_SERVER_SERVICE_TASK_LOOKUP_H_

#include <string>

#include "absl/status/statusor.h"

namespace chimera::server {

class Engine;
class Run;

// An error if the bytes are no task token, or one of another namespace than the request names; it
// may name none.
absl::Status check_token(Engine& engine, const std::string& ns, const std::string& bytes);
// The run whose started workflow task has this token, or the error that the worker gets.
absl::StatusOr<const Run*> find_started_task(Engine& engine, const std::string& token);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_TASK_LOOKUP_H_
