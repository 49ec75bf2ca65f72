// SerializationContext, whose value it is that a converter, codec or storage has before it.
#ifndef CHIMERA_SERIALIZATION_CONTEXT_H_
#define CHIMERA_SERIALIZATION_CONTEXT_H_

#include <optional>
#include <string>

namespace chimera {

struct ActivitySerializationContext {
  // Of the values that whoever schedules it writes, the id is empty where the SDK makes it.
  std::string activity_id = {}, activity_type = {}, task_queue = {};
  bool is_local = false;
  bool operator==(const ActivitySerializationContext&) const = default;
};

struct NexusSerializationContext {
  std::string endpoint = {}, service = {}, operation = {};
  bool operator==(const NexusSerializationContext&) const = default;
};

// As in the official SDKs: what a workflow gives to an activity and gets from it is the activity's,
// what it gives to another workflow is that one's, and all else its own. Values of a Nexus
// operation are the operation's alone: caller and handler share neither namespace nor workflow.
struct SerializationContext {
  std::string namespace_ = {};
  std::string workflow_id = {};    // Empty where nobody knows: lists, tokens of activities.
  std::string workflow_type = {};  // Of an activity's values; empty otherwise.
  std::optional<ActivitySerializationContext> activity = {};
  std::optional<NexusSerializationContext> nexus = {};
  bool operator==(const SerializationContext&) const = default;
};

// Of the value that is being converted on this thread, for a type's own conversion and a failure
// converter; null outside of those, and where there is none. Borrowed, for as long as that lasts.
const SerializationContext* serialization_context();

namespace detail {

class ClientState;

// As long as it lives, this thread converts the values of the run or activity whose code it runs.
class OwnValues {
 public:
  OwnValues();
  ~OwnValues();
  OwnValues(const OwnValues&) = delete;
  OwnValues& operator=(const OwnValues&) = delete;

 private:
  const void* const before_;
};

// The same for those of a client's workflow, whose id is borrowed.
class WorkflowValues {
 public:
  WorkflowValues(const ClientState& client, const std::string& workflow_id);
  ~WorkflowValues();
  WorkflowValues(const WorkflowValues&) = delete;
  WorkflowValues& operator=(const WorkflowValues&) = delete;

 private:
  const void* const context_;
  const void* const before_;
};

}  // namespace detail

}  // namespace chimera

#endif  // CHIMERA_SERIALIZATION_CONTEXT_H_
