// The updates in flight of a run: admitted, carried by workflow tasks, answered by the worker's
// messages. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_UPDATE_REGISTRY_H_
#define CHIMERA_SERVER_ENGINE_TURN_UPDATE_REGISTRY_H_

#include <functional>
#include <string>

#include "server/engine/rules/dynamic_config.h"
#include "server/engine/run/transition.h"
#include "server/engine/run/update.h"

namespace chimera::server {

using UpdateStage = enums::UpdateWorkflowExecutionLifecycleStage;

struct UpdateAnswer {
  UpdateStage stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ADMITTED;
  const ::temporal::api::update::v1::Outcome* outcome = nullptr;
};
// Runs once, on the loop.
using UpdateDone = std::function<void(absl::Status, UpdateAnswer)>;

struct UpdateWait {
  UpdateStage stage = enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED;
  Nanos timeout{};     // The answer then says how far the update came ...
  bool fails = false;  // ... or, as the caller's own time is over, that it was too late.
  UpdateDone done;
};

absl::Status check_wait_stage(UpdateStage& stage);
// Admits the update or finds it by its id, and waits.
absl::Status admit_update(Engine& engine, const Run& run,
                          ::temporal::api::update::v1::Request request, UpdateWait wait);
// Waits for an update that somebody admitted.
absl::Status poll_update(Engine& engine, const Run& run, const std::string& update_id,
                         UpdateWait wait);
bool is_known_update(const Run& run, const std::string& update_id);
bool is_completed_update(const Run& run, const std::string& update_id);
// Whether the run has had nine tenths of the updates that it may have.
bool suggests_fewer_updates(const DynamicConfig& config, const Run& run);

// Takes up the updates of UpdateAdmitted events that nobody accepted yet: after a reset and at a
// restart.
void admit_from_history(const Run& run);
bool has_unsent_updates(const Run& run);
void send_updates(const Run& run, wf::PollWorkflowTaskQueueResponse& response);
// Their task timed out, or the worker failed it: the next one carries them again.
void resend_sent_updates(const Run& run);
void abort_sent_updates(Transition& t);  // The server failed their task.
bool only_rejections(
    const google::protobuf::RepeatedPtrField<::temporal::api::protocol::v1::Message>& messages);
// What is wrong with a worker's message; empty: nothing.
std::string check_update_message(const Run& run,
                                 const ::temporal::api::protocol::v1::Message& message);
void apply_update_message(Transition& t, const ::temporal::api::protocol::v1::Message& message);
void reject_unanswered_updates(Transition& t);
void end_updates(Engine& engine, const Run& run);  // The run has closed.

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_UPDATE_REGISTRY_H_
