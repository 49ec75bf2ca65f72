// Client, a connection to a Temporal service. Calls block; errors are exceptions (RpcError and the
// like). Any thread; cheap to copy, copies share the connection. Not from workflow code.
#ifndef CHIMERA_CLIENT_H_
#define CHIMERA_CLIENT_H_

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "chimera/activity_execution.h"
#include "chimera/async_activity.h"
#include "chimera/batch.h"
#include "chimera/client_options.h"
#include "chimera/definition.h"
#include "chimera/deployment.h"
#include "chimera/errors.h"
#include "chimera/executions.h"
#include "chimera/nexus_execution.h"
#include "chimera/options.h"
#include "chimera/pages.h"
#include "chimera/schedule.h"
#include "chimera/search_attributes.h"

namespace chimera {

namespace detail {

// Which execution a handle means.
struct Target {
  std::string id;
  std::string run_id = {};                  // Only this run; empty: the one that is current.
  std::string first_execution_run_id = {};  // Only this chain of runs.
  std::string started_run_id = {};  // Whose result is waited for; calls are not bound to it.
  std::string workflow_type = {};   // Where it is known: says what its handlers are called.
};

struct Answer {  // A result in the form in which it came.
  std::optional<Payload> payload;
  template <class R>
  R as(const ClientState& client, const Target& target) const {
    if constexpr (!std::is_void_v<R>) {
      const WorkflowValues converting(client, target.id);
      return from_payload<R>(payload ? *payload : make_payload(nullptr));
    }
  }
};

Target start(ClientState& client, std::string_view type, const WorkflowOptions& options,
             Arguments arguments);
// `done` is told which execution was started, or why none was (null); on another thread.
void start_async(const ClientPtr& client, std::string_view type, const WorkflowOptions& options,
                 Arguments arguments, std::function<void(const Target*, std::exception_ptr)> done);
Answer result(ClientState& client, const Target& target, bool follow_runs);
void signal(ClientState& client, const Target& target, std::string_view name, Arguments arguments);
Answer query(ClientState& client, const Target& target, std::string_view name,
             const QueryOptions& options, Arguments arguments);
Target signal_with_start(ClientState& client, std::string_view type, const WorkflowOptions& options,
                         Arguments arguments, std::string_view signal, Arguments signal_arguments);
enum class UpdateStage { kAccepted = 2, kCompleted = 3 };
struct StartedUpdate {
  std::string id;
  std::optional<Answer> result = {};  // If it has completed already.
  std::string run_id = {};            // That accepted it.
  std::string workflow_id = {};       // Where it is another one than was asked for.
};
StartedUpdate start_update(ClientState& client, const Target& target, std::string_view name,
                           const UpdateOptions& options, UpdateStage until, Arguments arguments);
struct UpdateToStartWith {
  std::string_view name;
  const UpdateOptions& options;
  UpdateStage until;
  Arguments arguments;
};
// Starts the workflow if it does not run; `target` learns which run was updated.
StartedUpdate update_with_start(ClientState& client, std::string_view type,
                                const WorkflowOptions& options, Arguments arguments,
                                const UpdateToStartWith& update, Target& target);
Answer update_result(ClientState& client, const Target& target, const std::string& update_id);
void cancel(ClientState& client, const Target& target, const CancelOptions& options);
void terminate(ClientState& client, const Target& target, const std::string& reason,
               Arguments details);
WorkflowExecution describe(ClientState& client, const Target& target);
std::string fetch_history(ClientState& client, const Target& target);
PagedRange<WorkflowHistoryEvent> fetch_history_events(ClientState& client, const Target& target,
                                                      const FetchHistoryOptions& options);
std::string reset(ClientState& client, const Target& target, const ResetOptions& options);
WorkflowExecutionOptions update_options(ClientState& client, const Target& target,
                                        const WorkflowExecutionOptionsUpdate& update);

template <class... A, class Use>
decltype(auto) pass_tuple(const std::tuple<A...>& values, Use&& use) {
  return std::apply([&](const A&... each) { return pass_any(use, each...); }, values);
}

}  // namespace detail

// An update that the workflow has accepted.
template <class R>
class UpdateHandle {
 public:
  UpdateHandle(detail::ClientPtr client, detail::Target target, detail::StartedUpdate update)
      : client_(std::move(client)), target_(std::move(target)), update_(std::move(update)) {
    if (!update_.workflow_id.empty()) target_.id = update_.workflow_id;
    if (!update_.run_id.empty()) target_.run_id = update_.run_id;
  }
  // The same handle, whose calls have these options.
  UpdateHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), target_, update_};
  }
  const std::string& id() const { return update_.id; }
  const std::string& workflow_id() const { return target_.id; }
  const std::string& workflow_run_id() const { return target_.run_id; }
  // Waits; throws WorkflowUpdateFailedError.
  R result() const {
    if (update_.result) return update_.result->template as<R>(*client_, target_);
    return detail::update_result(*client_, target_, update_.id).template as<R>(*client_, target_);
  }

 private:
  friend const detail::Target& target_of(const UpdateHandle& handle) { return handle.target_; }
  friend const detail::StartedUpdate& update_of(const UpdateHandle& handle) {
    return handle.update_;
  }
  detail::ClientPtr client_;
  detail::Target target_;
  detail::StartedUpdate update_;
};

