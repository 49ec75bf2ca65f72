// The seam for interceptors: every call that workflow code, a client or a worker makes is an input
// (what is called, with which options, arguments and headers) that goes through a chain whose last
// link does it. Without interceptors the chain is that link alone. The links of the user's
// interceptors (chimera/interceptor.h) are together one link of such a chain (user_links.h).
//
// Outbound links belong to one run and are called on its fibers; inbound ones are called around its
// code. A link changes the input, calls on, and returns; what it throws is as if the code had.
#ifndef CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_
#define CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/activity.h"
#include "chimera/options.h"
#include "chimera/workflow.h"
#include "core/base/api.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

using Header = api::common::v1::Header;

// --- What workflow code asks for ---

// Each kind of call is an input: `Answer` is what it gives, kCall what the public call is named.
// Everything is borrowed for the call; a link that wants it otherwise passes an input of its own
// on. These are the calls that interceptors of the official Python or Go SDK see; random(),
// uuid4(), cancel_requested(), all_handlers_finished() and set_current_details() are not among
// them.
struct StartActivityInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "start_activity";
  std::string_view name;
  const ActivityOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct StartLocalActivityInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "start_local_activity";
  std::string_view name;
  const LocalActivityOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
// Of the start; the operation of the child's end hangs from it.
struct StartChildInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "start_child_workflow";
  std::string_view type;
  const ChildWorkflowOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
// Of the start, likewise. At most one argument.
struct StartNexusOperationInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "start_nexus_operation";
  std::string_view endpoint, service, operation;
  const NexusOperationOptions& options;
  detail::Arguments input;
};
struct SignalExternalInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "signal";
  const std::string &workflow_id, &run_id;
  bool child;  // Only if it is one of this workflow's.
  std::string_view name;
  detail::Arguments arguments;
  Header header = {};
};
struct CancelExternalInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "cancel";
  const std::string &workflow_id, &run_id, &reason;
};
// The last link throws.
struct ContinueAsNewInput {
  using Answer = void;
  static constexpr char kCall[] = "continue_as_new";
  const ContinueAsNewOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
// Of a sleep, or a wait or scope with a deadline, which last asks for it; or by itself.
struct StartTimerInput {
  using Answer = detail::OperationPtr;
  static constexpr char kCall[] = "start_timer";
  Duration duration;
  std::string_view summary = {};
};
struct SleepInput {
  using Answer = void;
  static constexpr char kCall[] = "sleep";
  Duration duration;
};
// False when the time was up first.
struct WaitConditionInput {
  using Answer = bool;
  static constexpr char kCall[] = "wait_condition";
  const std::function<bool()>& condition;
  std::optional<Duration> timeout = {};
};
struct SpawnInput {
  using Answer = std::shared_ptr<detail::TaskState>;
  static constexpr char kCall[] = "spawn";
  std::function<void()> body;
};
struct NowInput {
  using Answer = Time;
  static constexpr char kCall[] = "now";
};
// The answer must stay as long as the run.
struct InfoInput {
  using Answer = const workflow::Info&;
  static constexpr char kCall[] = "info";
};
struct CurrentUpdateInfoInput {
  using Answer = const workflow::UpdateInfo*;
  static constexpr char kCall[] = "current_update_info";
};
struct PatchedInput {
  using Answer = bool;
  static constexpr char kCall[] = "patched";
  std::string_view id;
  bool deprecated = false;  // deprecate_patch(), which has no use for the answer.
};
// `make` writes the value, unless history has one; `take` reads the one that counts.
struct SideEffectInput {
  using Answer = void;
  static constexpr char kCall[] = "side_effect";
  const std::function<void(PayloadSink&)>& make;
  const std::function<void(const PayloadSource&)>& take;
};
// `make` gets the value that history has, or null, and says whether the new one is to be kept.
struct MutableSideEffectInput {
  using Answer = void;
  static constexpr char kCall[] = "mutable_side_effect";
  std::string_view id;
  const std::function<bool(const PayloadSource*, PayloadSink&)>& make;
  const std::function<void(const PayloadSource&)>& take;
};
struct GetVersionInput {
  using Answer = int;
  static constexpr char kCall[] = "get_version";
  std::string_view change_id;
  int min_supported, max_supported;
};
struct UpsertSearchAttributesInput {
  using Answer = void;
  static constexpr char kCall[] = "upsert_search_attributes";
  const SearchAttributes& attributes;
};
struct UpsertMemoInput {
  using Answer = void;
  static constexpr char kCall[] = "upsert_memo";
  const Memo& memo;
};
struct SetHandlerInput {
  using Answer = void;
  static constexpr char kCall[] = "set_handler";
  detail::HandlerKind kind;
  detail::HandlerType handler;  // Without a name: for all names.
};
struct MetricMeterInput {
  using Answer = MetricMeter;
  static constexpr char kCall[] = "metric_meter";
};
// A message of workflow code; not in replay, and not below the level that is written.
struct LogInput {
  using Answer = void;
  static constexpr char kCall[] = "logger";
  LogLevel level;
  std::string_view message;
};

template <class... Inputs>
struct CallList {};
// The calls of two lists.
template <class First, class Second>
struct JoinedLists;
template <class... First, class... Second>
struct JoinedLists<CallList<First...>, CallList<Second...>> {
  using List = CallList<First..., Second...>;
};
using WorkflowCalls =
    CallList<StartActivityInput, StartLocalActivityInput, StartChildInput, StartNexusOperationInput,
             SignalExternalInput, CancelExternalInput, ContinueAsNewInput, StartTimerInput,
             SleepInput, WaitConditionInput, SpawnInput, NowInput, InfoInput,
             CurrentUpdateInfoInput, PatchedInput, SideEffectInput, MutableSideEffectInput,
             GetVersionInput, UpsertSearchAttributesInput, UpsertMemoInput, SetHandlerInput,
             MetricMeterInput, LogInput>;

// A call() for each input of the list, which calls on.
template <class Link, class List>
class CallsOn;
template <class Link>
class CallsOn<Link, CallList<>> {
 public:
  // `next` is borrowed and outlives this link; null for the last.
  explicit CallsOn(Link* next) : next_(next) {}
  virtual ~CallsOn() = default;
  void call() = delete;

