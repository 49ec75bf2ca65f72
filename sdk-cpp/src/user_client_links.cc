#include "sdk-cpp/src/user_client_links.h"

#include <stdexcept>
#include <utility>

#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/user_links.h"

namespace chimera::sdk {
namespace {

using detail::ActivityTarget;
using detail::Answer;
using detail::ClientPtr;
using detail::ClientState;
using detail::NexusTarget;
using detail::StartedUpdate;
using detail::Target;

// Null is an empty payload.
bool is_empty(const Payload& payload) { return payload.metadata.empty() && payload.data.empty(); }
Payload value_of(Answer answer) {
  return answer.payload ? *std::move(answer.payload) : make_payload(nullptr);
}
Answer answer_of(Payload payload) {
  if (is_empty(payload)) return {};
  return {std::move(payload)};
}

// The client with the options of one call.
ClientPtr with(ClientState& client, const RpcOptions& rpc) {
  const ClientPtr plain = client.shared_from_this();
  if (rpc.metadata.empty() && rpc.timeout.count() == 0 && rpc.retry) return plain;
  return detail::with_rpc(plain, rpc);
}

StartWorkflowInput start_of(const chimera::StartWorkflowInput& input, detail::Arguments arguments,
                            detail::Arguments of_signal) {
  return {input.workflow,     input.options, arguments,
          input.start_signal, of_signal,     to_proto(input.headers)};
}
chimera::StartWorkflowInput start_of(const StartWorkflowInput& input, const ClientState& client,
                                     const RpcOptions& rpc) {
  const core::PayloadContext context = client.values_of(input.options.id);
  return {std::string(input.type),
          input.options,
          given(input.arguments, context),
          std::string(input.signal),
          given(input.signal_arguments, context),
          to_public(input.header),
          rpc};
}

// Of calls that mean a chain of runs.
template <class Input>
Target chain_of(const Input& input) {
  return {.id = input.id,
          .run_id = input.run_id,
          .first_execution_run_id = input.first_execution_run_id};
}
// As result() and fetch_history_events() mean it: the run that was started, where none is named.
const std::string& run_of(const Target& target) {
  return target.run_id.empty() ? target.started_run_id : target.run_id;
}
StartedUpdate started(const UpdateHandle<Payload>& handle) {
  StartedUpdate update = update_of(handle);
  update.workflow_id = target_of(handle).id;
  update.run_id = target_of(handle).run_id;
  return update;
}

// The last link: the client behind the user's links, with the options that the input has then. Its
// part for activities that stand alone,
class LastForActivities : public ClientOutboundInterceptor {
 public:
  explicit LastForActivities(ClientState& client)
      : ClientOutboundInterceptor(this), client_(client) {}

  ActivityExecutionHandle<Payload> start_activity(StartActivityExecutionInput input) override {
    const Passed arguments(input.arguments);
    return {client_.shared_from_this(),
            last(input.rpc, StartActivityCall{input.activity, input.options, arguments,
                                              to_proto(input.headers)})};
  }
  Payload activity_result(ActivityResultInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    return value_of({last(input.rpc, ActivityResultCall{target})});
  }
  ActivityExecutionDescription describe_activity(DescribeActivityInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    return last(input.rpc, DescribeActivityCall{target, input.options});
  }
  void cancel_activity(CancelActivityInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    last(input.rpc, CancelActivityCall{target, input.reason});
  }
  void terminate_activity(TerminateActivityInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    last(input.rpc, TerminateActivityCall{target, input.reason});
  }
  void pause_activity(PauseActivityInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    last(input.rpc, PauseActivityCall{target, input.reason});
  }
  void unpause_activity(UnpauseActivityInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    last(input.rpc, UnpauseActivityCall{target, input.reason, input.jitter});
  }
  ActivityExecutionOptions update_activity_options(UpdateActivityOptionsInput input) override {
    const ActivityTarget target{input.id, input.run_id};
    return last(input.rpc,
                UpdateActivityOptionsCall{target, input.update ? &*input.update : nullptr});
  }
  PagedRange<ActivityExecution> list_activities(ListActivitiesInput input) override {
    return last(input.rpc, ListActivitiesCall{input.query, input.options});
  }
  ActivityCount count_activities(CountActivitiesInput input) override {
    return last(input.rpc, CountActivitiesCall{input.query});
  }

