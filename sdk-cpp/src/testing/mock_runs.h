// MockRuns, the mocks of activities whose code runs now, and the workflows that they wait for: what
// may hold up the end of a TestWorker. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_TESTING_MOCK_RUNS_H_
#define CHIMERA_SDK_CPP_SRC_TESTING_MOCK_RUNS_H_

#include <list>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "chimera/client.h"

namespace chimera::sdk {

class MockRuns {
 public:
  struct Open {
    std::string mock;  // "the mock of the activity 'charge_card'"
    std::optional<detail::Target> awaited;
  };
  std::vector<Open> open() const;

 private:
  friend class MockRun;
  friend class AwaitedByMock;
  mutable absl::Mutex mutex_;
  std::list<Open> open_ ABSL_GUARDED_BY(mutex_);
};

// The code of a mock runs on this thread while it lives.
class MockRun {
 public:
  MockRun(MockRuns& runs, std::string mock);
  ~MockRun();
  MockRun(const MockRun&) = delete;
  MockRun& operator=(const MockRun&) = delete;

 private:
  friend class AwaitedByMock;
  MockRuns& runs_;
  std::list<MockRuns::Open>::iterator place_;
  MockRun* const outer_;
};

// This thread waits for the workflow while it lives. Of no effect where no mock runs.
class AwaitedByMock {
 public:
  explicit AwaitedByMock(const detail::Target& target);
  ~AwaitedByMock();
  AwaitedByMock(const AwaitedByMock&) = delete;
  AwaitedByMock& operator=(const AwaitedByMock&) = delete;

 private:
  MockRun* const run_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_TESTING_MOCK_RUNS_H_