// A workflow execution. R is what its run method returns. Of a handle that start_workflow() gave,
// result() is that of the run that was started; the other calls reach whatever runs under the id,
// so also what the run has continued as.
template <class R>
class WorkflowHandle {
 public:
  WorkflowHandle(detail::ClientPtr client, detail::Target target)
      : client_(std::move(client)), target_(std::move(target)) {}
  // The same handle, whose calls have these options: handle.with_rpc({.timeout = 2s}).cancel().
  WorkflowHandle with_rpc(const RpcOptions& options) const {
    return {detail::with_rpc(client_, options), target_};
  }
  const std::string& id() const { return target_.id; }
  // That was started or asked for; empty if the handle is for whatever runs.
  const std::string& run_id() const {
    return target_.run_id.empty() ? target_.started_run_id : target_.run_id;
  }

  // Waits for the end, of later runs too if it continues as new, by cron or retry. Throws
  // WorkflowFailureError.
  R result(bool follow_runs = true) const {
    return detail::result(*client_, target_, follow_runs).template as<R>(*client_, target_);
  }

  template <auto Signal, class = decltype(Signal), class... A>
    requires std::is_member_function_pointer_v<decltype(Signal)>
  void signal(const A&... arguments) const {
    detail::Passing<detail::ArgumentsOf<Signal>>::pass(
        [&](detail::Arguments list) {
          detail::signal(*client_, target_, detail::handler_name<Signal>(target_.workflow_type),
                         list);
        },
        arguments...);
  }
  template <class... A>
  void signal(std::string_view name, const A&... arguments) const {
    detail::pass_any([&](detail::Arguments list) { detail::signal(*client_, target_, name, list); },
                     arguments...);
  }

  // Throws WorkflowQueryFailedError with what the handler threw. Takes QueryOptions first where one
  // cares: query<&Order::status>(QueryOptions{.reject_condition = ...}).
  template <auto Query, class = decltype(Query), class... A>
    requires std::is_member_function_pointer_v<decltype(Query)>
  auto query(const QueryOptions& options, const A&... arguments) const {
    return detail::Passing<detail::ArgumentsOf<Query>>::pass(
        [&](detail::Arguments list) {
          return detail::query(*client_, target_,
                               detail::handler_name<Query>(target_.workflow_type), options, list)
              .template as<detail::ResultOf<Query>>(*client_, target_);
        },
        arguments...);
  }
  template <auto Query, class = decltype(Query), class... A>
    requires std::is_member_function_pointer_v<decltype(Query)>
  auto query(const A&... arguments) const {
    return query<Query>(QueryOptions{}, arguments...);
  }
  template <class Q, class... A>
  Q query(std::string_view name, const QueryOptions& options, const A&... arguments) const {
    return detail::pass_any(
        [&](detail::Arguments list) {
          return detail::query(*client_, target_, name, options, list)
              .template as<Q>(*client_, target_);
        },
        arguments...);
  }
  template <class Q, class... A>
  Q query(std::string_view name, const A&... arguments) const {
    return query<Q>(name, QueryOptions{}, arguments...);
  }