 protected:
  template <class Call>
  typename Call::Answer last(const RpcOptions& rpc, Call call) {
    return with(client_, rpc)->inner().call(call);
  }
  ClientState& client_;
};

// that for Nexus operations that do,
class LastForNexus : public LastForActivities {
 public:
  using LastForActivities::LastForActivities;

  NexusExecutionHandle<Payload> start_nexus_operation(StartNexusExecutionInput input) override {
    const std::vector<Payload> value{std::move(input.input)};
    const Passed argument(value);
    return {client_.shared_from_this(),
            last(input.rpc, StartNexusExecutionCall{
                                input.endpoint, input.service, input.operation, input.options,
                                is_empty(value[0]) ? detail::Arguments() : argument})};
  }
  Payload nexus_operation_result(NexusOperationResultInput input) override {
    NexusTarget target{input.id, input.run_id, input.endpoint, input.service, input.operation};
    return value_of({last(input.rpc, NexusResultCall{target})});
  }
  NexusExecutionDescription describe_nexus_operation(DescribeNexusOperationInput input) override {
    const NexusTarget target{input.id, input.run_id};
    return last(input.rpc, DescribeNexusCall{target, input.options});
  }
  void cancel_nexus_operation(CancelNexusOperationInput input) override {
    const NexusTarget target{input.id, input.run_id};
    last(input.rpc, CancelNexusCall{target, input.reason});
  }
  void terminate_nexus_operation(TerminateNexusOperationInput input) override {
    const NexusTarget target{input.id, input.run_id};
    last(input.rpc, TerminateNexusCall{target, input.reason});
  }
  PagedRange<NexusExecution> list_nexus_operations(ListNexusOperationsInput input) override {
    return last(input.rpc, ListNexusCall{input.query, input.options});
  }
  NexusExecutionCount count_nexus_operations(CountNexusOperationsInput input) override {
    return last(input.rpc, CountNexusCall{input.query});
  }
};

// and all of it.
class LastClientOutbound final : public LastForNexus {
 public:
  using LastForNexus::LastForNexus;

