// Mocking, the interceptor of a TestWorker: it runs mocks in place of children, sends calls that
// are mocked to the test's own worker, and lets nothing out that would make a test hang.
#ifndef CHIMERA_SDK_CPP_SRC_TESTING_MOCKING_H_
#define CHIMERA_SDK_CPP_SRC_TESTING_MOCKING_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "sdk-cpp/src/interceptors.h"
#include "sdk-cpp/src/testing/mock_calls.h"
#include "sdk-cpp/src/testing/mock_runs.h"

namespace chimera::sdk {

// Of one kind, such as activities: what there is. Fixed once the worker runs.
struct Known {
  std::set<std::string, std::less<>> added;
  bool dynamic = false;  // One for all other names was added.
  std::map<std::string, std::shared_ptr<detail::MockBase>, std::less<>> mocks;
};

class Mocking final : public WorkerInterceptor {
 public:
  // Before the worker runs:
  Known activities, workflows;
  Known nexus;  // By service, and by service/operation.
  std::string task_queue;
  std::vector<std::string> other_task_queues;
  // Blocks an activity while so much of the environment's time passes, or until it is told to end.
  std::function<void(Duration)> rest;

  std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) override;
  std::unique_ptr<WorkflowInbound> link(WorkflowInbound* next) override;

  static std::string nexus_name(std::string_view service, std::string_view operation);
  // Of the activity that answers for a mocked Nexus operation.
  static std::string activity_name(std::string_view nexus_name);

  // Any thread. The answer to take, or kNoAnswer; refuse() then throws. answer() is all of it.
  static constexpr int kNoAnswer = -1;
  int take(detail::MockCalls& calls, const PayloadList& arguments);
  [[noreturn]] void refuse(const detail::MockCalls& calls);
  void answer(detail::MockCalls& calls, const PayloadList& arguments, PayloadSink* result);
  // The same where an activity stands in for a Nexus operation.
  void answer_nexus(detail::MockCalls& calls, const PayloadList& arguments, PayloadSink* result);
  // What the test is to be told of.
  void note(std::string problem);
  const MockRuns& runs() const { return runs_; }
  std::vector<std::string> problems() const;

 private:
  MockRuns runs_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_TESTING_MOCKING_H_
