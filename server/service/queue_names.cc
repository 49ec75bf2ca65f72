#include "server/service/queue_names.h"

#include "absl/strings/numbers.h"

#include "server/base/errors.h"
#include "server/engine/rules/limits.h"

namespace chimera::server {

bool is_partition_of_a_queue(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  int number = 0;
  return is_partition(name) && slash > name.find('/', 1) + 1 &&
         absl::SimpleAtoi(name.substr(slash + 1), &number) && number > 0;
}

absl::Status check_queue_name(const std::string& name) {
  if (name.empty()) return invalid("missing task queue name");
  if (name.size() > kIdMax) return invalid("taskQueue length exceeds limit");
  if (is_partition(name))
    return invalid("task queue name cannot start with reserved prefix /_sys/");
  return absl::OkStatus();
}

absl::Status check_queue(const taskqueue::TaskQueue& queue, bool is_set) {
  if (!is_set) return invalid("taskQueue is not set");
  if (absl::Status s = check_queue_name(queue.name()); !s.ok()) return s;
  if (queue.kind() == enums::TASK_QUEUE_KIND_STICKY && queue.normal_name().size() > kIdMax)
    return invalid("taskQueue length exceeds limit");
  return absl::OkStatus();
}

}  // namespace chimera::server
