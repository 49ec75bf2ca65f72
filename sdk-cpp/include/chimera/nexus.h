// Handlers of Nexus services, which a worker runs. The contract is in chimera/nexus_contract.h, the
// calls of workflows in chimera/nexus_operation.h, what handlers throw in chimera/errors.h.
//
//   chimera::nexus::Service<Payments> service;
//   service.handle<&Payments::charge>([&bank](const Charge& c) { return bank.charge(c); });
//   service.handle<&Payments::refund>([](const Refund& refund) {
//     return chimera::nexus::start_workflow<&RefundWorkflow::run>({.id = "refund-" + refund.id},
//                                                                 refund);
//   });
//   worker.add(service);
#ifndef CHIMERA_NEXUS_H_
#define CHIMERA_NEXUS_H_

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/metrics.h"
#include "chimera/nexus_operation.h"
#include "chimera/options.h"

namespace chimera {
class Client;
}

namespace chimera::nexus {

// --- What a handler's start returns ---

// An operation that goes on: whoever completes it is told the callback, and who cancels it this
// token, which must not be empty.
template <class Out>
struct AsyncOperation {
  std::string token;
};

// One that is a workflow of this namespace: the workflow's end is the operation's.
template <class Out>
struct WorkflowRun : AsyncOperation<Out> {
  std::string workflow_id, run_id;
};

// Either a result or an operation that goes on, for handlers that decide it when they are called.
template <class Out>
class StartResult {
  static constexpr bool kVoid = std::is_void_v<Out>;

 public:
  using Value = std::conditional_t<kVoid, std::monostate, Out>;
  StartResult()
    requires kVoid
  {}
  template <class T>
    requires(!kVoid && std::is_convertible_v<T, Value> &&
             !std::is_base_of_v<AsyncOperation<Out>, std::remove_cvref_t<T>>)
  StartResult(T&& value) : result_(std::in_place_index<0>, std::forward<T>(value)) {}
  StartResult(AsyncOperation<Out> operation)
      : result_(std::in_place_index<1>, std::move(operation)) {}

  // Null where there is the other.
  const Value* value() const { return std::get_if<0>(&result_); }
  const AsyncOperation<Out>* operation() const { return std::get_if<1>(&result_); }

 private:
  std::variant<Value, AsyncOperation<Out>> result_;
};

// --- What a handler may call, on the thread that runs it. Elsewhere these throw
// std::logic_error. ---

struct Info {
  std::string namespace_, task_queue, endpoint, service, operation;
  std::map<std::string, std::string> headers;  // Of the request; their names in small letters.
  std::optional<Time> deadline;                // When the caller gives up on this request.
  // Of a start. The same request may come more than once: it has the same id then.
  std::string request_id, callback_url;
  std::map<std::string, std::string> callback_headers;
  std::vector<Link> links;
  std::string operation_token;  // Of a cancellation.
};
const Info& info();

// For the caller's history, where the operation's start then shows it.
void add_link(Link link);

// Of the worker's namespace. What it starts and signals here has the request's links.
Client client();

// The caller has given up, or the worker ends and its graceful_shutdown_timeout is over: whatever
// the handler says is of no use any more. A CancelledError of throw_if_cancelled() says nothing.
bool is_cancelled();
bool wait_for_cancelled(Duration timeout);  // True if it comes before the time is up.
void throw_if_cancelled();
bool is_worker_shutdown();  // The worker has begun to end.
bool wait_for_worker_shutdown(Duration timeout);
// As those of chimera/activity.h.
std::stop_token cancellation_token();
std::stop_token worker_shutdown_token();

class Logger {
 public:
  void debug(std::string_view message) const;
  void info(std::string_view message) const;
  void warning(std::string_view message) const;
  void error(std::string_view message) const;
};
inline Logger logger() { return {}; }

// Metrics that carry the namespace, the task queue, the service and the operation.
MetricMeter metric_meter();

}  // namespace chimera::nexus

