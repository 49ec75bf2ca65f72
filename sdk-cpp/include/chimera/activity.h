// What activity code calls, on the thread that runs the activity, and on others that have a
// ContextScope. Elsewhere these throw std::logic_error.
#ifndef CHIMERA_ACTIVITY_H_
#define CHIMERA_ACTIVITY_H_

#include <array>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "chimera/context.h"
#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/metrics.h"
#include "chimera/options.h"

namespace chimera::sdk {
class ActivityContext;
}

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

// Asked to stop: by the workflow, by a timeout, by who pauses or resets the activity, or by the
// worker's shutdown. Heartbeats bring the news.
bool is_cancelled();
CancellationDetails cancellation_details();
// True if cancelled before the time is up.
bool wait_for_cancelled(Duration timeout);
// Throws CancelledError if cancelled, which ends the activity as cancelled.
void throw_if_cancelled();

// The worker has begun to end. When its graceful_shutdown_timeout is over, the activity is
// cancelled, too.
bool is_worker_shutdown();
// True if it begins before the time is up.
bool wait_for_worker_shutdown(Duration timeout);

// Both as tokens, for std::condition_variable_any, std::stop_callback and libraries that take one.
// Callbacks run on a thread of the worker's, and must be quick. Tokens outlive the activity.
std::stop_token cancellation_token();
std::stop_token worker_shutdown_token();

// Thrown out of the activity by raise_complete_async(); not an error.
class CompleteAsync {};
// Ends the function but not the activity: somebody completes it later by its task token.
[[noreturn]] void raise_complete_async();

void record_heartbeat(detail::Arguments details);
template <class... A>
void heartbeat(const A&... details) {
  detail::pass_any([](detail::Arguments list) { record_heartbeat(list); }, details...);
}

// Beats by itself while it lives, with the details of the newest heartbeat (at first those of the
// attempt before): for code that is inside a long call. It hides a call that hangs from the
// heartbeat timeout, so give the activity a start_to_close_timeout, too. Interceptors do not see
// its beats.
//   const activity::AutoHeartbeat beating;
//   upload(file);
class AutoHeartbeat {
 public:
  // Zero: a third of the heartbeat timeout, or 30 s where there is none. At least 10 ms. Throws
  // std::invalid_argument for a negative interval.
  explicit AutoHeartbeat(Duration interval = {});
  ~AutoHeartbeat();
  AutoHeartbeat(const AutoHeartbeat&) = delete;
  AutoHeartbeat& operator=(const AutoHeartbeat&) = delete;

 private:
  class Beats;
  std::shared_ptr<Beats> beats_;
};

// The activity that runs on this thread, and the code's chimera::Context, to be taken to others
// that work for it. Cheap to copy.
//   std::jthread reader([context = activity::Context()] {
//     const activity::ContextScope here(context);
//     activity::heartbeat(read_some());
//   });
class Context {
 public:
  Context();

 private:
  friend class ContextScope;
  std::shared_ptr<sdk::ActivityContext> context_;
  chimera::Context values_;
};

// While it lives, what this thread calls is for that activity. Once its function has returned, the
// calls throw std::logic_error.
class ContextScope {
 public:
  explicit ContextScope(const Context& context);
  ~ContextScope();
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;

 private:
  const std::shared_ptr<sdk::ActivityContext> context_;
  sdk::ActivityContext* const before_;
  const bool visited_before_;
  const chimera::ContextScope values_;
};

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
