// What activity code calls, on the thread that runs the activity. Elsewhere these throw
// std::logic_error.
#ifndef CHIMERA_ACTIVITY_H_
#define CHIMERA_ACTIVITY_H_

#include <array>
#include <string>
#include <string_view>

#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/metrics.h"
#include "chimera/options.h"

namespace chimera::activity {

struct Info {
  std::string activity_id, activity_type, task_queue, task_token;
  std::string workflow_id, workflow_run_id, workflow_type, workflow_namespace;
  int attempt = 1;
  bool is_local = false;
  Time scheduled_time, current_attempt_scheduled_time, started_time;
  Duration schedule_to_close_timeout{}, start_to_close_timeout{}, heartbeat_timeout{};
  Priority priority;
  Details heartbeat_details;  // Of the last attempt's last heartbeat.
};
const Info& info();

struct CancellationDetails {
  bool not_found = false, cancel_requested = false, paused = false, timed_out = false;
  bool worker_shutdown = false, reset = false;
};

// Asked to stop: by the workflow, by a timeout or by the worker's shutdown. Heartbeats bring the
// news.
bool is_cancelled();
bool is_worker_shutdown();
CancellationDetails cancellation_details();
// True if cancelled before the time is up.
bool wait_for_cancelled(Duration timeout);
// Throws CancelledError if cancelled, which ends the activity as cancelled.
void throw_if_cancelled();

// Thrown out of the activity by raise_complete_async(); not an error.
class CompleteAsync {};
// Ends the function but not the activity: somebody completes it later by its task token.
[[noreturn]] void raise_complete_async();

void record_heartbeat(detail::Arguments details);
template <class... A>
void heartbeat(const A&... details) {
  detail::pass_any([](detail::Arguments list) { record_heartbeat(list); }, details...);
}

class Logger {
 public:
  void debug(std::string_view message) const;
  void info(std::string_view message) const;
  void warning(std::string_view message) const;
  void error(std::string_view message) const;
};
inline Logger logger() { return {}; }

// Metrics that carry the namespace, the task queue and the activity's type.
MetricMeter metric_meter();

}  // namespace chimera::activity

#endif  // CHIMERA_ACTIVITY_H_
