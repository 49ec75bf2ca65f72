#include "server/engine/run/side_record.h"

#include <functional>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

#include "server/engine/run/namespaces.h"

namespace chimera::server {
namespace {

// 1 had no pauses, resets and changed options. Until 2 activities and the ids of signal requests
// were in it; now they have rows of their own, so that a change of one writes only that one.
constexpr std::uint64_t kVersion = 3;
constexpr char kSignalTable[] = "signal", kActivityTable[] = "activity";
constexpr std::size_t kRunIdSize = 36;

// Writer and Reader have the same calls, so that visit() below lists the fields once for both
// directions.
class Writer {
 public:
  template <class Number>
  void number(const Number& value) {
    std::uint64_t bits = static_cast<std::uint64_t>(value);
    while (bits >= 0x80) {
      out.push_back(static_cast<char>(bits | 0x80));
      bits >>= 7;
    }
    out.push_back(static_cast<char>(bits));
  }
  void time(const WallTime& value) { number(value.time_since_epoch().count()); }
  void nanos(const Nanos& value) { number(value.count()); }
  void text(const std::string& value) {
    number(value.size());
    out += value;
  }
  void message(const google::protobuf::Message& value) { text(value.SerializeAsString()); }
  template <class Message>
  void optional(const std::unique_ptr<Message>& value) {
    number(value != nullptr);
    if (value != nullptr) message(*value);
  }
  static constexpr bool kReading = false;
  std::uint64_t version = kVersion;
  std::string out;
};

class Reader {
 public:
  explicit Reader(absl::string_view in) : in_(in) {}
  template <class Number>
  void number(Number& value) {
    std::uint64_t bits = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (in_.empty()) {
        ok = false;
        return;
      }
      const auto byte = static_cast<unsigned char>(in_[0]);
      in_.remove_prefix(1);
      bits |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    value = static_cast<Number>(bits);
  }
  void time(WallTime& value) {
    std::int64_t count = 0;
    number(count);
    value = WallTime{Nanos{count}};
  }
  void nanos(Nanos& value) {
    std::int64_t count = 0;
    number(count);
    value = Nanos{count};
  }
  void text(std::string& value) {
    std::uint64_t size = 0;
    number(size);
    if (size > in_.size()) {
      ok = false;
      return;
    }
    value = std::string(in_.substr(0, size));
    in_.remove_prefix(size);
  }
  void message(google::protobuf::Message& value) {
    std::string bytes;
    text(bytes);
    ok = value.ParseFromString(bytes) && ok;
  }
  template <class Message>
  void optional(std::unique_ptr<Message>& value) {
    bool present = false;
    number(present);
    if (!present || !ok) return;
    value = std::make_unique<Message>();
    message(*value);
  }
  static constexpr bool kReading = true;
  std::uint64_t version = 0;
  bool ok = true;

 private:
  absl::string_view in_;
};

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

template <class Archive, class OneActivity>
void visit_activity(Archive& ar, OneActivity& activity) {
  ar.number(activity.attempt);
  ar.time(activity.scheduled);
  ar.time(activity.started);
  ar.time(activity.last_heartbeat);
  ar.time(activity.last_attempt_completed);
  ar.number(activity.stamp);
  ar.text(activity.identity);
  ar.text(activity.request_id);
  ar.optional(activity.heartbeat_details);
  ar.optional(activity.last_failure);
  if (ar.version < 2) return;
  ar.number(activity.paused);
  ar.time(activity.pause_time);
  ar.text(activity.pause_identity);
  ar.text(activity.pause_reason);
  ar.number(activity.was_reset);
  ar.number(activity.forget_heartbeat);
  ar.optional(activity.changed);
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
  ar.text(run.last_worker_build_id);
  ar.number(run.has_worker_stamp);
  ar.text(run.reset_run_id);
  ar.time(run.last_reset);
}

// Behind its id.
void read_activity(Reader& ar, Run& run) {
  std::int64_t id = 0;
  ar.number(id);
  Activity* activity = run.find_activity(id);
  Activity unknown;
  visit_activity(ar, activity != nullptr ? *activity : unknown);
  if (activity != nullptr) activity->take_timeouts();
}

WriteBatch::KeyValue activity_row(const Run& run, std::int64_t id, std::string value, bool erase) {
  return {kActivityTable, run.run_id + std::to_string(id), std::move(value), erase};
}

WriteBatch::KeyValue signal_row(const Run& run, const std::string& request_id, bool erase) {
  return {kSignalTable, run.run_id + request_id, "", erase};
}

void collect_activities(const Run& run, std::vector<WriteBatch::KeyValue>& out) {
  std::erase_if(run.stored.activities, [&](const auto& stored) {
    if (run.activities.contains(stored.first)) return false;
    out.push_back(activity_row(run, stored.first, "", /*erase=*/true));
    return true;
  });
  for (const auto& [id, activity] : run.activities) {
    Writer ar;
    ar.number(kVersion);
    ar.number(id);
    visit_activity(ar, activity);
    const std::size_t hash = std::hash<std::string>()(ar.out);
    const auto [stored, fresh] = run.stored.activities.emplace(id, hash);
    if (!fresh && stored->second == hash) continue;
    stored->second = hash;
    out.push_back(activity_row(run, id, std::move(ar.out), /*erase=*/false));
  }
}

}  // namespace

std::string encode_side(const Run& run) {
  Writer ar;
  ar.number(kVersion);
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
  std::uint64_t count = 0;
  ar.number(ar.version);
  if (!ar.ok || ar.version == 0 || ar.version > kVersion) return false;
  visit_scalars(ar, run);
  run.begin_again(run.last_reset);
  WorkflowTask task;
  visit_task(ar, task);
  if (run.running()) run.task = std::move(task);
  if (ar.version < 3) {
    ar.number(count);
    for (std::uint64_t i = 0; i < count && ar.ok; ++i) read_activity(ar, run);
    count = 0;
  }
  ar.number(count);
  for (std::uint64_t i = 0; i < count && ar.ok; ++i) {
    HistoryEvent event;
    ar.message(event);
    run.apply(event);
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
  collect_activities(run, batch.values);
  for (const std::string& id : run.signal_request_ids.take_unstored())
    batch.values.push_back(signal_row(run, id, /*erase=*/false));
}

std::string run_of_row(const WriteBatch::KeyValue& row) {
  if (row.table != kSignalTable && row.table != kActivityTable) return "";
  return row.key.substr(0, kRunIdSize);
}

bool decode_row(const WriteBatch::KeyValue& row, Run& run) {
  if (row.table == kSignalTable) {
    run.signal_request_ids.restore(row.key.substr(kRunIdSize));
    return true;
  }
  Reader ar(row.value);
  ar.number(ar.version);
  if (!ar.ok || ar.version < 3 || ar.version > kVersion) return false;
  read_activity(ar, run);
  std::int64_t id = 0;
  if (!absl::SimpleAtoi(row.key.substr(kRunIdSize), &id)) return false;
  run.stored.activities[id] = std::hash<std::string>()(row.value);
  return ar.ok;
}

void erase_rows(const Run& run, std::vector<WriteBatch::KeyValue>& out) {
  for (const auto& [id, hash] : run.stored.activities)
    out.push_back(activity_row(run, id, "", /*erase=*/true));
  for (const std::string& id : run.signal_request_ids.all())
    out.push_back(signal_row(run, id, /*erase=*/true));
}

}  // namespace chimera::server
