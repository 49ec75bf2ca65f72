#include "sdk-cpp/src/session_worker.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include <unistd.h>

#include "chimera/activity.h"
#include "sdk-cpp/src/rpc_parts.h"
#include "sdk-cpp/src/session_names.h"

namespace chimera::sdk {
namespace {

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

WorkerOptions without_workflows(WorkerOptions options, std::string task_queue) {
  options.task_queue = std::move(task_queue);
  options.max_concurrent_sessions = 0;
  options.deployment.reset();
  return options;
}

}  // namespace

// The sessions that this worker has. Any thread.
class SessionWorker::Sessions {
 public:
  explicit Sessions(const Client& client)
      : client_(client),
        resource_(random_id()),
        host_(host_name()),
        queue_(absl::StrCat(resource_, "@", host_)) {}

  const std::string& queue() const { return queue_; }
  void use(const Client& client) {
    const std::lock_guard lock(mutex_);
    client_ = client;
  }

  // The activity that is a session: it lasts until the session is complete.
  void create(std::string id) {
    const Open open(*this, id);
    tell_workflow(id);
    const activity::AutoHeartbeat beating;
    bool ends = false;
    const std::stop_callback shutdown(activity::worker_shutdown_token(), [&] {
      const std::lock_guard lock(mutex_);
      ends = true;
      changed_.notify_all();
    });
    {
      std::unique_lock lock(mutex_);
      const bool& complete = open_.at(id);
      changed_.wait(lock, activity::cancellation_token(), [&] { return ends || complete; });
      if (complete) return;
    }
    activity::throw_if_cancelled();
    throw ApplicationError("the session's worker ends",
                           {.type = "SessionWorkerEnds", .non_retryable = true});
  }

  // No effect on one that has ended.
  void complete(std::string id) {
    const std::lock_guard lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    found->second = true;
    changed_.notify_all();
  }

 private:
  // Known as long as this lives.
  class Open {
   public:
    Open(Sessions& sessions, std::string id) : sessions_(sessions), id_(std::move(id)) {
      const std::lock_guard lock(sessions_.mutex_);
      sessions_.open_.emplace(id_, false);
    }
    ~Open() {
      const std::lock_guard lock(sessions_.mutex_);
      sessions_.open_.erase(id_);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    Sessions& sessions_;
    const std::string id_;
  };

  void tell_workflow(const std::string& id) {
    const activity::Info& info = activity::info();
    const Client client = [&] {
      const std::lock_guard lock(mutex_);
      return client_;
    }();
    client.get_workflow_handle<void>(info.workflow_id, info.workflow_run_id)
        .signal(id,
                SessionCreated{.Taskqueue = queue_, .HostName = host_, .ResourceID = resource_});
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  Client client_;
  const std::string resource_, host_, queue_;
  std::map<std::string, bool> open_;  // By id: whether it is complete.
};

namespace {
WorkerOptions taking(const WorkerOptions& options) {
  WorkerOptions taking = without_workflows(options, session_queue(options.task_queue));
  taking.max_concurrent_activities = options.max_concurrent_sessions;
  taking.max_per_second_of_activity.clear();
  taking.max_activities_per_second = 0;
  taking.max_task_queue_activities_per_second = 0;
  taking.activity_poll_autoscaling.reset();
  taking.max_concurrent_activity_task_polls = 1;
  taking.resource_tuner.reset();
  taking.workflow_slots = taking.activity_slots = taking.local_activity_slots = nullptr;
  return taking;
}
}  // namespace

SessionWorker::SessionWorker(const Client& client, const WorkerOptions& options,
                             const Registry& types, const WorkerInterceptors& interceptors)
    : sessions_(std::make_unique<Sessions>(client)),
      takes_(client, taking(options)),
      own_(client, without_workflows(options, sessions_->queue())) {
  takes_.add_activity<&Sessions::create>(*sessions_, kSessionCreation);
  own_.add_activity<&Sessions::complete>(*sessions_, kSessionCompletion);
  for (const auto& type : types.activities()) own_.add_activity_type(type);
  for (const auto& each : interceptors) own_.intercept(each);
}
SessionWorker::~SessionWorker() = default;

void SessionWorker::start() {
  own_.start();
  takes_.start();
}
void SessionWorker::shutdown() {
  takes_.shutdown();
  own_.shutdown();
}
void SessionWorker::wait() {
  takes_.wait();
  own_.wait();
}
void SessionWorker::replace_client(const Client& client) {
  sessions_->use(client);
  takes_.replace_client(client);
  own_.replace_client(client);
}

}  // namespace chimera::sdk
