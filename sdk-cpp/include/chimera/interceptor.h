// Interceptors: code of yours around every call that passes between clients, workflows, activities
// and Nexus services; for authentication, auditing, tracing, and what travels in headers. An
// Interceptor makes links; each kind of link has a method for each call, which does its work and
// calls next().
//
//   struct Audited : chimera::ActivityInboundInterceptor {
//     using ActivityInboundInterceptor::ActivityInboundInterceptor;
//     chimera::Payload execute_activity(chimera::ExecuteActivityInput input) override {
//       audit(chimera::activity::info().activity_type);
//       return next().execute_activity(std::move(input));
//     }
//   };
//   struct Audit : chimera::Interceptor {
//     std::unique_ptr<chimera::ActivityInboundInterceptor> intercept_activity(
//         chimera::ActivityInboundInterceptor* next) override {
//       return std::make_unique<Audited>(next);
//     }
//   };
//   auto client = chimera::Client::connect({.interceptors = {std::make_shared<Audit>()}});
//
// Of several the first is the outermost. A client's are its workers' too, before those of
// WorkerOptions; what stands in both counts once. Inputs are the callee's own: change them before
// they are passed on. What is const in them says what the call is, and stays. Payloads are as code
// wrote them, before the codec; an empty Payload as a result is null. No codec sees headers. A link
// may answer without next(), or call it again; what it throws is as if the call had thrown it.
//
// Threads: one Interceptor serves all; its methods may be called by any thread, and are not told of
// a run or activity. A workflow's links are made for each time that its run comes into the cache
// and called where its code runs. The rules of workflow code hold for them: they do the same in
// each replay. They may call chimera/workflow.h; such a call begins at the first link, so guard
// against rounds without an end. An activity's links are made for each attempt and called on its
// thread, those of a Nexus handler for each request; a client's are made once and called by any
// thread. Calls that code makes while its run
// leaves the cache pass no link.
#ifndef CHIMERA_INTERCEPTOR_H_
#define CHIMERA_INTERCEPTOR_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/nexus.h"
#include "chimera/runtime.h"
#include "chimera/workflow.h"

namespace chimera {

using Headers = std::map<std::string, Payload>;

namespace detail {
template <class Link>
class InterceptorLink {
 public:
  // `next` is borrowed, and outlives this link.
  explicit InterceptorLink(Link* next) : next_(next) {
    if (next == nullptr)
      throw std::invalid_argument("a link of an interceptor was made without its next one");
  }
  virtual ~InterceptorLink() = default;
  InterceptorLink(const InterceptorLink&) = delete;
  InterceptorLink& operator=(const InterceptorLink&) = delete;

 protected:
  Link& next() const { return *next_; }

 private:
  Link* const next_;
};
}  // namespace detail

// --- Activities ---

struct ExecuteActivityInput {  // Of which activity: activity::info().
  std::vector<Payload> arguments = {};
  Headers headers = {};
};

class ActivityInboundInterceptor : public detail::InterceptorLink<ActivityInboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  virtual Payload execute_activity(ExecuteActivityInput input) {
    return next().execute_activity(std::move(input));
  }
};

struct HeartbeatInput {
  std::vector<Payload> details = {};
};

class ActivityOutboundInterceptor : public detail::InterceptorLink<ActivityOutboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  virtual void heartbeat(HeartbeatInput input) { next().heartbeat(std::move(input)); }
  // Must stay as long as the attempt.
  virtual const activity::Info& info() { return next().info(); }
};

// --- Nexus services ---

// Of which operation, and with which headers: nexus::info().
struct ExecuteNexusOperationStartInput {
  Payload input = {};
};
struct ExecuteNexusOperationCancelInput {
  std::string operation_token;
};

class NexusOperationInboundInterceptor
    : public detail::InterceptorLink<NexusOperationInboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  virtual nexus::StartResult<Payload> execute_nexus_operation_start(
      ExecuteNexusOperationStartInput input) {
    return next().execute_nexus_operation_start(std::move(input));
  }
  virtual void execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput input) {
    next().execute_nexus_operation_cancel(std::move(input));
  }
};

// --- Workflows: what reaches their code ---

