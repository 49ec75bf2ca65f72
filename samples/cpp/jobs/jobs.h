// A queue of jobs without workflows: each job is an activity that a client starts by itself. The
// server keeps it, hands it to a worker, tries it again, and says how far it is. One job for each
// image, however often it is asked for; urgent ones first; one that was interrupted goes on where
// it stopped. samples/python/jobs is the same, under the same names.
#ifndef CHIMERA_SAMPLES_CPP_JOBS_JOBS_H_
#define CHIMERA_SAMPLES_CPP_JOBS_JOBS_H_

#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <tuple>
#include <variant>

#include "chimera/activity.h"
#include "chimera/client.h"

namespace jobs {

namespace activity = chimera::activity;

inline constexpr char kTaskQueue[] = "jobs";
inline constexpr int kSteps = 10;

struct Image {
  std::string name;
  int width = 0;
};

// What makes thumbnails. Its method is an activity; any thread.
class Studio {
 public:
  explicit Studio(std::chrono::milliseconds step = std::chrono::milliseconds(100)) : step_(step) {}

  // Each step is told to the server: the next attempt begins there.
  std::string render(const Image& image) {
    if (image.width < 1)
      throw chimera::ApplicationError("no width", {.type = "BadImage", .non_retryable = true});
    const auto& before = activity::info().heartbeat_details;
    for (int step = before.empty() ? 0 : before.get<int>(); step < kSteps; ++step) {
      std::ignore = activity::wait_for_cancelled(step_);
      activity::throw_if_cancelled();
      ++steps_;
      activity::heartbeat(step + 1);
    }
    return image.name + "@" + std::to_string(image.width);
  }
  int steps() const { return steps_; }

 private:
  const std::chrono::milliseconds step_;
  std::atomic<int> steps_{0};
};

inline constexpr auto kRender = chimera::define_activity<&Studio::render>("render");

// The job of this image: a new one, or the one that is under way.
inline auto submit(const chimera::Client& client, const Image& image, bool urgent = false) {
  return client.start_activity<kRender>(
      {.id = "thumbnail-" + image.name,
       .task_queue = kTaskQueue,
       .schedule_to_close_timeout = std::chrono::hours(1),
       .heartbeat_timeout = std::chrono::seconds(30),
       .id_conflict_policy = chimera::ActivityIdConflictPolicy::kUseExisting,
       .priority = chimera::Priority{.priority_key = urgent ? 1 : 3}},
      image);
}

// How many steps are done.
inline int progress(const chimera::ActivityExecutionHandle<std::string>& job) {
  const auto told = job.describe({.include_heartbeat_details = true}).heartbeat_details;
  return told.empty() ? 0 : chimera::from_payload<int>(told.front());
}

// How many jobs there are, by status.
inline std::map<std::string, std::int64_t> overview(const chimera::Client& client) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& group :
       client.count_activities("ActivityType = 'render' GROUP BY ExecutionStatus").groups)
    counts[std::get<std::string>(group.values.front())] = group.count;
  return counts;
}

}  // namespace jobs

#endif  // CHIMERA_SAMPLES_CPP_JOBS_JOBS_H_
