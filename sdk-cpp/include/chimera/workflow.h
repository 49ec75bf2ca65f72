// What workflow code calls. Ordinary blocking calls: each parks the workflow's fiber, not a thread.
// Everything here must be called on a workflow's fiber (its run method, handlers and tasks) and
// throws std::logic_error elsewhere.
#ifndef CHIMERA_WORKFLOW_H_
#define CHIMERA_WORKFLOW_H_

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/concurrency.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/metrics.h"
#include "chimera/options.h"
#include "chimera/search_attributes.h"
#include "chimera/side_effect.h"

namespace chimera::detail {

OperationPtr schedule_activity(std::string_view name, const ActivityOptions& options,
                               Arguments arguments);
OperationPtr schedule_local_activity(std::string_view name, const LocalActivityOptions& options,
                                     Arguments arguments);
// Waits for the child to have started.
OperationPtr start_child(std::string_view type, const ChildWorkflowOptions& options,
                         Arguments arguments);
const std::string& child_id(const OperationPtr& child);
const std::string& child_run_id(const OperationPtr& child);
const std::string& child_type(const OperationPtr& child);
void signal_child(const OperationPtr& child, std::string_view name, Arguments arguments);
void signal_external(const std::string& id, const std::string& run_id, std::string_view name,
                     Arguments arguments);
void cancel_external(const std::string& id, const std::string& run_id, const std::string& reason);
[[noreturn]] void continue_as_new(const ContinueAsNewOptions& options, Arguments arguments);
OperationPtr start_timer(Duration duration, std::string_view summary);
// These, and those for tasks and scopes, throw std::logic_error for an empty pointer: a handle that
// was moved from.
bool finished(const OperationPtr& operation);
void cancel(const OperationPtr& operation);
// Waits; throws the operation's failure, or hands its result to decode_into (null: the result is of
// no interest).
void wait(const OperationPtr& operation, void (*decode_into)(const PayloadSource&, void*),
          void* out);

void read_last_completion_result(void (*decode_into)(const PayloadSource&, void*), void* out);

struct ScopeState;
std::shared_ptr<ScopeState> open_scope(bool detached, std::optional<Duration> timeout);
void enter_scope(const std::shared_ptr<ScopeState>& scope);
void leave_scope(const std::shared_ptr<ScopeState>& scope) noexcept;
void cancel(const std::shared_ptr<ScopeState>& scope, std::string reason);
bool timed_out(const std::shared_ptr<ScopeState>& scope);

// What {} is, where options with a start_to_close_timeout or schedule_to_close_timeout must stand.
// (Options without either, but with something else, are refused when they are used.)
enum class NeedsATimeout {};

enum class HandlerKind { kSignal, kQuery, kUpdate };
void set_handler(HandlerKind kind, HandlerType handler);
template <class F>
HandlerType runtime_handler(std::string name, F callable, const HandlerOptions& options) {
  return {.name = std::move(name),
          .check = &check_arguments<CallableArguments<F>>,
          .call = call_callable(std::move(callable)),
          .unfinished_policy = options.unfinished_policy};
}
template <class F>
HandlerType dynamic_handler(F callable, const HandlerOptions& options) {
  static_assert(std::is_same_v<CallableArguments<F>, DynamicArguments>,
                "a dynamic handler takes (std::string, std::vector<chimera::Payload>)");
  return runtime_handler("", std::move(callable), options);
}

}  // namespace chimera::detail

namespace chimera::workflow {

// --- Activities and children ---

// What starts something is inlined into the code that calls, which a report of nondeterminism names
// by the address that the call returns to.

// Something that was started: what of it can be waited for and cancelled. get() waits; as often as
// one likes.
template <class R>
class [[nodiscard]] Handle {
 public:
  explicit Handle(detail::OperationPtr operation) : operation_(std::move(operation)) {}
  bool done() const { return detail::finished(operation_); }
  // Asks for cancellation; what get() then does depends on the cancellation type.
  void cancel() { detail::cancel(operation_); }
  R get() const {
    const detail::OperationPtr operation = operation_;  // It may be moved meanwhile.
    if constexpr (std::is_void_v<R>) {
      detail::wait(operation, nullptr, nullptr);
    } else {
      R value{};
      detail::wait(
          operation, [](const PayloadSource& in, void* to) { decode(in, *static_cast<R*>(to)); },
          &value);
      return value;
    }
  }

