#include "sdk-cpp/src/user_links.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/operations/child.h"
#include "sdk-cpp/src/operations/nexus_operation.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::sdk {

void check_interceptors(const Interceptors& interceptors, std::string_view option) {
  const auto found = std::ranges::find(interceptors, nullptr);
  if (found == interceptors.end()) return;
  throw std::invalid_argument(
      absl::StrCat(std::string(option), "[", found - interceptors.begin(), "] is null"));
}

Interceptors joined(const Interceptors& clients, const Interceptors& workers) {
  Interceptors all = clients;
  for (const auto& each : workers)
    if (std::ranges::find(clients, each) == clients.end()) all.push_back(each);
  return all;
}

WorkerInterceptors with_users(const Interceptors& users, WorkerInterceptors own) {
  if (!users.empty()) own.insert(own.begin(), std::make_shared<UserLinks>(users));
  return own;
}

Headers to_public(const Header& header) {
  Headers out;
  for (const auto& [key, payload] : header.fields()) out.emplace(key, to_public(payload));
  return out;
}

Header to_proto(const Headers& headers) {
  Header out;
  for (const auto& [key, payload] : headers) (*out.mutable_fields())[key] = to_proto(payload);
  return out;
}

std::vector<Payload> given(detail::Arguments arguments, const core::PayloadContext& context) {
  const ValueContext values(context);
  return to_public(encode_arguments(arguments, Codec().in(values)));
}
std::vector<Payload> given_own(detail::Arguments arguments) {
  const detail::OwnValues converting;
  ProtoPayloads payloads;
  for (const detail::Argument& argument : arguments) {
    PayloadSink sink(payloads.add_payloads());
    argument.encode(argument.value, sink);
  }
  return to_public(payloads);
}

void put(const Payload& payload, PayloadSink& out) {
  if (payload.metadata.empty() && payload.data.empty()) {
    out.set_null();
  } else {
    out.set(payload);
  }
}

Passed::Passed(const std::vector<Payload>& payloads) {
  list_.reserve(payloads.size());
  for (const Payload& payload : payloads) list_.push_back(detail::argument(payload));
}

namespace {

// What the code writes.
template <class Write>
Payload written(Write&& write) {
  ProtoPayload payload;
  PayloadSink sink(&payload);
  write(sink);
  return to_public(payload);
}

// --- Activities ---

class LastActivityInbound final : public ActivityInboundInterceptor {
 public:
  explicit LastActivityInbound(ActivityInbound& next)
      : ActivityInboundInterceptor(this), next_(next) {}
  Payload execute_activity(chimera::ExecuteActivityInput input) override {
    const ProtoPayloads arguments = to_proto(input.arguments);
    const Header header = to_proto(input.headers);
    return written([&](PayloadSink& result) { next_.execute({arguments, header}, result); });
  }

 private:
  ActivityInbound& next_;
};

class UserActivityInbound final : public ActivityInbound {
 public:
  UserActivityInbound(const Interceptors& interceptors, ActivityInbound* next)
      : ActivityInbound(next),
        last_(*next),
        chain_(interceptors, last_, [](Interceptor& each, ActivityInboundInterceptor* link) {
          return each.intercept_activity(link);
        }) {}
  bool empty() const { return chain_.empty(); }
  void execute(const ExecuteActivityInput& input, PayloadSink& result) override {
    put(chain_.first().execute_activity({to_public(input.arguments), to_public(input.header)}),
        result);
  }

 private:
  LastActivityInbound last_;
  const Chain<ActivityInboundInterceptor> chain_;
};

class LastActivityOutbound final : public ActivityOutboundInterceptor {
 public:
  explicit LastActivityOutbound(ActivityOutbound& next)
      : ActivityOutboundInterceptor(this), next_(next) {}
  void heartbeat(chimera::HeartbeatInput input) override {
    next_.heartbeat({Passed(input.details)});
  }
  const activity::Info& info() override { return next_.info(); }

 private:
  ActivityOutbound& next_;
};

class UserActivityOutbound final : public ActivityOutbound {
 public:
  UserActivityOutbound(const Interceptors& interceptors, ActivityOutbound* next)
      : ActivityOutbound(next),
        last_(*next),
        chain_(interceptors, last_, [](Interceptor& each, ActivityOutboundInterceptor* link) {
          return each.intercept_activity_calls(link);
        }) {}
  bool empty() const { return chain_.empty(); }
  void heartbeat(const HeartbeatInput& input) override {
    chain_.first().heartbeat({given_own(input.details)});
  }
  const activity::Info& info() override { return chain_.first().info(); }

