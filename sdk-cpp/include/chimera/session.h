// Sessions: activities of a workflow that must run on one worker, such as steps that share a file
// on its disk. Names and values are the Go SDK's, whose workers may take them.
//
//   WorkerOptions{.task_queue = "video", .max_concurrent_sessions = 4}   // At the workers.
//
//   workflow::Session session({.execution_timeout = 1h});                // In a workflow.
//   const auto file = session.execute_activity<&download>(kQuick, url);
//   session.execute_activity<&transcode>(kSlow, file);
//   session.complete();
//
// Included by workflow code; chimera/workflow.h's rules hold.
#ifndef CHIMERA_SESSION_H_
#define CHIMERA_SESSION_H_

#include <chrono>
#include <string>
#include <string_view>

#include "chimera/errors.h"
#include "chimera/options.h"
#include "chimera/workflow.h"

namespace chimera {

// The worker of a session is gone, or the session took too long. type() is "SessionFailed"; a
// workflow that does not catch it fails.
class SessionFailedError : public ApplicationError {
 public:
  using ApplicationError::ApplicationError;
  void raise() const override { throw *this; }
};

}  // namespace chimera

namespace chimera::workflow {

struct SessionOptions {
  std::string task_queue = {};  // Of workers that take sessions; the workflow's own when empty.
  // Until one of them has room.
  Duration creation_timeout = std::chrono::minutes(1);
  Duration execution_timeout{};  // Of the whole session. Required.
  // A worker that has been silent for so long is gone.
  Duration heartbeat_timeout = std::chrono::seconds(20);
};

class Session {
 public:
  // Waits for a worker that has room. Throws ActivityError (with a TimeoutError as its cause) when
  // none has taken the session in time; std::invalid_argument for options that make no session.
  explicit Session(const SessionOptions& options);
  // Without complete() the worker learns of the end with its next heartbeat.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::string& id() const { return id_; }
  // On which its worker alone polls: for activities that are started by hand.
  const std::string& task_queue() const { return task_queue_; }
  const std::string& host_name() const { return host_name_; }
  // Its worker is gone, or its time is up.
  bool failed() const { return !completed_ && holder_.done(); }

  // As workflow::execute_activity, on the session's worker; options.task_queue must be empty.
  // Throws SessionFailedError when the session fails first.
  template <auto Activity, class = decltype(Activity), class... A>
    requires detail::FunctionPointer<Activity>
  [[nodiscard]] auto execute_activity(const ActivityOptions& options, const A&... arguments) {
    return result_of(start_activity<Activity>(here(options), arguments...));
  }
  template <const auto& Definition, class... A>
    requires detail::DefinesActivity<Definition>
  [[nodiscard]] auto execute_activity(const ActivityOptions& options, const A&... arguments) {
    return result_of(start_activity<Definition>(here(options), arguments...));
  }
  template <class R, class... A>
  [[nodiscard]] R execute_activity(std::string_view name, const ActivityOptions& options,
                                   const A&... arguments) {
    return result_of(start_activity<R>(name, here(options), arguments...));
  }

  // Frees the worker's place at once. Waits; a session that has failed is left as it is. Again: no
  // effect.
  void complete();

 private:
  ActivityOptions here(ActivityOptions options) const;
  [[noreturn]] void throw_failed() const;
  template <class R>
  R result_of(ActivityHandle<R> handle) {
    try {
      if (wait_any(handle, holder_) == 0) return handle.get();
    } catch (const CancelledError&) {
      if (!handle.done()) handle.cancel();
      throw;
    }
    handle.cancel();
    throw_failed();
  }

  const std::string id_;
  ActivityHandle<void> holder_;  // Of the activity that is the session, at its worker.
  std::string task_queue_, host_name_;
  bool completed_ = false;
};

}  // namespace chimera::workflow

#endif  // CHIMERA_SESSION_H_
