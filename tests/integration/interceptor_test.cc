// Interceptors, as a user writes them: client, workflows and activities on the embedded server.
#include "chimera/interceptor.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/replayer.h"
#include "chimera/testing.h"
#include "chimera/testing/gtest.h"
#include "chimera/worker.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;

constexpr char kQueue[] = "intercepted";

// What the links saw. Any thread.
class Seen {
 public:
  void add(std::string what) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(what));
  }
  std::vector<std::string> all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  int count(const std::string& what) {
    const std::vector<std::string> now = all();
    return static_cast<int>(std::ranges::count(now, what));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> all_;
};

std::string text(const Headers& headers) {
  const auto found = headers.find("trace");
  return found == headers.end() ? "none" : from_payload<std::string>(found->second);
}
void put(Headers& headers, const std::string& value) { headers["trace"] = make_payload(value); }

class ClientOut : public ClientOutboundInterceptor {
 public:
  ClientOut(ClientOutboundInterceptor* next, Seen& seen)
      : ClientOutboundInterceptor(next), seen_(seen) {}
  WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) override {
    seen_.add("start " + input.workflow + " " + input.start_signal);
    put(input.headers, "client");
    return next().start_workflow(std::move(input));
  }
  void signal_workflow(SignalWorkflowInput input) override {
    seen_.add("signal " + input.signal + " " + std::to_string(input.arguments.size()));
    put(input.headers, "signalled");
    next().signal_workflow(std::move(input));
  }
  Payload query_workflow(QueryWorkflowInput input) override {
    put(input.headers, "queried");
    return make_payload(from_payload<int>(next().query_workflow(std::move(input))) + 1000);
  }
  UpdateHandle<Payload> start_workflow_update(StartWorkflowUpdateInput input) override {
    put(input.headers, "updated");
    input.arguments = {make_payload(from_payload<int>(input.arguments.at(0)) + 1)};
    return next().start_workflow_update(std::move(input));
  }
  UpdateHandle<Payload> start_update_with_start_workflow(StartUpdateWithStartInput input) override {
    put(input.start_workflow.headers, "started with");
    put(input.update_workflow.headers, "updated with");
    return next().start_update_with_start_workflow(std::move(input));
  }
  Payload workflow_result(WorkflowResultInput input) override {
    seen_.add("result " + input.id + " " + (input.run_id.empty() ? "any run" : "one run"));
    return next().workflow_result(std::move(input));
  }
  WorkflowExecution describe_workflow(DescribeWorkflowInput input) override {
    seen_.add("describe, " + std::to_string(input.rpc.timeout / 1ms) + " ms");
    input.rpc.timeout = 5s;
    return next().describe_workflow(std::move(input));
  }

 private:
  Seen& seen_;
};

class In : public WorkflowInboundInterceptor {
 public:
  In(WorkflowInboundInterceptor* next, Seen& seen)
      : WorkflowInboundInterceptor(next), seen_(seen) {}
  Payload execute_workflow(ExecuteWorkflowInput input) override {
    note("run", input.headers);
    return next().execute_workflow(std::move(input));
  }
  void handle_signal(HandleSignalInput input) override {
    note("handle " + input.signal, input.headers);
    workflow::sleep(1ms);  // It may wait.
    next().handle_signal(std::move(input));
  }
  Payload handle_query(HandleQueryInput input) override {
    seen_.add("handle " + input.query + " (" + text(input.headers) + ")");
    return next().handle_query(std::move(input));
  }
  void handle_update_validator(HandleUpdateInput input) override {
    note("validate " + input.update, input.headers);
    next().handle_update_validator(std::move(input));
  }
  Payload handle_update_handler(HandleUpdateInput input) override {
    note("handle " + input.update + " " + input.id, input.headers);
    return next().handle_update_handler(std::move(input));
  }

 private:
  void note(const std::string& what, const Headers& headers) {
    if (!workflow::info().is_replaying) seen_.add(what + " (" + text(headers) + ")");
  }
  Seen& seen_;
};