 private:
  LastActivityOutbound last_;
  const Chain<ActivityOutboundInterceptor> chain_;
};

// --- Nexus services ---

class LastNexusInbound final : public NexusOperationInboundInterceptor {
 public:
  explicit LastNexusInbound(NexusInbound& next)
      : NexusOperationInboundInterceptor(this), next_(next) {}
  nexus::StartResult<Payload> execute_nexus_operation_start(
      ExecuteNexusOperationStartInput input) override {
    ProtoPayload value;
    PayloadSink sink(&value);
    put(input.input, sink);
    std::optional<std::string> token;
    Payload result = written([&](PayloadSink& out) { token = next_.start({value}, out); });
    if (token) return nexus::AsyncOperation<Payload>{*std::move(token)};
    return result;
  }
  void execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput input) override {
    next_.cancel(input.operation_token);
  }

 private:
  NexusInbound& next_;
};

class UserNexusInbound final : public NexusInbound {
 public:
  UserNexusInbound(const Interceptors& interceptors, NexusInbound* next)
      : NexusInbound(next),
        last_(*next),
        chain_(interceptors, last_, [](Interceptor& each, NexusOperationInboundInterceptor* link) {
          return each.intercept_nexus_operation(link);
        }) {}
  bool empty() const { return chain_.empty(); }
  std::optional<std::string> start(const StartNexusHandlerInput& input,
                                   PayloadSink& result) override {
    const auto given = chain_.first().execute_nexus_operation_start({to_public(input.input)});
    if (given.operation() != nullptr) return given.operation()->token;
    put(*given.value(), result);
    return std::nullopt;
  }
  void cancel(const std::string& token) override {
    chain_.first().execute_nexus_operation_cancel({token});
  }

 private:
  LastNexusInbound last_;
  const Chain<NexusOperationInboundInterceptor> chain_;
};

// --- What reaches workflow code ---

const std::string kNoId;

// A handler for all names has its name before the arguments, which users are not shown.
std::vector<Payload> shown_arguments(const HandlerInput& input) {
  std::vector<Payload> arguments = to_public(input.arguments);
  if (input.handler.name.empty() && !arguments.empty()) arguments.erase(arguments.begin());
  return arguments;
}
ProtoPayloads with_name(const detail::HandlerType& handler, const std::string& name,
                        const std::vector<Payload>& arguments) {
  ProtoPayloads out;
  if (handler.name.empty()) {
    PayloadSink sink(out.add_payloads());
    encode(sink, name);
  }
  for (const Payload& each : arguments) PayloadSink(out.add_payloads()).set(each);
  return out;
}

class LastWorkflowInbound final : public WorkflowInboundInterceptor {
 public:
  explicit LastWorkflowInbound(WorkflowInbound& next)
      : WorkflowInboundInterceptor(this), next_(next) {}
  Payload execute_workflow(chimera::ExecuteWorkflowInput input) override {
    const ProtoPayloads arguments = to_proto(input.arguments);
    const Header header = to_proto(input.headers);
    return written([&](PayloadSink& result) { next_.execute({arguments, header}, result); });
  }
  void handle_signal(HandleSignalInput input) override {
    pass(input, input.signal, kNoId, [&](const HandlerInput& last) { next_.handle_signal(last); });
  }
  Payload handle_query(HandleQueryInput input) override {
    return written([&](PayloadSink& result) {
      pass(input, input.query, input.id,
           [&](const HandlerInput& last) { next_.handle_query(last, result); });
    });
  }
  void handle_update_validator(HandleUpdateInput input) override {
    pass(input, input.update, input.id,
         [&](const HandlerInput& last) { next_.validate_update(last); });
  }
  Payload handle_update_handler(HandleUpdateInput input) override {
    return written([&](PayloadSink& result) {
      pass(input, input.update, input.id,
           [&](const HandlerInput& last) { next_.handle_update(last, result); });
    });
  }

 private:
  template <class Input, class Call>
  static void pass(const Input& input, const std::string& name, const std::string& id, Call call) {
    const ProtoPayloads arguments = with_name(input.handler, name, input.arguments);
    const Header header = to_proto(input.headers);
    call(HandlerInput{input.handler, name, id, arguments, header});
  }

  WorkflowInbound& next_;
};