  // start_update() waits until the workflow has accepted it, execute_update() until it is done; a
  // rejection throws WorkflowUpdateFailedError. Both take UpdateOptions first where one cares:
  // start_update<&Order::add_tip>({.id = "tip-1"}, 500).
  template <auto Update, class = decltype(Update), class... A>
    requires std::is_member_function_pointer_v<decltype(Update)>
  auto start_update(const UpdateOptions& options, const A&... arguments) const {
    return update<Update>(options, detail::UpdateStage::kAccepted, arguments...);
  }
  template <auto Update, class = decltype(Update), class... A>
    requires std::is_member_function_pointer_v<decltype(Update)>
  auto start_update(const A&... arguments) const {
    return update<Update>({}, detail::UpdateStage::kAccepted, arguments...);
  }
  template <class U, class... A>
  UpdateHandle<U> start_update(std::string_view name, const UpdateOptions& options,
                               const A&... arguments) const {
    return update<U>(name, options, detail::UpdateStage::kAccepted, arguments...);
  }
  template <class U, class... A>
  UpdateHandle<U> start_update(std::string_view name, const A&... arguments) const {
    return update<U>(name, {}, detail::UpdateStage::kAccepted, arguments...);
  }
  template <auto Update, class = decltype(Update), class... A>
    requires std::is_member_function_pointer_v<decltype(Update)>
  auto execute_update(const UpdateOptions& options, const A&... arguments) const {
    return update<Update>(options, detail::UpdateStage::kCompleted, arguments...).result();
  }
  template <auto Update, class = decltype(Update), class... A>
    requires std::is_member_function_pointer_v<decltype(Update)>
  auto execute_update(const A&... arguments) const {
    return update<Update>({}, detail::UpdateStage::kCompleted, arguments...).result();
  }
  template <class U, class... A>
  U execute_update(std::string_view name, const UpdateOptions& options,
                   const A&... arguments) const {
    return update<U>(name, options, detail::UpdateStage::kCompleted, arguments...).result();
  }
  template <class U, class... A>
  U execute_update(std::string_view name, const A&... arguments) const {
    return update<U>(name, {}, detail::UpdateStage::kCompleted, arguments...).result();
  }
  // Of an update that was started elsewhere.
  template <class U>
  UpdateHandle<U> get_update_handle(std::string id) const {
    return {client_, target_, {std::move(id), std::nullopt}};
  }

  void cancel(const CancelOptions& options = {}) const {
    detail::cancel(*client_, target_, options);
  }
  template <class... A>
  void terminate(const std::string& reason = "", const A&... details) const {
    detail::pass_any(
        [&](detail::Arguments list) { detail::terminate(*client_, target_, reason, list); },
        details...);
  }
  WorkflowExecution describe() const { return detail::describe(*client_, target_); }
  // JSON, as the Web UI and the command line exchange it.
  std::string fetch_history() const { return detail::fetch_history(*client_, target_); }
  // The same event by event, asked for while they are read; with wait_new_event also those to come:
  //   for (const auto& event : handle.fetch_history_events({.wait_new_event = true})) ...
  PagedRange<WorkflowHistoryEvent> fetch_history_events(
      const FetchHistoryOptions& options = {}) const {
    return detail::fetch_history_events(*client_, target_, options);
  }
  // Ends the run that is current, or that this handle is for, and starts one with the events
  // before the point that the options name, which goes on from there; gives its run id. Throws
  // std::invalid_argument for options without a point or a reason.
  //   handle.reset({.to = ResetTo::kFirstWorkflowTask, .reason = "a bad deploy"});
  std::string reset(const ResetOptions& options) const {
    return detail::reset(*client_, target_, options);
  }
  // Throws std::invalid_argument if there is nothing to update.
  //   handle.update_workflow_execution_options({.clear_versioning_override = true});
  WorkflowExecutionOptions update_workflow_execution_options(
      const WorkflowExecutionOptionsUpdate& update) const {
    return detail::update_options(*client_, target_, update);
  }

 private:
  friend const detail::Target& target_of(const WorkflowHandle& handle) { return handle.target_; }
  template <auto Update, class = decltype(Update), class... A>
  auto update(const UpdateOptions& options, detail::UpdateStage until,
              const A&... arguments) const {
    return detail::Passing<detail::ArgumentsOf<Update>>::pass(
        [&](detail::Arguments list) {
          return UpdateHandle<detail::ResultOf<Update>>(
              until == detail::UpdateStage::kCompleted ? client_ : detail::without_rpc(client_),
              target_,
              detail::start_update(*client_, target_,
                                   detail::handler_name<Update>(target_.workflow_type), options,
                                   until, list));
        },
        arguments...);
  }
  template <class U, class... A>
  UpdateHandle<U> update(std::string_view name, const UpdateOptions& options,
                         detail::UpdateStage until, const A&... arguments) const {
    return detail::pass_any(
        [&](detail::Arguments list) {
          return UpdateHandle<U>(
              until == detail::UpdateStage::kCompleted ? client_ : detail::without_rpc(client_),
              target_, detail::start_update(*client_, target_, name, options, until, list));
        },
        arguments...);
  }

