#include "server/engine/engine.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

#include "server/base/errors.h"
#include "server/engine/deadlines.h"
#include "server/engine/side_record.h"

namespace chimera::server {
namespace {

std::string format_uuid(const unsigned char* b) {
  const std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(b), 16));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4), "-",
                      hex.substr(16, 4), "-", hex.substr(20));
}

std::string chain_key(const std::string& namespace_id, const std::string& workflow_id) {
  return absl::StrCat(namespace_id, "/", workflow_id);
}

}  // namespace

Engine::Engine(Loop& loop, std::unique_ptr<Store> store)
    : loop_(loop),
      store_(std::move(store)),
      outbox_(*store_),
      matching_(loop_, outbox_),
      random_(std::random_device{}()) {}

Engine::~Engine() = default;

void Engine::detach_timers() {
  direct_queries_.clear();
  outbox_.drop_follow_ups();
}

void Engine::fill_random(unsigned char* bytes, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(random_());
}

std::string Engine::new_uuid() {
  unsigned char b[16];
  fill_random(b, 16);
  b[6] = (b[6] & 0x0f) | 0x40;
  b[8] = (b[8] & 0x3f) | 0x80;
  return format_uuid(b);
}

std::string Engine::new_run_id() {
  unsigned char b[16];
  fill_random(b, 16);
  const auto ms = std::chrono::duration_cast<milliseconds>(now().time_since_epoch()).count();
  for (int i = 0; i < 6; ++i) b[i] = static_cast<unsigned char>(ms >> (8 * (5 - i)));
  b[6] = (b[6] & 0x0f) | 0x70;
  b[8] = (b[8] & 0x3f) | 0x80;
  return format_uuid(b);
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

Run* Engine::current_run(const Namespace& ns, const std::string& workflow_id) {
  auto it = chains_.find(chain_key(ns.id, workflow_id));
  return it == chains_.end() ? nullptr : it->second.current;
}

Run* Engine::run_by_id(const std::string& run_id) {
  auto it = runs_.find(run_id);
  return it == runs_.end() ? nullptr : it->second.get();
}

RunPtr Engine::share(const Run& run) {
  return std::const_pointer_cast<Run>(run.shared_from_this());
}

absl::StatusOr<Run*> Engine::find_run(const Namespace& ns, const std::string& workflow_id,
                                      const std::string& run_id) {
  if (workflow_id.empty()) return invalid("WorkflowId is not set on request.");
  if (run_id.empty()) {
    Run* run = current_run(ns, workflow_id);
    if (run == nullptr) return not_found(absl::StrCat("workflow not found for ID: ", workflow_id));
    return run;
  }
  if (run_id.size() != 36 || run_id[8] != '-' || run_id[23] != '-')
    return invalid("Invalid RunId.");
  Run* run = run_by_id(run_id);
  if (run == nullptr || run->ns != &ns || run->workflow_id != workflow_id) {
    return not_found(absl::StrCat("workflow execution not found for workflow ID \"", workflow_id,
                                  "\" and run ID \"", run_id, "\""));
  }
  return run;
}

absl::StatusOr<Run*> Engine::find_running(const Namespace& ns,
                                          const common::WorkflowExecution& execution) {
  absl::StatusOr<Run*> run = find_run(ns, execution.workflow_id(), execution.run_id());
  if (run.ok() && !(*run)->running()) return not_found("workflow execution already completed");
  return run;
}

Run& Engine::add_run(Namespace& ns, const std::string& workflow_id, const std::string& run_id) {
  auto run = std::make_shared<Run>();
  run->workflow_tasks.attach(*this, *run);
  run->activity_tasks.attach(*this, *run);
  run->ns = &ns;
  run->workflow_id = workflow_id;
  run->run_id = run_id;
  run->order = ++runs_added_;
  Run& added = *run;
  runs_[run_id] = std::move(run);
  ++chains_[chain_key(ns.id, workflow_id)].runs;
  make_current(added);
  return added;
}

void Engine::make_current(Run& run) {
  chains_[chain_key(run.ns->id, run.workflow_id)].current = &run;
}

void Engine::arm_run_timer(Run& run) {
  if (run.timer == nullptr) {
    run.timer = std::make_unique<Timer>([this, &run] { process_deadlines(*this, run); });
  }
  timers().arm(*run.timer, run.running() ? run.next_deadline()
                                         : deadline_after(run.close_time, run.ns->retention()));
}

void Engine::apply_retention(const Namespace& ns) {
  for (auto& [id, run] : runs_) {
    if (run->ns == &ns && !run->running()) arm_run_timer(*run);
  }
}

void Engine::delete_run(Run& run) {
  auto chain = chains_.find(chain_key(run.ns->id, run.workflow_id));
  if (--chain->second.runs == 0) {
    chains_.erase(chain);
  } else if (chain->second.current == &run) {
    Run* newest = nullptr;
    for (auto& [id, other] : runs_) {
      if (other.get() == &run || other->ns != run.ns || other->workflow_id != run.workflow_id)
        continue;
      if (newest == nullptr || other->order > newest->order) newest = other.get();
    }
    if (newest != nullptr) make_current(*newest);
  }
  std::erase_if(dirty_, [&run](const RunPtr& dirty) { return dirty.get() == &run; });
  deleted_.push_back(run.run_id);
  if (store_->durable()) erase_rows(run, values_);
  auto waiters = std::move(run.history_waiters);
  RunPtr keep = share(run);
  runs_.erase(keep->run_id);
  for (auto& [key, waiter] : waiters) follow_up(std::move(waiter));
}

void Engine::mark_dirty(Run& run) {
  if (!store_->durable()) return;
  RunPtr shared = share(run);
  if (std::find(dirty_.begin(), dirty_.end(), shared) == dirty_.end())
    dirty_.push_back(std::move(shared));
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
