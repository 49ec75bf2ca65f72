#include "sdk-cpp/src/testing/mocking.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "chimera/activity.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/operations/nexus_operation.h"
#include "sdk-cpp/src/workflow_runtime.h"
#include "sdk-cpp/src/workflow_state.h"

namespace chimera::sdk {
namespace {

std::string list_of(const Known& known) {
  std::vector<std::string> names;
  for (const std::string& name : known.added)
    if (!known.mocks.contains(name)) names.push_back(absl::StrCat("'", name, "'"));
  for (const auto& [name, mock] : known.mocks) names.push_back(absl::StrCat("'", name, "' (mock)"));
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

// A mocked Nexus operation: an activity whose end it has, as an operation would.
struct MockedOperation final : NexusOperation {
  void ask_to_end(Run& run) override { activity->ask_to_end(run); }
  void take_end() {
    result = activity->result;
    failure = activity->failure;
    codec = activity->codec;
    if (failure != nullptr) fail();
    done = true;
  }
  OperationPtr activity;
  NexusOperationErrorInfo info;

 private:
  // In place of the activity's error, with the same cause.
  void fail() {
    const FailureError* cause = failure->cause() == nullptr ? failure.get() : failure->cause();
    if (const auto* handler = cause->find_cause<nexus::HandlerError>()) cause = handler;
    api::failure::v1::Failure whole =
        to_failure(NexusOperationError("nexus operation completed unsuccessfully", info), nullptr);
    *whole.mutable_cause() = to_failure(*cause, nullptr);
    failure = to_error(whole, nullptr);
  }
};

class Out final : public WorkflowOutbound {
 public:
  Out(WorkflowOutbound* next, Mocking& mocking) : WorkflowOutbound(next), mocking_(mocking) {}

  OperationPtr call(StartActivityInput& input) override {
    if (leaves()) return WorkflowOutbound::call(input);
    if (!stays_here("activity", "mock_activity", input.name, input.options.task_queue,
                    mocking_.activities))
      return WorkflowOutbound::call(input);
    ActivityOptions options = input.options;
    options.task_queue.clear();
    StartActivityInput here{input.name, options, input.arguments, std::move(input.header)};
    return WorkflowOutbound::call(here);
  }
  OperationPtr call(StartLocalActivityInput& input) override {
    if (!leaves())
      stays_here("local activity", "mock_activity", input.name, "", mocking_.activities);
    return WorkflowOutbound::call(input);
  }
  OperationPtr call(StartChildInput& input) override {
    if (leaves()) return WorkflowOutbound::call(input);
    if (!stays_here("child workflow", "mock_child_workflow", input.type, input.options.task_queue,
                    mocking_.workflows))
      return WorkflowOutbound::call(input);
    ChildWorkflowOptions options = input.options;
    options.task_queue.clear();
    StartChildInput here{input.type, options, input.arguments, std::move(input.header)};
    return WorkflowOutbound::call(here);
  }
  OperationPtr call(StartNexusOperationInput& input) override {
    if (leaves()) return WorkflowOutbound::call(input);
    const std::string name = Mocking::nexus_name(input.service, input.operation);
    if (!mocking_.nexus.mocks.contains(name)) {
      if (mocking_.nexus.added.contains(input.service)) return WorkflowOutbound::call(input);
      stays_here("Nexus operation", "mock_nexus_operation", name, "", mocking_.nexus);
    }
    const NexusOperationOptions& options = input.options;
    ActivityOptions own{.schedule_to_close_timeout = options.schedule_to_close_timeout,
                        .schedule_to_start_timeout = options.schedule_to_start_timeout,
                        .start_to_close_timeout = options.start_to_close_timeout,
                        .retry_policy = RetryPolicy{.maximum_attempts = 1},
                        .cancellation_type = ActivityCancellationType::kTryCancel,
                        .summary = options.summary};
    if (own.schedule_to_close_timeout.count() == 0)
      own.schedule_to_close_timeout = std::chrono::hours(24 * 365);
    const std::string answers = Mocking::activity_name(name);
    StartActivityInput here{answers, own, input.input};
    const auto operation = std::make_shared<MockedOperation>();
    operation->activity = WorkflowOutbound::call(here);
    operation->token = absl::StrCat("mock of ", name);
    operation->info = {.endpoint = std::string(input.endpoint),
                       .service = std::string(input.service),
                       .operation = std::string(input.operation),
                       .operation_token = operation->token};
    operation->activity->on_done = [weak = std::weak_ptr(operation)] {
      const auto operation = weak.lock();
      if (operation == nullptr) return;  // Nobody waits for it any more.
      operation->take_end();
      WorkflowRuntime::current("call").scheduler().wake_watchers(*operation);
    };
    const auto start = std::make_shared<NexusOperationStart>();
    start->operation = operation;
    start->done = true;
    return start;
  }

 private:
  // Destructors that call while a run is unwound must not be thrown at.
  static bool leaves() { return WorkflowRuntime::current("call").run().evicting; }

  // Whether this worker serves it; false: another one of the test does. Throws for an unexpected
  // call.
  bool stays_here(const char* kind, const char* mock_call, std::string_view name,
                  std::string_view queue, const Known& known) {
    if (known.mocks.contains(name)) return true;
    const bool elsewhere = !queue.empty() && queue != mocking_.task_queue;
    if (!elsewhere && (known.added.contains(name) || known.dynamic)) return true;
    if (elsewhere && std::ranges::count(mocking_.other_task_queues, queue) > 0) return false;
    std::string problem = absl::StrCat(
        WorkflowRuntime::current("call").run().owner, " called the ", kind, " '", std::string(name),
        "'", elsewhere ? absl::StrCat(" on the task queue '", std::string(queue), "'") : "",
        ", which is not expected. Of its kind the TestWorker has: ", list_of(known),
        ". Mock it before the worker starts: worker.", mock_call, "<R(Arguments...)>(\"",
        std::string(name), "\"), or by reference: worker.", mock_call, "<&the_function>(); or ",
        elsewhere ? "name the queue in TestWorkerOptions::other_task_queues if another worker of "
                    "the test serves it"
                  : "add it, so that it runs");
    mocking_.note(problem);
    throw ApplicationError(std::move(problem), {.type = "UnexpectedCall", .non_retryable = true});
  }

  Mocking& mocking_;
};

class In final : public WorkflowInbound {
 public:
  In(WorkflowInbound* next, Mocking& mocking) : WorkflowInbound(next), mocking_(mocking) {}

  void execute(const ExecuteWorkflowInput& input, PayloadSink& result) override {
    guarded([&] {
      const auto mock = mocking_.workflows.mocks.find(
          WorkflowRuntime::current("execute").run().info.workflow_type);
      if (mock == mocking_.workflows.mocks.end()) return WorkflowInbound::execute(input, result);
      stand_in(mock->second->calls_of(), PayloadList(&input.arguments), result);
    });
  }
  void handle_signal(const HandlerInput& input) override {
    guarded([&] { WorkflowInbound::handle_signal(input); });
  }
  void handle_update(const HandlerInput& input, PayloadSink& result) override {
    guarded([&] { WorkflowInbound::handle_update(input, result); });
  }

 private:
  // Which answer a child got is in its history, so that a replay gives the same and counts nothing.
  void stand_in(detail::MockCalls& calls, const PayloadList& arguments, PayloadSink& result) {
    const int index = workflow::side_effect([&] { return mocking_.take(calls, arguments); });
    if (index == Mocking::kNoAnswer) mocking_.refuse(calls);
    if (const Duration time = calls.delay(index); time > Duration::zero()) workflow::sleep(time);
    try {
      calls.give(index, arguments, &result);
    } catch (const FailureError&) {
      throw;
    } catch (const std::exception& error) {  // As a mock of an activity: it fails, as told.
      const std::exception_ptr failure =
          WorkflowRuntime::current("execute").run().codec.to_failure(std::current_exception());
      if (is_failure(failure)) std::rethrow_exception(failure);
      throw ApplicationError(error.what(), {.type = current_type()});
    }
  }

  template <class Code>
  void guarded(Code&& code) {
    try {
      code();
    } catch (const Unwinding&) {
      throw;
    } catch (const ContinueAsNew&) {
      throw;
    } catch (const FailureError&) {
      throw;
    } catch (...) {
      const Run& run = WorkflowRuntime::current("execute").run();
      if (failing(run) != nullptr) throw;
      std::string problem = absl::StrCat(
          describe_current(), " left ", run.owner,
          ". Outside a test that fails the task, which is tried again until the code is mended. "
          "Throw a chimera::ApplicationError, or name the exception in the definition's "
          "failure_exceptions<...>(), to fail the workflow");
      mocking_.note(problem);
      throw ApplicationError(std::move(problem),
                             {.type = "UnexpectedError", .non_retryable = true});
    }
  }

  Mocking& mocking_;
};

}  // namespace

std::unique_ptr<WorkflowOutbound> Mocking::link(WorkflowOutbound* next) {
  return std::make_unique<Out>(next, *this);
}
std::unique_ptr<WorkflowInbound> Mocking::link(WorkflowInbound* next) {
  return std::make_unique<In>(next, *this);
}

std::string Mocking::nexus_name(std::string_view service, std::string_view operation) {
  return absl::StrCat(std::string(service), "/", std::string(operation));
}
std::string Mocking::activity_name(std::string_view nexus_name) {
  return absl::StrCat("Nexus operation ", std::string(nexus_name));
}

int Mocking::take(detail::MockCalls& calls, const PayloadList& arguments) {
  return calls.take(arguments).value_or(kNoAnswer);
}

void Mocking::refuse(const detail::MockCalls& calls) {
  std::string problem = calls.no_answer();
  note(problem);
  throw ApplicationError(std::move(problem), {.type = "UnexpectedCall", .non_retryable = true});
}

void Mocking::answer(detail::MockCalls& calls, const PayloadList& arguments, PayloadSink* result) {
  const int index = take(calls, arguments);
  if (index == kNoAnswer) refuse(calls);
  if (const Duration time = calls.delay(index); time > Duration::zero()) {
    if (activity::info().is_local) {
      std::string problem = absl::StrCat(
          calls.described(),
          ": takes() is for activities of their own and children. A local activity is part of a "
          "workflow task, and time waits for that. Leave takes() out, or call it as an activity");
      note(problem);
      throw ApplicationError(std::move(problem), {.type = "UnexpectedCall", .non_retryable = true});
    }
    rest(time);
  }
  const MockRun run(runs_, calls.described());
  calls.give(index, arguments, result);
}

void Mocking::answer_nexus(detail::MockCalls& calls, const PayloadList& arguments,
                           PayloadSink* result) {
  try {
    answer(calls, arguments, result);
  } catch (
      const nexus::HandlerError& error) {  // No activity may fail with it; its caller unwraps it.
    throw ApplicationError(error.what(),
                           {.non_retryable = true, .cause = std::current_exception()});
  }
}

void Mocking::note(std::string problem) {
  const absl::MutexLock lock(&mutex_);
  if (std::ranges::count(problems_, problem) == 0) problems_.push_back(std::move(problem));
}

std::vector<std::string> Mocking::problems() const {
  const absl::MutexLock lock(&mutex_);
  return problems_;
}

}  // namespace chimera::sdk
