#include "tests/sim/activities.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace chimera::sim {
namespace {

using std::chrono::milliseconds;

core::ActivityResult failed(bool for_good) {
  core::ActivityResult::Failed failed;
  failed.failure.set_message("not this time");
  failed.failure.mutable_application_failure_info()->set_type("Simulated");
  failed.failure.mutable_application_failure_info()->set_non_retryable(for_good);
  return {std::move(failed)};
}

core::ActivityResult completed(std::uint64_t value) {
  core::ActivityResult::Completed completed;
  completed.result.emplace().set_data(absl::StrCat(value % 100'000));
  (*completed.result->mutable_metadata())["encoding"] = "json/plain";
  return {std::move(completed)};
}

std::pair<std::string, std::string> key_of(const core::ActivityTask& task) {
  return {task.message->workflow_execution().run_id(), task.message->activity_id()};
}

}  // namespace

void SimActivities::start(core::ActivityTask task) {
  const std::string token = task.message->task_token();
  ++book_.attempts[key_of(task)];
  ++(task.is_local ? book_.local : book_.remote);
  Running running{.task = std::move(task)};
  const auto& message = *running.task.message;
  running.luck = mix(mix(static_cast<std::uint64_t>(message.attempt()), message.activity_id()),
                     message.input().payloads(0).data());
  const std::uint64_t luck = running.luck;
  if (!running_.emplace(token, std::move(running)).second)
    book_.violations.push_back("an activity task was started twice");
  count_running();
  if (luck % 3 == 0) beat(token);
  const bool waits_for_its_end = luck % 12 == 9;
  if (waits_for_its_end) return;
  const milliseconds takes(luck % 5 == 0 ? 0 : process_.world().rng().below(4000));
  process_.after(takes, [this, token] { finish(token); });
}

// A heartbeat now and then: its reply tells of a cancellation.
void SimActivities::beat(const std::string& token) {
  process_.after(milliseconds(process_.world().rng().below(2500)), [this, token] {
    const auto found = running_.find(token);
    if (found == running_.end()) return;
    api::common::v1::Payloads details;
    details.add_payloads()->set_data("so far");
    found->second.task.handle->heartbeat(std::move(details));
    beat(token);
  });
}

void SimActivities::count_running() {
  int local = 0, remote = 0;
  for (const auto& [token, running] : running_) ++(running.task.is_local ? local : remote);
  if (local > limits_.local || remote > limits_.remote)
    book_.violations.push_back(absl::StrCat("more activities at a time than slots: ", local,
                                            " local and ", remote, " others"));
}

void SimActivities::finish(const std::string& token) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  const std::uint64_t luck = found->second.luck;
  const int attempt = found->second.task.message->attempt();
  if (attempt < 3 && luck % 7 == 5) return end(token, failed(/*for_good=*/false));
  if (luck % 11 == 7) return end(token, failed(/*for_good=*/true));
  end(token, completed(luck));
}

void SimActivities::cancel(const std::string& token, const core::ActivityCancellation&) {
  const auto found = running_.find(token);
  if (found == running_.end() || std::exchange(found->second.told, true)) return;
  ++book_.cancelled;
  if (found->second.luck % 4 == 0 && found->second.luck % 12 != 9) return;  // It goes on.
  process_.after(milliseconds(process_.world().rng().below(50)),
                 [this, token] { end(token, {core::ActivityResult::Cancelled{}}); });
}

void SimActivities::end(const std::string& token, core::ActivityResult result) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  const core::ActivityTask task = std::move(found->second.task);
  running_.erase(found);
  if (const auto* completed = std::get_if<core::ActivityResult::Completed>(&result.status))
    book_.results[key_of(task)].insert(completed->result->data());
  task.handle->complete(std::move(result));
}

}  // namespace chimera::sim
