// RunPort, what a machine may know of its run and do to it, and no more; and MachineBase, what the
// run keeps of each machine. Lane thread.
#ifndef CHIMERA_CORE_MACHINES_PORT_H_
#define CHIMERA_CORE_MACHINES_PORT_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"

#include "core/history/events.h"
#include "core/language/activation.h"
#include "core/language/commands.h"
#include "core/language/language.h"
#include "core/machines/dialect.h"
#include "core/machines/flags.h"
#include "core/machines/local_marker.h"
#include "core/machines/outgoing.h"

namespace chimera::core {

using ApiCommand = api::command::v1::Command;

// Filled in by the run when it makes a machine; `began` when history confirms its first command.
struct MachineBase {
  MachineKind kind{};
  std::uint32_t seq = 0;   // The language's number, or from kOwnSeq on one of the core's.
  std::int64_t began = 0;  // The event that its later events refer to; 0: none yet.
};
// The language numbers its commands from 1 up.
inline constexpr std::uint32_t kOwnSeq = 0x80000000u;

// An event that goes on with what a machine began, and which event began it.
struct LaterEvent {
  EventType type;
  std::int64_t (*began)(const HistoryEvent& event);
  bool ends = true;  // Nothing of the machine comes after it.
};

class RunPort {
 public:
  explicit RunPort(Outgoing& outgoing) : outgoing_(outgoing) {}
  virtual const RunContext& context() const = 0;
  // Commands will be sent. False while replaying: then they only meet their events.
  virtual bool live() const = 0;
  // Whether a rule of the core holds for this run.
  virtual bool use(CoreFlag flag) = 0;
  // How the SDK writes that began the run.
  virtual Dialect& dialect() = 0;

  // A command of the machine's, at the end of what the task commands. `command` is null where
  // nothing is sent; see make().
  virtual void send(const MachineBase& machine, EventType confirmed_by, CommandPtr command) = 0;
  // Takes the machine's commands back that are not sent yet.
  virtual void take_back(const MachineBase& machine) = 0;
  // Which event the next command's will be, if nothing is taken back.
  virtual std::int64_t next_command_event_id() const = 0;
  // A command of the core's own, as if the language had issued it after the one under way.
  virtual void issue(CommandVariant command) = 0;
  // A job for the next activation.
  virtual void tell(Job job) = 0;
  // The machine ends before what it began does: its later events say nothing.
  virtual void swallow(const MachineBase& machine) = 0;
  // Work in this worker for a machine: holds the task open until executed(). stop() ends it from
  // outside; how it ended comes back later.
  virtual void execute(const MachineBase& machine,
                       std::shared_ptr<const ScheduleLocalActivity> activity) = 0;
  virtual void executed() = 0;
  virtual void stop(const MachineBase& machine) = 0;
  // Replaying: the marker in the task to come that says that nobody waited for this one's end.
  virtual std::optional<LocalMarker> take_cancelled_ahead(const MachineBase& machine) = 0;
  // Workflow time, and what moves it beside the tasks: never back.
  virtual base::WallTime time() const = 0;
  virtual void reach(base::WallTime time) = 0;
  // How many activations the task has had so far, without queries.
  virtual std::uint32_t activations() const = 0;
  // Of what a job points to: lives as long as its activation.
  virtual void keep(std::shared_ptr<const void> owner) = 0;

  // The report that history and code disagree about `event`.
  virtual absl::Status disagree(const HistoryEvent& event, const std::string& what) const = 0;

  // The command for the server with the language's metadata; null while not live.
  CommandPtr make(api::enums::v1::CommandType type, Command& whole) const {
    return live() ? filled_in(CommandPtr(new ApiCommand), type, whole) : nullptr;
  }
  // The same for a marker, on the request's arena.
  CommandPtr make_marker(Command& whole) {
    if (!live()) return nullptr;
    google::protobuf::Arena* const arena = &outgoing_.arena();
    return filled_in(CommandPtr(google::protobuf::Arena::CreateMessage<ApiCommand>(arena)),
                     api::enums::v1::COMMAND_TYPE_RECORD_MARKER, whole);
  }

 protected:
  ~RunPort() = default;

 private:
  static CommandPtr filled_in(CommandPtr command, api::enums::v1::CommandType type,
                              Command& whole) {
    command->set_command_type(type);
    if (whole.user_metadata) command->set_allocated_user_metadata(whole.user_metadata.release());
    for (auto& marker : whole.event_group_markers)
      *command->add_event_group_markers() = std::move(marker);
    return command;
  }

  Outgoing& outgoing_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_MACHINES_PORT_H_
