// A batch by a sliding window: a child workflow for each record, and only so many of them at a
// time. A record that is done makes room for the next one, however long the others take.
// samples/python/window is the same, under the same names.
#ifndef CHIMERA_SAMPLES_CPP_WINDOW_WINDOW_H_
#define CHIMERA_SAMPLES_CPP_WINDOW_WINDOW_H_

#include <chrono>
#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/workflow.h"

namespace window {

namespace workflow = chimera::workflow;

inline constexpr char kTaskQueue[] = "window";

struct Batch {
  std::int64_t records = 0;          // Numbered from 0.
  std::int64_t at_once = 10;         // Children under way.
  std::int64_t starts_per_run = 50;  // Then it continues as new, so that its history stays short.
  // Of the runs before.
  std::int64_t next = 0, done = 0, failed = 0, runs = 1;
  std::set<std::int64_t> under_way = {};
};

struct Report {
  std::int64_t record = 0;
  bool ok = true;
};

// What is done to a record. Its methods are activities; any thread.
class Records {
 public:
  void process(std::int64_t record) {
    const std::lock_guard lock(mutex_);
    if (broken_.contains(record)) {
      throw chimera::ApplicationError("record " + std::to_string(record) + " cannot be read",
                                      {.type = "Unreadable", .non_retryable = true});
    }
    processed_.insert(record);
  }

  void set_broken(std::int64_t record) {
    const std::lock_guard lock(mutex_);
    broken_.insert(record);
  }
  std::multiset<std::int64_t> processed() const {
    const std::lock_guard lock(mutex_);
    return processed_;
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::int64_t> processed_;
  std::set<std::int64_t> broken_;
};

inline constexpr auto kProcess = chimera::define_activity<&Records::process>("process");

class SlidingWindow {
 public:
  // Made from run()'s argument, so that a report that comes before run() finds it.
  explicit SlidingWindow(Batch batch) : batch_(std::move(batch)) {}

  Batch run(const Batch&);
  void report(const Report& report) {
    if (batch_.under_way.erase(report.record) == 0) return;  // It has said so before.
    ++(report.ok ? batch_.done : batch_.failed);
  }
  Batch progress() const { return batch_; }

 private:
  Batch batch_;
};

// One record. It outlives the run that started it, and reports to whichever is the current one.
struct ProcessRecord {
  void run(const std::string& batch_id, std::int64_t record) {
    Report report{.record = record};
    try {
      workflow::execute_activity<kProcess>({.start_to_close_timeout = std::chrono::minutes(1)},
                                           record);
    } catch (const chimera::ActivityError& error) {
      if (chimera::is_cancelled(error)) throw;
      report.ok = false;
    }
    workflow::get_external_workflow_handle(batch_id).signal<&SlidingWindow::report>(report);
  }
};

inline const auto kSlidingWindow = chimera::define_workflow<&SlidingWindow::run>("SlidingWindow")
                                       .signal<&SlidingWindow::report>("report")
                                       .query<&SlidingWindow::progress>("progress");
inline const auto kProcessRecord = chimera::define_workflow<&ProcessRecord::run>("ProcessRecord");

inline Batch SlidingWindow::run(const Batch&) {
  const std::string id = workflow::info().workflow_id;
  for (std::int64_t started = 0; batch_.next < batch_.records; ++started) {
    workflow::wait_condition(
        [this] { return static_cast<std::int64_t>(batch_.under_way.size()) < batch_.at_once; });
    if (started == batch_.starts_per_run) {
      ++batch_.runs;
      workflow::continue_as_new<&SlidingWindow::run>(batch_);
    }
    const std::int64_t record = batch_.next++;
    batch_.under_way.insert(record);
    // Waits until it has started: what is started when this run ends goes on without it.
    std::ignore = workflow::start_child_workflow<kProcessRecord>(
        {.id = id + "/" + std::to_string(record),
         .parent_close_policy = chimera::ParentClosePolicy::kAbandon},
        id, record);
  }
  workflow::wait_condition([this] { return batch_.under_way.empty(); });
  return batch_;
}

inline void add_to(chimera::Registry& worker, Records& records) {
  worker.add(kSlidingWindow).add(kProcessRecord).add(kProcess, records);
}

}  // namespace window

#endif  // CHIMERA_SAMPLES_CPP_WINDOW_WINDOW_H_
