// Query, one QueryWorkflow call on its way to a worker and back. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_MATCHED_QUERY_H_
#define CHIMERA_SERVER_ENGINE_MATCHED_QUERY_H_

#include <memory>
#include <string>

#include "temporal/api/query/v1/message.pb.h"

#include "server/base/call.h"
#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

// Its own task in matching.
struct Query final : TaskOwner {
  explicit Query(Engine& engine) : engine(engine) {}
  bool is_stale(const MatchTask& task) const override;
  bool deliver(const MatchTask& task, const QueueKey& queue, Poller& poller) override;
  void desert(MatchTask task) override;
  std::string version_for(const MatchTask& task, const QueueKey& queue) const override;

  Engine& engine;
  std::string id;
  RunWeak run;
  CallPtr call;  // Of QueryWorkflow.
  ::temporal::api::query::v1::WorkflowQuery query;
  std::unique_ptr<Timer> deadline;
  std::unique_ptr<Timer> sticky_deadline;  // Its worker is gone: back to the normal queue.
  bool attached = false;                   // A started workflow task carries it.
  bool taken = false;                      // A worker has it as a query task.
  bool done() const { return call->finished; }
};
using QueryPtr = std::shared_ptr<Query>;  // Owned by its run's list or by the engine's index.

// On its way: with the run's next task, or as a task of its own.
absl::Status ask(Engine& engine, const Run& run, const QueryPtr& query);
void answer_query(Engine& engine, const QueryPtr& query, enums::QueryResultType type,
                  common::Payloads& result, const std::string& message, failure::Failure& failure);
void end_query(Engine& engine, const QueryPtr& query, absl::Status status);
// Sends a query through matching, to the sticky queue if there is one.
void dispatch_query(Engine& engine, const QueryPtr& query, bool allow_sticky = true);
// Moves the waiting queries onto a workflow task that is being started.
void attach_queries(Engine& engine, const Run& run, wf::PollWorkflowTaskQueueResponse& response);
// Takes the answers of a completed task; what it left open waits on.
void finish_attached_queries(
    Engine& engine, const Run& run,
    google::protobuf::Map<std::string, ::temporal::api::query::v1::WorkflowQueryResult>& results);
// After a completed task: what waits is sent directly if no other task follows.
void dispatch_waiting_queries(Engine& engine, const Run& run);
// The run closed, or its task failed: waiting queries go directly.
void release_queries(Engine& engine, const Run& run);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_MATCHED_QUERY_H_