 protected:
  friend detail::WaitablePtr waitable_of(const Handle& handle) {
    return detail::waitable(handle.operation_);
  }
  friend const detail::OperationPtr& operation_of(const Handle& handle) {
    return handle.operation_;
  }
  detail::OperationPtr operation_;
};

template <class R>
class [[nodiscard]] ActivityHandle : public Handle<R> {
 public:
  using Handle<R>::Handle;
};
using TimerHandle = Handle<void>;

}  // namespace chimera::workflow

namespace chimera::detail {

template <auto Activity, class = decltype(Activity), class... A>
[[gnu::always_inline]] inline auto start_activity_as(std::string_view name,
                                                     const ActivityOptions& options,
                                                     const A&... arguments) {
  return workflow::ActivityHandle<ResultOf<Activity>>(
      schedule_activity(name, options, Passing<ArgumentsOf<Activity>>::list(arguments...)));
}

template <auto Activity, class = decltype(Activity), class... A>
[[gnu::always_inline]] inline auto start_local_activity_as(std::string_view name,
                                                           const LocalActivityOptions& options,
                                                           const A&... arguments) {
  return workflow::ActivityHandle<ResultOf<Activity>>(
      schedule_local_activity(name, options, Passing<ArgumentsOf<Activity>>::list(arguments...)));
}

}  // namespace chimera::detail

namespace chimera::workflow {

// A function goes out under its own name, a definition (start_activity<kCharge>) under its.
template <auto Activity, class = decltype(Activity), class... A>
  requires detail::FunctionPointer<Activity>
[[gnu::always_inline]] inline auto start_activity(const ActivityOptions& options,
                                                  const A&... arguments) {
  return detail::start_activity_as<Activity>(detail::activity_name<Activity>(), options,
                                             arguments...);
}
template <const auto& Definition, class... A>
  requires detail::DefinesActivity<Definition>
[[gnu::always_inline]] inline auto start_activity(const ActivityOptions& options,
                                                  const A&... arguments) {
  return detail::start_activity_as<detail::kActivityOf<Definition>>(Definition.name(), options,
                                                                    arguments...);
}
// By name, in whatever language it is written.
template <class R, class... A>
[[gnu::always_inline]] inline ActivityHandle<R> start_activity(std::string_view name,
                                                               const ActivityOptions& options,
                                                               const A&... arguments) {
  return ActivityHandle<R>(
      detail::schedule_activity(name, options, detail::list_any(arguments...)));
}
template <auto Activity, class = decltype(Activity), class... A>
  requires detail::FunctionPointer<Activity>
[[nodiscard, gnu::always_inline]] inline auto execute_activity(const ActivityOptions& options,
                                                               const A&... arguments) {
  return start_activity<Activity>(options, arguments...).get();
}
template <const auto& Definition, class... A>
  requires detail::DefinesActivity<Definition>
[[nodiscard, gnu::always_inline]] inline auto execute_activity(const ActivityOptions& options,
                                                               const A&... arguments) {
  return start_activity<Definition>(options, arguments...).get();
}
template <class R, class... A>
[[nodiscard, gnu::always_inline]] inline R execute_activity(std::string_view name,
                                                            const ActivityOptions& options,
                                                            const A&... arguments) {
  return start_activity<R>(name, options, arguments...).get();
}

// Without a timeout: execute_activity<&charge>({}, order).
template <auto Activity, class... A>
auto start_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <const auto& Definition, class... A>
auto start_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <class R, class... A>
auto start_activity(std::string_view name, detail::NeedsATimeout, const A&... arguments) = delete;
template <auto Activity, class... A>
auto execute_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <const auto& Definition, class... A>
auto execute_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <class R, class... A>
auto execute_activity(std::string_view name, detail::NeedsATimeout, const A&... arguments) = delete;

// Local activities: this worker runs them within the workflow task, without a round trip to the
// server; for short calls. Tried again as other activities are, on this worker.
template <auto Activity, class = decltype(Activity), class... A>
  requires detail::FunctionPointer<Activity>
[[gnu::always_inline]] inline auto start_local_activity(const LocalActivityOptions& options,
                                                        const A&... arguments) {
  return detail::start_local_activity_as<Activity>(detail::activity_name<Activity>(), options,
                                                   arguments...);
}
template <const auto& Definition, class... A>
  requires detail::DefinesActivity<Definition>
[[gnu::always_inline]] inline auto start_local_activity(const LocalActivityOptions& options,
                                                        const A&... arguments) {
  return detail::start_local_activity_as<detail::kActivityOf<Definition>>(Definition.name(),
                                                                          options, arguments...);
}
template <class R, class... A>
[[gnu::always_inline]] inline ActivityHandle<R> start_local_activity(
    std::string_view name, const LocalActivityOptions& options, const A&... arguments) {
  return ActivityHandle<R>(
      detail::schedule_local_activity(name, options, detail::list_any(arguments...)));
}
template <auto Activity, class = decltype(Activity), class... A>
  requires detail::FunctionPointer<Activity>
[[nodiscard, gnu::always_inline]] inline auto execute_local_activity(
    const LocalActivityOptions& options, const A&... arguments) {
  return start_local_activity<Activity>(options, arguments...).get();
}
template <const auto& Definition, class... A>
  requires detail::DefinesActivity<Definition>
[[nodiscard, gnu::always_inline]] inline auto execute_local_activity(
    const LocalActivityOptions& options, const A&... arguments) {
  return start_local_activity<Definition>(options, arguments...).get();
}
template <class R, class... A>
[[nodiscard, gnu::always_inline]] inline R execute_local_activity(
    std::string_view name, const LocalActivityOptions& options, const A&... arguments) {
  return start_local_activity<R>(name, options, arguments...).get();
}

template <auto Activity, class... A>
auto start_local_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <const auto& Definition, class... A>
auto start_local_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <class R, class... A>
auto start_local_activity(std::string_view name, detail::NeedsATimeout,
                          const A&... arguments) = delete;
template <auto Activity, class... A>
auto execute_local_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <const auto& Definition, class... A>
auto execute_local_activity(detail::NeedsATimeout, const A&... arguments) = delete;
template <class R, class... A>
auto execute_local_activity(std::string_view name, detail::NeedsATimeout,
                            const A&... arguments) = delete;

template <class R>
class [[nodiscard]] ChildWorkflowHandle : public Handle<R> {
 public:
  using Handle<R>::Handle;
  const std::string& id() const { return detail::child_id(this->operation_); }
  const std::string& first_execution_run_id() const {
    return detail::child_run_id(this->operation_);
  }
  template <class... A>
  [[gnu::always_inline]] inline void signal(std::string_view name, const A&... arguments) {
    detail::signal_child(this->operation_, name, detail::list_any(arguments...));
  }
  template <auto Signal, class = decltype(Signal), class... A>
    requires std::is_member_function_pointer_v<decltype(Signal)>
  [[gnu::always_inline]] inline void signal(const A&... arguments) {
    detail::signal_child(this->operation_,
                         detail::handler_name<Signal>(detail::child_type(this->operation_)),
                         detail::Passing<detail::ArgumentsOf<Signal>>::list(arguments...));
  }
};

}  // namespace chimera::workflow