class Out : public WorkflowOutboundInterceptor {
 public:
  using WorkflowOutboundInterceptor::WorkflowOutboundInterceptor;
  workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) override {
    put(input.headers, "from workflow");
    input.arguments.at(0) =
        make_payload("changed " + from_payload<std::string>(input.arguments[0]));
    return next().start_activity(std::move(input));
  }
  workflow::ActivityHandle<Payload> start_local_activity(StartLocalActivityInput input) override {
    put(input.headers, "local");
    return next().start_local_activity(std::move(input));
  }
  workflow::ChildWorkflowHandle<Payload> start_child_workflow(
      StartChildWorkflowInput input) override {
    put(input.headers, "from parent");
    input.options.id = "chosen";
    return next().start_child_workflow(std::move(input));
  }
  void signal_child_workflow(SignalChildWorkflowInput input) override {
    put(input.headers, "to child " + input.child_workflow_id);
    next().signal_child_workflow(std::move(input));
  }
  void signal_external_workflow(SignalExternalWorkflowInput input) override {
    put(input.headers, "to other");
    next().signal_external_workflow(std::move(input));
  }
  void continue_as_new(ContinueAsNewInput input) override {
    put(input.headers, "again");
    next().continue_as_new(std::move(input));
  }
};

class ActivityIn : public ActivityInboundInterceptor {
 public:
  ActivityIn(ActivityInboundInterceptor* next, Seen& seen)
      : ActivityInboundInterceptor(next), seen_(seen) {}
  Payload execute_activity(ExecuteActivityInput input) override {
    seen_.add("activity " + activity::info().activity_type + " (" + text(input.headers) + ")");
    return next().execute_activity(std::move(input));
  }

 private:
  Seen& seen_;
};
class ActivityOut : public ActivityOutboundInterceptor {
 public:
  ActivityOut(ActivityOutboundInterceptor* next, Seen& seen)
      : ActivityOutboundInterceptor(next), seen_(seen) {}
  void heartbeat(HeartbeatInput input) override {
    seen_.add("heartbeat " + std::to_string(input.details.size()));
    next().heartbeat(std::move(input));
  }
  const activity::Info& info() override { return next().info(); }

 private:
  Seen& seen_;
};

class Everything : public Interceptor {
 public:
  explicit Everything(Seen& seen) : seen_(seen) {}
  std::unique_ptr<ClientOutboundInterceptor> intercept_client(
      ClientOutboundInterceptor* next) override {
    seen_.add("made for a client");
    return std::make_unique<ClientOut>(next, seen_);
  }
  std::unique_ptr<ActivityInboundInterceptor> intercept_activity(
      ActivityInboundInterceptor* next) override {
    return std::make_unique<ActivityIn>(next, seen_);
  }
  std::unique_ptr<ActivityOutboundInterceptor> intercept_activity_calls(
      ActivityOutboundInterceptor* next) override {
    return std::make_unique<ActivityOut>(next, seen_);
  }
  std::unique_ptr<WorkflowInboundInterceptor> intercept_workflow(
      WorkflowInboundInterceptor* next) override {
    return std::make_unique<In>(next, seen_);
  }
  std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor* next) override {
    return std::make_unique<Out>(next);
  }

 private:
  Seen& seen_;
};

std::string echo(const std::string& said) {
  activity::heartbeat(1, 2);
  return said;
}
constexpr auto kEcho = define_activity<&echo>("echo");

class Child {
 public:
  int run() {
    workflow::wait_condition([this] { return told_ > 0; });
    return told_;
  }
  void tell(int number) { told_ = number; }

 private:
  int told_ = 0;
};
const auto kChild = define_workflow<&Child::run>("Child").signal<&Child::tell>("tell");

class Order {
 public:
  std::string run(int left) {
    const std::string said =
        workflow::execute_activity<kEcho>({.start_to_close_timeout = 30s}, "hello");
    const std::string local =
        workflow::execute_local_activity<kEcho>({.start_to_close_timeout = 30s}, "here");
    auto child = workflow::start_child_workflow<kChild>({});
    child.signal<&Child::tell>(7);
    const int told = child.get();
    workflow::wait_condition([&] { return done_ || left < 0; });
    if (left > 0) workflow::continue_as_new<&Order::run>(-1);
    return said + ", " + local + ", " + std::to_string(told) + ", " + child.id();
  }
  void finish(int) { done_ = true; }
  int ask(int number) const { return number; }
  int change(int to) { return to; }
  void check(int) const {}