  WorkflowHandle<Payload> start_workflow(chimera::StartWorkflowInput input) override {
    const Passed arguments(input.arguments), of_signal(input.start_signal_arguments);
    StartWorkflowInput last = start_of(input, arguments, of_signal);
    return {client_.shared_from_this(), with(client_, input.rpc)->inner().start_workflow(last)};
  }
  void signal_workflow(SignalWorkflowInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    const Passed arguments(input.arguments);
    SignalInput last{target, input.signal, arguments, to_proto(input.headers)};
    with(client_, input.rpc)->inner().signal(last);
  }
  Payload query_workflow(QueryWorkflowInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    const Passed arguments(input.arguments);
    QueryInput last{target, input.query, input.options, arguments, to_proto(input.headers)};
    return value_of(with(client_, input.rpc)->inner().query(last));
  }
  UpdateHandle<Payload> start_workflow_update(StartWorkflowUpdateInput input) override {
    const Target target = chain_of(input);
    const Passed arguments(input.arguments);
    UpdateInput last{input.update, input.options, input.wait_for_stage, arguments,
                     to_proto(input.headers)};
    return {client_.shared_from_this(), target,
            with(client_, input.rpc)->inner().start_update(target, last)};
  }
  UpdateHandle<Payload> start_update_with_start_workflow(StartUpdateWithStartInput input) override {
    if (!input.start_workflow.start_signal.empty())
      throw std::invalid_argument("an update with start has a start_signal, which it cannot send");
    const Passed arguments(input.start_workflow.arguments);
    const UpdateWithStartInput& update = input.update_workflow;
    const Passed of_update(update.arguments);
    StartWorkflowInput start = start_of(input.start_workflow, arguments, {});
    UpdateInput last{update.update, update.options, update.wait_for_stage, of_update,
                     to_proto(update.headers)};
    Target target;
    StartedUpdate started =
        with(client_, input.start_workflow.rpc)->inner().update_with_start(start, last, target);
    return {client_.shared_from_this(), std::move(target), std::move(started)};
  }
  Payload workflow_result(WorkflowResultInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return value_of(with(client_, input.rpc)->inner().result({target, input.follow_runs}));
  }
  Payload workflow_update_result(WorkflowUpdateResultInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return value_of(with(client_, input.rpc)->inner().update_result({target, input.update_id}));
  }
  void cancel_workflow(CancelWorkflowInput input) override {
    const Target target = chain_of(input);
    with(client_, input.rpc)->inner().cancel({target, input.options});
  }
  void terminate_workflow(TerminateWorkflowInput input) override {
    const Target target = chain_of(input);
    const Passed details(input.details);
    with(client_, input.rpc)->inner().terminate({target, input.reason, details});
  }
  WorkflowExecution describe_workflow(DescribeWorkflowInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return with(client_, input.rpc)->inner().describe({target});
  }
  std::string fetch_workflow_history(FetchWorkflowHistoryInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return with(client_, input.rpc)->inner().fetch_history({target});
  }
  PagedRange<WorkflowHistoryEvent> fetch_workflow_history_events(
      FetchWorkflowHistoryEventsInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return with(client_, input.rpc)->inner().fetch_history_events({target, input.options});
  }
  WorkflowExecutionOptions update_workflow_execution_options(
      UpdateWorkflowExecutionOptionsInput input) override {
    const Target target{.id = input.id, .run_id = input.run_id};
    return with(client_, input.rpc)->inner().update_options({target, input.update});
  }
  PagedRange<WorkflowExecution> list_workflows(ListWorkflowsInput input) override {
    return with(client_, input.rpc)->inner().list_workflows({input.query, input.options});
  }
  WorkflowCount count_workflows(CountWorkflowsInput input) override {
    return with(client_, input.rpc)->inner().count_workflows({input.query});
  }

  void complete_async_activity(CompleteAsyncActivityInput input) override {
    std::vector<Payload> result;
    if (input.result) result.push_back(*std::move(input.result));
    with(client_, input.rpc)->inner().complete_activity({input.activity, Passed(result)});
  }
  void fail_async_activity(FailAsyncActivityInput input) override {
    if (input.error == nullptr)
      throw std::invalid_argument("fail_async_activity() was given no error");
    with(client_, input.rpc)
        ->inner()
        .fail_activity({input.activity, *input.error, Passed(input.last_heartbeat_details)});
  }
  void heartbeat_async_activity(HeartbeatAsyncActivityInput input) override {
    with(client_, input.rpc)->inner().heartbeat_activity({input.activity, Passed(input.details)});
  }
  void report_cancellation_async_activity(ReportCancellationAsyncActivityInput input) override {
    with(client_, input.rpc)
        ->inner()
        .report_activity_cancellation({input.activity, Passed(input.details)});
  }

