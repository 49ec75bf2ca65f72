// Timeline, a workflow's history as bars: what ran when, for how long, and how it ended. Pure:
// events in, text out.
#ifndef CHIMERA_CLI_TIMELINE_H_
#define CHIMERA_CLI_TIMELINE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/api.h"

namespace chimera::cli {

enum class Outcome {
  kOpen,
  kCompleted,
  kFailed,
  kTimedOut,
  kCanceled,
  kTerminated,
  kContinuedAsNew
};

// One line of the picture. Times are nanoseconds since the first event.
struct TimelineRow {
  std::string kind;   // "activity", "timer", "child", "signal", "update", "workflow task", ...
  std::string name;   // Type, signal or update name, timer length.
  std::string note;   // "attempt 3", "fired", a failure's message.
  std::string actor;  // Identity of the worker that ended an activity; empty otherwise.
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;  // Equal to begin_ns: a point in time.
  Outcome outcome = Outcome::kOpen;
};

struct Timeline {
  std::string workflow_type, task_queue,
      sdk;  // sdk as the worker reported it, "chimera-cpp 0.1.0".
  Outcome outcome = Outcome::kOpen;
  std::string failure;  // Message chain of a failed workflow.
  std::int64_t begin_unix_ns = 0, length_ns = 0;
  int events = 0, workflow_tasks = 0, failed_workflow_tasks = 0;
  std::vector<TimelineRow> rows;  // By time of begin.
};

// Open operations last until the history's last event.
Timeline build_timeline(const api::history::v1::History& history);

struct RenderOptions {
  int width = 100;  // Columns in all; at least 60.
  bool color = false;
};

std::string render_timeline(const Timeline& timeline, const std::string& workflow_id,
                            const RenderOptions& options);

// "1.25 s", "830 ms", "2 h 03 min".
std::string human_duration(std::int64_t ns);

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_TIMELINE_H_
