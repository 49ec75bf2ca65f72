#include "tests/chaos/load.h"

#include <random>

#include "temporal/api/update/v1/message.pb.h"

namespace chimera::chaos {
namespace {

constexpr int kClients = 16;
constexpr const char* kTypes[] = {"Work", "Chain", "Work", "Parent"};

}  // namespace

Load::Load(ServerProcess& server, Ledger& ledger)
    : caller_(server), server_(server), ledger_(ledger), driving_(kClients + 3) {
  for (int i = 0; i < kClients; ++i) threads_.emplace_back([this, i] { drive(i); });
  threads_.emplace_back([this] { drive_schedules(); });
  threads_.emplace_back([this] { drive_batches(); });
  threads_.emplace_back([this] { drive_deployments(); });
  for (const char* build : kBuilds) threads_.emplace_back([this, build] { work_as(build); });
  for (int i = 0; i < 4; ++i) threads_.emplace_back([this, i] { work(i % 2 == 1); });
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { run_activities(); });
  threads_.emplace_back([this] { read_histories(); });
}

Load::~Load() {
  starting_ = false;
  server_.shut();
  for (std::thread& thread : threads_) thread.join();
}

bool Load::finish(std::chrono::seconds patience) {
  starting_ = false;
  std::unique_lock lock(mutex_);
  return idle_.wait_for(lock, patience, [this] { return driving_ == 0; });
}

// --- Clients ---

void Load::drive(int client) {
  for (int i = 0; starting_; ++i) {
    drive_one(absl::StrCat("w-", client, "-", i), kTypes[(client + i) % 4]);
  }
  std::lock_guard lock(mutex_);
  --driving_;
  idle_.notify_all();
}

void Load::drive_one(const std::string& id, const std::string& type) {
  wf::StartWorkflowExecutionRequest request;
  request.set_namespace_(kNamespace);
  request.set_workflow_id(id);
  request.mutable_workflow_type()->set_name(type);
  request.mutable_task_queue()->set_name(kQueue);
  request.mutable_workflow_task_timeout()->set_seconds(1);
  request.set_request_id("start-" + id);
  *request.mutable_input() = text_payload("2");
  auto started = caller_.until_answered<wf::StartWorkflowExecutionResponse>(request);
  if (absl::IsAborted(started.status())) return;
  if (!started.ok())
    return ledger_.wrong(absl::StrCat("start ", id, ": ", started.status().ToString()));
  ledger_.note([&](Acknowledged& all) { all.started[id] = started->run_id(); });
  if (type == "Work") signal_and_update(id, started->run_id());
  const std::string result = result_of(id, started->run_id());
  if (!result.empty()) ledger_.note([&](Acknowledged& all) { all.finished[id] = result; });
}

void Load::signal_and_update(const std::string& id, const std::string& run_id) {
  for (int i = 0; i < 3; ++i) {
    wf::SignalWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name(absl::StrCat("s", i));
    request.set_request_id(absl::StrCat(id, "-s", i));
    auto reply = caller_.until_answered<wf::SignalWorkflowExecutionResponse>(request);
    if (absl::IsAborted(reply.status())) return;
    if (!reply.ok())
      return ledger_.wrong(absl::StrCat("signal ", id, ": ", reply.status().ToString()));
    ledger_.note([&](Acknowledged& all) { all.signals.insert({id, request.signal_name()}); });
  }
  wf::UpdateWorkflowExecutionRequest request;
  request.set_namespace_(kNamespace);
  request.mutable_workflow_execution()->set_workflow_id(id);
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  auto& update = *request.mutable_request();
  update.mutable_meta()->set_update_id(id + "-u");
  update.mutable_input()->set_name("echo");
  for (;;) {
    auto reply = caller_.until_answered<wf::UpdateWorkflowExecutionResponse>(request);
    if (absl::IsAborted(reply.status())) return;
    // A workflow task that failed or timed out takes its update along; clients ask again.
    if (absl::IsFailedPrecondition(reply.status()) || absl::IsResourceExhausted(reply.status()))
      continue;
    if (!reply.ok())
      return ledger_.wrong(absl::StrCat("update ", id, ": ", reply.status().ToString()));
    if (!reply->has_outcome()) continue;
    if (text_of(reply->outcome().success()) != absl::StrCat("echo:", id, "-u"))
      ledger_.wrong(absl::StrCat("update ", id, ": ", reply->outcome().ShortDebugString()));
    return ledger_.note([&](Acknowledged& all) { all.updates[id + "-u"] = id; });
  }
}

std::string Load::result_of(const std::string& id, const std::string& run_id) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_(kNamespace);
  request.mutable_execution()->set_workflow_id(id);
  request.mutable_execution()->set_run_id(run_id);
  request.set_wait_new_event(true);
  request.set_history_event_filter_type(enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT);
  for (;;) {
    request.clear_next_page_token();
    auto reply = caller_.until_answered<wf::GetWorkflowExecutionHistoryResponse>(request);
    if (absl::IsAborted(reply.status())) return {};
    if (!reply.ok()) {
      ledger_.wrong(absl::StrCat("result of ", id, ": ", reply.status().ToString()));
      return {};
    }
    if (reply->history().events_size() == 0) continue;
    const HistoryEvent& last = reply->history().events(0);
    if (last.has_workflow_execution_continued_as_new_event_attributes()) {
      request.mutable_execution()->set_run_id(
          last.workflow_execution_continued_as_new_event_attributes().new_execution_run_id());
      continue;
    }
    if (last.has_workflow_execution_completed_event_attributes())
      return text_of(last.workflow_execution_completed_event_attributes().result());
    ledger_.wrong(absl::StrCat(id, " ended with ", last.ShortDebugString()));
    return {};
  }
}