class UserWorkflowInbound final : public WorkflowInbound {
 public:
  UserWorkflowInbound(const Interceptors& interceptors, WorkflowInbound* next)
      : WorkflowInbound(next),
        last_(*next),
        chain_(interceptors, last_, [](Interceptor& each, WorkflowInboundInterceptor* link) {
          return each.intercept_workflow(link);
        }) {}
  bool empty() const { return chain_.empty(); }

  void execute(const ExecuteWorkflowInput& input, PayloadSink& result) override {
    put(chain_.first().execute_workflow({to_public(input.arguments), to_public(input.header)}),
        result);
  }
  void handle_signal(const HandlerInput& input) override {
    chain_.first().handle_signal(
        {input.name, shown_arguments(input), to_public(input.header), input.handler});
  }
  void handle_query(const HandlerInput& input, PayloadSink& result) override {
    put(chain_.first().handle_query(
            {input.id, input.name, shown_arguments(input), to_public(input.header), input.handler}),
        result);
  }
  void validate_update(const HandlerInput& input) override {
    chain_.first().handle_update_validator(update(input));
  }
  void handle_update(const HandlerInput& input, PayloadSink& result) override {
    put(chain_.first().handle_update_handler(update(input)), result);
  }

 private:
  static HandleUpdateInput update(const HandlerInput& input) {
    return {input.id, input.name, shown_arguments(input), to_public(input.header), input.handler};
  }

  LastWorkflowInbound last_;
  const Chain<WorkflowInboundInterceptor> chain_;
};

// --- What workflow code asks for ---

LogLevel to_own(chimera::LogLevel level) {
  if (level <= chimera::LogLevel::kDebug) return LogLevel::kDebug;
  if (level == chimera::LogLevel::kInfo) return LogLevel::kInfo;
  return level == chimera::LogLevel::kWarning ? LogLevel::kWarning : LogLevel::kError;
}
chimera::LogLevel level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return chimera::LogLevel::kDebug;
    case LogLevel::kInfo:
      return chimera::LogLevel::kInfo;
    case LogLevel::kWarning:
      return chimera::LogLevel::kWarning;
    default:
      return chimera::LogLevel::kError;
  }
}

class LastWorkflowOutbound final : public WorkflowOutboundInterceptor {
 public:
  explicit LastWorkflowOutbound(WorkflowOutbound& next)
      : WorkflowOutboundInterceptor(this), next_(next) {}