 private:
  bool done_ = false;
};
const auto kOrder = define_workflow<&Order::run>("Order")
                        .signal<&Order::finish>("finish")
                        .query<&Order::ask>("ask")
                        .update<&Order::change, &Order::check>("change");

class InterceptorTest : public testing::Test {
 protected:
  void begin(std::shared_ptr<Interceptor> of_client, std::shared_ptr<Interceptor> of_worker,
             std::size_t cached = 1000) {
    TestEnvironmentOptions options;
    if (of_client != nullptr) options.client.interceptors = {of_client};
    env.emplace(options);
    WorkerOptions worker_options{.task_queue = kQueue, .max_cached_workflows = cached};
    if (of_worker != nullptr) worker_options.interceptors = {of_worker};
    worker.emplace(env->client(), worker_options);
  }
  WorkflowOptions options(const std::string& id) { return {.id = id, .task_queue = kQueue}; }

  Seen seen;
  std::optional<TestEnvironment> env;
  std::optional<Worker> worker;
};

class EachCall : public InterceptorTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(EachCall, GivesWhatTheLinksMakeOfIt) {
  const auto everything = std::make_shared<Everything>(seen);
  begin(everything, everything, GetParam());
  worker->add(kOrder).add(kChild).add(kEcho);
  worker->start();
  Client& client = env->client();

  auto handle = client.start_workflow<&Order::run>(options("o"), 0);
  EXPECT_EQ(handle.query<&Order::ask>(5), 1005);
  EXPECT_EQ(handle.execute_update<&Order::change>(UpdateOptions{.id = "u"}, 5), 6);
  EXPECT_EQ(handle.with_rpc({.timeout = 700ms}).describe().id, "o");
  handle.signal<&Order::finish>(0);
  EXPECT_EQ(handle.result(), "changed hello, here, 7, chosen");

  EXPECT_EQ(seen.count("made for a client"), 1);
  EXPECT_EQ(seen.count("run (client)"), 1);
  EXPECT_EQ(seen.count("activity echo (from workflow)"), 1);
  EXPECT_EQ(seen.count("heartbeat 2"), 2);
  EXPECT_THAT(seen.all(), IsSupersetOf({"start Order ", "signal finish 1", "handle ask (queried)",
                                        "validate change (updated)", "handle change u (updated)",
                                        "handle finish (signalled)", "activity echo (local)",
                                        "run (from parent)", "handle tell (to child chosen)",
                                        "describe, 700 ms", "result o one run"}));

  Replayer replayer({.interceptors = {everything}});
  replayer.add(kOrder).add(kChild);
  replayer.replay(WorkflowHistory::from_json(handle.fetch_history()));
}
INSTANTIATE_TEST_SUITE_P(, EachCall, testing::Values(std::size_t{1000}, std::size_t{0}));

TEST_F(InterceptorTest, ContinueAsNewCarriesItsHeaders) {
  begin(std::make_shared<Everything>(seen), nullptr);
  worker->add(kOrder).add(kChild).add(kEcho);
  worker->start();
  auto handle = env->client().signal_with_start<kOrder, &Order::finish>(options("o"), {1}, 1);
  EXPECT_EQ(handle.result(), "changed hello, here, 7, chosen");
  EXPECT_THAT(seen.all(), IsSupersetOf({"start Order finish", "run (client)", "run (again)",
                                        "handle finish (client)"}));
}

TEST_F(InterceptorTest, UpdateWithStartHasBothHeaders) {
  begin(std::make_shared<Everything>(seen), nullptr);
  worker->add(kOrder).add(kChild).add(kEcho);
  worker->start();
  WorkflowOptions with = options("o");
  with.id_conflict_policy = WorkflowIdConflictPolicy::kUseExisting;
  const int updated = env->client().execute_update_with_start_workflow<&Order::run, &Order::change>(
      with, {.id = "u"}, {4}, 0);
  EXPECT_EQ(updated, 4);
  EXPECT_THAT(seen.all(), IsSupersetOf({"run (started with)", "handle change u (updated with)"}));
  env->client().get_workflow_handle<kOrder>("o").terminate("done");
}

// --- Links that misbehave, and those that answer themselves ---