  detail::ClientPtr client_;
  detail::Target target_;
};

class Client {
 public:
  explicit Client(detail::ClientPtr state) : state_(std::move(state)) {}
  // Blocks until the server has answered. Throws RpcError saying what was tried and what to check.
  static Client connect(const ClientOptions& options = {});

  // The same client, whose calls have these options. Handles that it gives have none, so that
  // execute_workflow() has them for the start, and then waits for the result as long as it takes.
  //   client.with_rpc({.timeout = 2s}).start_workflow<&Order::run>(...);
  Client with_rpc(const RpcOptions& options) const {
    return Client(detail::with_rpc(state_, options));
  }

  // By its run method, or by one of its definitions: start_workflow<kOrder>(...).
  template <auto Run, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto start_workflow(const WorkflowOptions& options, const A&... arguments) const {
    return start_as<Run>(detail::workflow_name<Run>(), options, arguments...);
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto start_workflow(const WorkflowOptions& options, const A&... arguments) const {
    return start_as<detail::kRunOf<Definition>>(Definition.name(), options, arguments...);
  }
  // By name, in whatever language it is written.
  template <class R, class... A>
  WorkflowHandle<R> start_workflow(std::string_view type, const WorkflowOptions& options,
                                   const A&... arguments) const {
    return detail::pass_any(
        [&](detail::Arguments list) {
          return WorkflowHandle<R>(for_handles(), detail::start(*state_, type, options, list));
        },
        arguments...);
  }
  template <auto Run, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto execute_workflow(const WorkflowOptions& options, const A&... arguments) const {
    return start_workflow<Run>(options, arguments...).result();
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto execute_workflow(const WorkflowOptions& options, const A&... arguments) const {
    return start_workflow<Definition>(options, arguments...).result();
  }
  template <class R, class... A>
  R execute_workflow(std::string_view type, const WorkflowOptions& options,
                     const A&... arguments) const {
    return start_workflow<R>(type, options, arguments...).result();
  }

  // Starts it while this thread goes on: dozens of starts are under way at once, over the one
  // connection, and when hundreds wait for their turn the call waits, too. What the start throws,
  // the future throws; ConversionError comes at once.
  //   std::vector<std::future<WorkflowHandle<int>>> started;
  //   for (const Order& order : orders)
  //     started.push_back(client.start_workflow_async<&Checkout::run>({.id = ..., ...}, order));
  template <auto Run, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto start_workflow_async(const WorkflowOptions& options, const A&... arguments) const {
    return start_async_as<Run>(detail::workflow_name<Run>(), options, arguments...);
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto start_workflow_async(const WorkflowOptions& options, const A&... arguments) const {
    return start_async_as<detail::kRunOf<Definition>>(Definition.name(), options, arguments...);
  }
  template <class R, class... A>
  std::future<WorkflowHandle<R>> start_workflow_async(std::string_view type,
                                                      const WorkflowOptions& options,
                                                      const A&... arguments) const {
    return detail::pass_any(
        [&](detail::Arguments list) { return start_async<R>(type, options, list); }, arguments...);
  }

  // Signals the workflow, which is started first if it does not run; both or neither happens.
  //   client.signal_with_start<&Order::run, &Order::approve>(options, {"ann"}, Order{...});
  template <auto Run, auto Signal, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto signal_with_start(const WorkflowOptions& options,
                         const detail::ArgumentsOf<Signal>& signal_arguments,
                         const A&... arguments) const {
    return signal_with_start_as<Run, Signal>(detail::workflow_name<Run>(), options,
                                             signal_arguments, arguments...);
  }
  template <const auto& Definition, auto Signal, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto signal_with_start(const WorkflowOptions& options,
                         const detail::ArgumentsOf<Signal>& signal_arguments,
                         const A&... arguments) const {
    return signal_with_start_as<detail::kRunOf<Definition>, Signal>(Definition.name(), options,
                                                                    signal_arguments, arguments...);
  }
  // By name; the signal's arguments as a tuple.
  template <class R, class... S, class... A>
  WorkflowHandle<R> signal_with_start(std::string_view type, const WorkflowOptions& options,
                                      std::string_view signal,
                                      const std::tuple<S...>& signal_arguments,
                                      const A&... arguments) const {
    return detail::pass_tuple(signal_arguments, [&](detail::Arguments of_signal) {
      return detail::pass_any(
          [&](detail::Arguments list) {
            return WorkflowHandle<R>(
                for_handles(),
                detail::signal_with_start(*state_, type, options, list, signal, of_signal));
          },
          arguments...);
    });
  }

  // Updates the workflow, which is started first if it does not run, in one call. If it runs,
  // options.id_conflict_policy decides, which has no default here.
  //   client.execute_update_with_start_workflow<&Order::run, &Order::add_tip>(
  //       {.id = ..., .id_conflict_policy = WorkflowIdConflictPolicy::kUseExisting},
  //       {.id = "tip-1"}, {500}, Order{...});
  template <auto Run, auto Update, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto start_update_with_start_workflow(const WorkflowOptions& options, const UpdateOptions& update,
                                        const detail::ArgumentsOf<Update>& update_arguments,
                                        const A&... arguments) const {
    return update_with_start_as<Run, Update>(detail::workflow_name<Run>(),
                                             detail::UpdateStage::kAccepted, options, update,
                                             update_arguments, arguments...);
  }
  template <const auto& Definition, auto Update, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto start_update_with_start_workflow(const WorkflowOptions& options, const UpdateOptions& update,
                                        const detail::ArgumentsOf<Update>& update_arguments,
                                        const A&... arguments) const {
    return update_with_start_as<detail::kRunOf<Definition>, Update>(
        Definition.name(), detail::UpdateStage::kAccepted, options, update, update_arguments,
        arguments...);
  }
  template <auto Run, auto Update, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto execute_update_with_start_workflow(const WorkflowOptions& options,
                                          const UpdateOptions& update,
                                          const detail::ArgumentsOf<Update>& update_arguments,
                                          const A&... arguments) const {
    return update_with_start_as<Run, Update>(detail::workflow_name<Run>(),
                                             detail::UpdateStage::kCompleted, options, update,
                                             update_arguments, arguments...)
        .result();
  }
  template <const auto& Definition, auto Update, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto execute_update_with_start_workflow(const WorkflowOptions& options,
                                          const UpdateOptions& update,
                                          const detail::ArgumentsOf<Update>& update_arguments,
                                          const A&... arguments) const {
    return update_with_start_as<detail::kRunOf<Definition>, Update>(
               Definition.name(), detail::UpdateStage::kCompleted, options, update,
               update_arguments, arguments...)
        .result();
  }
  // By name; the update's arguments as a tuple.
  template <class U, class... S, class... A>
  UpdateHandle<U> start_update_with_start_workflow(std::string_view type,
                                                   const WorkflowOptions& options,
                                                   std::string_view name,
                                                   const UpdateOptions& update,
                                                   const std::tuple<S...>& update_arguments,
                                                   const A&... arguments) const {
    return detail::pass_tuple(update_arguments, [&](detail::Arguments of_update) {
      return detail::pass_any(
          [&](detail::Arguments list) {
            return updated<U>(type, options, list,
                              {name, update, detail::UpdateStage::kAccepted, of_update});
          },
          arguments...);
    });
  }

  template <auto Run, class = decltype(Run)>
    requires detail::FunctionPointer<Run>
  auto get_workflow_handle(std::string id, std::string run_id = "") const {
    return handle_as<Run>(detail::workflow_name<Run>(), std::move(id), std::move(run_id));
  }
  template <const auto& Definition>
    requires detail::DefinesWorkflow<Definition>
  auto get_workflow_handle(std::string id, std::string run_id = "") const {
    return handle_as<detail::kRunOf<Definition>>(Definition.name(), std::move(id),
                                                 std::move(run_id));
  }
  template <class R>
  WorkflowHandle<R> get_workflow_handle(std::string id, std::string run_id = "") const {
    return {for_handles(), {std::move(id), std::move(run_id), ""}};
  }

  // In the language of list filters: "WorkflowType = 'Order' AND ExecutionStatus = 'Running'",
  // newest first. Asks when it is read: for (const auto& each : client.list_workflows(...)), or
  // client.list_workflows(...).all().
  PagedRange<WorkflowExecution> list_workflows(const std::string& query = "",
                                               const ListOptions& options = {}) const;
  // "WorkflowType = 'Order' GROUP BY ExecutionStatus" counts each status for itself.
  WorkflowCount count_workflows(const std::string& query = "") const;

  // Throws ScheduleAlreadyRunningError; std::invalid_argument for what no schedule can be, RpcError
  // for what the server refuses.
  ScheduleHandle create_schedule(const std::string& id, const Schedule& schedule,
                                 const CreateScheduleOptions& options = {}) const;
  // Of one that was made before. Asks no server.
  ScheduleHandle get_schedule_handle(std::string id) const {
    return {for_handles(), std::move(id)};
  }
  // In the language of list filters: "TemporalSchedulePaused = true". A schedule may take a moment
  // to be listed.
  PagedRange<ScheduleListEntry> list_schedules(const std::string& query = "",
                                               const ListOptions& options = {}) const;
  // Servers before 1.32 do not know this call.
  std::int64_t count_schedules(const std::string& query = "") const;

  // Of one that exists, or may. Asks no server.
  WorkerDeploymentHandle get_worker_deployment_handle(std::string name) const {
    return {for_handles(), std::move(name)};
  }
  PagedRange<WorkerDeploymentListEntry> list_worker_deployments(
      const ListOptions& options = {}) const;

  // Throws std::invalid_argument for an operation or options that are incomplete.
  BatchHandle start_batch(const BatchOperation& operation, const BatchOptions& options) const;
  // Of one that was started before. Asks no server.
  BatchHandle get_batch_handle(std::string job_id) const {
    return {for_handles(), std::move(job_id)};
  }
  PagedRange<BatchListEntry> list_batches(const ListOptions& options = {}) const;

  // Starts an activity by itself, without a workflow: a job for workers to do, with retries,
  // timeouts and heartbeats as activities have them. Throws ActivityAlreadyStartedError where the
  // options' policies do not allow the id; std::invalid_argument for options that are incomplete.
  template <auto Activity, class = decltype(Activity), class... A>
    requires detail::FunctionPointer<Activity>
  auto start_activity(const StartActivityOptions& options, const A&... arguments) const {
    return start_activity_as<Activity>(detail::activity_name<Activity>(), options, arguments...);
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesActivity<Definition>
  auto start_activity(const StartActivityOptions& options, const A&... arguments) const {
    return start_activity_as<detail::kActivityOf<Definition>>(Definition.name(), options,
                                                              arguments...);
  }
  // By name, in whatever language it is written.
  template <class R, class... A>
  ActivityExecutionHandle<R> start_activity(std::string_view name,
                                            const StartActivityOptions& options,
                                            const A&... arguments) const {
    return detail::pass_any(
        [&](detail::Arguments list) {
          return ActivityExecutionHandle<R>(for_handles(),
                                            detail::start_activity(*state_, name, options, list));
        },
        arguments...);
  }
  template <auto Activity, class = decltype(Activity), class... A>
    requires detail::FunctionPointer<Activity>
  auto execute_activity(const StartActivityOptions& options, const A&... arguments) const {
    return start_activity<Activity>(options, arguments...).result();
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesActivity<Definition>
  auto execute_activity(const StartActivityOptions& options, const A&... arguments) const {
    return start_activity<Definition>(options, arguments...).result();
  }
  template <class R, class... A>
  R execute_activity(std::string_view name, const StartActivityOptions& options,
                     const A&... arguments) const {
    return start_activity<R>(name, options, arguments...).result();
  }
  // Of one that was started before; of an empty run id, the latest. Asks no server.
  template <auto Activity, class = decltype(Activity)>
    requires detail::FunctionPointer<Activity>
  auto get_activity_handle(std::string id, std::string run_id = "") const {
    return get_activity_handle<detail::ResultOf<Activity>>(std::move(id), std::move(run_id));
  }
  template <class R>
  ActivityExecutionHandle<R> get_activity_handle(std::string id, std::string run_id = "") const {
    return {for_handles(), {std::move(id), std::move(run_id)}};
  }
  // In the language of list filters: "ActivityType = 'upload' AND ExecutionStatus = 'Running'".
  PagedRange<ActivityExecution> list_activities(const std::string& query = "",
                                                const ListOptions& options = {}) const;
  ActivityCount count_activities(const std::string& query = "") const;

  // Calls a Nexus operation by itself, without a workflow: at most one input, through an endpoint.
  // Throws NexusOperationAlreadyStartedError where the options' policies do not allow the id;
  // std::invalid_argument for options that are incomplete.
  template <auto Operation, class = decltype(Operation), class... A>
    requires detail::NexusOperationMember<Operation>
  auto start_nexus_operation(std::string_view endpoint, const StartNexusOperationOptions& options,
                             const A&... input) const {
    using Member = detail::NexusMemberOf<Operation>;
    static_assert(detail::fits_nexus<Operation>());
    return detail::Passing<typename Member::Arguments>::pass(
        [&](detail::Arguments list) {
          return started_nexus<typename Member::Output>(
              endpoint, detail::nexus_service_name<typename Member::Contract>(),
              detail::nexus_operation_name<Operation>(), options, list);
        },
        input...);
  }
  // By name, with one input or none.
  template <class R, class... A>
  NexusExecutionHandle<R> start_nexus_operation(std::string_view endpoint, std::string_view service,
                                                std::string_view operation,
                                                const StartNexusOperationOptions& options,
                                                const A&... input) const {
    static_assert(sizeof...(A) <= 1, "a Nexus operation takes one input, or none");
    return detail::pass_any(
        [&](detail::Arguments list) {
          return started_nexus<R>(endpoint, service, operation, options, list);
        },
        input...);
  }
  template <auto Operation, class = decltype(Operation), class... A>
    requires detail::NexusOperationMember<Operation>
  auto execute_nexus_operation(std::string_view endpoint, const StartNexusOperationOptions& options,
                               const A&... input) const {
    return start_nexus_operation<Operation>(endpoint, options, input...).result();
  }
  template <class R, class... A>
  R execute_nexus_operation(std::string_view endpoint, std::string_view service,
                            std::string_view operation, const StartNexusOperationOptions& options,
                            const A&... input) const {
    return start_nexus_operation<R>(endpoint, service, operation, options, input...).result();
  }
  // Of one that was started before; of an empty run id, the latest. Asks no server.
  template <auto Operation, class = decltype(Operation)>
    requires detail::NexusOperationMember<Operation>
  auto get_nexus_operation_handle(std::string id, std::string run_id = "") const {
    using Output = typename detail::NexusMemberOf<Operation>::Output;
    return get_nexus_operation_handle<Output>(std::move(id), std::move(run_id));
  }
  template <class R>
  NexusExecutionHandle<R> get_nexus_operation_handle(std::string id,
                                                     std::string run_id = "") const {
    return {for_handles(), {std::move(id), std::move(run_id)}};
  }
  // In the language of list filters: "Endpoint = 'payments' AND ExecutionStatus = 'Running'".
  PagedRange<NexusExecution> list_nexus_operations(const std::string& query = "",
                                                   const ListOptions& options = {}) const;
  NexusExecutionCount count_nexus_operations(const std::string& query = "") const;

  // Of an activity that raise_complete_async(): by its task token, or by its ids (an empty run id
  // means the run that is current). Asks no server.
  AsyncActivityHandle get_async_activity_handle(std::string task_token) const;
  AsyncActivityHandle get_async_activity_handle(std::string workflow_id, std::string run_id,
                                                std::string activity_id) const;

  // Any RPC of the server, by its full names and serialized messages, past codecs and interceptors:
  //   call_raw("temporal.api.workflowservice.v1.WorkflowService", "GetClusterInfo", "")
  std::string call_raw(std::string_view service, std::string_view method,
                       std::string request) const;

  // From the next call on, also of copies, handles and workers of this client; calls that are tried
  // again have it, too. An empty key is none. TLS stays as it was. Throws std::invalid_argument for
  // what no header can hold.
  void update_api_key(const std::string& key) const;
  // In place of ClientOptions::rpc_metadata, likewise.
  void update_rpc_metadata(const std::map<std::string, std::string>& metadata) const;

  const std::string& identity() const;
  const std::string& namespace_() const;
  const detail::ClientPtr& state() const { return state_; }

 private:
  template <auto Run, class = decltype(Run), class... A>
  auto start_as(std::string_view type, const WorkflowOptions& options,
                const A&... arguments) const {
    return detail::Passing<detail::ArgumentsOf<Run>>::pass(
        [&](detail::Arguments list) {
          return WorkflowHandle<detail::ResultOf<Run>>(for_handles(),
                                                       detail::start(*state_, type, options, list));
        },
        arguments...);
  }
  template <auto Activity, class = decltype(Activity), class... A>
  auto start_activity_as(std::string_view name, const StartActivityOptions& options,
                         const A&... arguments) const {
    return detail::Passing<detail::ArgumentsOf<Activity>>::pass(
        [&](detail::Arguments list) {
          return ActivityExecutionHandle<detail::ResultOf<Activity>>(
              for_handles(), detail::start_activity(*state_, name, options, list));
        },
        arguments...);
  }
  template <class R>
  NexusExecutionHandle<R> started_nexus(std::string_view endpoint, std::string_view service,
                                        std::string_view operation,
                                        const StartNexusOperationOptions& options,
                                        detail::Arguments input) const {
    return {for_handles(),
            detail::start_nexus_execution(*state_, endpoint, service, operation, options, input)};
  }
  template <auto Run, class = decltype(Run), class... A>
  auto start_async_as(std::string_view type, const WorkflowOptions& options,
                      const A&... arguments) const {
    return detail::Passing<detail::ArgumentsOf<Run>>::pass(
        [&](detail::Arguments list) {
          return start_async<detail::ResultOf<Run>>(type, options, list);
        },
        arguments...);
  }
  template <class R>
  std::future<WorkflowHandle<R>> start_async(std::string_view type, const WorkflowOptions& options,
                                             detail::Arguments arguments) const {
    const auto promise = std::make_shared<std::promise<WorkflowHandle<R>>>();
    detail::start_async(
        state_, type, options, arguments,
        [promise, client = for_handles()](const detail::Target* target, std::exception_ptr error) {
          if (target == nullptr) return promise->set_exception(std::move(error));
          promise->set_value(WorkflowHandle<R>(client, *target));
        });
    return promise->get_future();
  }
  template <auto Run, class = decltype(Run)>
  auto handle_as(std::string_view type, std::string id, std::string run_id) const {
    return WorkflowHandle<detail::ResultOf<Run>>(
        for_handles(),
        {.id = std::move(id), .run_id = std::move(run_id), .workflow_type = std::string(type)});
  }
  template <auto Run, auto Signal, class = decltype(Run), class = decltype(Signal), class... A>
  auto signal_with_start_as(std::string_view type, const WorkflowOptions& options,
                            const detail::ArgumentsOf<Signal>& signal_arguments,
                            const A&... arguments) const {
    return detail::pass_tuple(signal_arguments, [&](detail::Arguments of_signal) {
      return detail::Passing<detail::ArgumentsOf<Run>>::pass(
          [&](detail::Arguments list) {
            return WorkflowHandle<detail::ResultOf<Run>>(
                for_handles(),
                detail::signal_with_start(*state_, type, options, list,
                                          detail::handler_name<Signal>(type), of_signal));
          },
          arguments...);
    });
  }
  template <auto Run, auto Update, class = decltype(Run), class = decltype(Update), class... A>
  auto update_with_start_as(std::string_view type, detail::UpdateStage until,
                            const WorkflowOptions& options, const UpdateOptions& update,
                            const detail::ArgumentsOf<Update>& update_arguments,
                            const A&... arguments) const {
    return detail::pass_tuple(update_arguments, [&](detail::Arguments of_update) {
      return detail::Passing<detail::ArgumentsOf<Run>>::pass(
          [&](detail::Arguments list) {
            return updated<detail::ResultOf<Update>>(
                type, options, list,
                {detail::handler_name<Update>(type), update, until, of_update});
          },
          arguments...);
    });
  }
  template <class U>
  UpdateHandle<U> updated(std::string_view type, const WorkflowOptions& options,
                          detail::Arguments arguments,
                          const detail::UpdateToStartWith& update) const {
    detail::Target target;
    auto started = detail::update_with_start(*state_, type, options, arguments, update, target);
    return {update.until == detail::UpdateStage::kCompleted ? state_ : for_handles(),
            std::move(target), std::move(started)};
  }
  detail::ClientPtr for_handles() const { return detail::without_rpc(state_); }

  detail::ClientPtr state_;
};

}  // namespace chimera

#endif  // CHIMERA_CLIENT_H_