  workflow::ActivityHandle<Payload> start_activity(chimera::StartActivityInput input) override {
    const Passed arguments(input.arguments);
    return workflow::ActivityHandle<Payload>(pass(
        StartActivityInput{input.activity, input.options, arguments, to_proto(input.headers)}));
  }
  workflow::ActivityHandle<Payload> start_local_activity(
      chimera::StartLocalActivityInput input) override {
    const Passed arguments(input.arguments);
    return workflow::ActivityHandle<Payload>(pass(StartLocalActivityInput{
        input.activity, input.options, arguments, to_proto(input.headers)}));
  }
  workflow::ChildWorkflowHandle<Payload> start_child_workflow(
      StartChildWorkflowInput input) override {
    const Passed arguments(input.arguments);
    const OperationPtr start = pass_and_wait(
        StartChildInput{input.workflow, input.options, arguments, to_proto(input.headers)});
    return workflow::ChildWorkflowHandle<Payload>(static_cast<const ChildStart&>(*start).child);
  }
  workflow::NexusOperationHandle<Payload> start_nexus_operation(
      chimera::StartNexusOperationInput input) override {
    const std::vector<Payload> value{std::move(input.input)};
    const Passed argument(value);
    const bool empty = value[0].metadata.empty() && value[0].data.empty();
    const OperationPtr start = pass_and_wait(
        StartNexusOperationInput{input.endpoint, input.service, input.operation, input.options,
                                 empty ? detail::Arguments() : detail::Arguments(argument)});
    return workflow::NexusOperationHandle<Payload>(
        static_cast<const NexusOperationStart&>(*start).operation);
  }
  void signal_child_workflow(SignalChildWorkflowInput input) override {
    const std::string any_run;
    const Passed arguments(input.arguments);
    pass_and_wait(SignalExternalInput{input.child_workflow_id, any_run, /*child=*/true,
                                      input.signal, arguments, to_proto(input.headers)});
  }
  void signal_external_workflow(SignalExternalWorkflowInput input) override {
    const Passed arguments(input.arguments);
    pass_and_wait(SignalExternalInput{input.workflow_id, input.workflow_run_id, /*child=*/false,
                                      input.signal, arguments, to_proto(input.headers)});
  }
  void cancel_external_workflow(CancelExternalWorkflowInput input) override {
    pass_and_wait(CancelExternalInput{input.workflow_id, input.workflow_run_id, input.reason});
  }
  void continue_as_new(chimera::ContinueAsNewInput input) override {
    const Passed arguments(input.arguments);
    pass(ContinueAsNewInput{input.options, arguments, to_proto(input.headers)});
  }
  workflow::TimerHandle start_timer(chimera::StartTimerInput input) override {
    return workflow::TimerHandle(pass(StartTimerInput{input.duration, input.summary}));
  }
  void sleep(chimera::SleepInput input) override { pass(SleepInput{input.duration}); }
  bool wait_condition(chimera::WaitConditionInput input) override {
    return pass(WaitConditionInput{input.condition, input.timeout});
  }
  std::shared_ptr<detail::TaskState> spawn(chimera::SpawnInput input) override {
    return pass(SpawnInput{std::move(input.body)});
  }
  Time now() override { return pass(NowInput{}); }
  const workflow::Info& info() override { return pass(InfoInput{}); }
  const workflow::UpdateInfo* current_update_info() override {
    return pass(CurrentUpdateInfoInput{});
  }
  bool patched(chimera::PatchedInput input) override {
    return pass(PatchedInput{input.id, input.deprecated});
  }
  Payload side_effect(chimera::SideEffectInput input) override {
    const std::function<void(PayloadSink&)> make = [&](PayloadSink& out) {
      put(input.make(), out);
    };
    Payload value;
    const std::function<void(const PayloadSource&)> take = [&](const PayloadSource& in) {
      value = in.get();
    };
    pass(SideEffectInput{make, take});
    return value;
  }
  Payload mutable_side_effect(chimera::MutableSideEffectInput input) override {
    const std::function<bool(const PayloadSource*, PayloadSink&)> make =
        [&](const PayloadSource* recorded, PayloadSink& out) {
          const std::optional<Payload> made =
              input.make(recorded == nullptr ? std::nullopt : std::optional(recorded->get()));
          if (!made && recorded == nullptr)
            throw std::logic_error("there is no value yet that could still count");
          if (made) put(*made, out);
          return made.has_value();
        };
    Payload value;
    const std::function<void(const PayloadSource&)> take = [&](const PayloadSource& in) {
      value = in.get();
    };
    pass(MutableSideEffectInput{input.id, make, take});
    return value;
  }
  int get_version(chimera::GetVersionInput input) override {
    return pass(GetVersionInput{input.change_id, input.min_supported, input.max_supported});
  }
  void upsert_search_attributes(chimera::UpsertSearchAttributesInput input) override {
    pass(UpsertSearchAttributesInput{input.attributes});
  }
  void upsert_memo(chimera::UpsertMemoInput input) override { pass(UpsertMemoInput{input.memo}); }
  MetricMeter metric_meter() override { return pass(MetricMeterInput{}); }
  void log(chimera::LogInput input) override { pass(LogInput{to_own(input.level), input.message}); }

 private:
  // The command is of the user's call that came in, not of what a link has called since.
  template <class Input>
  typename Input::Answer pass(Input input) {
    WorkflowRuntime& runtime = WorkflowRuntime::current(input.kCall);
    if (const detail::TaskState* const task = runtime.scheduler().running())
      runtime.run().place = task->place;
    return next_.call(input);
  }
  template <class Input>
  OperationPtr pass_and_wait(Input input) {
    const OperationPtr operation = pass(std::move(input));
    WorkflowRuntime& runtime = WorkflowRuntime::current(Input::kCall);
    runtime.scheduler().wait_for(operation, runtime.scheduler().waiting_task(Input::kCall));
    throw_if_failed(*operation);
    return operation;
  }

  WorkflowOutbound& next_;
};

// While a call passes the user's links.
class Passing {
 public:
  explicit Passing(WorkflowRuntime& runtime) : task_(runtime.scheduler().running()) {
    if (task_ != nullptr) before_ = std::exchange(task_->place, runtime.run().place);
  }
  ~Passing() {
    if (task_ != nullptr) task_->place = before_;
  }
  Passing(const Passing&) = delete;
  Passing& operator=(const Passing&) = delete;

 private:
  detail::TaskState* const task_;
  std::uint64_t before_ = 0;
};

template <class Pointer>
Pointer returned(Pointer answer, const char* call, const char* what) {
  if (answer != nullptr) return answer;
  throw std::logic_error(
      absl::StrCat("an interceptor's ", call, "() returned ", what, ", which is empty"));
}