namespace chimera::detail {

struct NexusRun {
  std::string token, workflow_id, run_id;
};
NexusRun start_nexus_workflow(std::string_view type, const WorkflowOptions& options,
                              Arguments arguments);
void cancel_nexus_workflow(const std::string& token);
[[noreturn]] void nexus_input_failed(const ConversionError& error);
void add_nexus_operation(NexusServiceType& service, NexusOperationType operation);

template <class R>
nexus::WorkflowRun<R> workflow_run(NexusRun run) {
  return {{std::move(run.token)}, std::move(run.workflow_id), std::move(run.run_id)};
}

template <class In, class F>
decltype(auto) call_nexus(F& start, const PayloadSource& input) {
  if constexpr (std::is_void_v<In>) {
    return start();
  } else {
    In value{};
    try {
      const OwnValues converting;
      decode(input, value);
    } catch (const ConversionError& error) {
      nexus_input_failed(error);
    }
    return start(std::move(value));
  }
}

template <class Out, class Given>
void write_nexus_result(PayloadSink& result, const Given& given) {
  const OwnValues converting;
  if constexpr (std::is_same_v<Given, Out>) {
    encode(result, given);
  } else {
    encode(result, Out(given));
  }
}

// What of an operation's handler its return type decides.
template <class Out, class Given>
struct NexusAnswer {  // The result itself.
  static constexpr bool kFits = std::is_convertible_v<Given, Out>;
  static constexpr bool kOwnToken = false, kWorkflow = false;
  static std::optional<std::string> write(const Given& given, PayloadSink& result) {
    write_nexus_result<Out>(result, given);
    return std::nullopt;
  }
};
template <class Out>
struct NexusAnswer<Out, void> {
  static constexpr bool kFits = std::is_void_v<Out>;
  static constexpr bool kOwnToken = false, kWorkflow = false;
};
template <class Out, class Given>
struct NexusAnswer<Out, nexus::AsyncOperation<Given>> {
  static constexpr bool kFits = std::is_same_v<Given, Out>;
  static constexpr bool kOwnToken = true, kWorkflow = false;
  static std::optional<std::string> write(const nexus::AsyncOperation<Given>& given, PayloadSink&) {
    return given.token;
  }
};
template <class Out, class Given>
struct NexusAnswer<Out, nexus::WorkflowRun<Given>>
    : NexusAnswer<Out, nexus::AsyncOperation<Given>> {
  static constexpr bool kOwnToken = false, kWorkflow = true;
};
template <class Out, class Given>
struct NexusAnswer<Out, nexus::StartResult<Given>> {
  static constexpr bool kFits = std::is_same_v<Given, Out>;
  static constexpr bool kOwnToken = false, kWorkflow = true;
  static std::optional<std::string> write(const nexus::StartResult<Given>& given,
                                          PayloadSink& result) {
    if (given.operation() != nullptr) return given.operation()->token;
    if constexpr (std::is_void_v<Given>) {
      result.set_null();
    } else {
      write_nexus_result<Out>(result, *given.value());
    }
    return std::nullopt;
  }
};

template <class In, class F>
inline constexpr bool takes_nexus_input = std::is_invocable_v<F&, In>;
template <class F>
inline constexpr bool takes_nexus_input<void, F> = std::is_invocable_v<F&>;
template <class In, class F>
struct NexusStarted : std::invoke_result<F&, In> {};
template <class F>
struct NexusStarted<void, F> : std::invoke_result<F&> {};

template <class In, class Out, class F>
auto nexus_start(F start) {
  using Given = std::remove_cvref_t<typename NexusStarted<In, F>::type>;
  return [start = std::make_shared<F>(std::move(start))](
             const PayloadSource& input, PayloadSink& result) -> std::optional<std::string> {
    if constexpr (std::is_void_v<Given>) {
      call_nexus<In>(*start, input);
      result.set_null();
      return std::nullopt;
    } else {
      return NexusAnswer<Out, Given>::write(call_nexus<In>(*start, input), result);
    }
  };
}

}  // namespace chimera::detail

