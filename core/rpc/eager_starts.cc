#include "core/rpc/eager_starts.h"

#include <algorithm>
#include <utility>

namespace chimera::core {

void ask_for_first_task(api::workflowservice::v1::StartWorkflowExecutionRequest& request,
                        const WorkflowSlot* slot) {
  request.set_request_eager_execution(slot != nullptr);
  if (slot != nullptr && slot->deployment() != nullptr)
    *request.mutable_eager_worker_deployment_options() = *slot->deployment();
}

void EagerStarts::add(const std::string& namespace_, const std::string& task_queue, Taker& worker,
                      bool up) {
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(workers_, [&](const Entry& entry) { return entry.worker == &worker; });
    workers_.push_back({namespace_, task_queue, &worker, up});
  }
  if (up) serve_waiting();
}

void EagerStarts::remove(Taker& worker) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::erase_if(workers_, [&](const Entry& entry) { return entry.worker == &worker; }) == 0)
      return;
  }
  serve_waiting();
}

WorkflowSlotPtr EagerStarts::take(const std::string& namespace_, const std::string& task_queue) {
  for (const Entry& entry : workers_) {
    if (!entry.up || entry.namespace_ != namespace_ || entry.task_queue != task_queue) continue;
    if (WorkflowSlotPtr slot = entry.worker->reserve_workflow_slot()) return slot;
  }
  return nullptr;
}

bool EagerStarts::one_is_coming(const std::string& namespace_,
                                const std::string& task_queue) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const Entry& entry) {
    return !entry.up && entry.namespace_ == namespace_ && entry.task_queue == task_queue;
  });
}

WorkflowSlotPtr EagerStarts::try_reserve(const std::string& namespace_,
                                         const std::string& task_queue) {
  absl::MutexLock lock(&mutex_);
  return take(namespace_, task_queue);
}

void EagerStarts::reserve(std::string namespace_, std::string task_queue, Reserved done) {
  WorkflowSlotPtr slot;
  {
    absl::MutexLock lock(&mutex_);
    slot = take(namespace_, task_queue);
    if (!slot && one_is_coming(namespace_, task_queue)) {
      waiting_.push_back({std::move(namespace_), std::move(task_queue), std::move(done)});
      return;
    }
  }
  std::move(done)(std::move(slot));
}

void EagerStarts::serve_waiting() {
  std::vector<std::pair<Reserved, WorkflowSlotPtr>> served;
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(waiting_, [&](Waiting& start) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      WorkflowSlotPtr slot = take(start.namespace_, start.task_queue);
      if (!slot && one_is_coming(start.namespace_, start.task_queue)) return false;
      served.emplace_back(std::move(start.done), std::move(slot));
      return true;
    });
  }
  for (auto& [done, slot] : served) std::move(done)(std::move(slot));
}

}  // namespace chimera::core
