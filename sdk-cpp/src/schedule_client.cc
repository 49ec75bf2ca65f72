// What users call of schedules, on its way into the chain of interceptors.
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "chimera/client.h"
#include "sdk-cpp/src/client_state.h"

namespace chimera {
namespace detail {

ScheduleActionStartWorkflow action_of(std::string_view type, ScheduleActionStartWorkflow action,
                                      Arguments arguments) {
  if (!action.workflow.empty() || !action.args.empty()) {
    throw std::invalid_argument(absl::StrCat(
        "start_workflow_action() was given options for workflow '", action.workflow, "' with ",
        action.args.size(), " arguments; it fills in both itself, for ", std::string(type),
        ". Leave ScheduleActionStartWorkflow::workflow and ::args "
        "out"));
  }
  action.workflow = std::string(type);
  action.args = sdk::to_public(sdk::encode_arguments(arguments, nullptr));
  return action;
}

}  // namespace detail

ScheduleHandle Client::create_schedule(const std::string& id, const Schedule& schedule,
                                       const CreateScheduleOptions& options) const {
  sdk::CreateScheduleInput input{id, schedule, options};
  return get_schedule_handle(state_->outbound().create_schedule(input));
}

PagedRange<ScheduleListEntry> Client::list_schedules(const std::string& query,
                                                     const ListOptions& options) const {
  return state_->outbound().list_schedules({query, options});
}

std::int64_t Client::count_schedules(const std::string& query) const {
  return state_->outbound().count_schedules({query});
}

ScheduleDescription ScheduleHandle::describe() const {
  return client_->outbound().describe_schedule({id_});
}

void ScheduleHandle::update(const ScheduleUpdater& updater) const {
  client_->outbound().update_schedule({id_, updater});
}

void ScheduleHandle::backfill(const std::vector<ScheduleBackfill>& backfills) const {
  client_->outbound().backfill_schedule({id_, backfills});
}

void ScheduleHandle::pause(const std::string& note) const {
  client_->outbound().pause_schedule({id_, note, /*pauses=*/true});
}

void ScheduleHandle::unpause(const std::string& note) const {
  client_->outbound().pause_schedule({id_, note, /*pauses=*/false});
}

void ScheduleHandle::trigger(ScheduleOverlapPolicy overlap) const {
  client_->outbound().trigger_schedule({id_, overlap});
}

void ScheduleHandle::delete_() const { client_->outbound().delete_schedule({id_}); }

}  // namespace chimera
