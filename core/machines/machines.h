// The machines that the language numbers, in one list: all that a run knows of them. A new kind is
// its own file and one entry here.
#ifndef CHIMERA_CORE_MACHINES_MACHINES_H_
#define CHIMERA_CORE_MACHINES_MACHINES_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/machines/activity.h"
#include "core/machines/cancel_external.h"
#include "core/machines/child_workflow.h"
#include "core/machines/local_activity.h"
#include "core/machines/nexus_operation.h"
#include "core/machines/signal_external.h"
#include "core/machines/timer.h"

namespace chimera::core {

using Machine =
    std::variant<TimerMachine, ActivityMachine, ChildWorkflowMachine, SignalExternalMachine,
                 CancelExternalMachine, LocalActivityMachine, NexusOperationMachine>;

namespace machines_internal {

template <class M, class Command>
constexpr bool cancels() {
  if constexpr (requires { typename M::Cancels; })
    return std::is_same_v<typename M::Cancels, Command>;
  return false;
}

template <class Command, class... Ms>
constexpr int beginner(const std::variant<Ms...>*) {
  int found = -1, index = 0;
  ((std::is_same_v<typename Ms::Begins, Command> ? void(found = index++) : void(index++)), ...);
  return found;
}
template <class Command, class... Ms>
constexpr int canceller(const std::variant<Ms...>*) {
  int found = -1, index = 0;
  ((cancels<Ms, Command>() ? void(found = index++) : void(index++)), ...);
  return found;
}

}  // namespace machines_internal

// Which kind a command begins or cancels, as an index of Machine; -1: none.
template <class Command>
inline constexpr int kBegins =
    machines_internal::beginner<Command>(static_cast<const Machine*>(nullptr));
template <class Command>
inline constexpr int kCancels =
    machines_internal::canceller<Command>(static_cast<const Machine*>(nullptr));

constexpr MachineKind kind_of(int index) {
  return static_cast<MachineKind>(static_cast<int>(MachineKind::kNumbered) + index);
}

// Of an event that goes on with what a machine began; null for any other event.
const LaterEvent* later_event(EventType type);

inline MachineBase& base_of(Machine& machine) {
  return std::visit([](auto& one) -> MachineBase& { return one; }, machine);
}

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_MACHINES_H_
