#include "chimera/context.h"

#include <cstdlib>
#include <stdexcept>
#include <typeinfo>
#include <utility>

#include "absl/strings/str_cat.h"
#include <cxxabi.h>

#include "chimera/interceptor.h"
#include "sdk-cpp/src/links_of.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace {

std::string name_of(const std::type_info& type) {
  int status = -1;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
  return status == 0 ? name.get() : type.name();
}

// Of the code that calls. Workflow code has its task's, since a lane runs many of them; queries and
// constructors, which are no task's, have their run's.
Context& slot() {
  if (sdk::WorkflowRuntime* const run = sdk::WorkflowRuntime::current_or_null()) {
    detail::TaskState* const task = run->scheduler().running();
    return task != nullptr ? task->context : run->run().taskless;
  }
  thread_local Context of_thread;
  return of_thread;
}

}  // namespace

namespace detail {
void throw_other_type(std::string_view key, const std::type_info& held) {
  throw ConversionError(absl::StrCat("the context's value \"", std::string(key), "\" is a ",
                                     name_of(held), ", and was asked for as another type"));
}
}  // namespace detail

Context Context::current() { return slot(); }

Context Context::with_value(std::string key, detail::ContextValue value) const {
  auto values =
      values_ == nullptr ? std::make_shared<Values>() : std::make_shared<Values>(*values_);
  values->insert_or_assign(std::move(key), std::move(value));
  Context out;
  out.values_ = std::move(values);
  return out;
}

Context Context::without(const std::string& key) const {
  if (!has(key)) return *this;
  const auto values = std::make_shared<Values>(*values_);
  values->erase(key);
  Context out;
  out.values_ = values;
  return out;
}

const detail::ContextValue* Context::find(std::string_view key) const {
  if (values_ == nullptr) return nullptr;
  const auto found = values_->find(key);
  return found == values_->end() ? nullptr : &found->second;
}

std::optional<Payload> Context::payload(std::string_view key) const {
  const detail::ContextValue* const found = find(key);
  if (found == nullptr) return std::nullopt;
  if (found->to_payload != nullptr) return found->to_payload(found->value);
  throw ConversionError(absl::StrCat("the context's value \"", std::string(key), "\" is a ",
                                     name_of(found->value.type()),
                                     ", which has no conversion, so that no header can carry it"));
}

ContextScope::ContextScope(Context context) : before_(std::exchange(slot(), std::move(context))) {}
ContextScope::~ContextScope() { slot() = std::move(before_); }

// --- The propagator ---

namespace {

class Carried {
 public:
  explicit Carried(std::vector<std::string> keys) : keys_(std::move(keys)) {}
  // What the calling code has goes along.
  template <class Input>
  Input put(Input input) const {
    const Context context = Context::current();
    for (const std::string& key : keys_)
      if (auto payload = context.payload(key)) input.headers[key] = *std::move(payload);
    return input;
  }
  // Of code that was called, beside what links around this one have put there.
  Context take(const Headers& headers) const {
    Context context = Context::current();
    for (const std::string& key : keys_) {
      const auto found = headers.find(key);
      if (found != headers.end()) context = context.with(key, found->second);
    }
    return context;
  }

 private:
  const std::vector<std::string> keys_;
};

class CarryingClient final : public ClientOutboundInterceptor {
 public:
  CarryingClient(ClientOutboundInterceptor* next, const Carried& carried)
      : ClientOutboundInterceptor(next), carried_(carried) {}
  WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) override {
    return next().start_workflow(carried_.put(std::move(input)));
  }
  void signal_workflow(SignalWorkflowInput input) override {
    next().signal_workflow(carried_.put(std::move(input)));
  }
  Payload query_workflow(QueryWorkflowInput input) override {
    return next().query_workflow(carried_.put(std::move(input)));
  }
  UpdateHandle<Payload> start_workflow_update(StartWorkflowUpdateInput input) override {
    return next().start_workflow_update(carried_.put(std::move(input)));
  }
  UpdateHandle<Payload> start_update_with_start_workflow(StartUpdateWithStartInput input) override {
    return next().start_update_with_start_workflow(
        {carried_.put(std::move(input.start_workflow)),
         carried_.put(std::move(input.update_workflow))});
  }
  ScheduleHandle create_schedule(CreateScheduleInput input) override {
    return next().create_schedule(carried_.put(std::move(input)));
  }

 private:
  const Carried& carried_;
};

class CarryingWorkflow final : public WorkflowInboundInterceptor {
 public:
  CarryingWorkflow(WorkflowInboundInterceptor* next, const Carried& carried)
      : WorkflowInboundInterceptor(next), carried_(carried) {}
  Payload execute_workflow(ExecuteWorkflowInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    return next().execute_workflow(std::move(input));
  }
  void handle_signal(HandleSignalInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    next().handle_signal(std::move(input));
  }
  Payload handle_query(HandleQueryInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    return next().handle_query(std::move(input));
  }
  void handle_update_validator(HandleUpdateInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    next().handle_update_validator(std::move(input));
  }
  Payload handle_update_handler(HandleUpdateInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    return next().handle_update_handler(std::move(input));
  }

 private:
  const Carried& carried_;
};

class CarryingCalls final : public WorkflowOutboundInterceptor {
 public:
  CarryingCalls(WorkflowOutboundInterceptor* next, const Carried& carried)
      : WorkflowOutboundInterceptor(next), carried_(carried) {}
  workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) override {
    return next().start_activity(carried_.put(std::move(input)));
  }
  workflow::ActivityHandle<Payload> start_local_activity(StartLocalActivityInput input) override {
    return next().start_local_activity(carried_.put(std::move(input)));
  }
  workflow::ChildWorkflowHandle<Payload> start_child_workflow(
      StartChildWorkflowInput input) override {
    return next().start_child_workflow(carried_.put(std::move(input)));
  }
  void signal_child_workflow(SignalChildWorkflowInput input) override {
    next().signal_child_workflow(carried_.put(std::move(input)));
  }
  void signal_external_workflow(SignalExternalWorkflowInput input) override {
    next().signal_external_workflow(carried_.put(std::move(input)));
  }
  void continue_as_new(ContinueAsNewInput input) override {
    next().continue_as_new(carried_.put(std::move(input)));
  }

 private:
  const Carried& carried_;
};

class CarryingActivity final : public ActivityInboundInterceptor {
 public:
  CarryingActivity(ActivityInboundInterceptor* next, const Carried& carried)
      : ActivityInboundInterceptor(next), carried_(carried) {}
  Payload execute_activity(ExecuteActivityInput input) override {
    const ContextScope scope(carried_.take(input.headers));
    return next().execute_activity(std::move(input));
  }

 private:
  const Carried& carried_;
};

using Propagator =
    sdk::LinksOf<Carried, CarryingClient, CarryingActivity, CarryingWorkflow, CarryingCalls>;

}  // namespace

std::shared_ptr<Interceptor> context_propagator(std::vector<std::string> keys) {
  for (const std::string& key : keys)
    if (key.empty()) throw std::invalid_argument("context_propagator() was given an empty key");
  return std::make_shared<Propagator>(std::move(keys));
}

}  // namespace chimera
