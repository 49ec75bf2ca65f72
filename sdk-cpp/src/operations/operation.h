// Operation, something that a workflow waits for: it has a number, can be asked to end, and is
// resolved once. The scheduler knows no more of it; each kind has a file of its own beside this
// one, with what issues its command and what its jobs do. All of it belongs to the run's lane.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATION_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATION_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/workflow.h"
#include "core/base/api.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/run.h"

namespace chimera::detail {

class Operation : public Waitable {
 public:
  Operation() : Waitable("handle") {}
  bool ready() const override { return done; }
  // Issues the command that asks for its end. What follows depends on its cancellation type, which
  // the core knows.
  virtual void ask_to_end(sdk::Run& run) {}
  // Whether a waiter that is cancelled goes on without waiting for that end.
  virtual bool leaves_at_once() const { return false; }

  // For its values; null: it has none.
  const sdk::Codec* codec = nullptr;
  std::uint32_t seq = 0;
  bool done = false;
  bool cancel_sent = false;
  std::optional<api::common::v1::Payload> result;
  std::shared_ptr<const FailureError> failure;
  std::function<void()> on_done;
};

}  // namespace chimera::detail

namespace chimera::sdk {

using detail::Operation;
using detail::OperationPtr;

// On the code's own stack: what it throws may come out of a failure converter.
inline void throw_if_failed(const Operation& operation) {
  if (operation.failure == nullptr) return;
  if (operation.codec == nullptr) operation.failure->raise();
  throw_failure(*operation.failure, *operation.codec);
}

// A handle that was moved from, or a Task that was never started.
template <class T>
void require(const std::shared_ptr<T>& state, const char* what) {
  if (state != nullptr) return;
  throw std::logic_error(
      absl::StrCat("this ", what, " is empty: it was made by its default, or moved from"));
}

// The operations of one kind that are under way, by number.
template <class Kind>
class Pending {
 public:
  // Gives it the next number.
  void add(const std::shared_ptr<Kind>& operation) {
    operation->seq = ++last_;
    operations_.emplace(operation->seq, operation);
  }
  // Null if there is none.
  std::shared_ptr<Kind> take(std::uint32_t seq) {
    const auto found = operations_.find(seq);
    if (found == operations_.end()) return nullptr;
    std::shared_ptr<Kind> operation = std::move(found->second);
    operations_.erase(found);
    return operation;
  }
  // As take(), for a number that must be there.
  std::shared_ptr<Kind> take(std::uint32_t seq, const char* kind, Run& run) {
    std::shared_ptr<Kind> operation = take(seq);
    if (operation == nullptr) {
      run.set_task_error(absl::StrCat("a result arrived for ", kind, " ", seq, ", which ",
                                      run.owner, " does not wait for"));
    }
    return operation;
  }

 private:
  std::map<std::uint32_t, std::shared_ptr<Kind>> operations_;
  std::uint32_t last_ = 0;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_OPERATION_H_
