#include "chimera/replayer.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "core/history/json.h"
#include "core/workflow/replay.h"
#include "sdk-cpp/src/codec.h"
#include "sdk-cpp/src/library.h"
#include "sdk-cpp/src/storage/payload_store.h"
#include "sdk-cpp/src/user_links.h"
#include "sdk-cpp/src/workflow_language.h"

namespace chimera {

class WorkflowHistory::State {
 public:
  core::RecordedTask task;

  static WorkflowHistory make(std::string workflow_id, api::history::v1::History history) {
    if (workflow_id.empty() && !history.events().empty()) {
      workflow_id = history.events(0).workflow_execution_started_event_attributes().workflow_id();
    }
    if (workflow_id.empty()) workflow_id = "replay";
    auto task = core::recorded_task(std::move(workflow_id), std::move(history));
    if (!task.ok()) throw std::invalid_argument(std::string(task.status().message()));
    auto state = std::make_shared<State>();
    state->task = *std::move(task);
    return WorkflowHistory(std::move(state));
  }
};

WorkflowHistory WorkflowHistory::from_json(std::string_view json, std::string workflow_id) {
  absl::StatusOr<api::history::v1::History> history = core::history_from_json(std::string(json));
  if (!history.ok()) {
    throw std::invalid_argument(absl::StrCat("history: this JSON is no workflow history: ",
                                             std::string(history.status().message())));
  }
  return State::make(std::move(workflow_id), *std::move(history));
}

WorkflowHistory WorkflowHistory::from_binary(std::string_view bytes, std::string workflow_id) {
  api::history::v1::History history;
  if (!history.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw std::invalid_argument(
        "history: these bytes are no temporal.api.history.v1.History message");
  }
  return State::make(std::move(workflow_id), std::move(history));
}

const std::string& WorkflowHistory::workflow_id() const {
  return state_->task->workflow_execution().workflow_id();
}
const std::string& WorkflowHistory::workflow_type() const {
  return state_->task->workflow_type().name();
}
std::size_t WorkflowHistory::size() const {
  return static_cast<std::size_t>(state_->task->history().events_size());
}

class Replayer::State {
 public:
  core::RunOptions run;
  sdk::Codec codec;
  std::shared_ptr<sdk::PayloadStore> store;  // Null: none.
  std::size_t stack_bytes = sdk::kStackBytes;
  FailureExceptions failures;
  sdk::WorkerInterceptors interceptors;
};

Replayer::Replayer(ReplayerOptions options) : state_(std::make_unique<State>()) {
  state_->run.context.namespace_ = std::move(options.namespace_);
  state_->run.context.task_queue = std::move(options.task_queue);
  state_->codec = {sdk::to_core(options.payload_codec), options.failure_converter};
  state_->store = sdk::PayloadStore::make(options.external_storage, state_->codec,
                                          "ReplayerOptions::external_storage");
  sdk::check_stack_bytes(options.workflow_stack_bytes);
  state_->stack_bytes = options.workflow_stack_bytes;
  state_->failures = std::move(options.workflow_failure_exceptions);
  sdk::check_interceptors(options.interceptors, "ReplayerOptions::interceptors");
  state_->interceptors = sdk::with_users(options.interceptors, {});
}
Replayer::~Replayer() = default;
Replayer::Replayer(Replayer&&) noexcept = default;

void Replayer::replay(const WorkflowHistory& history) {
  const std::string& type = history.workflow_type();
  auto found = std::ranges::find(workflows(), type, &detail::WorkflowType::name);
  if (found == workflows().end())
    found = std::ranges::find(workflows(), true, &detail::WorkflowType::dynamic);
  if (found == workflows().end()) {
    throw std::invalid_argument(absl::StrCat(
        "cannot replay '", history.workflow_id(), "': its workflow type '", type,
        "' was not added to this replayer; it has: ",
        absl::StrJoin(workflows(), ", ", [](std::string* out, const detail::WorkflowType& each) {
          absl::StrAppend(out, "'", each.name, "'");
        })));
  }
  sdk::CppWorkflowLanguage language(state_->codec);
  language.set_stack_bytes(state_->stack_bytes);
  language.intercept(state_->interceptors);
  detail::WorkflowType type_of_run = *found;
  type_of_run.failures.add(state_->failures);
  language.add(type_of_run);
  core::RunOptions options = state_->run;
  options.identity = language.identity();
  options.nondeterminism_fails_workflow = type_of_run.failures.nondeterminism;
  const auto fail = [&](std::string_view why) {
    throw ReplayError(
        absl::StrCat("replay of '", history.workflow_id(), "' failed: ", std::string(why)));
  };
  core::RecordedTask task = history.state_->task;
  if (state_->store != nullptr) {
    auto copy = std::make_shared<api::workflowservice::v1::PollWorkflowTaskQueueResponse>(*task);
    const absl::Status status = state_->store->retrieve_all(*copy);
    if (!status.ok()) fail(std::string(status.message()));
    task = std::move(copy);
  }
  const core::ReplayVerdict verdict = core::replay(std::move(options), language, task);
  if (verdict.agrees()) return;
  if (verdict.reason == core::EvictionReason::kNondeterminism)
    throw NondeterminismError(verdict.message);
  fail(verdict.message);
}

}  // namespace chimera
