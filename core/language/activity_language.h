// How a language runs activities. The worker hands over a task with a slot; the language runs it on
// threads or loops of its own and answers once.
#ifndef CHIMERA_CORE_LANGUAGE_ACTIVITY_LANGUAGE_H_
#define CHIMERA_CORE_LANGUAGE_ACTIVITY_LANGUAGE_H_

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"

#include "core/base/api.h"

namespace chimera::core {

// Why an activity is told to stop (coresdk.activity_task.ActivityCancelReason and details).
struct ActivityCancellation {
  bool not_found = false, cancelled = false, paused = false, timed_out = false,
       worker_shutdown = false, reset = false;
};

struct ActivityResult {
  struct Completed {
    std::optional<api::common::v1::Payload> result;
  };
  struct Failed {
    api::failure::v1::Failure failure;
  };
  struct Cancelled {  // Only after a cancellation was delivered; anything else is reported as a
                      // failure.
    api::common::v1::Payloads details;
  };
  struct WillCompleteAsync {};
  std::variant<Completed, Failed, Cancelled, WillCompleteAsync> status;
};

// The running activity's line back to the worker. Any thread; outlives the task only as a no-op.
class ActivityHandle {
 public:
  virtual ~ActivityHandle() = default;
  // Throttled as sdk-core 1.35 does: the newest details win. Never blocks.
  virtual void heartbeat(api::common::v1::Payloads details) = 0;
  virtual void complete(ActivityResult result) = 0;  // Once.
};

// The thread that starts a task, where it may run one itself: for code that will end at once, most
// likely. It has a stand-in if that takes longer.
class StartingThread {
 public:
  virtual ~StartingThread() = default;
  // Runs `work` before it returns. At most once.
  virtual void run(absl::FunctionRef<void()> work) = 0;
  // Before run(): `told` runs when the stand-in comes, on another thread.
  virtual void when_relieved(absl::AnyInvocable<void() &&> told) = 0;
};

struct ActivityTask {
  // Input, header, heartbeat details, times: as the server sent it. Lives as long as this pointer.
  std::shared_ptr<const api::workflowservice::v1::PollActivityTaskQueueResponse> message;
  std::shared_ptr<ActivityHandle> handle;
  bool is_local = false;  // Runs inside a workflow task: no heartbeats, no asynchronous completion.
  StartingThread* here = nullptr;  // Null: it must not run code. Borrowed while start() lasts.
};

// Told on the worker's threads; must not block.
class ActivityLanguage {
 public:
  virtual ~ActivityLanguage() = default;
  // For messages to people: "C++", "Python".
  virtual std::string name() const { return "an unnamed language"; }
  virtual void start(ActivityTask task) = 0;
  // At most once per task and reason; the task may have ended already. `task_token` names it.
  virtual void cancel(const std::string& task_token, const ActivityCancellation& cancellation) = 0;
  // The worker takes no more tasks and will end. Running ones have until its grace is over.
  virtual void begin_shutdown() {}
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_LANGUAGE_ACTIVITY_LANGUAGE_H_
