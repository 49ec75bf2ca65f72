// SlotSupplier, your own rule for how many tasks of one kind a worker takes on: limits per type of
// activity, shares among workers of a process, a pool of licences.
//
//   class Licences : public chimera::SlotSupplier { ... };
//   options.activity_slots = std::make_shared<Licences>();
#ifndef CHIMERA_SLOTS_H_
#define CHIMERA_SLOTS_H_

#include <functional>
#include <memory>
#include <string>

namespace chimera {

enum class SlotKind { kWorkflow, kActivity, kLocalActivity, kNexus };

// What a slot is wanted for, and by whom.
struct SlotContext {
  SlotKind kind = SlotKind::kWorkflow;
  std::string task_queue;
  std::string worker_identity;
  std::string build_id;
  std::string deployment_name;  // Empty: the worker is of none.
  bool sticky = false;          // Of a workflow task: for runs in this worker's cache.
  // Of a local or an eager activity. A slot for a poll is reserved before its task is known.
  std::string activity_type;
};

// The task that came for a slot.
struct SlotUse {
  SlotKind kind = SlotKind::kWorkflow;
  std::string type;  // Of its workflow or activity; the service of a Nexus task.
  bool sticky = false;
  std::string operation = {};  // Of a Nexus task.
};

// What a supplier gives, with whatever it wants to find again at the release. Not null.
using SlotPermit = std::shared_ptr<void>;

// Someone who waits for a slot. Copies are the same one. Any thread. When the last copy goes
// without a grant, the supplier is asked again in a second.
class SlotReservation {
 public:
  // The slot is taken, and will be released. False if the worker does not want it any more: then
  // it was not taken. May begin a task before it returns, so hold no lock that `release` needs.
  bool grant(SlotPermit permit) const;
  // Runs once if the worker ends before the grant; at once if it has. It must not hold a copy of
  // the reservation, which would then never go.
  void on_cancel(std::function<void()> run) const;

 private:
  friend class SlotReservationAccess;
  struct State;
  explicit SlotReservation(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// May be shared by workers and by kinds of tasks. Its functions are called on any thread, several
// at a time, and on threads that run other tasks' code: they must not wait. What they throw is
// logged; a reservation that throws is tried again in a second.
class SlotSupplier {
 public:
  virtual ~SlotSupplier() = default;
  // Grants it now, or keeps it and grants it later, from any thread.
  virtual void reserve(const SlotContext& context, SlotReservation reservation) = 0;
  // Null when there is no slot now: for eager activities, and local ones before they wait.
  virtual SlotPermit try_reserve(const SlotContext& context) = 0;
  // A task has come for the slot.
  virtual void mark_used(const SlotUse& /*use*/, const SlotPermit& /*permit*/) {}
  // Once for each permit that was taken. `use`: null if no task came for it (an empty poll).
  virtual void release(const SlotUse* use, const SlotPermit& permit) = 0;
};

}  // namespace chimera

#endif  // CHIMERA_SLOTS_H_
