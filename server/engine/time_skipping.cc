#include "server/engine/time_skipping.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"
#include "server/engine/engine.h"
#include "server/engine/standalone/activity_executions.h"
#include "server/engine/standalone/operation_executions.h"

namespace chimera::server {

namespace {

// A handler is asked to start the operation or to cancel it. What one has started it works at
// itself.
bool asks_by_nexus(const NexusOperation& operation) {
  return operation.state == NexusOperation::State::kScheduled || operation.is_canceling();
}

bool asks_by_nexus(const Run& run) {
  const auto& operations = run.open<NexusOperations>().all();
  return std::any_of(operations.begin(), operations.end(),
                     [](const auto& each) { return asks_by_nexus(each.second); });
}

}  // namespace

bool TimeSkipping::is_busy(const Run& run) const {
  if (!run.running()) return false;
  if (run.task.pending()) return true;
  if (asks_by_nexus(run)) return true;
  const auto& activities = run.open<Activities>().all();
  return std::any_of(activities.begin(), activities.end(), [&](const auto& each) {
    const auto& [id, activity] = each;
    if (!activity.is_started()) return activity.dispatched && !run.paused();
    return !is_resting({&run, id}, activity);
  });
}

bool TimeSkipping::is_resting(const RestKey& key, const Activity& activity) const {
  const auto resting = resting_.find(key);
  return resting != resting_.end() && resting->second.stamp == activity.stamp;
}

void TimeSkipping::begin(Engine& engine, int locks) {
  engine.time_skipping.reset(new TimeSkipping(engine, locks));
  TimeSkipping& time = *engine.time_skipping;
  for (const auto& [id, run] : engine.runs().in_memory()) time.note(*run);
  engine.activity_executions->each_open([&time](const auto& execution) { time.note(execution); });
  engine.operation_executions->each_open([&time](const auto& execution) { time.note(execution); });
  engine.loop().skip_when(
      [&time] { return time.may_skip(); },
      [&engine](Nanos ahead) { engine.put_value("meta", kAheadKey, absl::StrCat(ahead.count())); });
}

std::uint64_t TimeSkipping::sleep(WallTime at, bool unlocked, absl::AnyInvocable<void()> done) {
  const std::uint64_t id = ++last_sleeper_;
  Sleeper& sleeper = sleepers_[id];
  sleeper.done = std::move(done);
  sleeper.unlocked = unlocked;
  sleeper.timer = std::make_unique<Timer>([this, id] {
    auto ended = std::make_shared<Sleeper>(take(id));
    ended->done();
    engine_.follow_up([ended] {});  // Its timer is firing: it goes after it has returned.
  });
  if (unlocked) unlock();
  engine_.timers().arm(*sleeper.timer, at);
  return id;
}

void TimeSkipping::wake(std::uint64_t sleeper) {
  if (sleepers_.contains(sleeper)) take(sleeper);
}

TimeSkipping::Sleeper TimeSkipping::take(std::uint64_t id) {
  Sleeper sleeper = std::move(sleepers_.at(id));
  sleepers_.erase(id);
  if (sleeper.unlocked) lock();
  return sleeper;
}

void TimeSkipping::rest(const RestKey& key, const Activity& activity, Nanos time,
                        absl::AnyInvocable<void()> awake, absl::AnyInvocable<void()> done) {
  if (const auto before = resting_.find(key); before != resting_.end()) {
    const std::uint64_t sleeper = before->second.sleeper;
    resting_.erase(before);  // Of an attempt that has timed out.
    end_rest(sleeper);
  }
  const WallTime at = std::min(add_saturated(engine_.now(), time), kLast);
  const std::uint64_t stamp = activity.stamp;
  auto end = [this, key, stamp, awake = std::move(awake), done = std::move(done)]() mutable {
    const auto resting = resting_.find(key);
    if (resting != resting_.end() && resting->second.stamp == stamp) resting_.erase(resting);
    awake();
    done();
  };
  resting_[key] = {stamp, sleep(at, /*unlocked=*/false, std::move(end))};
}

void TimeSkipping::rest(const Run& run, std::int64_t scheduled_id, Nanos time,
                        absl::AnyInvocable<void()> done) {
  auto awake = [this, weak = RunWeak(share(run))] {
    if (const RunPtr still = weak.lock()) note(*still);
  };
  rest({&run, scheduled_id}, *run.open<Activities>().find(scheduled_id), time, std::move(awake),
       std::move(done));
  note(run);
}

void TimeSkipping::rest(const ActivityExecution& execution, Nanos time,
                        absl::AnyInvocable<void()> done) {
  auto awake = [this, weak = std::weak_ptr(share(execution))] {
    if (const auto still = weak.lock()) note(*still);
  };
  rest({&execution, 0}, execution.activity, time, std::move(awake), std::move(done));
  note(execution);
}

void TimeSkipping::end_rest(std::uint64_t sleeper) {
  engine_.follow_up([ended = std::make_shared<Sleeper>(take(sleeper))] { ended->done(); });
}

void TimeSkipping::end_all_rest(const void* owner) {
  for (auto each = resting_.lower_bound({owner, 0}); each != resting_.end();) {
    if (each->first.first != owner) break;
    end_rest(each->second.sleeper);
    each = resting_.erase(each);
  }
}

void TimeSkipping::drop(const Run& run) {
  end_all_rest(&run);
  busy_.erase(&run);
}

void TimeSkipping::note(const Run& run) {
  if (!run.running()) end_all_rest(&run);
  if (is_busy(run)) {
    busy_.insert(&run);
  } else {
    busy_.erase(&run);
  }
}

void TimeSkipping::note(const ActivityExecution& execution) {
  const Activity& activity = execution.activity;
  if (!execution.open()) end_all_rest(&execution);
  const bool works = activity.is_started() ? !is_resting({&execution, 0}, activity)
                                           : activity.dispatched && !activity.paused;
  if (execution.open() && works)
    busy_.insert(&execution);
  else
    busy_.erase(&execution);
}

void TimeSkipping::drop(const ActivityExecution& execution) {
  end_all_rest(&execution);
  busy_.erase(&execution);
}

void TimeSkipping::note(const OperationExecution& execution) {
  if (execution.open() && asks_by_nexus(execution.operation))
    busy_.insert(&execution);
  else
    busy_.erase(&execution);
}

void TimeSkipping::drop(const OperationExecution& execution) { busy_.erase(&execution); }

bool TimeSkipping::may_skip() {
  if (locks_ > 0 || !busy_.empty() || !engine_.direct_queries().empty()) return false;
  if (engine_.timers().next() <= kLast) return true;
  if (!std::exchange(told_of_the_end_, true)) {
    core::log(
        core::LogLevel::kWarn, "server",
        "time does not skip beyond the year 2219: what is due later waits for it in real time");
  }
  return false;
}

}  // namespace chimera::server
