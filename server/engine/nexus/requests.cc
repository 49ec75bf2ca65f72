#include "server/engine/nexus/requests.h"

#include <utility>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/engine.h"
#include "server/engine/rules/nexus_failures.h"

namespace chimera::server {
namespace {

constexpr Nanos kWayBack = seconds{1};

// "2988ms", as the genuine server says it.
std::string text_of(Nanos time) {
  return absl::StrCat(std::chrono::duration_cast<milliseconds>(std::max(time, Nanos{0})).count(),
                      "ms");
}

QueueKey queue_of(const NexusRequests::Ask& ask) {
  return {ask.namespace_id, ask.task_queue, enums::TASK_QUEUE_TYPE_NEXUS};
}

}  // namespace

void NexusRequests::send(Ask ask, Done done) {
  const std::int64_t number = ++last_;
  Open& open = open_[number];
  open.id = engine_.ids().uuid();
  open.deadline = add_saturated(engine_.now(), ask.timeout - kWayBack);
  open.done = std::move(done);
  set(ask.request.mutable_scheduled_time(), engine_.now());
  open.ask = std::move(ask);
  open.timer = std::make_unique<Timer>([this, number] {
    finish(number, {std::nullopt, handler_failure("UPSTREAM_TIMEOUT", "upstream timeout")});
  });
  engine_.timers().arm(*open.timer, open.deadline);
  ids_[open.id] = number;
  MatchTask task;
  task.owner = weak_from_this();
  task.id = number;
  task.stamp = static_cast<std::uint64_t>(number);
  task.added = engine_.loop().real_now();
  const QueueKey queue = queue_of(open.ask);
  engine_.matching().add(queue.with_version(version_for(task, queue)), std::move(task));
}

bool NexusRequests::is_stale(const MatchTask& task) const {
  const auto found = open_.find(task.id);
  return found == open_.end() || found->second.taken;
}

std::string NexusRequests::version_for(const MatchTask& task, const QueueKey& queue) const {
  const auto found = open_.find(task.id);
  if (engine_.deployments->empty() || found == open_.end()) return "";
  return target_of(engine_.deployments->routing(queue.with_version("")), found->second.id)
      .version.text();
}

bool NexusRequests::deliver(const MatchTask& task, const QueueKey&, Poller& poller) {
  if (is_stale(task)) return false;
  Open& open = open_.at(task.id);
  open.taken = true;
  auto& response = poller.response<wf::PollNexusTaskQueueResponse>();
  response.set_task_token(
      TaskToken{open.ask.namespace_id, open.ask.task_queue, open.id, 0, 0, 1, 0, ""}.encode());
  nexus::Request& request = *response.mutable_request();
  request = std::move(open.ask.request);
  auto& header = *request.mutable_header();
  // The second form is the one that workers in Java look for.
  header["request-timeout"] = header["Request-Timeout"] = text_of(open.deadline - engine_.now());
  if (open.ask.operation_deadline != kNever && !header.contains("operation-timeout"))
    header["operation-timeout"] = text_of(open.ask.operation_deadline - engine_.now());
  return true;
}

absl::Status NexusRequests::complete(const std::string& id, nexus::Response response) {
  return answer(id, {std::move(response), {}});
}

absl::Status NexusRequests::fail(const std::string& id, failure::Failure failure) {
  return answer(id, {std::nullopt, std::move(failure)});
}

absl::Status NexusRequests::answer(const std::string& id, NexusReply reply) {
  const auto found = ids_.find(id);
  if (found == ids_.end() || !open_.at(found->second).taken)
    return not_found("Nexus task not found or already expired");
  finish(found->second, std::move(reply));
  return absl::OkStatus();
}

void NexusRequests::finish(std::int64_t number, NexusReply reply) {
  auto ended = open_.extract(number);
  ids_.erase(ended.mapped().id);
  Done done = std::move(ended.mapped().done);
  // Its timer may be the one that fires: it goes after it has returned.
  engine_.follow_up([timer = std::shared_ptr<Timer>(std::move(ended.mapped().timer))] {});
  std::move(done)(std::move(reply));
}

void NexusRequests::clear() {
  open_.clear();
  ids_.clear();
}

}  // namespace chimera::server
