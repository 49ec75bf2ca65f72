// Conditions, what tasks of one run wait for as functions that say whether it holds. Each is asked
// whenever something has happened to the run, in order of creation. Belongs to the run's lane.
#ifndef CHIMERA_SDK_CPP_SRC_CONDITIONS_H_
#define CHIMERA_SDK_CPP_SRC_CONDITIONS_H_

#include <exception>
#include <functional>
#include <list>

#include "absl/functional/function_ref.h"

#include "sdk-cpp/src/run.h"
#include "sdk-cpp/src/workflow_state.h"

namespace chimera::sdk {

struct Condition {
  const std::function<bool()>* holds;
  detail::TaskState* task;
  bool satisfied = false;
  std::exception_ptr error = nullptr;
};

class Conditions {
 public:
  explicit Conditions(Run& run) : run_(run) {}
  bool empty() const { return conditions_.empty(); }
  void clear() { conditions_.clear(); }
  void add(Condition& condition) { conditions_.push_back(&condition); }
  void remove(Condition& condition) { conditions_.remove(&condition); }
  // Asks one, which may not change anything.
  bool ask(const std::function<bool()>& condition);
  // Asks them all, so that every one sees the same state; takes those out that hold or throw, and
  // gives out their tasks. Whether there were any.
  bool ask_all(absl::FunctionRef<void(detail::TaskState&)> wake);

 private:
  Run& run_;
  std::list<Condition*> conditions_;  // Each on the stack of the fiber that waits.
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CONDITIONS_H_
