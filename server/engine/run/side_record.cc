#include "server/engine/run/side_record.h"

#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

#include "server/engine/run/archive.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/rebuild.h"

namespace chimera::server {
namespace {

constexpr char kSignalTable[] = "signal";
constexpr std::size_t kRunIdSize = 36;

template <class Archive, class Task>
void visit_task(Archive& ar, Task& task) {
  ar.number(task.kind);
  ar.number(task.attempt);
  ar.number(task.scheduled_id);
  ar.number(task.started_id);
  ar.time(task.scheduled);
  ar.time(task.started);
  ar.time(task.original_scheduled);
  ar.nanos(task.timeout);
  ar.nanos(task.schedule_to_start);
  ar.text(task.queue);
  ar.number(task.sticky);
  ar.number(task.suggest_continue_as_new);
  ar.number(task.history_size);
  ar.text(task.request_id);
  ar.text(task.identity);
  ar.number(task.stamp);
}

template <class Archive, class AnyRun>
void visit_scalars(Archive& ar, AnyRun& run) {
  ar.text(run.start_request_id);
  ar.text(run.sticky_queue);
  ar.nanos(run.sticky_timeout);
  ar.time(run.backoff_until);
  ar.number(run.events_since_failure);
  ar.number(run.consecutive_failures);
  ar.text(run.reported_problem_category);
  ar.text(run.reported_problem_cause);
  ar.number(run.transitions);
  ar.text(run.last_worker_build_id);  // Events tell both.
  ar.number(run.has_worker_stamp);
  ar.text(run.reset_run_id);
  ar.time(run.last_reset);
}

WriteBatch::KeyValue row_of(const Run& run, const char* table, std::int64_t id, std::string value,
                            bool erase) {
  return {table, run.run_id + std::to_string(id), std::move(value), erase};
}

WriteBatch::KeyValue signal_row(const Run& run, const std::string& request_id, bool erase) {
  return {kSignalTable, run.run_id + request_id, "", erase};
}

// The rows of a kind that are not as they were written last.
template <class Kind>
void collect_rows(const Run& run, const Kind& kind, std::vector<WriteBatch::KeyValue>& out) {
  const std::string_view table = Kind::kTable;
  auto stored = run.stored.rows.find(table);
  if (stored == run.stored.rows.end()) {
    if (!kind.has_rows()) return;
    stored = run.stored.rows.try_emplace(std::string(table)).first;
  }
  auto& rows = stored->second;
  std::erase_if(rows, [&](const auto& row) {
    if (kind.has_row(row.first)) return false;
    out.push_back(row_of(run, Kind::kTable, row.first, "", /*erase=*/true));
    return true;
  });
  kind.each_row([&](std::int64_t id, const auto& one) {
    Writer ar;
    ar.number(kArchiveVersion);
    ar.number(id);
    one.write(ar);
    const std::size_t hash = std::hash<std::string>()(ar.out);
    const auto [row, fresh] = rows.emplace(id, hash);
    if (!fresh && row->second == hash) return;
    row->second = hash;
    out.push_back(row_of(run, Kind::kTable, id, std::move(ar.out), /*erase=*/false));
  });
}

}  // namespace

std::string encode_side(const Run& run) {
  Writer ar;
  ar.number(kArchiveVersion);
  visit_scalars(ar, run);
  // A speculative task and its updates are not durable: the clients ask again.
  WorkflowTask task = run.task;
  if (task.kind == WorkflowTask::Kind::kSpeculative) task = WorkflowTask{};
  visit_task(ar, task);
  ar.number(run.buffered.size());
  for (const HistoryEvent& event : run.buffered) ar.message(event);
  return std::move(ar.out);
}

bool decode_side(absl::string_view bytes, Run& run) {
  Reader ar(bytes);
  Rebuild rebuild(run);
  std::uint64_t count = 0;
  ar.number(ar.version);
  if (!ar.ok || ar.version == 0 || ar.version > kArchiveVersion) return false;
  visit_scalars(ar, run);
  rebuild.begin_again(run.last_reset);
  WorkflowTask task;
  visit_task(ar, task);
  if (run.running()) run.task = std::move(task);
  if (ar.version < 3) {
    ar.number(count);
    for (std::uint64_t i = 0; i < count && ar.ok; ++i) {
      std::int64_t id = 0;
      ar.number(id);
      rebuild.pending().of<Activities>().read_row(id, ar);
    }
    count = 0;
  }
  ar.number(count);
  for (std::uint64_t i = 0; i < count && ar.ok; ++i) {
    HistoryEvent event;
    ar.message(event);
    rebuild.fold(event);
    run.buffered.push_back(std::move(event));
  }
  if (ar.version >= 3) return ar.ok;
  count = 0;
  ar.number(count);
  for (std::uint64_t i = 0; i < count && ar.ok; ++i) {
    std::string id;
    ar.text(id);
    run.signal_request_ids.insert(std::move(id));  // The next change stores them where they belong.
  }
  return ar.ok;
}

void collect_changes(const Run& run, WriteBatch& batch) {
  const std::int64_t last = run.events.events_size();
  if (last > run.stored.events) {
    history::History fresh;
    // Borrowed for the moment of serializing: no copy.
    for (std::int64_t i = run.stored.events; i < last; ++i) {
      fresh.mutable_events()->UnsafeArenaAddAllocated(
          const_cast<HistoryEvent*>(&run.events.events(static_cast<int>(i))));
    }
    batch.events.push_back({run.run_id, run.stored.events + 1, fresh.SerializeAsString()});
    while (fresh.events_size() > 0) fresh.mutable_events()->UnsafeArenaReleaseLast();
    run.stored.events = last;
  }
  batch.runs.push_back({run.run_id, run.ns->id, run.workflow_id, run.running(), encode_side(run)});
  run.pending().each([&]<class Kind>(const Kind& kind) {
    if constexpr (Kind::kTable != nullptr) collect_rows(run, kind, batch.values);
  });
  for (const std::string& id : run.signal_request_ids.take_unstored())
    batch.values.push_back(signal_row(run, id, /*erase=*/false));
}

std::string run_of_row(const WriteBatch::KeyValue& row) {
  bool ours = row.table == kSignalTable;
  Pending::each_type([&]<class Kind>() {
    if constexpr (Kind::kTable != nullptr) ours = ours || row.table == Kind::kTable;
  });
  return ours ? row.key.substr(0, kRunIdSize) : "";
}

bool decode_row(const WriteBatch::KeyValue& row, Run& run) {
  if (row.table == kSignalTable) {
    run.signal_request_ids.restore(row.key.substr(kRunIdSize));
    return true;
  }
  Reader ar(row.value);
  std::int64_t id = 0, key = 0;
  ar.number(ar.version);
  if (!ar.ok || ar.version < 3 || ar.version > kArchiveVersion) return false;
  ar.number(id);
  if (!absl::SimpleAtoi(row.key.substr(kRunIdSize), &key)) return false;
  Rebuild(run).pending().each([&]<class Kind>(Kind& kind) {
    if constexpr (Kind::kTable != nullptr) {
      if (row.table == Kind::kTable) kind.read_row(id, ar);
    }
  });
  run.stored.rows[row.table][key] = std::hash<std::string>()(row.value);
  return ar.ok;
}

void erase_rows(const Run& run, std::vector<WriteBatch::KeyValue>& out) {
  for (const auto& [table, rows] : run.stored.rows) {
    for (const auto& [id, hash] : rows)
      out.push_back(row_of(run, table.c_str(), id, "", /*erase=*/true));
  }
  for (const std::string& id : run.signal_request_ids.all())
    out.push_back(signal_row(run, id, /*erase=*/true));
}

}  // namespace chimera::server