// Whose values the code gives, as far as that is known before the links have seen the call.
const core::RunContext& caller() { return WorkflowRuntime::current("call").run().context; }
core::PayloadContext of_workflow(std::string_view id) {
  return {.namespace_ = caller().namespace_, .workflow_id = id};
}
template <class Input>
core::PayloadContext of_activity(const Input& input, std::string_view task_queue, bool is_local) {
  const core::RunContext& run = caller();
  return {.namespace_ = run.namespace_,
          .workflow_id = run.workflow_id,
          .workflow_type = run.workflow_type,
          .activity = core::PayloadContext::Activity{
              .id = input.options.activity_id,
              .type = input.name,
              .task_queue = task_queue.empty() ? std::string_view(run.task_queue) : task_queue,
              .is_local = is_local}};
}

// That an operation whose end the link has waited for is over.
OperationPtr over() {
  auto operation = std::make_shared<Operation>();
  operation->done = true;
  return operation;
}

class UserWorkflowOutbound final : public WorkflowOutbound {
 public:
  UserWorkflowOutbound(const Interceptors& interceptors, WorkflowOutbound* next)
      : WorkflowOutbound(next),
        last_(*next),
        chain_(interceptors, last_, [](Interceptor& each, WorkflowOutboundInterceptor* link) {
          return each.intercept_workflow_calls(link);
        }) {}
  bool empty() const { return chain_.empty(); }

