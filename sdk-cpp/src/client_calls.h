// ClientOutbound, the calls of a client as links of a chain; ClientCalls, the last, which asks the
// server. See interceptors.h. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_CLIENT_CALLS_H_
#define CHIMERA_SDK_CPP_SRC_CLIENT_CALLS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/client.h"
#include "sdk-cpp/src/activity_executions.h"
#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/nexus_executions.h"

namespace chimera::sdk {

// Everything is borrowed for the call.
struct StartWorkflowInput {
  std::string_view type;
  const WorkflowOptions& options;
  detail::Arguments arguments;
  std::string_view signal = {};  // Sent with the start, unless empty.
  detail::Arguments signal_arguments = {};
  Header header = {};
};
struct SignalInput {
  const detail::Target& target;
  std::string_view name;
  detail::Arguments arguments;
  Header header = {};
};
struct QueryInput {
  const detail::Target& target;
  std::string_view name;
  const QueryOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct UpdateInput {
  std::string_view name;
  const UpdateOptions& options;
  detail::UpdateStage until;
  detail::Arguments arguments;
  Header header = {};
};
struct ResultInput {
  const detail::Target& target;
  bool follow_runs;
};
struct UpdateResultInput {
  const detail::Target& target;
  const std::string& update_id;
};
struct CancelInput {
  const detail::Target& target;
  const CancelOptions& options;
};
struct TerminateInput {
  const detail::Target& target;
  const std::string& reason;
  detail::Arguments details;
};
struct DescribeInput {
  const detail::Target& target;
};
struct FetchHistoryInput {
  const detail::Target& target;
};
struct UpdateOptionsInput {
  const detail::Target& target;
  const WorkflowExecutionOptionsUpdate& update;
};
struct FetchHistoryEventsInput {
  const detail::Target& target;
  const FetchHistoryOptions& options;
};
// Of what is read later: the range that is made of it borrows nothing.
struct ListInput {
  const std::string& query;
  const ListOptions& options;
};
struct CountInput {
  const std::string& query;
};
struct CreateScheduleInput {
  const std::string& id;
  const Schedule& schedule;
  const CreateScheduleOptions& options;
  Header header = {};  // Of the workflows that it starts.
};
struct ScheduleInput {  // Of a call that needs nothing else.
  const std::string& id;
};
struct UpdateScheduleInput {
  const std::string& id;
  const ScheduleUpdater& updater;
};
struct BackfillScheduleInput {
  const std::string& id;
  const std::vector<ScheduleBackfill>& backfills;
};
struct PauseScheduleInput {
  const std::string& id;
  const std::string& note;
  bool pauses;  // False: it goes on.
};
struct TriggerScheduleInput {
  const std::string& id;
  ScheduleOverlapPolicy overlap;
};
struct AsyncActivityInput {
  const detail::ActivityReference& activity;
  detail::Arguments values;
};
struct FailActivityInput {
  const detail::ActivityReference& activity;
  const FailureError& error;
  detail::Arguments last_heartbeat_details;
};

// About what stands alone: activities and Nexus operations.
using StandaloneCalls = JoinedLists<ActivityExecutionCalls, NexusExecutionCalls>::List;

class ClientOutbound : public CallsOn<ClientOutbound, StandaloneCalls> {
 public:
  using CallsOn::CallsOn;
  virtual detail::Target start_workflow(StartWorkflowInput& input) {
    return next_->start_workflow(input);
  }
  virtual detail::Answer result(const ResultInput& input) { return next_->result(input); }
  virtual void signal(SignalInput& input) { next_->signal(input); }
  virtual detail::Answer query(QueryInput& input) { return next_->query(input); }
  virtual detail::StartedUpdate start_update(const detail::Target& target, UpdateInput& input) {
    return next_->start_update(target, input);
  }
  // `target` learns which run was updated.
  virtual detail::StartedUpdate update_with_start(StartWorkflowInput& start, UpdateInput& update,
                                                  detail::Target& target) {
    return next_->update_with_start(start, update, target);
  }
  virtual detail::Answer update_result(const UpdateResultInput& input) {
    return next_->update_result(input);
  }
  virtual void cancel(const CancelInput& input) { next_->cancel(input); }
  virtual void terminate(const TerminateInput& input) { next_->terminate(input); }
  virtual WorkflowExecution describe(const DescribeInput& input) { return next_->describe(input); }
  virtual std::string fetch_history(const FetchHistoryInput& input) {
    return next_->fetch_history(input);
  }
  virtual WorkflowExecutionOptions update_options(const UpdateOptionsInput& input) {
    return next_->update_options(input);
  }
  virtual PagedRange<WorkflowHistoryEvent> fetch_history_events(
      const FetchHistoryEventsInput& input) {
    return next_->fetch_history_events(input);
  }
  virtual PagedRange<WorkflowExecution> list_workflows(const ListInput& input) {
    return next_->list_workflows(input);
  }
  virtual WorkflowCount count_workflows(const CountInput& input) {
    return next_->count_workflows(input);
  }
  // Gives its id.
  virtual std::string create_schedule(CreateScheduleInput& input) {
    return next_->create_schedule(input);
  }
  virtual ScheduleDescription describe_schedule(const ScheduleInput& input) {
    return next_->describe_schedule(input);
  }
  virtual void update_schedule(const UpdateScheduleInput& input) { next_->update_schedule(input); }
  virtual void backfill_schedule(const BackfillScheduleInput& input) {
    next_->backfill_schedule(input);
  }
  virtual void pause_schedule(const PauseScheduleInput& input) { next_->pause_schedule(input); }
  virtual void trigger_schedule(const TriggerScheduleInput& input) {
    next_->trigger_schedule(input);
  }
  virtual void delete_schedule(const ScheduleInput& input) { next_->delete_schedule(input); }
  virtual PagedRange<ScheduleListEntry> list_schedules(const ListInput& input) {
    return next_->list_schedules(input);
  }
  virtual std::int64_t count_schedules(const CountInput& input) {
    return next_->count_schedules(input);
  }
  virtual void complete_activity(const AsyncActivityInput& input) {
    next_->complete_activity(input);
  }
  virtual void fail_activity(const FailActivityInput& input) { next_->fail_activity(input); }
  // Throws AsyncActivityCancelledError.
  virtual void heartbeat_activity(const AsyncActivityInput& input) {
    next_->heartbeat_activity(input);
  }
  virtual void report_activity_cancellation(const AsyncActivityInput& input) {
    next_->report_activity_cancellation(input);
  }
};

// Makes a client's links; null where it has none to add.
class ClientInterceptor {
 public:
  virtual ~ClientInterceptor() = default;
  virtual std::unique_ptr<ClientOutbound> link(ClientOutbound* next) { return nullptr; }
};
using ClientInterceptors = std::vector<std::shared_ptr<ClientInterceptor>>;  // Outermost first.

class StandaloneExecutions : public ActivityExecutions, public NexusExecutions {
 public:
  explicit StandaloneExecutions(detail::ClientState& client)
      : ActivityExecutions(client), NexusExecutions(client) {}
  using ActivityExecutions::call;
  using NexusExecutions::call;
};

class ClientCalls final : public LinkTo<ClientOutbound, StandaloneExecutions, StandaloneCalls> {
 public:
  explicit ClientCalls(detail::ClientState& client)
      : LinkTo(standalone_), client_(client), standalone_(client) {}
  detail::Target start_workflow(StartWorkflowInput& input) override;
  detail::Answer result(const ResultInput& input) override;
  void signal(SignalInput& input) override;
  detail::Answer query(QueryInput& input) override;
  detail::StartedUpdate start_update(const detail::Target& target, UpdateInput& input) override;
  detail::StartedUpdate update_with_start(StartWorkflowInput& start, UpdateInput& update,
                                          detail::Target& target) override;
  detail::Answer update_result(const UpdateResultInput& input) override;
  void cancel(const CancelInput& input) override;
  void terminate(const TerminateInput& input) override;
  WorkflowExecution describe(const DescribeInput& input) override;
  std::string fetch_history(const FetchHistoryInput& input) override;
  WorkflowExecutionOptions update_options(const UpdateOptionsInput& input) override;
  PagedRange<WorkflowHistoryEvent> fetch_history_events(
      const FetchHistoryEventsInput& input) override;
  PagedRange<WorkflowExecution> list_workflows(const ListInput& input) override;
  WorkflowCount count_workflows(const CountInput& input) override;
  std::string create_schedule(CreateScheduleInput& input) override;
  ScheduleDescription describe_schedule(const ScheduleInput& input) override;
  void update_schedule(const UpdateScheduleInput& input) override;
  void backfill_schedule(const BackfillScheduleInput& input) override;
  void pause_schedule(const PauseScheduleInput& input) override;
  void trigger_schedule(const TriggerScheduleInput& input) override;
  void delete_schedule(const ScheduleInput& input) override;
  PagedRange<ScheduleListEntry> list_schedules(const ListInput& input) override;
  std::int64_t count_schedules(const CountInput& input) override;
  void complete_activity(const AsyncActivityInput& input) override;
  void fail_activity(const FailActivityInput& input) override;
  void heartbeat_activity(const AsyncActivityInput& input) override;
  void report_activity_cancellation(const AsyncActivityInput& input) override;

 private:
  detail::Target signal_with_start(StartWorkflowInput& input);

  detail::ClientState& client_;
  StandaloneExecutions standalone_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CLIENT_CALLS_H_
