#include "sdk-cpp/src/operations/local_activity.h"

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/operations/end.h"
#include "sdk-cpp/src/operations/values.h"

namespace chimera::sdk {

struct LocalActivities::LocalActivity final : Operation {
  explicit LocalActivity(Scheduler& scheduler_in) : scheduler(scheduler_in) {}

  void ask_to_end(Run& run) override {
    if (backoff == nullptr) {
      run.add_command(core::RequestCancelLocalActivity{seq});
      return;
    }
    backoff->on_done = nullptr;
    scheduler.cancel(std::exchange(backoff, nullptr));
    resolve_cancelled();
  }

  // While nothing runs: as the core does while something does.
  void resolve_cancelled() {
    api::failure::v1::Failure failure;
    failure.set_message("Local Activity cancelled");
    auto& info = *failure.mutable_activity_failure_info();
    info.mutable_activity_type()->set_name(tried->activity_type);
    info.set_activity_id(tried->activity_id);
    info.set_retry_state(api::enums::v1::RETRY_STATE_CANCEL_REQUESTED);
    failure.mutable_cause()->set_message("Activity cancelled");
    failure.mutable_cause()->mutable_canceled_failure_info();
    scheduler.resolve(*this, failure);
  }

  Scheduler& scheduler;
  std::optional<ActivityValues> values;
  std::string summary;
  OperationPtr backoff;  // The timer between two attempts; null while one is under way.
  std::shared_ptr<const core::ScheduleLocalActivity> tried;  // Once there was a backoff.
};

OperationPtr LocalActivities::call(StartLocalActivityInput& input) {
  const auto activity = std::make_shared<LocalActivity>(scheduler_);
  if (!run_.may_change(input.kCall)) return activity;
  const LocalActivityOptions& options = input.options;
  if (options.start_to_close_timeout.count() == 0 &&
      options.schedule_to_close_timeout.count() == 0) {
    throw std::invalid_argument(
        absl::StrCat("local activity ", std::string(input.name),
                     " needs a start_to_close_timeout or a schedule_to_close_timeout"));
  }
  activity->values.emplace(run_, input.name, options.activity_id, "", /*is_local=*/true);
  activity->codec = &activity->values->codec();
  core::ScheduleLocalActivity command{};
  command.activity_type = std::string(input.name);
  command.activity_id = options.activity_id;
  command.header = std::move(input.header);
  if (!input.arguments.empty())
    command.arguments = encode_arguments(input.arguments, *activity->codec);
  command.schedule_to_close_timeout =
      checked(options.schedule_to_close_timeout, "LocalActivityOptions::schedule_to_close_timeout");
  command.schedule_to_start_timeout =
      checked(options.schedule_to_start_timeout, "LocalActivityOptions::schedule_to_start_timeout");
  command.start_to_close_timeout =
      checked(options.start_to_close_timeout, "LocalActivityOptions::start_to_close_timeout");
  if (options.retry_policy) command.retry_policy = to_proto(*options.retry_policy);
  if (checked(options.local_retry_threshold, "LocalActivityOptions::local_retry_threshold") >
      Duration::zero())
    command.local_retry_threshold = options.local_retry_threshold;
  command.cancellation_type =
      static_cast<core::ActivityCancellationType>(options.cancellation_type);
  activity->summary = options.summary;
  schedule(activity, std::move(command));
  return activity;
}

// Each attempt that the core is asked for has a number of its own.
void LocalActivities::schedule(const std::shared_ptr<LocalActivity>& activity,
                               core::ScheduleLocalActivity&& command) {
  pending_.add(activity);
  command.seq = activity->seq;
  // By the first number where there is no id, for all attempts.
  if (command.activity_id.empty()) command.activity_id = absl::StrCat(activity->seq);
  run_.add_command(std::move(command), activity->summary);
}

void LocalActivities::apply(const core::ResolveActivity& job) {
  const auto activity =
      std::static_pointer_cast<LocalActivity>(pending_.take(job.seq, "local activity", run_));
  if (activity == nullptr || end(scheduler_, *activity, job.result)) return;
  back_off(activity, std::get<core::Backoff>(job.result));
}

void LocalActivities::back_off(const std::shared_ptr<LocalActivity>& activity,
                               const core::Backoff& backoff) {
  activity->tried = backoff.activity;
  if (activity->cancel_sent) return activity->resolve_cancelled();  // And nothing runs any more.
  activity->backoff = timers_.start(backoff.duration);
  // Weak: the timer is the activity's.
  activity->backoff->on_done = [this, backoff, waits = std::weak_ptr<LocalActivity>(activity)] {
    const std::shared_ptr<LocalActivity> again = waits.lock();
    if (again == nullptr) return;
    again->backoff = nullptr;
    core::ScheduleLocalActivity command = *backoff.activity;
    command.attempt = backoff.attempt;
    command.original_schedule_time = backoff.original_schedule_time;
    schedule(again, std::move(command));
  };
}

}  // namespace chimera::sdk

namespace chimera::detail {

OperationPtr schedule_local_activity(std::string_view name, const LocalActivityOptions& options,
                                     Arguments arguments) {
  return sdk::call(sdk::StartLocalActivityInput{name, options, arguments});
}

}  // namespace chimera::detail