// One link of each kind, made of functions.
struct Hooks : Interceptor {
  std::function<Payload(ActivityInboundInterceptor&, ExecuteActivityInput)> execute_activity;
  std::function<workflow::ActivityHandle<Payload>(WorkflowOutboundInterceptor&, StartActivityInput)>
      start_activity;
  std::function<Payload(WorkflowInboundInterceptor&, ExecuteWorkflowInput)> execute_workflow;
  std::function<std::shared_ptr<detail::TaskState>(WorkflowOutboundInterceptor&, SpawnInput)> spawn;
  std::function<workflow::TimerHandle(WorkflowOutboundInterceptor&, StartTimerInput)> start_timer;
  std::function<void(WorkflowOutboundInterceptor&, ContinueAsNewInput)> continue_as_new;
  std::function<WorkflowHandle<Payload>(ClientOutboundInterceptor&, StartWorkflowInput)>
      start_workflow;
  std::function<void()> make_workflow;

  struct OfActivity : ActivityInboundInterceptor {
    OfActivity(ActivityInboundInterceptor* next, Hooks& hooks)
        : ActivityInboundInterceptor(next), hooks(hooks) {}
    Payload execute_activity(ExecuteActivityInput input) override {
      return hooks.execute_activity ? hooks.execute_activity(next(), std::move(input))
                                    : next().execute_activity(std::move(input));
    }
    Hooks& hooks;
  };
  struct OfWorkflow : WorkflowInboundInterceptor {
    OfWorkflow(WorkflowInboundInterceptor* next, Hooks& hooks)
        : WorkflowInboundInterceptor(next), hooks(hooks) {}
    Payload execute_workflow(ExecuteWorkflowInput input) override {
      return hooks.execute_workflow ? hooks.execute_workflow(next(), std::move(input))
                                    : next().execute_workflow(std::move(input));
    }
    Hooks& hooks;
  };
  struct OfCalls : WorkflowOutboundInterceptor {
    OfCalls(WorkflowOutboundInterceptor* next, Hooks& hooks)
        : WorkflowOutboundInterceptor(next), hooks(hooks) {}
    workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) override {
      return hooks.start_activity ? hooks.start_activity(next(), std::move(input))
                                  : next().start_activity(std::move(input));
    }
    std::shared_ptr<detail::TaskState> spawn(SpawnInput input) override {
      return hooks.spawn ? hooks.spawn(next(), std::move(input)) : next().spawn(std::move(input));
    }
    workflow::TimerHandle start_timer(StartTimerInput input) override {
      return hooks.start_timer ? hooks.start_timer(next(), std::move(input))
                               : next().start_timer(std::move(input));
    }
    void continue_as_new(ContinueAsNewInput input) override {
      if (!hooks.continue_as_new) return next().continue_as_new(std::move(input));
      hooks.continue_as_new(next(), std::move(input));
    }
    Hooks& hooks;
  };
  struct OfClient : ClientOutboundInterceptor {
    OfClient(ClientOutboundInterceptor* next, Hooks& hooks)
        : ClientOutboundInterceptor(next), hooks(hooks) {}
    WorkflowHandle<Payload> start_workflow(StartWorkflowInput input) override {
      return hooks.start_workflow ? hooks.start_workflow(next(), std::move(input))
                                  : next().start_workflow(std::move(input));
    }
    Hooks& hooks;
  };
  std::unique_ptr<ClientOutboundInterceptor> intercept_client(
      ClientOutboundInterceptor* next) override {
    return std::make_unique<OfClient>(next, *this);
  }
  std::unique_ptr<ActivityInboundInterceptor> intercept_activity(
      ActivityInboundInterceptor* next) override {
    return std::make_unique<OfActivity>(next, *this);
  }
  std::unique_ptr<WorkflowInboundInterceptor> intercept_workflow(
      WorkflowInboundInterceptor* next) override {
    if (make_workflow) make_workflow();
    return std::make_unique<OfWorkflow>(next, *this);
  }
  std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor* next) override {
    return std::make_unique<OfCalls>(next, *this);
  }
};

class Calls {
 public:
  std::string run() {
    return workflow::execute_activity<kEcho>(
        {.start_to_close_timeout = 30s, .retry_policy = RetryPolicy{.maximum_attempts = 1}}, "hi");
  }
};
const auto kCalls = define_workflow<&Calls::run>("Calls");

