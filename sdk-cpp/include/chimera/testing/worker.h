// TestWorker, a worker in a TestEnvironment that runs the workflows under test, with mocks in place
// of the activities, children and Nexus operations that they call.
//
//   chimera::TestEnvironment env;
//   chimera::TestWorker worker(env);
//   worker.add(kOrder);
//   auto& charge = worker.mock_activity<&charge_card>().returns("receipt-7");
//   EXPECT_EQ(worker.execute_workflow<kOrder>(Order{.cents = 500}), "paid: receipt-7");
//   EXPECT_EQ(charge.times_called(), 1);
#ifndef CHIMERA_TESTING_WORKER_H_
#define CHIMERA_TESTING_WORKER_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/client.h"
#include "chimera/definition.h"
#include "chimera/nexus_operation.h"
#include "chimera/testing/environment.h"
#include "chimera/testing/mock.h"
#include "chimera/worker.h"

namespace chimera {

// The workflow did not end within the test's time. what() has the end of its history, what it waits
// for, and why its last task failed if it did.
class TestTimeoutError : public TemporalError {
 public:
  explicit TestTimeoutError(std::string what) : TemporalError(std::move(what)) {}
};

struct TestWorkerOptions {
  WorkerOptions worker = {.task_queue = "test"};
  // How long execute_workflow() and result() may take by the machine's clock. Then the workflow is
  // terminated.
  std::chrono::milliseconds time_limit{10000};
  // That other workers of the test serve. Calls to any other queue need a mock.
  std::vector<std::string> other_task_queues = {};
};

// Add and mock, then execute: the first start takes what is there. A mock replaces what is added
// under its name. What would let a test hang fails the workflow with an ApplicationError instead,
// and is told by unmet():
//   "UnexpectedCall"    of an activity, child or Nexus service that is neither added nor mocked;
//   "UnexpectedError"   that leaves workflow code and would have its task tried again and again.
// One thread uses a TestWorker. It must be destroyed before its environment.
class TestWorker : public Registry {
 public:
  explicit TestWorker(TestEnvironment& env, TestWorkerOptions options = {});
  ~TestWorker();  // As stop().
  TestWorker(const TestWorker&) = delete;
  TestWorker& operator=(const TestWorker&) = delete;

  // --- Mocks: of local activities, too. Throw std::logic_error once the worker has started, and
  // std::invalid_argument for a name that is mocked already. ---

  template <auto F, class = decltype(F)>
    requires detail::FunctionPointer<F>
  auto& mock_activity() {
    return add_mock<detail::MockOf<F>>(kActivity, std::string(detail::activity_name<F>()));
  }
  template <const auto& Definition>
    requires detail::DefinesActivity<Definition>
  auto& mock_activity() {
    return add_mock<detail::MockOf<detail::kActivityOf<Definition>>>(
        kActivity, std::string(Definition.name()));
  }
  // By name: mock_activity<std::string(Order)>("charge_card").
  template <class Signature>
  Mock<Signature>& mock_activity(std::string name) {
    return add_mock<Mock<Signature>>(kActivity, std::move(name));
  }
  template <auto Run, class = decltype(Run)>
    requires detail::FunctionPointer<Run>
  auto& mock_child_workflow() {
    return add_mock<detail::MockOf<Run>>(kChildWorkflow, std::string(detail::workflow_name<Run>()));
  }
  template <const auto& Definition>
    requires detail::DefinesWorkflow<Definition>
  auto& mock_child_workflow() {
    return add_mock<detail::MockOf<detail::kRunOf<Definition>>>(kChildWorkflow,
                                                                std::string(Definition.name()));
  }
  template <class Signature>
  Mock<Signature>& mock_child_workflow(std::string name) {
    return add_mock<Mock<Signature>>(kChildWorkflow, std::move(name));
  }

  // At whatever endpoint: mock_nexus_operation<&Payments::charge>(). The answer is given where an
  // activity would be, on another thread; what it throws is the cause of a NexusOperationError.
  template <auto Operation, class = decltype(Operation)>
    requires detail::NexusOperationMember<Operation>
  auto& mock_nexus_operation() {
    using Member = detail::NexusMemberOf<Operation>;
    using MockType =
        typename detail::MockTypeOf<typename Member::Output, typename Member::Arguments>::Type;
    return add_mock<MockType>(kNexusOperation,
                              nexus_name(detail::nexus_service_name<typename Member::Contract>(),
                                         detail::nexus_operation_name<Operation>()));
  }
  // By name: mock_nexus_operation<Receipt(Charge)>("Payments/charge").
  template <class Signature>
  Mock<Signature>& mock_nexus_operation(std::string name) {
    return add_mock<Mock<Signature>>(kNexusOperation, std::move(name));
  }

  // --- Running; both start the worker if it has not been started. The workflow must have been
  // added: std::invalid_argument. ---

  // Under an id that is made up; options() is for those who want another.
  template <auto Run, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto start_workflow(const A&... arguments) {
    must_have(detail::workflow_name<Run>());
    return env_.client().start_workflow<Run>(options(), arguments...);
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto start_workflow(const A&... arguments) {
    must_have(Definition.name());
    return env_.client().start_workflow<Definition>(options(), arguments...);
  }
  template <auto Run, class = decltype(Run), class... A>
    requires detail::FunctionPointer<Run>
  auto execute_workflow(const A&... arguments) {
    return result(start_workflow<Run>(arguments...));
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesWorkflow<Definition>
  auto execute_workflow(const A&... arguments) {
    return result(start_workflow<Definition>(arguments...));
  }
  // handle.result() within the time limit. Throws TestTimeoutError beside what that throws.
  template <class R>
  R result(const WorkflowHandle<R>& handle) {
    const TimeLimit limit(*this, handle.id());
    try {
      return handle.result();
    } catch (const WorkflowFailureError&) {
      limit.throw_if_over();
      throw;
    }
  }

  // For env.client(): this worker's task queue, and an id, a new one when it is empty.
  WorkflowOptions options(std::string id = "");
  void start();

  // Ends the worker, and waits until what it runs has ended: from then on nothing uses what its
  // activities and mocks do. Again: no effect.
  void stop();

  // What the test should not leave unseen, in lines: unexpected calls and errors, mocks that were
  // never called, answers with times() that are left. Empty when there is nothing.
  std::string unmet() const;

 private:
  enum Kind { kActivity, kChildWorkflow, kNexusOperation };
  struct State;

  class TimeLimit {
   public:
    TimeLimit(TestWorker& worker, std::string workflow_id);
    ~TimeLimit();
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;
    void throw_if_over() const;

   private:
    struct Watch;
    const std::unique_ptr<Watch> watch_;
  };

  template <class MockType>
  MockType& add_mock(Kind kind, std::string name) {
    auto mock = std::make_shared<MockType>(make_calls(kind, std::move(name)));
    keep(mock);
    return *mock;
  }
  static std::string nexus_name(std::string_view service, std::string_view operation);
  std::shared_ptr<detail::MockCalls> make_calls(Kind kind, std::string name);
  void keep(std::shared_ptr<detail::MockBase> mock);
  void must_have(std::string_view workflow_type);

  TestEnvironment& env_;
  const std::unique_ptr<State> state_;
};

// What a workflow has done last and what it waits for, as TestTimeoutError says it: its status, its
// last events, its open activities and children, its open workflow task.
std::string describe_for_test(const Client& client, const std::string& workflow_id);

}  // namespace chimera

#endif  // CHIMERA_TESTING_WORKER_H_