// A constructor that takes the arguments has them as they came.
struct ExecuteWorkflowInput {
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
// What does not fit the handler's types, as it came, reaches no link. Dynamic handlers are no
// different: their name is not among the arguments.
struct HandleSignalInput {
  const std::string signal;
  std::vector<Payload> arguments;
  Headers headers;
  const detail::HandlerType& handler;  // For the SDK: the code that takes it.
};
struct HandleQueryInput {
  const std::string id, query;
  std::vector<Payload> arguments;
  Headers headers;
  const detail::HandlerType& handler;
};
struct HandleUpdateInput {
  const std::string id, update;
  std::vector<Payload> arguments;
  Headers headers;
  const detail::HandlerType& handler;
};

class WorkflowInboundInterceptor : public detail::InterceptorLink<WorkflowInboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  virtual Payload execute_workflow(ExecuteWorkflowInput input) {
    return next().execute_workflow(std::move(input));
  }
  // Of a signal channel, this must not wait.
  virtual void handle_signal(HandleSignalInput input) { next().handle_signal(std::move(input)); }
  // Must not wait nor change the workflow, nor must the validator's.
  virtual Payload handle_query(HandleQueryInput input) {
    return next().handle_query(std::move(input));
  }
  // Only where there is a validator.
  virtual void handle_update_validator(HandleUpdateInput input) {
    next().handle_update_validator(std::move(input));
  }
  virtual Payload handle_update_handler(HandleUpdateInput input) {
    return next().handle_update_handler(std::move(input));
  }
};

// --- Workflows: what their code asks for ---

