#include "server/service/dispatcher.h"

#include <thread>

#include "core/base/server_gone.h"

namespace chimera::server {
namespace {
absl::Status stopping() { return base::server_gone("the server is shutting down"); }
}  // namespace

void Dispatcher::submit(CallPtr call) {
  CallPtr keep = call;
  {
    std::lock_guard lock(mutex_);
    if (!closed_ && loop_.post([this, call = std::move(call)] { handle(call); })) return;
  }
  // No loop any more; the answer still must not come from inside submit().
  std::thread([deliver = std::move(keep->deliver)]() mutable {
    std::move(deliver)(base::server_gone("the server has ended"));
  }).detach();
}

void Dispatcher::handle(const CallPtr& call) {
  if (stopped_) return engine_.finish(call, stopping());
  if (call->finished) return;
  // Memory may be ahead of the file: neither more changes nor a look at them.
  if (absl::Status status = engine_.store().health(); !status.ok())
    return engine_.finish(call, std::move(status));
  call->method->handler(engine_, call);
  if (call->finished) return;
  engine_.outbox().open_calls().insert(call);
}

void Dispatcher::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

void Dispatcher::cancel(const CallPtr& call) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  loop_.post([this, call] {
    if (call->finished) return;
    if (call->on_cancel) {
      auto hook = std::move(call->on_cancel);
      call->on_cancel = nullptr;
      hook();
    }
    engine_.finish(call, absl::CancelledError("cancelled by the caller"));
  });
}

void Dispatcher::abandon_all() {
  stopped_ = true;
  const auto open = engine_.outbox().open_calls();  // Finishing takes them out of it.
  for (const CallPtr& call : open) engine_.finish(call, stopping());
}

}  // namespace chimera::server
