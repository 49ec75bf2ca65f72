#include "server/engine/archival.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "core/telemetry/log.h"
#include "server/archival/history_file.h"
#include "server/archival/record_file.h"
#include "server/engine/engine.h"
#include "server/engine/run/visible.h"

namespace chimera::server {
namespace {

// For the store, which writes meanwhile.
constexpr milliseconds kUntilStored{10};
constexpr seconds kFirstRest{1}, kLongestRest{30};
// Behind the namespace's id in the store.
constexpr char kDeleted[] = "/deleted";

// What becomes of one run, off the loop. What it points to stays until it is written.
struct Task {
  std::string history_uri, visibility_uri;  // Empty: not there.
  archival::RunKey key;
  archival::Record record;
  const history::History* events = nullptr;
  const std::vector<std::int64_t>* batches = nullptr;

  absl::Status write() const {
    if (!history_uri.empty()) {
      const auto folder = archival::folder_of(history_uri);
      absl::Status status = folder.status();
      if (status.ok()) status = archival::write_history(*folder, key, *events, *batches);
      if (!status.ok()) return status;
    }
    if (visibility_uri.empty()) return absl::OkStatus();
    const auto folder = archival::folder_of(visibility_uri);
    return folder.ok() ? archival::write_record(*folder, record) : folder.status();
  }
};

}  // namespace

archival::Setting history_archival(const Namespace& ns) {
  return {ns.config.history_archival_state(), ns.config.history_archival_uri()};
}

archival::Setting visibility_archival(const Namespace& ns) {
  return {ns.config.visibility_archival_state(), ns.config.visibility_archival_uri()};
}

void set_archival(Namespace& ns, const archival::Setting& history,
                  const archival::Setting& visibility) {
  ns.config.set_history_archival_state(history.state);
  ns.config.set_history_archival_uri(history.uri);
  ns.config.set_visibility_archival_state(visibility.state);
  ns.config.set_visibility_archival_uri(visibility.uri);
}

void tell_of_damage(const std::vector<std::string>& damaged) {
  if (damaged.empty()) return;
  const std::string others =
      damaged.size() > 1 ? absl::StrCat(", as ", damaged.size() - 1, " others of this list are")
                         : "";
  core::log(core::LogLevel::kWarn, "server",
            absl::StrCat(damaged.front(), ". It is passed over", others,
                         ". Restore a copy of the file, or delete it"));
}

Archival::Archival(Engine& engine, bool apart)
    : engine_(engine), archivist_(std::make_unique<archival::Archivist>(apart)) {}
Archival::~Archival() = default;

void Archival::configure(const std::string& folder) {
  history_uri_ = archival::uri_of(folder + "/history");
  visibility_uri_ = archival::uri_of(folder + "/visibility");
}

void Archival::closed(const Run& run) {
  if (!on()) return;
  if (!history_archival(*run.ns).enabled() && !visibility_archival(*run.ns).enabled()) return;
  engine_.put_value(kTable, run.run_id, run.ns->id);
  add(run.run_id, run.ns->id, engine_.store().committed() + 1);
  wait(run.ns->id, Nanos{0});
}

void Archival::add(const std::string& run_id, const std::string& namespace_id,
                   std::uint64_t commit) {
  unarchived_[run_id].namespace_id = namespace_id;
  Backlog& backlog = backlogs_[namespace_id];
  backlog.waiting.push_back({run_id, commit});
  if (backlog.timer != nullptr) return;
  backlog.timer = std::make_unique<Timer>([this, namespace_id] {
    backlogs_.at(namespace_id).resting = false;
    advance(namespace_id);
  });
}

void Archival::forget(const std::string& run_id) {
  if (unarchived_.empty() || unarchived_.erase(run_id) == 0) return;
  engine_.put_value(kTable, run_id, "", /*erase=*/true);
}

bool Archival::holds_any_of(const Namespace& ns) const {
  return on() && std::any_of(unarchived_.begin(), unarchived_.end(),
                             [&ns](const auto& each) { return each.second.namespace_id == ns.id; });
}

void Archival::delete_when_archived(const std::string& run_id) {
  Unarchived& run = unarchived_.at(run_id);
  if (std::exchange(run.deleted, true)) return;
  engine_.put_value(kTable, run_id, absl::StrCat(run.namespace_id, kDeleted));
}

void Archival::restore(const std::string& run_id, absl::string_view value) {
  const bool deleted = absl::ConsumeSuffix(&value, kDeleted);
  add(run_id, std::string(value), 0);
  unarchived_.at(run_id).deleted = deleted;
}

void Archival::resume() {
  if (!on()) {
    if (unarchived_.empty()) return;
    core::log(core::LogLevel::kWarn, "server",
              absl::StrCat(unarchived_.size(),
                           " closed workflows of this database still had to be archived, and are "
                           "not: start the server with its archive's folder (--archive)"));
    return;
  }
  for (auto& [namespace_id, backlog] : backlogs_) wait(namespace_id, Nanos{0});
}

// The turn goes on first, with what it has to store.
void Archival::wait(const std::string& namespace_id, Nanos time) {
  Backlog& backlog = backlogs_.at(namespace_id);
  if (backlog.under_way != nullptr || backlog.resting) return;
  backlog.resting = time >= kFirstRest;
  engine_.loop().chores().arm(*backlog.timer, engine_.now() + time);
}

void Archival::advance(const std::string& namespace_id) {
  Backlog& backlog = backlogs_.at(namespace_id);
  while (backlog.under_way == nullptr && !backlog.waiting.empty()) {
    const Waiting next = backlog.waiting.front();
    if (next.commit > engine_.store().written()) return wait(namespace_id, kUntilStored);
    backlog.waiting.pop_front();
    if (!unarchived_.contains(next.run_id)) continue;
    const Run* run = engine_.runs().by_id(next.run_id);
    if (run == nullptr)
      forget(next.run_id);
    else if (!write(*run))
      let_go(*run);
  }
  tell_if_idle();
}

bool Archival::write(const Run& run) {
  const archival::Setting history = history_archival(*run.ns),
                          listed = visibility_archival(*run.ns);
  if (!history.enabled() && !listed.enabled()) return false;
  auto task = std::make_unique<Task>();
  if (history.enabled()) task->history_uri = history.uri;
  if (listed.enabled()) task->visibility_uri = listed.uri;
  task->key = {run.ns->id, run.workflow_id, run.run_id};
  task->record.namespace_id = run.ns->id;
  task->record.namespace_name = run.ns->name();
  task->record.history_uri = task->history_uri;
  task->record.info.ParseFromString(entry_of(run).info);
  // What has closed does not change, and stays in memory as long as it is held.
  task->events = &run.events;
  task->batches = &run.batches;
  backlogs_.at(run.ns->id).under_way = share(run);
  archivist_->post([this, task = std::move(task)](archival::HistoryReader&) {
    absl::Status status = task->write();
    engine_.post([this, id = task->key.namespace_id, status] { written(id, status); });
  });
  return true;
}

// It is in the archive, or is not to get there any more.
void Archival::let_go(const Run& run) {
  const auto found = unarchived_.find(run.run_id);
  const bool deleted = found != unarchived_.end() && found->second.deleted;
  forget(run.run_id);
  if (deleted)
    engine_.runs().erase_for_good(run);
  else
    engine_.runs().retire(run);
}

void Archival::written(const std::string& namespace_id, const absl::Status& status) {
  Backlog& backlog = backlogs_.at(namespace_id);
  const RunPtr run = std::exchange(backlog.under_way, nullptr);
  if (status.ok()) {
    if (backlog.rest > Nanos{0}) {
      core::log(core::LogLevel::kWarn, "server",
                absl::StrCat("the archive of namespace ", run->ns->name(), " is written again"));
    }
    backlog.rest = Nanos{0};
    let_go(*run);
    return advance(namespace_id);
  }
  if (unarchived_.contains(run->run_id)) backlog.waiting.push_back({run->run_id, 0});
  backlog.rest = std::clamp<Nanos>(backlog.rest * 2, kFirstRest, kLongestRest);
  core::log(core::LogLevel::kError, "server",
            absl::StrCat("workflow ", run->workflow_id, " of namespace ", run->ns->name(),
                         " is not archived: ", status.message(), ". It is tried again, and ",
                         backlog.waiting.size(), " in all wait; they are not deleted meanwhile."),
            {{"run_id", run->run_id}});
  wait(namespace_id, backlog.rest);
  tell_if_idle();
}

void Archival::stop() {
  archivist_ = nullptr;
  backlogs_.clear();
}

bool Archival::is_idle() const {
  return std::all_of(backlogs_.begin(), backlogs_.end(), [](const auto& each) {
    const Backlog& backlog = each.second;
    return backlog.under_way == nullptr && (backlog.resting || backlog.waiting.empty());
  });
}

void Archival::when_idle(absl::AnyInvocable<void(std::size_t)> done) {
  idle_.push_back(std::move(done));
  tell_if_idle();
}

void Archival::tell_if_idle() {
  if (idle_.empty() || !is_idle()) return;
  for (auto& done : std::exchange(idle_, {})) done(on() ? unarchived_.size() : 0);
}

}  // namespace chimera::server