struct StartActivityInput {
  std::string activity;
  ActivityOptions options;
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct StartLocalActivityInput {
  std::string activity;
  LocalActivityOptions options;
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct StartChildWorkflowInput {
  std::string workflow;
  ChildWorkflowOptions options = {};
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct SignalChildWorkflowInput {
  std::string child_workflow_id, signal;
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct SignalExternalWorkflowInput {
  std::string workflow_id, workflow_run_id, signal;
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct CancelExternalWorkflowInput {
  std::string workflow_id, workflow_run_id, reason;
};
struct StartNexusOperationInput {  // Its headers, which are texts, are in the options.
  std::string endpoint, service, operation;
  NexusOperationOptions options = {};
  Payload input = {};  // Empty: null.
};
struct ContinueAsNewInput {
  ContinueAsNewOptions options = {};
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct StartTimerInput {
  Duration duration;
  std::string summary = {};
};
struct SleepInput {  // Asks for a timer in its turn, as does what follows.
  Duration duration;
};
struct WaitConditionInput {
  std::function<bool()> condition;
  std::optional<Duration> timeout = {};
};
struct SpawnInput {
  std::function<void()> body;  // Runs once.
};
struct PatchedInput {
  std::string id;
  bool deprecated = false;  // Of deprecate_patch(), which makes nothing of the answer.
};
struct SideEffectInput {
  std::function<Payload()> make;
};
struct MutableSideEffectInput {
  std::string id;
  // Gets the value that history has, if any; nullopt: that still counts.
  std::function<std::optional<Payload>(const std::optional<Payload>& recorded)> make;
};
struct GetVersionInput {
  std::string change_id;
  int min_supported, max_supported;
};
struct UpsertSearchAttributesInput {
  SearchAttributes attributes;
};
struct UpsertMemoInput {
  Memo memo;
};
struct LogInput {
  LogLevel level;
  std::string message;
};

// Not among these calls: random numbers and uuid4(), handlers that are set, cancel_requested(),
// all_handlers_finished(), set_current_details(), tasks' locks, channels and futures.
class WorkflowOutboundInterceptor : public detail::InterceptorLink<WorkflowOutboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  // What the handle gives is read as the caller's type.
  virtual workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) {
    return next().start_activity(std::move(input));
  }
  virtual workflow::ActivityHandle<Payload> start_local_activity(StartLocalActivityInput input) {
    return next().start_local_activity(std::move(input));
  }
  // These wait: for the start, and for the server's answer.
  virtual workflow::ChildWorkflowHandle<Payload> start_child_workflow(
      StartChildWorkflowInput input) {
    return next().start_child_workflow(std::move(input));
  }
  virtual void signal_child_workflow(SignalChildWorkflowInput input) {
    next().signal_child_workflow(std::move(input));
  }
  virtual void signal_external_workflow(SignalExternalWorkflowInput input) {
    next().signal_external_workflow(std::move(input));
  }
  virtual void cancel_external_workflow(CancelExternalWorkflowInput input) {
    next().cancel_external_workflow(std::move(input));
  }
  // Waits for the start.
  virtual workflow::NexusOperationHandle<Payload> start_nexus_operation(
      StartNexusOperationInput input) {
    return next().start_nexus_operation(std::move(input));
  }
  // Ends by an exception, no std::exception, which must pass.
  virtual void continue_as_new(ContinueAsNewInput input) {
    next().continue_as_new(std::move(input));
  }
  virtual workflow::TimerHandle start_timer(StartTimerInput input) {
    return next().start_timer(std::move(input));
  }
  virtual void sleep(SleepInput input) { next().sleep(input); }
  // False when the time was up first.
  virtual bool wait_condition(WaitConditionInput input) {
    return next().wait_condition(std::move(input));
  }
  virtual std::shared_ptr<detail::TaskState> spawn(SpawnInput input) {
    return next().spawn(std::move(input));
  }
  virtual Time now() { return next().now(); }
  // Must stay as long as the run.
  virtual const workflow::Info& info() { return next().info(); }
  virtual const workflow::UpdateInfo* current_update_info() { return next().current_update_info(); }
  virtual bool patched(PatchedInput input) { return next().patched(std::move(input)); }
  virtual Payload side_effect(SideEffectInput input) {
    return next().side_effect(std::move(input));
  }
  virtual Payload mutable_side_effect(MutableSideEffectInput input) {
    return next().mutable_side_effect(std::move(input));
  }
  virtual int get_version(GetVersionInput input) { return next().get_version(std::move(input)); }
  virtual void upsert_search_attributes(UpsertSearchAttributesInput input) {
    next().upsert_search_attributes(std::move(input));
  }
  virtual void upsert_memo(UpsertMemoInput input) { next().upsert_memo(std::move(input)); }
  virtual MetricMeter metric_meter() { return next().metric_meter(); }
  // Not of what is replayed, nor below the level that is written.
  virtual void log(LogInput input) { next().log(std::move(input)); }
};

// --- Clients ---

// Empty run ids: whatever runs under the id. `rpc` is what with_rpc() was given.
struct StartWorkflowInput {
  std::string workflow;
  WorkflowOptions options;
  std::vector<Payload> arguments = {};
  std::string start_signal = {};  // Sent with the start, unless empty.
  std::vector<Payload> start_signal_arguments = {};
  Headers headers = {};  // Of the start and of the signal.
  RpcOptions rpc = {};
};
struct SignalWorkflowInput {
  std::string id, run_id, signal;
  std::vector<Payload> arguments = {};
  Headers headers = {};
  RpcOptions rpc = {};
};
struct QueryWorkflowInput {
  std::string id, run_id, query;
  QueryOptions options = {};
  std::vector<Payload> arguments = {};
  Headers headers = {};
  RpcOptions rpc = {};
};
using WorkflowUpdateStage = detail::UpdateStage;
struct StartWorkflowUpdateInput {
  std::string id, run_id, first_execution_run_id, update;
  UpdateOptions options = {};
  WorkflowUpdateStage wait_for_stage = WorkflowUpdateStage::kAccepted;
  std::vector<Payload> arguments = {};
  Headers headers = {};
  RpcOptions rpc = {};
};
struct UpdateWithStartInput {  // What is done to the workflow that is started.
  std::string update;
  UpdateOptions options = {};
  WorkflowUpdateStage wait_for_stage = WorkflowUpdateStage::kAccepted;
  std::vector<Payload> arguments = {};
  Headers headers = {};
};
struct StartUpdateWithStartInput {
  StartWorkflowInput start_workflow;  // Whose `rpc` is that of the call.
  UpdateWithStartInput update_workflow;
};
struct WorkflowResultInput {
  std::string id, run_id;
  bool follow_runs = true;
  RpcOptions rpc = {};
};
struct WorkflowUpdateResultInput {
  std::string id, run_id, update_id;
  RpcOptions rpc = {};
};
struct CancelWorkflowInput {
  std::string id, run_id, first_execution_run_id;
  CancelOptions options = {};
  RpcOptions rpc = {};
};
struct TerminateWorkflowInput {
  std::string id, run_id, first_execution_run_id, reason;
  std::vector<Payload> details = {};
  RpcOptions rpc = {};
};
struct DescribeWorkflowInput {
  std::string id, run_id;
  RpcOptions rpc = {};
};
struct FetchWorkflowHistoryInput {
  std::string id, run_id;
  RpcOptions rpc = {};
};
struct FetchWorkflowHistoryEventsInput {
  std::string id, run_id;
  FetchHistoryOptions options = {};
  RpcOptions rpc = {};
};
struct UpdateWorkflowExecutionOptionsInput {
  std::string id, run_id;
  WorkflowExecutionOptionsUpdate update;
  RpcOptions rpc = {};
};
struct ListWorkflowsInput {
  std::string query;
  ListOptions options = {};
  RpcOptions rpc = {};
};
struct CountWorkflowsInput {
  std::string query;
  RpcOptions rpc = {};
};
using AsyncActivityReference = detail::ActivityReference;
struct CompleteAsyncActivityInput {
  AsyncActivityReference activity;
  std::optional<Payload> result = {};
  RpcOptions rpc = {};
};
struct FailAsyncActivityInput {
  AsyncActivityReference activity;
  std::shared_ptr<const FailureError> error;
  std::vector<Payload> last_heartbeat_details = {};
  RpcOptions rpc = {};
};
struct HeartbeatAsyncActivityInput {
  AsyncActivityReference activity;
  std::vector<Payload> details = {};
  RpcOptions rpc = {};
};
struct ReportCancellationAsyncActivityInput {
  AsyncActivityReference activity;
  std::vector<Payload> details = {};
  RpcOptions rpc = {};
};
struct StartActivityExecutionInput {
  const std::string activity;  // Its type.
  StartActivityOptions options = {};
  std::vector<Payload> arguments = {};
  Headers headers = {};
  RpcOptions rpc = {};
};
struct ActivityResultInput {
  std::string id, run_id;
  RpcOptions rpc = {};
};
struct DescribeActivityInput {
  std::string id, run_id;
  DescribeActivityOptions options = {};
  RpcOptions rpc = {};
};
struct CancelActivityInput {
  std::string id, run_id, reason;
  RpcOptions rpc = {};
};
struct TerminateActivityInput {
  std::string id, run_id, reason;
  RpcOptions rpc = {};
};
struct PauseActivityInput {
  std::string id, run_id, reason;
  RpcOptions rpc = {};
};
struct UnpauseActivityInput {
  std::string id, run_id, reason;
  Duration jitter{};
  RpcOptions rpc = {};
};
struct UpdateActivityOptionsInput {
  std::string id, run_id;
  std::optional<ActivityOptionsUpdate> update = {};  // None: as it was started.
  RpcOptions rpc = {};
};
struct ListActivitiesInput {
  std::string query;
  ListOptions options = {};
  RpcOptions rpc = {};
};
struct CountActivitiesInput {
  std::string query;
  RpcOptions rpc = {};
};
struct StartNexusExecutionInput {  // Its headers, which are texts, are in the options.
  std::string endpoint, service, operation;
  StartNexusOperationOptions options = {};
  Payload input = {};  // Empty: null.
  RpcOptions rpc = {};
};
// The last three are empty where the handle was not made by a start.
struct NexusOperationResultInput {
  std::string id, run_id, endpoint, service, operation;
  RpcOptions rpc = {};
};
struct DescribeNexusOperationInput {
  std::string id, run_id;
  DescribeNexusOperationOptions options = {};
  RpcOptions rpc = {};
};
struct CancelNexusOperationInput {
  std::string id, run_id, reason;
  RpcOptions rpc = {};
};
struct TerminateNexusOperationInput {
  std::string id, run_id, reason;
  RpcOptions rpc = {};
};
struct ListNexusOperationsInput {
  std::string query;
  ListOptions options = {};
  RpcOptions rpc = {};
};
struct CountNexusOperationsInput {
  std::string query;
  RpcOptions rpc = {};
};
struct CreateScheduleInput {
  std::string id;
  Schedule schedule;
  CreateScheduleOptions options = {};
  Headers headers = {};  // Of the workflows that it starts.
  RpcOptions rpc = {};
};
struct DescribeScheduleInput {
  std::string id;
  RpcOptions rpc = {};
};
struct UpdateScheduleInput {
  std::string id;
  ScheduleUpdater updater;
  RpcOptions rpc = {};
};
struct BackfillScheduleInput {
  std::string id;
  std::vector<ScheduleBackfill> backfills;
  RpcOptions rpc = {};
};
struct PauseScheduleInput {
  std::string id, note;
  RpcOptions rpc = {};
};
struct UnpauseScheduleInput {
  std::string id, note;
  RpcOptions rpc = {};
};
struct TriggerScheduleInput {
  std::string id;
  ScheduleOverlapPolicy overlap = ScheduleOverlapPolicy::kUnspecified;
  RpcOptions rpc = {};
};
struct DeleteScheduleInput {
  std::string id;
  RpcOptions rpc = {};
};
struct ListSchedulesInput {
  std::string query;
  ListOptions options = {};
  RpcOptions rpc = {};
};
struct CountSchedulesInput {
  std::string query;
  RpcOptions rpc = {};
};

// Not among these calls: reset(), batches, worker deployments, call_raw().
class ClientOutboundInterceptor : public detail::InterceptorLink<ClientOutboundInterceptor> {
 public:
  using InterceptorLink::InterceptorLink;
  // signal_with_start() too, and start_workflow_async(), on another thread than its caller's.
  virtual WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) {
    return next().start_workflow(std::move(input));
  }
  virtual void signal_workflow(SignalWorkflowInput input) {
    next().signal_workflow(std::move(input));
  }
  virtual Payload query_workflow(QueryWorkflowInput input) {
    return next().query_workflow(std::move(input));
  }
  virtual UpdateHandle<Payload> start_workflow_update(StartWorkflowUpdateInput input) {
    return next().start_workflow_update(std::move(input));
  }
  virtual UpdateHandle<Payload> start_update_with_start_workflow(StartUpdateWithStartInput input) {
    return next().start_update_with_start_workflow(std::move(input));
  }
  // These wait.
  virtual Payload workflow_result(WorkflowResultInput input) {
    return next().workflow_result(std::move(input));
  }
  virtual Payload workflow_update_result(WorkflowUpdateResultInput input) {
    return next().workflow_update_result(std::move(input));
  }
  virtual void cancel_workflow(CancelWorkflowInput input) {
    next().cancel_workflow(std::move(input));
  }
  virtual void terminate_workflow(TerminateWorkflowInput input) {
    next().terminate_workflow(std::move(input));
  }
  virtual WorkflowExecution describe_workflow(DescribeWorkflowInput input) {
    return next().describe_workflow(std::move(input));
  }
  virtual std::string fetch_workflow_history(FetchWorkflowHistoryInput input) {
    return next().fetch_workflow_history(std::move(input));
  }
  // Of ranges, what is read later passes no link.
  virtual PagedRange<WorkflowHistoryEvent> fetch_workflow_history_events(
      FetchWorkflowHistoryEventsInput input) {
    return next().fetch_workflow_history_events(std::move(input));
  }
  virtual WorkflowExecutionOptions update_workflow_execution_options(
      UpdateWorkflowExecutionOptionsInput input) {
    return next().update_workflow_execution_options(std::move(input));
  }
  virtual PagedRange<WorkflowExecution> list_workflows(ListWorkflowsInput input) {
    return next().list_workflows(std::move(input));
  }
  virtual WorkflowCount count_workflows(CountWorkflowsInput input) {
    return next().count_workflows(std::move(input));
  }

  virtual void complete_async_activity(CompleteAsyncActivityInput input) {
    next().complete_async_activity(std::move(input));
  }
  virtual void fail_async_activity(FailAsyncActivityInput input) {
    next().fail_async_activity(std::move(input));
  }
  virtual void heartbeat_async_activity(HeartbeatAsyncActivityInput input) {
    next().heartbeat_async_activity(std::move(input));
  }
  virtual void report_cancellation_async_activity(ReportCancellationAsyncActivityInput input) {
    next().report_cancellation_async_activity(std::move(input));
  }

  // Of activities that stand alone.
  virtual ActivityExecutionHandle<Payload> start_activity(StartActivityExecutionInput input) {
    return next().start_activity(std::move(input));
  }
  virtual Payload activity_result(ActivityResultInput input) {  // Waits.
    return next().activity_result(std::move(input));
  }
  virtual ActivityExecutionDescription describe_activity(DescribeActivityInput input) {
    return next().describe_activity(std::move(input));
  }
  virtual void cancel_activity(CancelActivityInput input) {
    next().cancel_activity(std::move(input));
  }
  virtual void terminate_activity(TerminateActivityInput input) {
    next().terminate_activity(std::move(input));
  }
  virtual void pause_activity(PauseActivityInput input) { next().pause_activity(std::move(input)); }
  virtual void unpause_activity(UnpauseActivityInput input) {
    next().unpause_activity(std::move(input));
  }
  virtual ActivityExecutionOptions update_activity_options(UpdateActivityOptionsInput input) {
    return next().update_activity_options(std::move(input));
  }
  virtual PagedRange<ActivityExecution> list_activities(ListActivitiesInput input) {
    return next().list_activities(std::move(input));
  }
  virtual ActivityCount count_activities(CountActivitiesInput input) {
    return next().count_activities(std::move(input));
  }

  // Of Nexus operations that stand alone.
  virtual NexusExecutionHandle<Payload> start_nexus_operation(StartNexusExecutionInput input) {
    return next().start_nexus_operation(std::move(input));
  }
  virtual Payload nexus_operation_result(NexusOperationResultInput input) {  // Waits.
    return next().nexus_operation_result(std::move(input));
  }
  virtual NexusExecutionDescription describe_nexus_operation(DescribeNexusOperationInput input) {
    return next().describe_nexus_operation(std::move(input));
  }
  virtual void cancel_nexus_operation(CancelNexusOperationInput input) {
    next().cancel_nexus_operation(std::move(input));
  }
  virtual void terminate_nexus_operation(TerminateNexusOperationInput input) {
    next().terminate_nexus_operation(std::move(input));
  }
  virtual PagedRange<NexusExecution> list_nexus_operations(ListNexusOperationsInput input) {
    return next().list_nexus_operations(std::move(input));
  }
  virtual NexusExecutionCount count_nexus_operations(CountNexusOperationsInput input) {
    return next().count_nexus_operations(std::move(input));
  }

  virtual ScheduleHandle create_schedule(CreateScheduleInput input) {
    return next().create_schedule(std::move(input));
  }
  virtual ScheduleDescription describe_schedule(DescribeScheduleInput input) {
    return next().describe_schedule(std::move(input));
  }
  virtual void update_schedule(UpdateScheduleInput input) {
    next().update_schedule(std::move(input));
  }
  virtual void backfill_schedule(BackfillScheduleInput input) {
    next().backfill_schedule(std::move(input));
  }
  virtual void pause_schedule(PauseScheduleInput input) { next().pause_schedule(std::move(input)); }
  virtual void unpause_schedule(UnpauseScheduleInput input) {
    next().unpause_schedule(std::move(input));
  }
  virtual void trigger_schedule(TriggerScheduleInput input) {
    next().trigger_schedule(std::move(input));
  }
  virtual void delete_schedule(DeleteScheduleInput input) {
    next().delete_schedule(std::move(input));
  }
  virtual PagedRange<ScheduleListEntry> list_schedules(ListSchedulesInput input) {
    return next().list_schedules(std::move(input));
  }
  virtual std::int64_t count_schedules(CountSchedulesInput input) {
    return next().count_schedules(std::move(input));
  }
};

// --- Who makes the links ---

class Interceptor {
 public:
  virtual ~Interceptor() = default;
  // Null: it has no part in these calls, which then cost nothing. Each gets the next link, which is
  // never null. What they throw fails Client::connect(), the workflow's task, the attempt of the
  // activity, or the Nexus request.
  virtual std::unique_ptr<ClientOutboundInterceptor> intercept_client(ClientOutboundInterceptor*) {
    return nullptr;
  }
  virtual std::unique_ptr<ActivityInboundInterceptor> intercept_activity(
      ActivityInboundInterceptor*) {
    return nullptr;
  }
  // Of what the activity calls: made when the attempt first calls out.
  virtual std::unique_ptr<ActivityOutboundInterceptor> intercept_activity_calls(
      ActivityOutboundInterceptor*) {
    return nullptr;
  }
  virtual std::unique_ptr<NexusOperationInboundInterceptor> intercept_nexus_operation(
      NexusOperationInboundInterceptor*) {
    return nullptr;
  }
  virtual std::unique_ptr<WorkflowInboundInterceptor> intercept_workflow(
      WorkflowInboundInterceptor*) {
    return nullptr;
  }
  virtual std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor*) {
    return nullptr;
  }
};
using Interceptors = std::vector<std::shared_ptr<Interceptor>>;

}  // namespace chimera

#endif  // CHIMERA_INTERCEPTOR_H_
