#include "sdk-cpp/src/operations/activity.h"

#include <optional>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/calls.h"
#include "sdk-cpp/src/operations/attributes.h"
#include "sdk-cpp/src/operations/end.h"
#include "sdk-cpp/src/operations/values.h"

namespace chimera::sdk {

struct Activities::Activity final : Operation {
  void ask_to_end(Run& run) override { run.add_command(core::RequestCancelActivity{seq}); }
  std::optional<ActivityValues> values;
};

OperationPtr Activities::call(StartActivityInput& input) {
  const auto activity = std::make_shared<Activity>();
  if (!run_.may_change(input.kCall)) return activity;
  const ActivityOptions& options = input.options;
  if (options.start_to_close_timeout.count() == 0 &&
      options.schedule_to_close_timeout.count() == 0) {
    throw std::invalid_argument(
        absl::StrCat("activity ", std::string(input.name),
                     " needs a start_to_close_timeout or a schedule_to_close_timeout"));
  }
  activity->values.emplace(run_, input.name, options.activity_id, options.task_queue,
                           /*is_local=*/false);
  activity->codec = &activity->values->codec();
  core::ScheduleActivity command{};
  auto& attributes = command.attributes;
  attributes.mutable_activity_type()->set_name(std::string(input.name));
  attributes.set_activity_id(options.activity_id);
  attributes.mutable_task_queue()->set_name(options.task_queue.empty() ? run_.context.task_queue
                                                                       : options.task_queue);
  set_input(attributes, input.arguments, *activity->codec, std::move(input.header));
  set_duration(options.schedule_to_close_timeout, "ActivityOptions::schedule_to_close_timeout",
               [&] { return attributes.mutable_schedule_to_close_timeout(); });
  set_duration(options.schedule_to_start_timeout, "ActivityOptions::schedule_to_start_timeout",
               [&] { return attributes.mutable_schedule_to_start_timeout(); });
  set_duration(options.start_to_close_timeout, "ActivityOptions::start_to_close_timeout",
               [&] { return attributes.mutable_start_to_close_timeout(); });
  set_duration(options.heartbeat_timeout, "ActivityOptions::heartbeat_timeout",
               [&] { return attributes.mutable_heartbeat_timeout(); });
  if (options.retry_policy) *attributes.mutable_retry_policy() = to_proto(*options.retry_policy);
  if (options.priority != Priority{}) *attributes.mutable_priority() = to_proto(options.priority);
  command.cancellation_type =
      static_cast<core::ActivityCancellationType>(options.cancellation_type);
  command.do_not_eagerly_execute = options.disable_eager_execution;

  pending_.add(activity);
  command.seq = activity->seq;
  run_.add_command(std::move(command), options.summary);
  return activity;
}

void Activities::apply(const core::ResolveActivity& job) {
  const OperationPtr activity = pending_.take(job.seq, "activity", run_);
  if (activity == nullptr || end(scheduler_, *activity, job.result)) return;
  run_.set_task_error(absl::StrCat("activity ", job.seq, " of ", run_.owner,
                                   " asked to be tried again, which only local ones do"));
}

}  // namespace chimera::sdk

namespace chimera::detail {

OperationPtr schedule_activity(std::string_view name, const ActivityOptions& options,
                               Arguments arguments) {
  return sdk::call(sdk::StartActivityInput{name, options, arguments});
}

}  // namespace chimera::detail
