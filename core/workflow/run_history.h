// RunHistory, how a run follows its history: batch by batch, event by event, and the updates that
// come with it. Lane thread.
#ifndef CHIMERA_CORE_WORKFLOW_RUN_HISTORY_H_
#define CHIMERA_CORE_WORKFLOW_RUN_HISTORY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/history/batch.h"
#include "core/workflow/run_data.h"
#include "core/workflow/run_local.h"
#include "core/workflow/run_machines.h"

namespace chimera::core {

class RunHistory {
 public:
  // All borrowed.
  RunHistory(RunData& run, RunMachines& machines, RunLocal& local)
      : run_(run), machines_(machines), local_(local) {}

  // The task's own messages: updates that history does not know yet.
  void queue_messages();
  absl::Status apply(const Batch& batch);
  // Of a batch, what a query may see.
  Batch up_to_query(const Batch& batch);
  // The events of a task's commands are over (`event` is the next one, or null at the end of the
  // history): what the code commanded and history lacks is an extra command.
  absl::Status check_confirmed(const HistoryEvent* event);
  // With all that history says of the task, and no jobs.
  std::shared_ptr<Activation> make_activation() const;

 private:
  // An update that is to be delivered before the event after its sequencing event.
  struct PendingUpdate {
    std::int64_t sequencing_event_id;
    std::string instance_id, message_id;
    const api::update::v1::Request* request;
    std::shared_ptr<const void> owner;
    bool run_validator;
  };

  absl::Status begin_dialect(const HistoryEvent& started, const HistoryEvent& completed);
  absl::Status look_ahead(absl::Span<const HistoryEvent* const> events, const Batch& batch);
  absl::Status look_ahead_marker(const HistoryEvent& event, bool own);
  void look_ahead_update(absl::Span<const HistoryEvent* const> events, const HistoryEvent& event);
  absl::Status apply_event(const HistoryEvent& event);
  void apply_started(const HistoryEvent& event);
  void apply_task_started(const HistoryEvent& event);
  void queue_update(PendingUpdate update);
  void admit_update(const HistoryEvent& event);
  void deliver_updates(std::int64_t before_event_id);
  void take_versions(const api::history::v1::WorkflowTaskCompletedEventAttributes& completed);

  RunData& run_;
  RunMachines& machines_;
  RunLocal& local_;
  bool confirming_ = false;  // Between a WorkflowTaskCompleted and the last event of its commands.
  bool commanded_ = false;   // Events of commands were in the batch applied last.
  std::uint64_t history_size_ = 0;
  bool suggest_continue_as_new_ = false, target_version_changed_ = false;
  std::vector<api::enums::v1::SuggestContinueAsNewReason> suggest_reasons_;
  std::optional<api::deployment::v1::WorkerDeploymentVersion> deployment_version_;
  std::vector<PendingUpdate> pending_updates_;  // By sequencing event id.
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKFLOW_RUN_HISTORY_H_