namespace chimera::nexus {

// --- Workflows behind operations ---

// In the start of an operation, which it gives its result to, and its handler returns what this
// does. The id must be given, and be the same when the request comes again. An empty task queue is
// the worker's own. Where a workflow of the id runs already, id_conflict_policy kUseExisting has
// this operation wait for that one, too. Throws WorkflowAlreadyStartedError, RpcError.
template <auto Run, class = decltype(Run), class... A>
  requires detail::FunctionPointer<Run>
auto start_workflow(const WorkflowOptions& options, const A&... arguments) {
  return detail::workflow_run<detail::ResultOf<Run>>(
      detail::start_nexus_workflow(detail::workflow_name<Run>(), options,
                                   detail::Passing<detail::ArgumentsOf<Run>>::list(arguments...)));
}
template <const auto& Definition, class... A>
  requires detail::DefinesWorkflow<Definition>
auto start_workflow(const WorkflowOptions& options, const A&... arguments) {
  constexpr auto kRun = detail::kRunOf<Definition>;
  return detail::workflow_run<detail::ResultOf<kRun>>(detail::start_nexus_workflow(
      Definition.name(), options, detail::Passing<detail::ArgumentsOf<kRun>>::list(arguments...)));
}
template <class R, class... A>
WorkflowRun<R> start_workflow(std::string_view type, const WorkflowOptions& options,
                              const A&... arguments) {
  return detail::workflow_run<R>(
      detail::start_nexus_workflow(type, options, detail::list_any(arguments...)));
}

// --- The service ---

// The handlers of a contract's operations. Several requests are handled at once, each on a thread
// of its own. Any exception is an answer: HandlerError and OperationError as they are; a
// non-retryable ApplicationError, WorkflowAlreadyStartedError and a refused RpcError as the
// HandlerError that the official SDKs make of it; others as INTERNAL, which is tried again.
template <class Contract>
class Service {
 public:
  Service() {
    type_.name = std::string(detail::nexus_service_name<Contract>());
    constexpr Contract contract{};
    const auto given = reflect::visit_members(contract, [](const auto&... operation) {
      if constexpr ((detail::kNexusOperation<std::remove_cvref_t<decltype(operation)>> && ...)) {
        return std::vector<std::string_view>{operation.name()...};
      } else {
        static_assert(detail::never<Contract>,
                      "a contract is a struct with members of chimera::nexus::Operation only");
        return std::vector<std::string_view>{};
      }
    });
    for (std::size_t i = 0; i < given.size(); ++i)
      type_.contract.emplace_back(given[i].empty() ? reflect::kMemberNames<Contract>[i] : given[i]);
  }

  // The start takes the input (const In&, In) and returns the result, a WorkflowRun, or a
  // StartResult for either. A workflow's cancellation is seen to. Throws std::invalid_argument for
  // an operation that has a handler.
  template <auto Operation, class = decltype(Operation), class F>
  Service& handle(F start) {
    if constexpr (fits<Operation, F>()) {
      using Answer = AnswerOf<Operation, F>;
      static_assert(!Answer::kOwnToken,
                    "an operation with a token of its own needs a second function, which cancels "
                    "it: handle<...>(start, cancel)");
      if constexpr (Answer::kWorkflow)
        return add<Operation>(std::move(start), &detail::cancel_nexus_workflow);
      else
        return add<Operation>(std::move(start), nullptr);
    }
    return *this;
  }
  // `cancel` gets the token that the start gave. It asks for the end, and does not wait for it.
  template <auto Operation, class = decltype(Operation), class F, class C>
  Service& handle(F start, C cancel) {
    static_assert(std::is_invocable_v<C&, const std::string&>,
                  "the function that cancels takes the token, a const std::string&");
    if constexpr (fits<Operation, F>()) return add<Operation>(std::move(start), std::move(cancel));
    return *this;
  }

  const detail::NexusServiceType& type() const { return type_; }

 private:
  template <auto Operation, class F>
  using AnswerOf =
      detail::NexusAnswer<typename detail::NexusMemberOf<Operation>::Output,
                          std::remove_cvref_t<typename detail::NexusStarted<
                              typename detail::NexusMemberOf<Operation>::Input, F>::type>>;

  template <auto Operation, class F>
  static consteval bool fits() {
    if constexpr (!detail::NexusOperationMember<Operation>) {
      static_assert(detail::never<F>, "handle takes an operation: handle<&Payments::charge>(...)");
      return false;
    } else if constexpr (!std::is_same_v<typename detail::NexusMemberOf<Operation>::Contract,
                                         Contract>) {
      static_assert(detail::never<F>, "this operation is of another service's contract");
      return false;
    } else if constexpr (!detail::fits_nexus<Operation>()) {
      return false;
    } else if constexpr (!detail::takes_nexus_input<
                             typename detail::NexusMemberOf<Operation>::Input, F>) {
      static_assert(detail::never<F>, "the handler does not take the operation's input");
      return false;
    } else if constexpr (!AnswerOf<Operation, F>::kFits) {
      static_assert(detail::never<F>,
                    "the handler returns something else than the operation's output, or a "
                    "workflow whose result is something else");
      return false;
    } else {
      return true;
    }
  }
  template <auto Operation, class F, class C>
  Service& add(F start, C cancel) {
    using Member = detail::NexusMemberOf<Operation>;
    detail::add_nexus_operation(
        type_,
        {std::string(detail::nexus_operation_name<Operation>()),
         detail::nexus_start<typename Member::Input, typename Member::Output>(std::move(start)),
         std::move(cancel)});
    return *this;
  }

  detail::NexusServiceType type_;
};

}  // namespace chimera::nexus

#endif  // CHIMERA_NEXUS_H_
