#include "server/engine/run/side_record.h"

#include <algorithm>
#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

#include "server/engine/deployments/run_versioning.h"
#include "server/engine/run/archive.h"
#include "server/engine/run/namespaces.h"
#include "server/engine/run/rebuild.h"

namespace chimera::server {
namespace {

constexpr char kSignalTable[] = "signal";
constexpr char kVersioningTable[] = "versioning";

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
  ar.number(task.suggest_reasons);
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

WriteBatch::RunRow row_of(const Run& run, const char* table, std::int64_t id, std::string value,
                          bool erase) {
  return {run.order, table, std::to_string(id), std::move(value), erase};
}

// The rows of a kind that are not as they were written last.
template <class Kind>
void collect_rows(const Run& run, const Kind& kind, std::vector<WriteBatch::RunRow>& out) {
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

namespace {

// One entry for each batch of events that the store does not have.
void collect_events(const Run& run, WriteBatch& batch) {
  const std::int64_t last = run.events.events_size();
  history::History fresh;
  std::int64_t first = run.stored.events + 1;
  auto next = std::upper_bound(run.batches.begin(), run.batches.end(), first);
  while (first <= last) {
    const std::int64_t end = next == run.batches.end() ? last + 1 : *next++;
    // Borrowed for the moment of serializing: no copy.
    for (std::int64_t id = first; id < end; ++id) {
      fresh.mutable_events()->UnsafeArenaAddAllocated(
          const_cast<HistoryEvent*>(&run.events.events(static_cast<int>(id - 1))));
    }
    batch.events.push_back({run.order, first, fresh.SerializeAsString()});
    while (fresh.events_size() > 0) fresh.mutable_events()->UnsafeArenaReleaseLast();
    first = end;
  }
  run.stored.events = last;
}

// Which part of it no event tells is for RunVersioning to say: it is one row.
void collect_versioning(const Run& run, std::vector<WriteBatch::RunRow>& out) {
  if (run.versioning == nullptr) return;
  std::string value = run.versioning->encode();
  std::size_t& stored = run.stored.rows[kVersioningTable][0];
  const std::size_t hash = std::hash<std::string>()(value);
  if (stored == hash) return;
  stored = hash;
  out.push_back(row_of(run, kVersioningTable, 0, std::move(value), /*erase=*/false));
}

bool decode_versioning(const std::string& value, Run& run) {
  if (run.versioning == nullptr) run.versioning = std::make_unique<RunVersioning>();
  run.stored.rows[kVersioningTable][0] = std::hash<std::string>()(value);
  return run.versioning->decode(value);
}

}  // namespace

void collect_changes(const Run& run, WriteBatch& batch) {
  collect_events(run, batch);
  const std::int64_t closed =
      run.running()
          ? 0
          : std::max<std::int64_t>(run.server_time(run.close_time).time_since_epoch().count(), 1);
  batch.runs.push_back(
      {run.order, run.run_id, run.ns->id, run.workflow_id, closed, encode_side(run)});
  run.pending().each([&]<class Kind>(const Kind& kind) {
    if constexpr (Kind::kTable != nullptr) collect_rows(run, kind, batch.rows);
  });
  collect_versioning(run, batch.rows);
  for (const std::string& id : run.signal_request_ids.take_unstored())
    batch.rows.push_back({run.order, kSignalTable, id, "", /*erase=*/false});
}

bool decode_row(const WriteBatch::RunRow& row, Run& run) {
  if (row.table == kSignalTable) {
    run.signal_request_ids.restore(row.key);
    return true;
  }
  if (row.table == kVersioningTable) return decode_versioning(row.value, run);
  Reader ar(row.value);
  std::int64_t id = 0, key = 0;
  ar.number(ar.version);
  if (!ar.ok || ar.version < 3 || ar.version > kArchiveVersion) return false;
  ar.number(id);
  if (!absl::SimpleAtoi(row.key, &key)) return false;
  Rebuild(run).pending().each([&]<class Kind>(Kind& kind) {
    if constexpr (Kind::kTable != nullptr) {
      if (row.table == Kind::kTable) kind.read_row(id, ar);
    }
  });
  run.stored.rows[row.table][key] = std::hash<std::string>()(row.value);
  return ar.ok;
}

absl::Status restore(StoredRun stored, Run& run) {
  const auto damaged = [&run](const char* what) {
    return absl::DataLossError(absl::StrCat("the database is damaged: ", what, " of run ",
                                            run.run_id,
                                            ". Restore a copy of the file, or start with another "
                                            "file name."));
  };
  Rebuild rebuild(run);
  for (const std::string& bytes : stored.batches) {
    history::History batch;
    if (!batch.ParseFromString(bytes)) return damaged("history");
    run.batches.push_back(run.next_event_id());
    for (HistoryEvent& event : *batch.mutable_events()) rebuild.add(std::move(event));
  }
  if (run.events.events_size() == 0) return damaged("history (it has none)");
  if (!decode_side(stored.record.side, run)) return damaged("state");
  for (const auto& row : stored.rows) {
    if (!decode_row(row, run)) return damaged("an activity");
  }
  run.stored.events = run.events.events_size();
  return absl::OkStatus();
}

}  // namespace chimera::server