  using WorkflowOutbound::call;
  OperationPtr call(StartActivityInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return started(
          input, first.start_activity(
                     {std::string(input.name), input.options,
                      given(input.arguments, of_activity(input, input.options.task_queue, false)),
                      to_public(input.header)}));
    });
  }
  OperationPtr call(StartLocalActivityInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return started(
          input, first.start_local_activity({std::string(input.name), input.options,
                                             given(input.arguments, of_activity(input, {}, true)),
                                             to_public(input.header)}));
    });
  }
  OperationPtr call(StartChildInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) -> OperationPtr {
      const OperationPtr end = started(
          input, first.start_child_workflow({std::string(input.type), input.options,
                                             given(input.arguments, of_workflow(input.options.id)),
                                             to_public(input.header)}));
      const auto start = std::make_shared<ChildStart>();
      start->done = true;
      start->child = returned(std::dynamic_pointer_cast<Child>(end), input.kCall,
                              "a handle of what is no child workflow");
      return start;
    });
  }
  OperationPtr call(StartNexusOperationInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) -> OperationPtr {
      std::vector<Payload> sent = given(
          input.input,
          {.nexus = core::PayloadContext::Nexus{input.endpoint, input.service, input.operation}});
      const OperationPtr end = started(
          input,
          first.start_nexus_operation({std::string(input.endpoint), std::string(input.service),
                                       std::string(input.operation), input.options,
                                       sent.empty() ? Payload() : std::move(sent[0])}));
      const auto start = std::make_shared<NexusOperationStart>();
      start->done = true;
      start->operation = returned(std::dynamic_pointer_cast<NexusOperation>(end), input.kCall,
                                  "a handle of what is no Nexus operation");
      return start;
    });
  }
  OperationPtr call(SignalExternalInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      std::vector<Payload> sent = given(input.arguments, of_workflow(input.workflow_id));
      if (input.child) {
        first.signal_child_workflow(
            {input.workflow_id, std::string(input.name), std::move(sent), to_public(input.header)});
      } else {
        first.signal_external_workflow({input.workflow_id, input.run_id, std::string(input.name),
                                        std::move(sent), to_public(input.header)});
      }
      return over();
    });
  }
  OperationPtr call(CancelExternalInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      first.cancel_external_workflow({input.workflow_id, input.run_id, input.reason});
      return over();
    });
  }
  void call(ContinueAsNewInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) {
      first.continue_as_new({input.options, given_own(input.arguments), to_public(input.header)});
    });
  }
  OperationPtr call(StartTimerInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return started(input, first.start_timer({input.duration, std::string(input.summary)}));
    });
  }
  void call(SleepInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) { first.sleep({input.duration}); });
  }
  bool call(WaitConditionInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return first.wait_condition({input.condition, input.timeout});
    });
  }
  std::shared_ptr<detail::TaskState> call(SpawnInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      // A link that spawned it twice would run it twice, and what waits for its end counts one.
      const auto body = std::make_shared<std::function<void()>>(std::move(input.body));
      return returned(first.spawn({[body] {
        const auto once = std::exchange(*body, nullptr);
        if (once == nullptr) throw std::logic_error("an interceptor spawned a task's body twice");
        once();
      }}),
                      input.kCall, "a task");
    });
  }
  Time call(NowInput& input) override {
    return through(input, [](WorkflowOutboundInterceptor& first) { return first.now(); });
  }
  const workflow::Info& call(InfoInput& input) override {
    return through(input, [](WorkflowOutboundInterceptor& first) -> const workflow::Info& {
      return first.info();
    });
  }
  const workflow::UpdateInfo* call(CurrentUpdateInfoInput& input) override {
    return through(input,
                   [](WorkflowOutboundInterceptor& first) { return first.current_update_info(); });
  }
  bool call(PatchedInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return first.patched({std::string(input.id), input.deprecated});
    });
  }
  void call(SideEffectInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) {
      take(first.side_effect({[&] { return written(input.make); }}), input.take);
    });
  }
  void call(MutableSideEffectInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) {
      const auto make = [&](const std::optional<Payload>& recorded) -> std::optional<Payload> {
        const ProtoPayload before = recorded ? to_proto(*recorded) : ProtoPayload();
        const PayloadSource source(&before);
        bool fresh = false;
        Payload value = written(
            [&](PayloadSink& out) { fresh = input.make(recorded ? &source : nullptr, out); });
        return fresh ? std::optional(std::move(value)) : std::nullopt;
      };
      take(first.mutable_side_effect({std::string(input.id), make}), input.take);
    });
  }
  int call(GetVersionInput& input) override {
    return through(input, [&](WorkflowOutboundInterceptor& first) {
      return first.get_version(
          {std::string(input.change_id), input.min_supported, input.max_supported});
    });
  }
  void call(UpsertSearchAttributesInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) {
      first.upsert_search_attributes({input.attributes});
    });
  }
  void call(UpsertMemoInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) { first.upsert_memo({input.memo}); });
  }
  MetricMeter call(MetricMeterInput& input) override {
    return through(input, [](WorkflowOutboundInterceptor& first) { return first.metric_meter(); });
  }
  void call(LogInput& input) override {
    through(input, [&](WorkflowOutboundInterceptor& first) {
      first.log({level_of(input.level), std::string(input.message)});
    });
  }

 private:
  // Nothing counts while the run is evicted, and destructors that call must not be thrown at.
  template <class Input, class Call>
  typename Input::Answer through(Input& input, Call call_first) {
    WorkflowRuntime& runtime = WorkflowRuntime::current(input.kCall);
    if (runtime.run().evicting) return WorkflowOutbound::call(input);
    const Passing passing(runtime);
    return call_first(chain_.first());
  }
  template <class Input, class Handle>
  static OperationPtr started(const Input& input, const Handle& handle) {
    return returned(operation_of(handle), input.kCall, "a handle");
  }
  static void take(const Payload& value, const std::function<void(const PayloadSource&)>& take) {
    ProtoPayload proto;
    PayloadSink sink(&proto);
    put(value, sink);
    const detail::OwnValues converting;
    take(PayloadSource(&proto));
  }

  LastWorkflowOutbound last_;
  const Chain<WorkflowOutboundInterceptor> chain_;
};

// Null where no interceptor has a part in it.
template <class User, class Link>
std::unique_ptr<Link> link_of(const Interceptors& interceptors, Link* next) {
  auto link = std::make_unique<User>(interceptors, next);
  if (link->empty()) return nullptr;
  return link;
}

}  // namespace

std::unique_ptr<WorkflowOutbound> UserLinks::link(WorkflowOutbound* next) {
  return link_of<UserWorkflowOutbound>(interceptors_, next);
}
std::unique_ptr<WorkflowInbound> UserLinks::link(WorkflowInbound* next) {
  return link_of<UserWorkflowInbound>(interceptors_, next);
}
std::unique_ptr<ActivityOutbound> UserLinks::link(ActivityOutbound* next) {
  return link_of<UserActivityOutbound>(interceptors_, next);
}
std::unique_ptr<ActivityInbound> UserLinks::link(ActivityInbound* next) {
  return link_of<UserActivityInbound>(interceptors_, next);
}
std::unique_ptr<NexusInbound> UserLinks::link(NexusInbound* next) {
  return link_of<UserNexusInbound>(interceptors_, next);
}

}  // namespace chimera::sdk