namespace chimera::detail {

template <auto Run, class = decltype(Run), class... A>
[[gnu::always_inline]] inline auto start_child_as(std::string_view type,
                                                  const ChildWorkflowOptions& options,
                                                  const A&... arguments) {
  return workflow::ChildWorkflowHandle<ResultOf<Run>>(
      start_child(type, options, Passing<ArgumentsOf<Run>>::list(arguments...)));
}

}  // namespace chimera::detail

namespace chimera::workflow {

template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
[[gnu::always_inline]] inline auto start_child_workflow(const ChildWorkflowOptions& options,
                                                        const A&... arguments) {
  return detail::start_child_as<Run>(detail::workflow_name<Run>(), options, arguments...);
}
template <const auto& Definition, class... A>
  requires detail::DefinesWorkflow<Definition>
[[gnu::always_inline]] inline auto start_child_workflow(const ChildWorkflowOptions& options,
                                                        const A&... arguments) {
  return detail::start_child_as<detail::kRunOf<Definition>>(Definition.name(), options,
                                                            arguments...);
}
template <class R, class... A>
[[gnu::always_inline]] inline ChildWorkflowHandle<R> start_child_workflow(
    std::string_view type, const ChildWorkflowOptions& options, const A&... arguments) {
  return ChildWorkflowHandle<R>(detail::start_child(type, options, detail::list_any(arguments...)));
}
template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
[[nodiscard, gnu::always_inline]] inline auto execute_child_workflow(
    const ChildWorkflowOptions& options, const A&... arguments) {
  return start_child_workflow<Run>(options, arguments...).get();
}
template <const auto& Definition, class... A>
  requires detail::DefinesWorkflow<Definition>
[[nodiscard, gnu::always_inline]] inline auto execute_child_workflow(
    const ChildWorkflowOptions& options, const A&... arguments) {
  return start_child_workflow<Definition>(options, arguments...).get();
}
template <class R, class... A>
[[nodiscard, gnu::always_inline]] inline R execute_child_workflow(
    std::string_view type, const ChildWorkflowOptions& options, const A&... arguments) {
  return start_child_workflow<R>(type, options, arguments...).get();
}

// A workflow that somebody else started. Both calls wait for the server's answer.
class ExternalWorkflowHandle {
 public:
  ExternalWorkflowHandle(std::string id, std::string run_id)
      : id_(std::move(id)), run_id_(std::move(run_id)) {}
  const std::string& id() const { return id_; }
  template <class... A>
  [[gnu::always_inline]] inline void signal(std::string_view name, const A&... arguments) {
    detail::signal_external(id_, run_id_, name, detail::list_any(arguments...));
  }
  template <auto Signal, class = decltype(Signal), class... A>
    requires std::is_member_function_pointer_v<decltype(Signal)>
  [[gnu::always_inline]] inline void signal(const A&... arguments) {
    detail::signal_external(id_, run_id_, detail::handler_name<Signal>({}),
                            detail::Passing<detail::ArgumentsOf<Signal>>::list(arguments...));
  }
  void cancel(const std::string& reason = "") { detail::cancel_external(id_, run_id_, reason); }

