#include "server/engine/engine.h"

#include <algorithm>
#include <iterator>

#include "server/base/errors.h"
#include "server/engine/run/side_record.h"
#include "server/visibility/visibility.h"

namespace chimera::server {

Engine::Engine(Loop& loop, std::unique_ptr<Store> store)
    : loop_(loop),
      store_(std::move(store)),
      outbox_(*store_),
      runs_(*this),
      matching_(loop_, outbox_),
      visibility_(std::make_unique<visibility::Visibility>(loop_.has_thread())) {}

Engine::~Engine() = default;

void Engine::detach_timers() {
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
  if (!store_->durable()) return;
  RunPtr shared = share(run);
  if (std::find(dirty_.begin(), dirty_.end(), shared) == dirty_.end())
    dirty_.push_back(std::move(shared));
}

void Engine::forget(const Run& run) {
  std::erase_if(dirty_, [&run](const RunPtr& dirty) { return dirty.get() == &run; });
  deleted_.push_back(run.run_id);
  visibility_->erase(run.run_id);
  if (store_->durable()) erase_rows(run, values_);
}

void Engine::put_value(std::string table, std::string key, std::string value) {
  if (store_->durable())
    values_.push_back({std::move(table), std::move(key), std::move(value), false});
}

void Engine::after_task() {
  do {
    outbox_.run_follow_ups();
    matching_.match_all();
  } while (outbox_.has_follow_ups());
}

void Engine::after_turn() {
  WriteBatch changes;
  if (store_->durable()) {
    for (const RunPtr& run : dirty_) collect_changes(*run, changes);
    dirty_.clear();
    changes.values.insert(changes.values.end(), std::make_move_iterator(values_.begin()),
                          std::make_move_iterator(values_.end()));
    values_.clear();
    changes.deleted_runs = std::move(deleted_);
  }
  deleted_.clear();
  outbox_.flush(std::move(changes), loop_.timer_is_near());
}

}  // namespace chimera::server
