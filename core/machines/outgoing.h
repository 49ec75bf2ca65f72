// Outgoing, the commands of a run in order: first waiting to be sent, then for the events that
// confirm them. Owned by the run; lane thread.
#ifndef CHIMERA_CORE_MACHINES_OUTGOING_H_
#define CHIMERA_CORE_MACHINES_OUTGOING_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "google/protobuf/arena.h"

#include "core/base/api.h"

namespace chimera::core {

struct Command;  // core/language/commands.h

// Whose a command is. Kinds that the language numbers come after these, in the order of
// machines.h.
enum class MachineKind : std::uint8_t {
  kUpdate,  // Named by its protocol instance.
  // One step, command to event: the entry is the machine.
  kPatch,
  kVersion,
  kSideEffect,
  kMutableSideEffect,
  kSearchAttributes,
  kMemo,
  kEnd,
  kNumbered,
};

// A command on its way. It may live on the arena of the request that it will be in.
struct FreeUnlessOnArena {
  void operator()(api::command::v1::Command* command) const {
    if (command->GetArena() == nullptr) delete command;
  }
};
using CommandPtr = std::unique_ptr<api::command::v1::Command, FreeUnlessOnArena>;

struct OutgoingCommand {
  MachineKind kind;
  api::enums::v1::EventType confirmed_by;
  std::uint32_t seq = 0;  // Of the machine, for kinds that the language numbers.
  std::string id;         // Of the update, patch, version or side effect.
  bool sent = false;
  // Cancelled before it was sent.
  bool dropped = false;
  // Null while replaying, where nothing is sent, and after sending.
  CommandPtr command;
  // What the language said, while replaying; borrowed from RunData::issued. Null: not known.
  const Command* issued = nullptr;
};

class Outgoing {
 public:
  OutgoingCommand& push(OutgoingCommand command) {
    compact();
    command.issued = issued_;
    return commands_.emplace_back(std::move(command));
  }
  // What the language's command makes from now on; null: the core's own.
  void issuing(const Command* issued) { issued_ = issued; }
  // The next command that history must confirm, or null.
  OutgoingCommand* front() {
    while (head_ < commands_.size() && commands_[head_].dropped) ++head_;
    return head_ < commands_.size() ? &commands_[head_] : nullptr;
  }
  void pop() {
    ++head_;
    ++matched_;
  }
  // All that history has still to confirm, in order.
  std::vector<const OutgoingCommand*> waiting() const;
  // Takes back the command of a machine that no longer wants it.
  void drop(MachineKind kind, std::uint32_t seq);
  // Puts the workflow's end behind the commands that were issued after it.
  void terminal_last();
  // Of the next request. What is built of many small parts belongs there; values that move in are
  // copied, so large ones do not.
  google::protobuf::Arena& arena();
  // A request with what is not sent yet, in order; on that arena, if something is.
  std::shared_ptr<api::workflowservice::v1::RespondWorkflowTaskCompletedRequest> send();

  // How many commands were made since the last were sent, with those that were taken back.
  std::size_t unsent() const;

  void begin_task() { matched_ = 0; }
  // How many commands of the current task history has confirmed.
  int matched() const { return matched_; }
  std::size_t memory_bytes() const { return commands_.capacity() * sizeof(OutgoingCommand); }

 private:
  void compact();

  std::shared_ptr<google::protobuf::Arena> arena_;  // Null where nothing is on it.
  std::vector<OutgoingCommand> commands_;
  std::size_t head_ = 0;
  int matched_ = 0;
  const Command* issued_ = nullptr;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_OUTGOING_H_
