#include "core/worker/goodbye.h"

#include <algorithm>
#include <utility>

#include "core/worker/rpc_call.h"

namespace chimera::core {
namespace {

// For the server to answer the open polls of a worker that shuts down; then they are cancelled.
constexpr std::chrono::seconds kPollsPatience{5};
constexpr std::chrono::milliseconds kInterval{100};

}  // namespace

Goodbye::Goodbye(std::shared_ptr<Connection> connection, std::shared_ptr<const Request> request,
                 CallOptions options, WorkerEnvironment environment,
                 const std::vector<std::shared_ptr<PollerBase>>& pollers)
    : connection_(std::move(connection)),
      request_(std::move(request)),
      options_(std::move(options)),
      environment_(std::move(environment)),
      pollers_(pollers.begin(), pollers.end()),
      started_(environment_.clock->steady()),
      interval_(kInterval) {
  options_.timeout = kPollsPatience;
}

void Goodbye::say() {
  send<api::workflowservice::v1::ShutdownWorkerResponse>(
      *connection_, CHIMERA_WORKFLOW_SERVICE(ShutdownWorker), std::make_unique<Request>(*request_),
      options_, [self = shared_from_this()](const auto& reply) { self->said(reply.ok()); });
}

void Goodbye::cancel_polls() {
  each_poller([](auto& poller) { poller.cancel(); });
}

void Goodbye::said(bool heard) {
  bool open = false;
  each_poller([&](auto& poller) { open |= !poller.ended(); });
  if (!open) return;
  if (!heard || environment_.clock->steady() - started_ > kPollsPatience) return cancel_polls();
  environment_.timers->after(interval_, [self = shared_from_this()] { self->say(); });
  interval_ = std::min<std::chrono::milliseconds>(2 * interval_, kPollsPatience);
}

template <class Do>
void Goodbye::each_poller(const Do& act) {
  for (const auto& each : pollers_) {
    if (auto poller = each.lock()) act(*poller);
  }
}

}  // namespace chimera::core
