// The workflow's side of sessions: an activity that lasts as long as the session, and its news.
#include "chimera/session.h"

#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/session_names.h"

namespace chimera::workflow {
namespace {

constexpr std::chrono::seconds kCompletionTimeout{3};

std::string checked_queue(const SessionOptions& options) {
  const auto wrong = [](const char* what) {
    throw std::invalid_argument(absl::StrCat("SessionOptions::", what));
  };
  if (options.execution_timeout.count() <= 0)
    wrong("execution_timeout is required: how long the session may take in all");
  if (options.creation_timeout.count() <= 0) wrong("creation_timeout must be above 0");
  if (options.heartbeat_timeout.count() <= 0) wrong("heartbeat_timeout must be above 0");
  return sdk::session_queue(options.task_queue.empty() ? info().task_queue : options.task_queue);
}

}  // namespace

Session::Session(const SessionOptions& options)
    : id_(uuid4()),
      holder_(start_activity<void>(sdk::kSessionCreation,
                                   {.task_queue = checked_queue(options),
                                    .schedule_to_start_timeout = options.creation_timeout,
                                    .start_to_close_timeout = options.execution_timeout,
                                    .heartbeat_timeout = options.heartbeat_timeout,
                                    .retry_policy = RetryPolicy{.maximum_attempts = 1},
                                    .cancellation_type = ActivityCancellationType::kTryCancel,
                                    .summary = "session"},
                                   id_)) {
  auto created = signal_channel<sdk::SessionCreated>(id_);
  try {
    if (wait_any(created, holder_) == 1) {
      holder_.get();  // Throws, as a rule.
      throw_failed();
    }
  } catch (const CancelledError&) {  // No worker is to keep a place for it.
    holder_.cancel();
    throw;
  }
  sdk::SessionCreated where = created.receive();
  if (where.Taskqueue.empty()) {
    throw ApplicationError(absl::StrCat("the session ", id_, " was told of without its task queue"),
                           {.type = "SessionFailed"});
  }
  task_queue_ = std::move(where.Taskqueue);
  host_name_ = std::move(where.HostName);
}

Session::~Session() {
  if (completed_) return;
  try {
    holder_.cancel();
  } catch (...) {  // In another run, or outside of all.
  }
}

ActivityOptions Session::here(ActivityOptions options) const {
  if (!options.task_queue.empty() && options.task_queue != task_queue_)
    throw std::invalid_argument(
        "Session::execute_activity: leave ActivityOptions::task_queue empty; the session has its "
        "own");
  if (completed_)
    throw std::logic_error("Session::execute_activity was called after the session's complete()");
  if (holder_.done()) throw_failed();
  options.task_queue = task_queue_;
  return options;
}

void Session::throw_failed() const {
  std::exception_ptr cause;
  try {
    holder_.get();
  } catch (const FailureError&) {
    cause = std::current_exception();
  }
  throw SessionFailedError(
      absl::StrCat("the session ", id_, host_name_.empty() ? "" : " on host ", host_name_,
                   cause ? " has failed" : " was ended by its worker"),
      {.type = "SessionFailed", .cause = cause});
}

void Session::complete() {
  if (std::exchange(completed_, true) || holder_.done()) return;
  try {
    workflow::execute_activity<void>(sdk::kSessionCompletion,
                                     {.task_queue = task_queue_,
                                      .schedule_to_start_timeout = kCompletionTimeout,
                                      .start_to_close_timeout = kCompletionTimeout,
                                      .retry_policy = RetryPolicy{.maximum_attempts = 1}},
                                     id_);
    holder_.get();
  } catch (const ActivityError& error) {
    if (is_cancelled(error)) throw;
    holder_.cancel();  // The worker is gone, or too busy to answer.
  } catch (const CancelledError&) {
    holder_.cancel();
    throw;
  }
}

}  // namespace chimera::workflow
