// EagerStarts, the workers of one connection that take the first workflow task of a start: the
// server gives it in the reply, instead of to a poll, when the start says so. Shared by the clients
// and workers of every language on that connection. Any thread.
#ifndef CHIMERA_CORE_RPC_EAGER_STARTS_H_
#define CHIMERA_CORE_RPC_EAGER_STARTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

#include "core/base/api.h"

namespace chimera::core {

// A slot kept for the workflow task that the reply to a start may bring with it; the worker's end
// waits for it. Dropping it gives the slot back. Any thread.
class WorkflowSlot {
 public:
  virtual ~WorkflowSlot() = default;
  // Of which deployment the worker is; null when of none.
  virtual const api::deployment::v1::WorkerDeploymentOptions* deployment() const = 0;
  // Runs the task as if a poll had brought it. Once.
  virtual void run(
      std::shared_ptr<api::workflowservice::v1::PollWorkflowTaskQueueResponse> task) = 0;
};
using WorkflowSlotPtr = std::unique_ptr<WorkflowSlot>;

// What a start says that is sent with `slot`; null: that it is not eager.
void ask_for_first_task(api::workflowservice::v1::StartWorkflowExecutionRequest& request,
                        const WorkflowSlot* slot);

class EagerStarts {
 public:
  class Taker {
   public:
    virtual ~Taker() = default;
    // Null when no slot is free, or when the worker takes no workflow tasks now. Must not call
    // EagerStarts.
    virtual WorkflowSlotPtr reserve_workflow_slot() = 0;
  };
  using Reserved = absl::AnyInvocable<void(WorkflowSlotPtr) &&>;

  // A worker that polls the queue, or (not up) is about to: starts that can wait then wait for it.
  // Again: it has come up. Borrowed until remove().
  void add(const std::string& namespace_, const std::string& task_queue, Taker& worker, bool up);
  // No effect when it is not there. Nothing calls the worker after this has returned.
  void remove(Taker& worker);

  // Of any worker on the queue that is up and has one free; else null.
  WorkflowSlotPtr try_reserve(const std::string& namespace_, const std::string& task_queue);
  // The same, after the workers on the queue that are about to come up. `done` runs once: inside
  // this call, or on the thread that adds or removes the last of them.
  void reserve(std::string namespace_, std::string task_queue, Reserved done);

 private:
  struct Entry {
    std::string namespace_, task_queue;
    Taker* worker;
    bool up;
  };
  struct Waiting {
    std::string namespace_, task_queue;
    Reserved done;
  };

  WorkflowSlotPtr take(const std::string& namespace_, const std::string& task_queue)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool one_is_coming(const std::string& namespace_, const std::string& task_queue) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void serve_waiting();

  absl::Mutex mutex_;
  std::vector<Entry> workers_ ABSL_GUARDED_BY(mutex_);
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_EAGER_STARTS_H_