class Hooked : public InterceptorTest {
 protected:
  void start() {
    begin(hooks, nullptr);
    worker->add(kCalls).add(kEcho);
    for (const auto& type : more.workflows()) worker->add_workflow_type(type);
    worker->start();
  }
  // Why the last workflow task failed, once one has.
  std::string task_failure(const WorkflowHandle<std::string>& handle) {
    std::string found;
    for (const WorkflowHistoryEvent& event :
         handle.fetch_history_events({.wait_new_event = true})) {
      if (event.type != "EVENT_TYPE_WORKFLOW_TASK_FAILED") continue;
      found = event.json;
      break;
    }
    handle.terminate("seen");
    return found;
  }

  std::shared_ptr<Hooks> hooks = std::make_shared<Hooks>();
  Registry more;
};

TEST_F(Hooked, ALinkMayCallNextAgain) {
  int calls = 0;
  hooks->execute_activity = [&](ActivityInboundInterceptor& next, ExecuteActivityInput input) {
    ++calls;
    next.execute_activity(input);
    return next.execute_activity(input);
  };
  hooks->start_activity = [](WorkflowOutboundInterceptor& next, StartActivityInput input) {
    auto first = next.start_activity(input);
    first.get();
    return next.start_activity(input);
  };
  start();
  EXPECT_EQ(env->client().execute_workflow<kCalls>(options("c")), "hi");
  EXPECT_EQ(calls, 2);
}

TEST_F(Hooked, WhatALinkThrowsIsAsIfTheCallHadThrownIt) {
  hooks->execute_activity = [](ActivityInboundInterceptor&, ExecuteActivityInput) -> Payload {
    throw ApplicationError("not you", {.type = "Refused"});
  };
  start();
  auto handle = env->client().start_workflow<kCalls>(options("c"));
  EXPECT_THAT(handle, FailedWith<ApplicationError>("Refused"));
}

TEST_F(Hooked, WhatAClientsLinkThrowsComesOutOfTheCall) {
  hooks->start_workflow = [](ClientOutboundInterceptor&,
                             StartWorkflowInput) -> WorkflowHandle<Payload> {
    throw std::domain_error("not today");
  };
  start();
  EXPECT_THROW(env->client().start_workflow<kCalls>(options("c")), std::domain_error);
  EXPECT_THROW(env->client().start_workflow_async<kCalls>(options("c")).get(), std::domain_error);
}

TEST_F(Hooked, AResultThatDoesNotFitIsAConversionError) {
  hooks->execute_activity = [](ActivityInboundInterceptor&, ExecuteActivityInput) {
    return make_payload(std::vector<int>{1});
  };
  start();
  EXPECT_THAT(task_failure(env->client().start_workflow<kCalls>(options("c"))),
              HasSubstr("cannot convert a value"));
}

TEST_F(Hooked, AnEmptyHandleFailsTheTaskAndSaysWhose) {
  hooks->start_activity = [](WorkflowOutboundInterceptor&, StartActivityInput) {
    return workflow::ActivityHandle<Payload>(nullptr);
  };
  start();
  EXPECT_THAT(task_failure(env->client().start_workflow<kCalls>(options("c"))),
              HasSubstr("an interceptor's start_activity() returned a handle, which is empty"));
}

TEST_F(Hooked, AFactoryThatThrowsFailsTheTask) {
  std::atomic<int> made{0};
  hooks->make_workflow = [&] {
    if (++made < 3) throw std::runtime_error("no links");
  };
  start();
  auto handle = env->client().start_workflow<kCalls>(options("c"));
  EXPECT_EQ(handle.result(), "hi");  // It is tried again.
  EXPECT_THAT(handle.fetch_history(), HasSubstr("no links"));
}

class Spawns {
 public:
  std::string run() {
    std::vector<int> got(3);
    workflow::TaskGroup group;
    for (int i = 0; i < 3; ++i) group.spawn([&got, i] { got[i] = i + 1; });
    group.join();
    auto task = workflow::spawn([] { return 4; });
    return std::to_string(got[0] + got[1] + got[2] + task.get());
  }
};
const auto kSpawns = define_workflow<&Spawns::run>("Spawns");

