// SlotSupplier, who decides how many tasks of one kind a worker takes on. A permit is held from
// before the poll until the task has been answered. Any thread.
#ifndef CHIMERA_CORE_BASE_SLOT_SUPPLIER_H_
#define CHIMERA_CORE_BASE_SLOT_SUPPLIER_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/any_invocable.h"

namespace chimera::base {

// What a slot is wanted for, as far as it is known when it is asked for: of a poll, the queue; of a
// local or eager activity, its type, too.
struct SlotRequest {
  bool sticky = false;
  const std::string* activity_type = nullptr;
};

// What a task that came for a slot is.
struct SlotUse {
  std::string_view type;  // Of its workflow or activity; the service of a Nexus task.
  bool sticky = false;
  std::string_view operation = {};  // Of a Nexus task.
};

struct SlotUsage {
  int used = 0;
  int available = 0;  // -1: nobody knows.
  const char* kind = "";
};

class SlotSupplier {
 public:
  using Permit = std::shared_ptr<void>;  // Dropping it gives the slot back.

  virtual ~SlotSupplier() = default;
  // Null when there is none now.
  virtual Permit try_take(const SlotRequest& request) = 0;
  // Runs `use` with a permit: at once, or on the thread that frees one, in order of asking.
  virtual void when_free(const SlotRequest& request, absl::AnyInvocable<void(Permit) &&> use) = 0;
  // A task has come for the permit. Called by the task, at most once at a time for a permit.
  virtual void use(const Permit& /*permit*/, const SlotUse& /*use*/) {}
  // Drops whoever waits; their `use` never runs.
  virtual void stop_waiting() = 0;
  // At most so many at a time; what polls divide among themselves.
  virtual int count() const = 0;
  virtual SlotUsage usage() const = 0;
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_SLOT_SUPPLIER_H_
