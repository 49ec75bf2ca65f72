// MockCalls, a mock without its types: the answers that it has left, and what it was asked. Any
// thread.
#ifndef CHIMERA_SDK_CPP_SRC_TESTING_MOCK_CALLS_H_
#define CHIMERA_SDK_CPP_SRC_TESTING_MOCK_CALLS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

#include "chimera/testing/mock.h"

namespace chimera::detail {

enum class MockKind { kActivity, kChildWorkflow, kNexusOperation };

class MockCalls {
 public:
  using Answer = std::function<void(const PayloadList&, PayloadSink*)>;

  MockCalls(MockKind kind, std::string name) : kind_(kind), name_(std::move(name)) {}
  MockKind kind() const { return kind_; }
  const std::string& name() const { return name_; }
  std::string described() const;  // "the activity 'charge_card'"

  void add(Answer answer);
  // Throw std::logic_error when there is no answer yet, or for what no answer can be.
  void limit_last(int times);
  void delay_last(Duration time);

  // Notes the call, and takes the next answer if there is one; no_answer() says why there is none.
  std::optional<int> take(const PayloadList& arguments);
  std::string no_answer() const;
  // How long the call is to take before that answer is given.
  Duration delay(int answer) const;
  void give(int answer, const PayloadList& arguments, PayloadSink* result) const;

  int times_called() const;
  std::vector<Payload> called_with(std::size_t call) const;
  std::string unmet() const;

 private:
  struct Planned {
    Answer answer;
    std::optional<int> times = {};
    int given = 0;
    Duration delay{};
    bool left() const { return !times || given < *times; }
  };
  Planned& last(const char* call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const MockKind kind_;
  const std::string name_;
  mutable absl::Mutex mutex_;
  std::vector<Planned> planned_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<Payload>> called_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace chimera::detail

#endif  // CHIMERA_SDK_CPP_SRC_TESTING_MOCK_CALLS_H_