 protected:
  Link* const next_;
};
template <class Link, class Input, class... More>
class CallsOn<Link, CallList<Input, More...>> : public CallsOn<Link, CallList<More...>> {
  using Rest = CallsOn<Link, CallList<More...>>;

 public:
  using Rest::call;
  using Rest::Rest;
  virtual typename Input::Answer call(Input& input) { return this->next_->call(input); }
};

// A link: overrides call() for the inputs that it is about.
class WorkflowOutbound : public CallsOn<WorkflowOutbound, WorkflowCalls> {
 public:
  using CallsOn::CallsOn;
};

// A link from which each input of the list goes to the call() that `Target` has for it.
template <class Link, class Target, class List>
class LinkTo;
template <class Link, class Target>
class LinkTo<Link, Target, CallList<>> : public Link {
 public:
  // Borrowed; may still be under construction.
  explicit LinkTo(Target& target) : Link(nullptr), target_(target) {}

 protected:
  Target& target_;
};
template <class Link, class Target, class Input, class... More>
class LinkTo<Link, Target, CallList<Input, More...>>
    : public LinkTo<Link, Target, CallList<More...>> {
  using Rest = LinkTo<Link, Target, CallList<More...>>;

 public:
  using Rest::call;
  using Rest::Rest;
  typename Input::Answer call(Input& input) override { return this->target_.call(input); }
};
// The last link of a run.
template <class Runtime>
using LastOutbound = LinkTo<WorkflowOutbound, Runtime, WorkflowCalls>;

// --- What reaches workflow code ---

struct ExecuteWorkflowInput {
  const ProtoPayloads& arguments;  // Decoded, and borrowed for the call like all of this.
  const Header& header;
};
struct HandlerInput {  // Of a signal, a query, an update or its validator.
  const detail::HandlerType& handler;
  const std::string& name;
  const std::string& id;  // Of the query or update; empty for signals.
  const ProtoPayloads& arguments;
  const Header& header;
};

class WorkflowInbound {
 public:
  explicit WorkflowInbound(WorkflowInbound* next) : next_(next) {}
  virtual ~WorkflowInbound() = default;
  virtual void execute(const ExecuteWorkflowInput& input, PayloadSink& result) {
    next_->execute(input, result);
  }
  virtual void handle_signal(const HandlerInput& input) { next_->handle_signal(input); }
  virtual void handle_query(const HandlerInput& input, PayloadSink& result) {
    next_->handle_query(input, result);
  }
  virtual void validate_update(const HandlerInput& input) { next_->validate_update(input); }
  virtual void handle_update(const HandlerInput& input, PayloadSink& result) {
    next_->handle_update(input, result);
  }