 private:
  std::string id_, run_id_;
};
inline ExternalWorkflowHandle get_external_workflow_handle(std::string id,
                                                           std::string run_id = "") {
  return {std::move(id), std::move(run_id)};
}

// --- Time and waiting ---

Time now();
// Durable: it goes on while no worker runs.
void sleep(Duration duration);
// The same, to be waited for beside other things; get() throws CancelledError once it is cancelled.
// One of zero or less is done at once. The summary is a line for people, shown by the Web UI.
inline TimerHandle start_timer(Duration duration, std::string_view summary = "") {
  return TimerHandle(detail::start_timer(duration, summary));
}
// Until the condition holds. It is asked whenever something has happened to the workflow, and must
// not change anything.
void wait_condition(const std::function<bool()>& condition);
// False when the time is up first.
[[nodiscard]] bool wait_condition(const std::function<bool()>& condition, Duration timeout);

// --- Cancellation ---  (Tasks and what they share: chimera/concurrency.h.)

// A part of the workflow that can be cancelled apart from the rest. Cancelling reaches whatever
// waits inside run(), and the scopes opened there: timers and conditions throw CancelledError,
// activities and children are asked to end. A cancellation is delivered once: code that catches it
// may go on, for example to compensate.
class CancellationScope {
 public:
  CancellationScope() : state_(detail::open_scope(false, std::nullopt)) {}
  // Not reached by the cancellation of what is around it, the workflow's own included: that is
  // delivered at the first wait after run().
  static CancellationScope detached() {
    return CancellationScope(detail::open_scope(true, std::nullopt));
  }
  // Cancelled when run() takes longer; a durable timer measures. Zero or less: a deadline that has
  // passed, which cancels at the first wait.
  static CancellationScope with_timeout(Duration timeout) {
    return CancellationScope(detail::open_scope(false, timeout));
  }

  template <class F>
  decltype(auto) run(F&& body) {
    struct Leave {
      const std::shared_ptr<detail::ScopeState>& scope;
      ~Leave() { detail::leave_scope(scope); }
    };
    detail::enter_scope(state_);
    const Leave leave{state_};
    return std::forward<F>(body)();
  }
  void cancel(std::string reason = "") { detail::cancel(state_, std::move(reason)); }
  bool timed_out() const { return detail::timed_out(state_); }

 private:
  explicit CancellationScope(std::shared_ptr<detail::ScopeState> state)
      : state_(std::move(state)) {}
  std::shared_ptr<detail::ScopeState> state_;
};

// Undoes what was done when an exception leaves the scope that it stands in: in reverse order,
// detached from cancellation. A compensation that fails is logged and the others still run.
// continue_as_new() does not compensate: the next run goes on.
class Saga {
 public:
  Saga();
  ~Saga();
  Saga(const Saga&) = delete;
  Saga& operator=(const Saga&) = delete;
  void add(std::function<void()> compensation) {
    compensations_.push_back(std::move(compensation));
  }
  void compensate();  // Now; each compensation runs at most once.