TEST_F(Hooked, TasksPassOnceWhateverALinkDoes) {
  hooks->spawn = [](WorkflowOutboundInterceptor& next, SpawnInput input) {
    auto first = next.spawn(input);
    next.spawn(input);  // Its body has run, or will have.
    return first;
  };
  more.add(kSpawns);
  start();
  EXPECT_EQ(env->client().execute_workflow<kSpawns>(options("s")), "10");
}

TEST_F(Hooked, ATaskThatIsNotSpawnedFailsTheTask) {
  hooks->spawn = [](WorkflowOutboundInterceptor&, SpawnInput) {
    return std::shared_ptr<detail::TaskState>();
  };
  more.add(kSpawns);
  start();
  EXPECT_THAT(task_failure(env->client().start_workflow<kSpawns>(options("s"))),
              HasSubstr("an interceptor's spawn() returned a task, which is empty"));
}

class Waits {
 public:
  std::string run() {
    std::string told;
    try {
      wait_within();
    } catch (const ApplicationError& error) {
      told = error.message();
    }
    // What was not entered is not left, either: the workflow's own scope is there as before.
    workflow::sleep(0s);
    return told + ", goes on";
  }

 private:
  static void wait_within() {
    workflow::CancellationScope::with_timeout(1h).run([] { workflow::sleep(1s); });
  }
};
const auto kWaits = define_workflow<&Waits::run>("Waits");

TEST_F(Hooked, AScopeWhoseTimerIsRefusedIsNotEntered) {
  hooks->start_timer = [](WorkflowOutboundInterceptor&, StartTimerInput) -> workflow::TimerHandle {
    throw ApplicationError("no timers");
  };
  more.add(kWaits);
  start();
  EXPECT_EQ(env->client().execute_workflow<kWaits>(options("w")), "no timers, goes on");
}

class Again {
 public:
  std::string run(bool last) {
    if (!last) workflow::continue_as_new<&Again::run>(true);
    return "last";
  }
};
const auto kAgain = define_workflow<&Again::run>("Again");

TEST_F(Hooked, AContinueAsNewThatIsSwallowedFailsTheTask) {
  hooks->continue_as_new = [](WorkflowOutboundInterceptor&, ContinueAsNewInput) {};
  more.add(kAgain);
  start();
  EXPECT_THAT(task_failure(env->client().start_workflow<kAgain>(options("a"), false)),
              HasSubstr("swallowed"));
}

TEST_F(Hooked, ALinkMayChangeTheResultAndLeaveItOut) {
  hooks->execute_workflow = [](WorkflowInboundInterceptor& next, ExecuteWorkflowInput input) {
    return make_payload(from_payload<std::string>(next.execute_workflow(std::move(input))) + "!");
  };
  start();
  EXPECT_EQ(env->client().execute_workflow<kCalls>(options("c")), "hi!");
  hooks->execute_workflow = [](WorkflowInboundInterceptor&, ExecuteWorkflowInput) {
    return Payload{};
  };
  EXPECT_EQ(env->client().execute_workflow<std::optional<std::string>>("Calls", options("d")),
            std::nullopt);
}

TEST_F(Hooked, NullInterceptorsAreRefused) {
  start();
  EXPECT_THROW(Worker(env->client(), {.task_queue = "x", .interceptors = {hooks, nullptr}}),
               std::invalid_argument);
  TestEnvironmentOptions options;
  options.client.interceptors = {nullptr};
  EXPECT_THROW(TestEnvironment{options}, std::invalid_argument);
  EXPECT_THROW(Replayer({.interceptors = {nullptr}}), std::invalid_argument);
}

// --- ActivityEnvironment ---

TEST(ActivityEnvironmentTest, HasInterceptors) {
  Seen seen;
  ActivityEnvironment env;
  env.interceptors = {std::make_shared<Everything>(seen)};
  EXPECT_EQ(env.run<&echo>("hi"), "hi");
  EXPECT_EQ(env.run([](int number) { return number + 1; }, 4), 5);
  EXPECT_THAT(seen.all(),
              ElementsAre("activity echo (none)", "heartbeat 2", "activity unknown (none)"));
  EXPECT_THROW(env.run([](auto number) { return number; }, 4), std::logic_error);
}

}  // namespace
}  // namespace chimera