 private:
  WorkflowInbound* const next_;
};

// --- Activities ---

struct ExecuteActivityInput {
  const ProtoPayloads& arguments;  // Decoded.
  const Header& header;
};

class ActivityInbound {
 public:
  explicit ActivityInbound(ActivityInbound* next) : next_(next) {}
  virtual ~ActivityInbound() = default;
  virtual void execute(const ExecuteActivityInput& input, PayloadSink& result) {
    next_->execute(input, result);
  }

 private:
  ActivityInbound* const next_;
};

struct HeartbeatInput {
  detail::Arguments details;
};

class ActivityOutbound {
 public:
  explicit ActivityOutbound(ActivityOutbound* next) : next_(next) {}
  virtual ~ActivityOutbound() = default;
  virtual void heartbeat(const HeartbeatInput& input) { next_->heartbeat(input); }
  virtual const activity::Info& info() { return next_->info(); }

 private:
  ActivityOutbound* const next_;
};

// --- Nexus services ---

struct StartNexusHandlerInput {
  const ProtoPayload& input;  // Decoded.
};

class NexusInbound {
 public:
  explicit NexusInbound(NexusInbound* next) : next_(next) {}
  virtual ~NexusInbound() = default;
  // Writes the result, or gives the token of an operation that goes on.
  virtual std::optional<std::string> start(const StartNexusHandlerInput& input,
                                           PayloadSink& result) {
    return next_->start(input, result);
  }
  virtual void cancel(const std::string& token) { next_->cancel(token); }

 private:
  NexusInbound* const next_;
};

// --- The chains ---

// Makes the links of a worker; null where it has none to add. Shared by its runs, activities and
// Nexus handlers: any thread.
class WorkerInterceptor {
 public:
  virtual ~WorkerInterceptor() = default;
  virtual std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) { return nullptr; }
  virtual std::unique_ptr<WorkflowInbound> link(WorkflowInbound* next) { return nullptr; }
  virtual std::unique_ptr<ActivityOutbound> link(ActivityOutbound* next) { return nullptr; }
  virtual std::unique_ptr<ActivityInbound> link(ActivityInbound* next) { return nullptr; }
  virtual std::unique_ptr<NexusInbound> link(NexusInbound* next) { return nullptr; }
};
using WorkerInterceptors = std::vector<std::shared_ptr<WorkerInterceptor>>;  // Outermost first.

template <class Link>
class Chain {
 public:
  // `last` is borrowed and outlives the chain.
  template <class Interceptor>
  Chain(const std::vector<std::shared_ptr<Interceptor>>& interceptors, Link& last)
      : Chain(interceptors, last, [](Interceptor& each, Link* next) { return each.link(next); }) {}
  template <class Interceptor, class Make>
  Chain(const std::vector<std::shared_ptr<Interceptor>>& interceptors, Link& last, Make make)
      : first_(&last) {
    for (auto each = interceptors.rbegin(); each != interceptors.rend(); ++each) {
      std::unique_ptr<Link> link = make(**each, first_);
      if (link == nullptr) continue;
      first_ = link.get();
      links_.push_back(std::move(link));
    }
  }
  Link& first() const { return *first_; }
  bool empty() const { return links_.empty(); }  // But for the last.

 private:
  std::vector<std::unique_ptr<Link>> links_;
  Link* first_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_