  ScheduleHandle create_schedule(chimera::CreateScheduleInput input) override {
    CreateScheduleInput last{input.id, input.schedule, input.options, to_proto(input.headers)};
    return {client_.shared_from_this(), with(client_, input.rpc)->inner().create_schedule(last)};
  }
  ScheduleDescription describe_schedule(DescribeScheduleInput input) override {
    return with(client_, input.rpc)->inner().describe_schedule({input.id});
  }
  void update_schedule(chimera::UpdateScheduleInput input) override {
    with(client_, input.rpc)->inner().update_schedule({input.id, input.updater});
  }
  void backfill_schedule(chimera::BackfillScheduleInput input) override {
    with(client_, input.rpc)->inner().backfill_schedule({input.id, input.backfills});
  }
  void pause_schedule(chimera::PauseScheduleInput input) override {
    with(client_, input.rpc)->inner().pause_schedule({input.id, input.note, /*pauses=*/true});
  }
  void unpause_schedule(UnpauseScheduleInput input) override {
    with(client_, input.rpc)->inner().pause_schedule({input.id, input.note, /*pauses=*/false});
  }
  void trigger_schedule(chimera::TriggerScheduleInput input) override {
    with(client_, input.rpc)->inner().trigger_schedule({input.id, input.overlap});
  }
  void delete_schedule(DeleteScheduleInput input) override {
    with(client_, input.rpc)->inner().delete_schedule({input.id});
  }
  PagedRange<ScheduleListEntry> list_schedules(ListSchedulesInput input) override {
    return with(client_, input.rpc)->inner().list_schedules({input.query, input.options});
  }
  std::int64_t count_schedules(CountSchedulesInput input) override {
    return with(client_, input.rpc)->inner().count_schedules({input.query});
  }
};

// A client's or view's calls about activities that stand alone, as the user's links see them.
class UserActivityCalls {
 public:
  UserActivityCalls(ClientOutboundInterceptor& first, ClientState& client)
      : first_(first), client_(client), rpc_(client.rpc()) {}

  ActivityTarget call(StartActivityCall& call) {
    const ActivityTarget target{call.options.id, ""};
    return target_of(first_.start_activity({std::string(call.type), call.options,
                                            given(call.arguments, client_.values_of(target)),
                                            to_public(call.header), rpc_}));
  }
  std::optional<Payload> call(ActivityResultCall& call) {
    return answer_of(first_.activity_result({call.target.id, call.target.run_id, rpc_})).payload;
  }
  ActivityExecutionDescription call(DescribeActivityCall& call) {
    return first_.describe_activity({call.target.id, call.target.run_id, call.options, rpc_});
  }
  void call(CancelActivityCall& call) {
    first_.cancel_activity({call.target.id, call.target.run_id, call.reason, rpc_});
  }
  void call(TerminateActivityCall& call) {
    first_.terminate_activity({call.target.id, call.target.run_id, call.reason, rpc_});
  }
  void call(PauseActivityCall& call) {
    first_.pause_activity({call.target.id, call.target.run_id, call.reason, rpc_});
  }
  void call(UnpauseActivityCall& call) {
    first_.unpause_activity({call.target.id, call.target.run_id, call.reason, call.jitter, rpc_});
  }
  ActivityExecutionOptions call(UpdateActivityOptionsCall& call) {
    UpdateActivityOptionsInput input{call.target.id, call.target.run_id, std::nullopt, rpc_};
    if (call.update != nullptr) input.update = *call.update;
    return first_.update_activity_options(std::move(input));
  }
  PagedRange<ActivityExecution> call(ListActivitiesCall& call) {
    return first_.list_activities({call.query, call.options, rpc_});
  }
  ActivityCount call(CountActivitiesCall& call) {
    return first_.count_activities({call.query, rpc_});
  }

 private:
  ClientOutboundInterceptor& first_;
  const ClientState& client_;
  const RpcOptions rpc_;
};

// Likewise about Nexus operations.
class UserNexusCalls {
 public:
  UserNexusCalls(ClientOutboundInterceptor& first, ClientState& client)
      : first_(first), client_(client), rpc_(client.rpc()) {}

  NexusTarget call(StartNexusExecutionCall& call) {
    const NexusTarget target{call.options.id, "", std::string(call.endpoint),
                             std::string(call.service), std::string(call.operation)};
    std::vector<Payload> sent = given(call.input, client_.values_of(target));
    return target_of(first_.start_nexus_operation(
        {target.endpoint, target.service, target.operation, call.options,
         sent.empty() ? Payload() : std::move(sent[0]), rpc_}));
  }
  std::optional<Payload> call(NexusResultCall& call) {
    const NexusTarget& target = call.target;
    return answer_of(first_.nexus_operation_result({target.id, target.run_id, target.endpoint,
                                                    target.service, target.operation, rpc_}))
        .payload;
  }
  NexusExecutionDescription call(DescribeNexusCall& call) {
    return first_.describe_nexus_operation(
        {call.target.id, call.target.run_id, call.options, rpc_});
  }
  void call(CancelNexusCall& call) {
    first_.cancel_nexus_operation({call.target.id, call.target.run_id, call.reason, rpc_});
  }
  void call(TerminateNexusCall& call) {
    first_.terminate_nexus_operation({call.target.id, call.target.run_id, call.reason, rpc_});
  }
  PagedRange<NexusExecution> call(ListNexusCall& call) {
    return first_.list_nexus_operations({call.query, call.options, rpc_});
  }
  NexusExecutionCount call(CountNexusCall& call) {
    return first_.count_nexus_operations({call.query, rpc_});
  }

