// The life of an activity, whoever it belongs to: its attempts are dispatched, started, kept up,
// retried and timed out; an operator pauses, resets and changes it. Its owner hears how it ended.
// Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_PENDING_ATTEMPT_H_
#define CHIMERA_SERVER_ENGINE_PENDING_ATTEMPT_H_

#include <memory>
#include <string>

#include "temporal/api/activity/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "server/base/types.h"
#include "server/engine/deployments/version.h"
#include "server/engine/run/archive.h"
#include "server/matching/task.h"

namespace chimera::server {

class Engine;

struct Activity {
  using Attributes = history::ActivityTaskScheduledEventAttributes;
  const Attributes* scheduled_as = nullptr;  // Borrowed from whoever keeps it, as an event does.
  std::int64_t scheduled_id = 0;
  std::string id;
  Nanos schedule_to_close{}, schedule_to_start{}, start_to_close{}, heartbeat{};
  WallTime first_scheduled{};
  std::int64_t cancel_requested_id = 0;
  // Not told by events:
  int attempt = 1;
  WallTime scheduled{};  // Of this attempt; in the future while backing off.
  WallTime started{};    // kUnset: not started.
  WallTime last_heartbeat{}, last_attempt_completed{};
  bool dispatched = false;  // A matching task stands for this attempt.
  std::uint64_t stamp = 0;
  std::string identity, request_id;
  DeploymentVersion last_version;  // Of the worker that began the last attempt.
  std::unique_ptr<common::Payloads> heartbeat_details;
  std::unique_ptr<failure::Failure> last_failure;
  // Paused: not dispatched; an attempt that runs is told by its next heartbeat.
  bool paused = false;
  WallTime pause_time{};
  std::string pause_identity, pause_reason, pause_request_id;
  bool was_reset = false;         // While an attempt ran, which its next heartbeat tells.
  bool forget_heartbeat = false;  // When that attempt ends.
  // The attributes with changed options; null: as scheduled.
  std::unique_ptr<Attributes> changed;

  bool is_started() const { return started != kUnset; }
  const Attributes& attributes() const { return changed != nullptr ? *changed : *scheduled_as; }
  void take_timeouts();  // From the attributes.
  // What no event tells of it.
  void write(Writer& ar) const;
  void read(Reader& ar);
};

// Whom an activity belongs to, for the moment of a change. Once it has ended it is gone.
class ActivityOwner {
 public:
  virtual ~ActivityOwner() = default;
  virtual Engine& engine() = 0;
  virtual WallTime now() = 0;  // On its clock, as are all times of its activities.
  virtual std::weak_ptr<TaskOwner> tasks() = 0;  // As matching sees them.
  virtual const std::string& namespace_id() const = 0;
  // The owner's: what of it an activity leaves open is its own, too.
  virtual const common::Priority& priority() const { return common::Priority::default_instance(); }
  virtual bool paused() const { return false; }  // No attempt goes out.
  // Of its task queue's versions the one whose workers are to have it.
  virtual std::string version_for(const Activity&) { return ""; }
  // Whose it is, as its worker is told, once the rest is said: token, workflow, namespace.
  virtual void introduce(const Activity& activity,
                         wf::PollActivityTaskQueueResponse& response) const = 0;
  // An attempt has failed, and the next is due after so long. What is kept of the failure may still
  // be changed.
  virtual void retries(Activity&, failure::Failure& failure, Nanos delay) {
    static_cast<void>(failure), static_cast<void>(delay);
  }

  virtual void completed(Activity& activity, common::Payloads& result,
                         const std::string& identity) = 0;
  virtual void failed(Activity& activity, failure::Failure& failure, enums::RetryState state,
                      const std::string& identity) = 0;
  // By `type`; the failure may tell another one, that no retry had time.
  virtual void timed_out(Activity& activity, enums::TimeoutType type, failure::Failure& failure,
                         enums::RetryState state) = 0;
};

struct HeartbeatReply {
  bool cancel_requested = false, paused = false, was_reset = false;
};

namespace attempt {

// --- Attempts.
void dispatch(ActivityOwner& owner, Activity& activity);
void dispatch_again(ActivityOwner& owner, Activity& activity);  // If it waits in its queue.
void start(ActivityOwner& owner, Activity& activity, const std::string& identity,
           wf::PollActivityTaskQueueResponse& response);
HeartbeatReply heartbeat(ActivityOwner& owner, Activity& activity, common::Payloads& details,
                         bool has_details);
void fail(ActivityOwner& owner, Activity& activity, failure::Failure& failure,
          const std::string& identity, const common::Payloads* last_heartbeat_details);
void time_out(ActivityOwner& owner, Activity& activity, enums::TimeoutType type);

// When it times out next, and how.
struct ActivityDeadline {
  WallTime at = kNever;
  enums::TimeoutType type = enums::TIMEOUT_TYPE_UNSPECIFIED;
};
ActivityDeadline next_timeout(const Activity& activity);
WallTime next_attempt(const Activity& activity);  // kNever: none waits for its time.
// An attempt has failed, and the next one has not come.
bool backs_off(const Activity& activity, WallTime now);
failure::Failure timeout_failure(enums::TimeoutType type);
// Takes a waiting attempt back from its queue.
void withdraw(Engine& engine, Activity& activity);
// A waiting attempt goes to its queue at `at`.
void dispatch_at(ActivityOwner& owner, Activity& activity, WallTime at);
WallTime soon(ActivityOwner& owner, Nanos jitter);  // Some time within the jitter.

// --- Operators.
void pause(ActivityOwner& owner, Activity& activity, const std::string& identity,
           const std::string& reason, const std::string& request_id = "");
struct Unpause {
  bool reset_attempts = false, reset_heartbeat = false;
  Nanos jitter{};
};
void unpause(ActivityOwner& owner, Activity& activity, const Unpause& how);
struct ActivityReset {
  bool restore_options = false, reset_heartbeat = false, keep_paused = false;
  Nanos jitter{};
};
void reset(ActivityOwner& owner, Activity& activity, const ActivityReset& how);
// Null: the options that it was scheduled with.
void change_options(ActivityOwner& owner, Activity& activity,
                    std::unique_ptr<Activity::Attributes> changed);

// --- What is shown.
// What of the four timeouts is left open follows from the others and the owner's own timeout.
void fill_activity_timeouts(Nanos owners, Activity::Attributes& a);
// The options that hold now.
void fill_options(const Activity& activity,
                  ::temporal::api::activity::v1::ActivityOptions& options);
void describe(const Activity& activity, WallTime now,
              ::temporal::api::workflow::v1::PendingActivityInfo& info);

}  // namespace attempt
}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_PENDING_ATTEMPT_H_
