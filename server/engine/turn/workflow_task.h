// The life of a workflow task: scheduled, started, completed, failed, timed out.
// Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_WORKFLOW_TASK_H_
#define CHIMERA_SERVER_ENGINE_TURN_WORKFLOW_TASK_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/deployments/version.h"
#include "server/engine/rules/verdict.h"
#include "server/engine/run/transition.h"

namespace chimera::server {

// Schedules one; there must be none pending. `original_scheduled` is carried by heartbeats.
void schedule_task(Transition& t, bool speculative, WallTime original_scheduled = kUnset);
void dispatch_task(Transition& t);  // Hands the pending task to matching.
// Writes the events of a pending transient or speculative task, which becomes a normal one, started
// by `identity`. Null: no worker of a known version has completed it.
void materialize_task(Transition& t, const std::string& identity,
                      const common::WorkerVersionStamp* completed_by = nullptr);
// Who starts a task.
struct TaskStart {
  std::string identity, request_id;
  std::string build_id;    // Empty: it does not say.
  bool on_sticky = false;  // It has the run in its cache.
  bool polled = false;     // Its queue gave it the task: the run follows it to its version.
  DeploymentVersion version = {};
};
// Starts the pending task and fills the worker's response.
void start_task(Transition& t, TaskStart by, wf::PollWorkflowTaskQueueResponse& response);

// The run's started task, as its worker answered it.
absl::Status complete_task(Engine& engine, const Run& run,
                           wf::RespondWorkflowTaskCompletedRequest& request,
                           wf::RespondWorkflowTaskCompletedResponse& response);
// Its worker could not.
void give_up_task(Engine& engine, const Run& run, wf::RespondWorkflowTaskFailedRequest& request);
// Fails the started task; the caller's transition goes on.
void fail_task(Transition& t, enums::WorkflowTaskFailedCause cause, failure::Failure failure,
               const std::string& identity, const std::string& binary_checksum = "");
// Ends the task of a run that is about to be closed from outside, and writes what was buffered
// while it was started.
void end_task_by_force(Transition& t);
void time_out_task(Transition& t, enums::TimeoutType type);
// Appends the Scheduled and Started events that a started transient or speculative task shows but
// has not written.
void append_unwritten_events(const Run& run, history::History& history);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_WORKFLOW_TASK_H_
