// The checks of the task queues that requests name. Pure.
#ifndef CHIMERA_SERVER_SERVICE_QUEUE_NAMES_H_
#define CHIMERA_SERVER_SERVICE_QUEUE_NAMES_H_

#include <string>

#include "absl/status/status.h"

#include "server/base/types.h"

namespace chimera::server {

// The name of a partition on the genuine server; here every queue is of one.
inline bool is_partition(const std::string& name) { return name.starts_with("/_sys/"); }
// "/_sys/NAME/NUMBER", from 1 on.
bool is_partition_of_a_queue(const std::string& name);
// A name that a client may use: not empty, not too long, not a partition's.
absl::Status check_queue_name(const std::string& name);
// The same of a request's queue and, if it is sticky, of the normal one beside it.
absl::Status check_queue(const taskqueue::TaskQueue& queue, bool is_set);

template <class Request>
absl::Status check_queue(const Request& request) {
  return check_queue(request.task_queue(), request.has_task_queue());
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_QUEUE_NAMES_H_
