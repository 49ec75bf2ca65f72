// Update, a workflow update in flight: admitted, sent to a worker, accepted; then completed or
// rejected. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_RUN_UPDATE_H_
#define CHIMERA_SERVER_ENGINE_RUN_UPDATE_H_

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "temporal/api/protocol/v1/message.pb.h"

#include "server/base/call.h"
#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;
class Transition;

struct UpdateAnswer;

struct Update {
  enum class State { kAdmitted, kSent, kAccepted, kCompleted };
  std::string id;
  State state = State::kAdmitted;
  bool in_history =
      false;  // An UpdateAdmitted event carries the request: the worker reads it there.
  ::temporal::api::update::v1::Request request;
  std::uint64_t order = 0;         // Of coming, among all.
  std::int64_t sequencing_id = 0;  // The last event before the start of the task that carried it.
  std::int64_t accepted_id = 0;
  ::temporal::api::update::v1::Outcome outcome;  // kCompleted.

  struct Waiter {
    enums::UpdateWorkflowExecutionLifecycleStage stage;
    std::function<void(absl::Status, UpdateAnswer)> done;  // Runs once.
    std::unique_ptr<Timer> deadline;
  };
  std::list<Waiter> waiters;
};
using UpdatePtr =
    std::shared_ptr<Update>;  // Owned by its run; a waiter's timer may hold it a moment longer.

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RUN_UPDATE_H_
