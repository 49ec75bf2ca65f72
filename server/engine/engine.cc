#include "server/engine/engine.h"

#include <algorithm>
#include <utility>

#include "server/base/errors.h"
#include "server/engine/archival.h"
#include "server/engine/batches.h"
#include "server/engine/deployments/deployments.h"
#include "server/engine/nexus/breakers.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/nexus/requests.h"
#include "server/engine/removals.h"
#include "server/engine/run/side_record.h"
#include "server/engine/run/visible.h"
#include "server/engine/schedules.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/engine/standalone/operation_executions.h"
#include "server/engine/time_skipping.h"
#include "server/visibility/visibility.h"

namespace chimera::server {

Engine::Engine(Loop& loop, std::unique_ptr<Store> store)
    : schedules(std::make_unique<Schedules>(*this)),
      batches(std::make_unique<Batches>(*this)),
      removals(std::make_unique<Removals>(*this)),
      deployments(std::make_unique<Deployments>(*this)),
      archival(std::make_unique<Archival>(*this, loop.has_thread())),
      activity_executions(std::make_unique<ActivityExecutions>(*this)),
      operation_executions(std::make_unique<OperationExecutions>(*this)),
      nexus_endpoints(std::make_unique<NexusEndpoints>(*this)),
      nexus_breakers(std::make_unique<NexusBreakers>(*this)),
      nexus_requests(std::make_shared<NexusRequests>(*this)),
      loop_(loop),
      store_(std::move(store)),
      outbox_(*store_),
      runs_(*this),
      matching_(loop_, outbox_),
      visibility_(
          std::make_unique<visibility::Visibility>(loop_.has_thread(), store_->index_filename())) {}

Engine::~Engine() = default;

void Engine::detach_timers() {
  archival->stop();
  nexus_requests->clear();
  nexus_breakers->clear();
  direct_queries_.clear();
  outbox_.drop_follow_ups();
}

absl::StatusOr<Namespace*> Engine::resolve_namespace(const std::string& name) {
  if (name.empty()) return invalid("Namespace is empty.");
  Namespace* ns = namespaces_.find(name);
  if (ns == nullptr) return namespace_not_found(name);
  if (ns->info.state() == enums::NAMESPACE_STATE_DELETED) {
    return namespace_in_state(
        name, ns->info.state(),
        {enums::NAMESPACE_STATE_REGISTERED, enums::NAMESPACE_STATE_DEPRECATED});
  }
  return ns;
}

void Engine::mark_dirty(const Run& run) {
  if (!store_->durable() && run.running()) return;
  RunPtr shared = share(run);
  if (std::find(dirty_.begin(), dirty_.end(), shared) == dirty_.end())
    dirty_.push_back(std::move(shared));
}

void Engine::forget(const Run& run) {
  const auto is_it = [&run](const RunPtr& changed) { return changed.get() == &run; };
  std::erase_if(dirty_, is_it);
  std::erase_if(shown_, is_it);
  forget(run.order, run.run_id);
}

void Engine::forget(std::uint64_t number, const std::string& run_id) {
  deleted_.push_back({number, run_id});
  archival->forget(run_id);
  if (!store_->keeps_index()) visibility_->erase(run_id);
}

void Engine::show(const Run& run) {
  if (!store_->keeps_index()) return visibility_->put(entry_of(run));
  RunPtr shared = share(run);
  if (std::find(shown_.begin(), shown_.end(), shared) == shown_.end())
    shown_.push_back(std::move(shared));
}

void Engine::put_value(std::string table, std::string key, std::string value, bool erase) {
  if (store_->durable())
    values_.push_back({std::move(table), std::move(key), std::move(value), erase});
}

void Engine::after_task() {
  do {
    outbox_.run_follow_ups();
    matching_.match_all();
  } while (outbox_.has_follow_ups());
}

void Engine::after_turn() {
  WriteBatch changes;
  for (const RunPtr& run : dirty_) {
    collect_changes(*run, changes);
    run->stored.commit = store_->committed() + 1;
  }
  dirty_.clear();
  for (const RunPtr& run : shown_) changes.shown.push_back(entry_of(*run));
  shown_.clear();
  changes.values = std::exchange(values_, {});
  changes.deleted_runs = std::exchange(deleted_, {});
  schedules->collect(changes);
  activity_executions->collect(changes);
  operation_executions->collect(changes);
  outbox_.flush(std::move(changes), loop_.timer_is_near());
  runs_.trim();
  activity_executions->trim();
  operation_executions->trim();
}

}  // namespace chimera::server
