#include "chimera/testing/worker.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/testing/mock_calls.h"
#include "sdk-cpp/src/testing/mocking.h"
#include "sdk-cpp/src/worker_options.h"

namespace chimera {

namespace {

// Calls `ring` on a thread of its own after each period, until it answers false or this ends.
class Alarm {
 public:
  Alarm(std::chrono::milliseconds period, std::function<bool()> ring)
      : thread_([this, period, ring = std::move(ring)] { run(period, ring); }) {}
  ~Alarm() { end(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // After the call under way.
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run(std::chrono::milliseconds period, const std::function<bool()>& ring) {
    do {
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, period, [this] { return ended_; })) return;
    } while (ring());
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::thread thread_;  // Last: it uses the others.
};

// At a test's end, of mocks that have not returned: says which, and ends what they wait for.
void let_go(Client& client, const sdk::MockRuns& runs, std::chrono::milliseconds waited) {
  for (const sdk::MockRuns::Open& each : runs.open()) {
    const std::string what = absl::StrCat("the TestWorker ends and waits for ", each.mock,
                                          ", which has not returned for ", waited.count(), " ms");
    if (!each.awaited) {
      sdk::log(sdk::LogLevel::kError,
               absl::StrCat(what, ": nothing can end its code, which must return"));
      continue;
    }
    sdk::log(sdk::LogLevel::kError, absl::StrCat(what, ": it waits for the workflow '",
                                                 each.awaited->id, "', which is terminated"));
    try {
      client.get_workflow_handle<void>(each.awaited->id, each.awaited->run_id)
          .terminate("the test is over, and a mock waits for this");
    } catch (const std::exception& error) {  // It has ended, perhaps.
      sdk::log(sdk::LogLevel::kWarning, error.what());
    }
  }
}

}  // namespace

struct TestWorker::State {
  TestWorkerOptions options;
  // Shared with the runs of the worker.
  std::shared_ptr<sdk::Mocking> mocking = std::make_shared<sdk::Mocking>();
  std::optional<Worker> worker;
  bool stopped = false;
  int last_id = 0;
};

TestWorker::TestWorker(TestEnvironment& env, TestWorkerOptions options)
    : env_(env), state_(std::make_unique<State>()) {
  if (options.worker.task_queue.empty()) options.worker.task_queue = "test";
  if (options.time_limit.count() <= 0)
    throw std::invalid_argument(
        "TestWorkerOptions::time_limit must be more than nothing: a test that may not take any "
        "time fails");
  sdk::check(options.worker);
  // Beyond what a clock can add to the present.
  constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24 * 365 * 100);
  options.time_limit = std::min<std::chrono::milliseconds>(options.time_limit, kLongest);
  state_->options = std::move(options);
  state_->mocking->task_queue = state_->options.worker.task_queue;
  state_->mocking->other_task_queues = state_->options.other_task_queues;
}

TestWorker::~TestWorker() { stop(); }

void TestWorker::stop() {
  state_->stopped = true;
  if (!state_->worker) return;
  constexpr std::chrono::milliseconds kLongest{10000};
  const std::chrono::milliseconds patience = std::min(state_->options.time_limit, kLongest);
  state_->worker->shutdown();
  const Alarm alarm(patience, [&client = env_.client(), &runs = state_->mocking->runs(), patience] {
    let_go(client, runs, patience);
    return true;
  });
  state_->worker.reset();
}

std::shared_ptr<detail::MockCalls> TestWorker::make_calls(Kind kind, std::string name) {
  return std::make_shared<detail::MockCalls>(kind == kActivity ? detail::MockKind::kActivity
                                             : kind == kChildWorkflow
                                                 ? detail::MockKind::kChildWorkflow
                                                 : detail::MockKind::kNexusOperation,
                                             std::move(name));
}

std::string TestWorker::nexus_name(std::string_view service, std::string_view operation) {
  return sdk::Mocking::nexus_name(service, operation);
}

void TestWorker::keep(std::shared_ptr<detail::MockBase> mock) {
  const detail::MockCalls& calls = mock->calls_of();
  if (state_->worker) {
    throw std::logic_error(absl::StrCat(
        calls.described(),
        " comes after the worker has started: mock first, then execute. Answers may be added to a "
        "mock at any time"));
  }
  sdk::Mocking& mocking = *state_->mocking;
  sdk::Known& known = calls.kind() == detail::MockKind::kActivity        ? mocking.activities
                      : calls.kind() == detail::MockKind::kChildWorkflow ? mocking.workflows
                                                                         : mocking.nexus;
  const auto [at, added] = known.mocks.try_emplace(calls.name(), std::move(mock));
  if (!added) {
    throw std::invalid_argument(absl::StrCat(at->second->calls_of().described(),
                                             " is there already: keep what mock_activity(), "
                                             "mock_child_workflow() or mock_nexus_operation() "
                                             "returned, and add answers"));
  }
}

void TestWorker::start() {
  if (state_->worker) throw std::logic_error("the worker has been started already");
  if (state_->stopped) throw std::logic_error("the worker has been stopped");
  sdk::Mocking& mocking = *state_->mocking;
  mocking.rest = [&env = env_](Duration time) { env.rest_activity(time); };
  Worker worker(env_.client(), state_->options.worker);
  for (const auto& type : workflows()) {
    if (type.dynamic) mocking.workflows.dynamic = true;
    if (!type.dynamic) mocking.workflows.added.insert(type.name);
    if (!mocking.workflows.mocks.contains(type.name)) worker.add_workflow_type(type);
  }
  for (const auto& type : activities()) {
    if (type.dynamic) mocking.activities.dynamic = true;
    if (!type.dynamic) mocking.activities.added.insert(type.name);
    if (!mocking.activities.mocks.contains(type.name)) worker.add_activity_type(type);
  }
  for (const auto& type : nexus_services()) {
    mocking.nexus.added.insert(type.name);
    worker.add_nexus_service_type(type);
  }
  for (const auto& [name, mock] : mocking.activities.mocks) {
    worker.add_activity_type({name, [&mocking, calls = &mock->calls_of()](
                                        const PayloadList& arguments, PayloadSink* result) {
                                mocking.answer(*calls, arguments, result);
                              }});
  }
  for (const auto& [name, mock] : mocking.nexus.mocks) {
    worker.add_activity_type(
        {sdk::Mocking::activity_name(name),
         [&mocking, calls = &mock->calls_of()](const PayloadList& arguments, PayloadSink* result) {
           mocking.answer_nexus(*calls, arguments, result);
         }});
  }
  for (const auto& [name, mock] : mocking.workflows.mocks) {  // Mocking runs them.
    worker.add_workflow_type({.name = name,
                              .create = [](const PayloadList&) -> std::shared_ptr<void> {
                                return std::make_shared<int>();
                              },
                              .run = [](void*, const PayloadList&, PayloadSink*) {}});
  }
  worker.intercept(state_->mocking);
  worker.start();
  close(true);
  state_->worker.emplace(std::move(worker));
}

void TestWorker::must_have(std::string_view workflow_type) {
  for (const auto& type : workflows()) {
    if (type.name != workflow_type && !type.dynamic) continue;
    if (!state_->worker) start();
    return;
  }
  throw std::invalid_argument(absl::StrCat(
      "the workflow '", std::string(workflow_type),
      "' was not added to this TestWorker, so that nobody would run it; it has: ",
      absl::StrJoin(workflows(), ", ", [](std::string* out, const detail::WorkflowType& each) {
        absl::StrAppend(out, "'", each.name, "'");
      })));
}

WorkflowOptions TestWorker::options(std::string id) {
  if (id.empty()) id = absl::StrCat("test-", ++state_->last_id);
  return {.id = std::move(id), .task_queue = state_->options.worker.task_queue};
}

std::string TestWorker::unmet() const {
  std::vector<std::string> lines = state_->mocking->problems();
  for (const sdk::Known* known :
       {&state_->mocking->activities, &state_->mocking->workflows, &state_->mocking->nexus}) {
    for (const auto& [name, mock] : known->mocks) {
      if (std::string line = mock->unmet(); !line.empty()) lines.push_back(std::move(line));
    }
  }
  return absl::StrJoin(lines, "\n");
}

// A thread that ends the workflow when time is over, so that who waits for its result gets one.
struct TestWorker::TimeLimit::Watch {
  Watch(Client& client, std::string id, std::chrono::milliseconds time)
      : alarm(time, [this, client, id = std::move(id), time]() mutable {
          end_workflow(client, id, time);
          return false;
        }) {}

  void end_workflow(Client& client, const std::string& id, std::chrono::milliseconds time) {
    report = absl::StrCat("the workflow did not end within ", time.count(),
                          " ms of the machine's time (TestWorkerOptions::time_limit).\n");
    try {
      report += describe_for_test(client, id);
      client.get_workflow_handle<void>(id).terminate("the test's time is over");
    } catch (const std::exception& error) {  // It has ended at last, or the server is gone.
      absl::StrAppend(&report, error.what());
    }
  }

  std::string report;  // Of the alarm's thread, until that has ended.
  Alarm alarm;         // Last: it uses the others.
};

TestWorker::TimeLimit::TimeLimit(TestWorker& worker, std::string workflow_id)
    : watch_(std::make_unique<Watch>(worker.env_.client(), std::move(workflow_id),
                                     worker.state_->options.time_limit)) {}
TestWorker::TimeLimit::~TimeLimit() = default;

void TestWorker::TimeLimit::throw_if_over() const {
  watch_->alarm.end();
  if (!watch_->report.empty()) throw TestTimeoutError(watch_->report);
}

}  // namespace chimera