// --- Workers ---

void Load::work(bool sticky) {
  wf::PollWorkflowTaskQueueRequest poll;
  poll.set_namespace_(kNamespace);
  poll.mutable_task_queue()->set_name(sticky ? kStickyQueue : kQueue);
  if (sticky) {
    poll.mutable_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    poll.mutable_task_queue()->set_normal_name(kQueue);
  }
  poll.set_identity("worker");
  for (;;) {
    auto task = caller_.once<wf::PollWorkflowTaskQueueResponse>(poll);
    if (absl::IsAborted(task.status())) return;
    if (task.ok() && !task->task_token().empty()) run_task(*task);
  }
}

void Load::run_task(wf::PollWorkflowTaskQueueResponse& task, const std::string& build) {
  const auto& execution = task.workflow_execution();
  std::vector<HistoryEvent> events(task.history().events().begin(), task.history().events().end());
  if (events.empty() || events[0].event_id() != 1 || !task.next_page_token().empty())
    events = caller_.history(execution.workflow_id(), execution.run_id());
  if (events.empty()) return;  // Killed meanwhile; the task times out.
  wf::RespondWorkflowTaskCompletedRequest request = decide(task, events);
  request.set_namespace_(kNamespace);
  request.set_task_token(task.task_token());
  request.set_identity(absl::StrCat("task-", ++serial_));
  if (!build.empty()) {
    request.set_versioning_behavior(enums::VERSIONING_BEHAVIOR_PINNED);
    *request.mutable_deployment_options() = deployment_options(build);
  } else if (serial_ % 2 == 0) {
    auto& sticky = *request.mutable_sticky_attributes();
    sticky.mutable_worker_task_queue()->set_name(kStickyQueue);
    sticky.mutable_worker_task_queue()->set_kind(enums::TASK_QUEUE_KIND_STICKY);
    sticky.mutable_worker_task_queue()->set_normal_name(kQueue);
    sticky.mutable_schedule_to_start_timeout()->set_seconds(1);
  }
  const bool leaves_trace = request.commands_size() > 0;
  auto reply = caller_.until_answered<wf::RespondWorkflowTaskCompletedResponse>(request);
  if (reply.ok() && leaves_trace) {
    ledger_.note(
        [&](Acknowledged& all) { all.tasks.insert({execution.run_id(), request.identity()}); });
  } else if (!reply.ok() && !absl::IsNotFound(reply.status()) &&
             !absl::IsInvalidArgument(reply.status()) && !absl::IsAborted(reply.status())) {
    ledger_.wrong(
        absl::StrCat("task of ", execution.workflow_id(), ": ", reply.status().ToString()));
  }
}

void Load::run_activities() {
  wf::PollActivityTaskQueueRequest poll;
  poll.set_namespace_(kNamespace);
  poll.mutable_task_queue()->set_name(kQueue);
  for (;;) {
    auto task = caller_.once<wf::PollActivityTaskQueueResponse>(poll);
    if (absl::IsAborted(task.status())) return;
    if (!task.ok() || task->task_token().empty()) continue;
    wf::RespondActivityTaskCompletedRequest request;
    request.set_namespace_(kNamespace);
    request.set_task_token(task->task_token());
    const std::string result = absl::StrCat("result-", ++serial_);
    *request.mutable_result() = text_payload(result);
    auto reply = caller_.until_answered<wf::RespondActivityTaskCompletedResponse>(request);
    if (!reply.ok()) {
      if (!absl::IsNotFound(reply.status()) && !absl::IsAborted(reply.status()))
        ledger_.wrong(absl::StrCat("activity: ", reply.status().ToString()));
      continue;
    }
    ledger_.note([&](Acknowledged& all) {
      all.activities.insert({task->workflow_execution().run_id(), result});
    });
  }
}

// --- Readers ---

void Load::read_histories() {
  std::mt19937 random(1);
  for (;;) {
    if (server_.connection() == nullptr) return;
    std::pair<std::string, std::string> chosen;
    ledger_.note([&](Acknowledged& all) {
      if (all.started.empty()) return;
      auto it = all.started.begin();
      std::advance(it, random() % all.started.size());
      chosen = *it;
    });
    if (chosen.first.empty()) {
      std::this_thread::yield();
      continue;
    }
    const auto events = caller_.history(chosen.first, chosen.second);
    std::vector<std::string> bytes;
    for (const HistoryEvent& event : events) bytes.push_back(event.SerializeAsString());
    ledger_.note([&](Acknowledged& all) {
      auto& seen = all.seen[chosen.second];
      if (bytes.size() > seen.size()) seen = std::move(bytes);
    });
  }
}

}  // namespace chimera::chaos
