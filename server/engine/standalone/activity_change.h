// ActivityChange, one change of an activity that stands alone, and the only way to change it: it is
// the owner of the activity's attempts meanwhile, and when it is committed the timer, those who
// wait, lists and the store follow. One at a time for each; loop thread.
#ifndef CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CHANGE_H_
#define CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CHANGE_H_

#include <memory>
#include <string>

#include "google/protobuf/repeated_field.h"

#include "server/engine/standalone/activity_execution.h"

namespace chimera::server {

class ActivityChange final : public ActivityOwner {
 public:
  ActivityChange(Engine& engine, const ActivityExecution& execution)
      : engine_(engine), execution_(const_cast<ActivityExecution&>(execution)) {}
  ~ActivityChange() override;  // It was committed.
  ActivityChange(const ActivityChange&) = delete;
  ActivityChange& operator=(const ActivityChange&) = delete;
  void commit();         // Once, at the end.
  void commit_unseen();  // Likewise; what nobody is told of.

  ActivityExecution& execution() { return execution_; }
  Activity& activity() { return execution_.activity; }

  // --- What is done to it.
  void begin();   // The first attempt goes out, or waits for its time.
  bool do_due();  // Whether more than a dispatch was due.
  void request_cancel(const std::string& reason, const std::string& identity,
                      const std::string& request_id);
  void terminate(const std::string& reason, const std::string& identity,
                 const std::string& request_id);
  // --- By workers.
  void start(const std::string& identity, const DeploymentVersion& version,
             wf::PollActivityTaskQueueResponse& response);
  HeartbeatReply heartbeat(common::Payloads& details, bool has_details);
  void fail(failure::Failure& failure, const std::string& identity,
            const common::Payloads* last_heartbeat_details);
  void cancel(common::Payloads& details);

  // --- The owner of its attempts.
  Engine& engine() override { return engine_; }
  WallTime now() override;
  std::weak_ptr<TaskOwner> tasks() override;
  const std::string& namespace_id() const override { return execution_.ns->id; }
  std::string version_for(const Activity& activity) override;
  void introduce(const Activity& activity,
                 wf::PollActivityTaskQueueResponse& response) const override;
  void retries(Activity& activity, failure::Failure& failure, Nanos delay) override;
  void completed(Activity& activity, common::Payloads& result,
                 const std::string& identity) override;
  void failed(Activity& activity, failure::Failure& failure, enums::RetryState state,
              const std::string& identity) override;
  void timed_out(Activity& activity, enums::TimeoutType type, failure::Failure& failure,
                 enums::RetryState state) override;

 private:
  void close(ActivityExecution::Status status);
  void end_in_failure(ActivityExecution::Status status, failure::Failure failure,
                      enums::RetryState state = enums::RETRY_STATE_UNSPECIFIED);
  // Of an attempt that ran while a reset was asked for.
  void land_reset(failure::Failure failure);

  Engine& engine_;
  ActivityExecution& execution_;
  bool committed_ = false;
};

// Once for each request.
void attach_links(ActivityExecution& execution,
                  const google::protobuf::RepeatedPtrField<common::Link>& links,
                  const std::string& request_id);
// From the first dispatch on if no worker has had it yet.
WallTime not_before_delay(const ActivityExecution& execution, WallTime at);
// As it was started, at once. What waits in a queue is the caller's to send anew.
void restore_options(ActivityExecution& execution);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_STANDALONE_ACTIVITY_CHANGE_H_