 private:
  ClientOutboundInterceptor& first_;
  const ClientState& client_;
  const RpcOptions rpc_;
};

class UserStandaloneCalls : public UserActivityCalls, public UserNexusCalls {
 public:
  UserStandaloneCalls(ClientOutboundInterceptor& first, ClientState& client)
      : UserActivityCalls(first, client), UserNexusCalls(first, client) {}
  using UserActivityCalls::call;
  using UserNexusCalls::call;
};

// The first link of one client or view: its calls as the user's links see them.
class UserClientOutbound final
    : public LinkTo<ClientOutbound, UserStandaloneCalls, StandaloneCalls> {
 public:
  UserClientOutbound(ClientOutboundInterceptor& first, ClientState& client)
      : LinkTo(standalone_),
        first_(first),
        client_(client),
        rpc_(client.rpc()),
        standalone_(first, client) {}

  Target start_workflow(StartWorkflowInput& input) override {
    return target_of(first_.start_workflow(start_of(input, client_, rpc_)));
  }
  void signal(SignalInput& input) override {
    first_.signal_workflow({input.target.id, input.target.run_id, std::string(input.name),
                            given(input.arguments, client_.values_of(input.target.id)),
                            to_public(input.header), rpc_});
  }
  Answer query(QueryInput& input) override {
    return answer_of(first_.query_workflow(
        {input.target.id, input.target.run_id, std::string(input.name), input.options,
         given(input.arguments, client_.values_of(input.target.id)), to_public(input.header),
         rpc_}));
  }
  StartedUpdate start_update(const Target& target, UpdateInput& input) override {
    return started(first_.start_workflow_update(
        {target.id, target.run_id, target.first_execution_run_id, std::string(input.name),
         input.options, input.until, given(input.arguments, client_.values_of(target.id)),
         to_public(input.header), rpc_}));
  }
  StartedUpdate update_with_start(StartWorkflowInput& start, UpdateInput& update,
                                  Target& target) override {
    const UpdateHandle<Payload> handle = first_.start_update_with_start_workflow(
        {start_of(start, client_, rpc_),
         {std::string(update.name), update.options, update.until,
          given(update.arguments, client_.values_of(start.options.id)), to_public(update.header)}});
    target = target_of(handle);
    return started(handle);
  }
  Answer result(const ResultInput& input) override {
    return answer_of(
        first_.workflow_result({input.target.id, run_of(input.target), input.follow_runs, rpc_}));
  }
  Answer update_result(const UpdateResultInput& input) override {
    return answer_of(first_.workflow_update_result(
        {input.target.id, input.target.run_id, input.update_id, rpc_}));
  }
  void cancel(const CancelInput& input) override {
    const Target& target = input.target;
    first_.cancel_workflow(
        {target.id, target.run_id, target.first_execution_run_id, input.options, rpc_});
  }
  void terminate(const TerminateInput& input) override {
    const Target& target = input.target;
    first_.terminate_workflow({target.id, target.run_id, target.first_execution_run_id,
                               input.reason, given(input.details, client_.values_of(target.id)),
                               rpc_});
  }
  WorkflowExecution describe(const DescribeInput& input) override {
    return first_.describe_workflow({input.target.id, input.target.run_id, rpc_});
  }
  std::string fetch_history(const FetchHistoryInput& input) override {
    return first_.fetch_workflow_history({input.target.id, input.target.run_id, rpc_});
  }
  PagedRange<WorkflowHistoryEvent> fetch_history_events(
      const FetchHistoryEventsInput& input) override {
    return first_.fetch_workflow_history_events(
        {input.target.id, run_of(input.target), input.options, rpc_});
  }
  WorkflowExecutionOptions update_options(const UpdateOptionsInput& input) override {
    return first_.update_workflow_execution_options(
        {input.target.id, input.target.run_id, input.update, rpc_});
  }
  PagedRange<WorkflowExecution> list_workflows(const ListInput& input) override {
    return first_.list_workflows({input.query, input.options, rpc_});
  }
  WorkflowCount count_workflows(const CountInput& input) override {
    return first_.count_workflows({input.query, rpc_});
  }

  void complete_activity(const AsyncActivityInput& input) override {
    std::vector<Payload> values = given(input.values, client_.values_of(input.activity));
    CompleteAsyncActivityInput complete{.activity = input.activity, .rpc = rpc_};
    if (!values.empty()) complete.result = std::move(values[0]);
    first_.complete_async_activity(std::move(complete));
  }
  void fail_activity(const FailActivityInput& input) override {
    std::shared_ptr<const FailureError> error;
    try {
      input.error.raise();
    } catch (...) {
      error = to_error(std::current_exception());
    }
    first_.fail_async_activity(
        {input.activity, std::move(error),
         given(input.last_heartbeat_details, client_.values_of(input.activity)), rpc_});
  }
  void heartbeat_activity(const AsyncActivityInput& input) override {
    first_.heartbeat_async_activity(
        {input.activity, given(input.values, client_.values_of(input.activity)), rpc_});
  }
  void report_activity_cancellation(const AsyncActivityInput& input) override {
    first_.report_cancellation_async_activity(
        {input.activity, given(input.values, client_.values_of(input.activity)), rpc_});
  }

  std::string create_schedule(CreateScheduleInput& input) override {
    return first_
        .create_schedule({input.id, input.schedule, input.options, to_public(input.header), rpc_})
        .id();
  }
  ScheduleDescription describe_schedule(const ScheduleInput& input) override {
    return first_.describe_schedule({input.id, rpc_});
  }
  void update_schedule(const UpdateScheduleInput& input) override {
    first_.update_schedule({input.id, input.updater, rpc_});
  }
  void backfill_schedule(const BackfillScheduleInput& input) override {
    first_.backfill_schedule({input.id, input.backfills, rpc_});
  }
  void pause_schedule(const PauseScheduleInput& input) override {
    if (input.pauses) {
      first_.pause_schedule({input.id, input.note, rpc_});
    } else {
      first_.unpause_schedule({input.id, input.note, rpc_});
    }
  }
  void trigger_schedule(const TriggerScheduleInput& input) override {
    first_.trigger_schedule({input.id, input.overlap, rpc_});
  }
  void delete_schedule(const ScheduleInput& input) override {
    first_.delete_schedule({input.id, rpc_});
  }
  PagedRange<ScheduleListEntry> list_schedules(const ListInput& input) override {
    return first_.list_schedules({input.query, input.options, rpc_});
  }
  std::int64_t count_schedules(const CountInput& input) override {
    return first_.count_schedules({input.query, rpc_});
  }

 private:
  ClientOutboundInterceptor& first_;
  const ClientState& client_;
  const RpcOptions rpc_;
  UserStandaloneCalls standalone_;
};

}  // namespace

UserClientLinks::UserClientLinks(const Interceptors& interceptors, detail::ClientState& client)
    : last_(std::make_unique<LastClientOutbound>(client)),
      chain_(interceptors, *last_, [](Interceptor& each, ClientOutboundInterceptor* next) {
        return each.intercept_client(next);
      }) {}
UserClientLinks::~UserClientLinks() = default;

std::unique_ptr<ClientOutbound> UserClientLinks::enter(detail::ClientState& client) const {
  return std::make_unique<UserClientOutbound>(chain_.first(), client);
}

}  // namespace chimera::sdk