 private:
  std::vector<std::function<void()>> compensations_;
  int exceptions_at_start_;
};

// --- Versioning, randomness, facts ---

// side_effect(), mutable_side_effect() and get_version() are in chimera/side_effect.h.
bool patched(std::string_view id);
void deprecate_patch(std::string_view id);

// Seeded by the run; the same in every replay.
std::mt19937_64& random();
std::string uuid4();
std::string uuid7();  // Begins with now(), so that later ones sort behind.
// From its numbers, by rules of our own: the same with every standard library, whose distributions
// and std::shuffle are not. Both ends are included; lo > hi throws std::invalid_argument.
[[nodiscard]] std::int64_t random_int(std::int64_t lo, std::int64_t hi);
[[nodiscard]] double random_double();  // From 0 up to, but not, 1; a multiple of 2^-53.
template <std::ranges::random_access_range R>
void shuffle(R&& range) {
  const auto begin = std::ranges::begin(range);
  for (auto left = std::ranges::distance(range); left > 1; --left)
    std::ranges::iter_swap(begin + random_int(0, left - 1), begin + (left - 1));
}

struct ParentInfo {
  std::string namespace_, workflow_id, run_id;
};

// The workflow at the top of a line of parents.
struct RootInfo {
  std::string workflow_id, run_id;
};

// Why a server suggests to continue as new.
enum class SuggestContinueAsNewReason {
  kUnspecified = 0,
  kHistorySizeTooLarge = 1,
  kTooManyHistoryEvents = 2,
  kTooManyUpdates = 3,
};

struct Info {
  std::string workflow_id, run_id, workflow_type, task_queue, namespace_;
  int attempt = 1;
  std::string first_execution_run_id, continued_run_id, cron_schedule;
  std::optional<ParentInfo> parent;
  std::optional<RootInfo> root;  // Unset for what has no parent, and by older servers.
  Duration execution_timeout{}, run_timeout{}, task_timeout{};
  std::optional<RetryPolicy> retry_policy;
  Priority priority;
  Time workflow_start_time;      // Of this run.
  Time start_time;               // Of its first task.
  std::optional<Time> deadline;  // When the run times out, by its own timeout or the execution's.
  Memo memo;
  std::map<std::string, Payload> search_attributes;
  std::map<std::string, Payload> headers;  // Of the start, as interceptors pass them.
  // Of the current task.
  std::uint32_t history_length = 0;
  std::uint64_t history_size = 0;
  bool continue_as_new_suggested = false;
  std::vector<SuggestContinueAsNewReason> suggest_continue_as_new_reasons;  // By server 1.32.
  // The version that a new run would begin on is another one than this run's: a pinned run that
  // wants to go there continues as new, with an initial_versioning_behavior. By server 1.32.
  bool target_worker_deployment_version_changed = false;
  // Of the worker that runs this task or, in replay, ran it; with a build id only if that worker
  // was of no deployment. Unset if history does not tell.
  std::optional<WorkerDeploymentVersion> current_deployment_version;
  bool is_replaying = false;
};
const Info& info();

// Null outside an update's handler.
struct UpdateInfo {
  std::string id, name;
};
const UpdateInfo* current_update_info();

// Of the run before this one, by cron, retry or continue-as-new: what the last one that completed
// gave (nothing if none did), and with what the last one failed (null if it did not).
//   const auto done = workflow::last_completion_result<Progress>().value_or(Progress{});
template <class T>
std::optional<T> last_completion_result() {
  std::optional<T> result;
  detail::read_last_completion_result(
      [](const PayloadSource& in, void* to) {
        decode(in, static_cast<std::optional<T>*>(to)->emplace());
      },
      &result);
  return result;
}
std::shared_ptr<const FailureError> last_failure();
// An entry of info().memo, or nothing.
template <class T>
std::optional<T> memo_value(const std::string& key) {
  const auto found = info().memo.find(key);
  if (found == info().memo.end()) return std::nullopt;
  return from_payload<T>(found->second);
}

bool cancel_requested();
// What was given with the request; nothing if there is none.
std::optional<std::string> cancellation_reason();
// No handler of a signal or an update is under way.
bool all_handlers_finished();

// --- Handlers that are set while the workflow runs ---

// Handlers that define_workflow() lists are there from the start; these come when the code asks for
// them, and win over a listed one of the same name. A signal without a handler waits for one: it
// is handled as soon as its handler is set, in the order of arrival.
//   workflow::set_signal_handler("approve", [&](std::string by) { approved_by = by; });
template <class F>
void set_signal_handler(std::string name, F handler, const HandlerOptions& options = {}) {
  detail::set_handler(detail::HandlerKind::kSignal,
                      detail::runtime_handler(std::move(name), std::move(handler), options));
}
template <class F>
void set_query_handler(std::string name, F handler) {
  detail::set_handler(detail::HandlerKind::kQuery,
                      detail::runtime_handler(std::move(name), std::move(handler), {}));
}
template <class F>
void set_update_handler(std::string name, F handler, const HandlerOptions& options = {}) {
  detail::set_handler(detail::HandlerKind::kUpdate,
                      detail::runtime_handler(std::move(name), std::move(handler), options));
}
template <class F, class V>
  requires(!std::is_same_v<V, HandlerOptions>)
void set_update_handler(std::string name, F handler, V validator,
                        const HandlerOptions& options = {}) {
  static_assert(std::is_same_v<detail::CallableArguments<F>, detail::CallableArguments<V>>,
                "the validator must take the same arguments as the update handler");
  auto type = detail::runtime_handler(std::move(name), std::move(handler), options);
  type.validate = detail::call_callable(std::move(validator));
  detail::set_handler(detail::HandlerKind::kUpdate, std::move(type));
}
// For every name that has none: [](std::string name, std::vector<chimera::Payload> arguments).
template <class F>
void set_dynamic_signal_handler(F handler, const HandlerOptions& options = {}) {
  detail::set_handler(detail::HandlerKind::kSignal,
                      detail::dynamic_handler(std::move(handler), options));
}
template <class F>
void set_dynamic_query_handler(F handler) {
  detail::set_handler(detail::HandlerKind::kQuery, detail::dynamic_handler(std::move(handler), {}));
}
template <class F>
void set_dynamic_update_handler(F handler, const HandlerOptions& options = {}) {
  detail::set_handler(detail::HandlerKind::kUpdate,
                      detail::dynamic_handler(std::move(handler), options));
}

// A text for people, of any length, in the answer to the query __temporal_workflow_metadata.
void set_current_details(std::string text);
std::string current_details();

void upsert_search_attributes(const SearchAttributes& attributes);
void upsert_memo(const Memo& memo);  // An empty Payload removes the entry.

// Ends this run and starts the next one of the same workflow with these arguments.
template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
[[noreturn, gnu::always_inline]] inline void continue_as_new(const A&... arguments) {
  detail::continue_as_new({}, detail::Passing<detail::ArgumentsOf<Run>>::list(arguments...));
}
// With options where one cares: continue_as_new<&Order::run>({.task_queue = "big"}, order).
template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
[[noreturn, gnu::always_inline]] inline void continue_as_new(const ContinueAsNewOptions& options,
                                                             const A&... arguments) {
  detail::continue_as_new(options, detail::Passing<detail::ArgumentsOf<Run>>::list(arguments...));
}
// As that definition's type.
template <const auto& Definition, class... A>
  requires detail::DefinesWorkflow<Definition>
[[noreturn, gnu::always_inline]] inline void continue_as_new(const A&... arguments) {
  detail::continue_as_new(
      {.workflow_type = std::string(Definition.name())},
      detail::Passing<detail::ArgumentsOf<detail::kRunOf<Definition>>>::list(arguments...));
}
template <class... A>
[[noreturn, gnu::always_inline]] inline void continue_as_new(const ContinueAsNewOptions& options,
                                                             const A&... arguments) {
  detail::continue_as_new(options, detail::list_any(arguments...));
}

// Silent while the workflow is replayed.
class Logger {
 public:
  void debug(std::string_view message) const;
  void info(std::string_view message) const;
  void warning(std::string_view message) const;
  void error(std::string_view message) const;
};
inline Logger logger() { return {}; }

// Metrics that carry the namespace, the task queue and the workflow's type. They count nothing
// while history is replayed.
MetricMeter metric_meter();

}  // namespace chimera::workflow

#endif  // CHIMERA_WORKFLOW_H_
