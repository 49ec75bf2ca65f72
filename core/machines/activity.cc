#include "core/machines/activity.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
using api::failure::v1::ActivityFailureInfo;
using api::failure::v1::Failure;

ActivityFailureInfo& fill_info(const ActivityMachine& machine, Failure& failure) {
  ActivityFailureInfo& info = *failure.mutable_activity_failure_info();
  info.mutable_activity_type()->set_name(machine.type);
  info.set_activity_id(machine.id);
  return info;
}

}  // namespace

FailurePtr activity_failed(const ActivityMachine& machine,
                           const api::history::v1::HistoryEvent& event) {
  auto failure = std::make_shared<Failure>();
  ActivityFailureInfo& info = fill_info(machine, *failure);
  info.set_scheduled_event_id(machine.scheduled_event_id);
  if (event.has_activity_task_failed_event_attributes()) {
    const auto& attributes = event.activity_task_failed_event_attributes();
    failure->set_message("Activity task failed");
    *failure->mutable_cause() = attributes.failure();
    info.set_started_event_id(attributes.started_event_id());
    info.set_identity(attributes.identity());
    info.set_retry_state(attributes.retry_state());
  } else if (event.has_activity_task_timed_out_event_attributes()) {
    const auto& attributes = event.activity_task_timed_out_event_attributes();
    failure->set_message("Activity task timed out");
    *failure->mutable_cause() = attributes.failure();
    info.set_started_event_id(attributes.started_event_id());
    info.set_retry_state(attributes.retry_state());
  } else {
    const auto& attributes = event.activity_task_canceled_event_attributes();
    failure->set_message("Activity cancelled");
    auto& cancelled = *failure->mutable_cause()->mutable_canceled_failure_info();
    if (attributes.has_details()) *cancelled.mutable_details() = attributes.details();
    info.set_started_event_id(attributes.started_event_id());
    info.set_identity(attributes.identity());
    info.set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);
  }
  return failure;
}

FailurePtr activity_cancelled(const ActivityMachine& machine) {
  auto failure = std::make_shared<Failure>();
  failure->set_message("Activity cancelled");
  failure->mutable_cause()->mutable_canceled_failure_info();
  fill_info(machine, *failure).set_retry_state(enums::RETRY_STATE_CANCEL_REQUESTED);
  return failure;
}

}  // namespace chimera::core
