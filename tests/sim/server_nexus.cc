// Nexus operations: started, ended, asked to stop; the answer to that may come before their end,
// after it, or not at all.
#include "absl/strings/str_cat.h"

#include "tests/sim/server.h"

namespace chimera::sim {

namespace enums = api::enums::v1;

void SimServer::schedule_nexus(
    const api::command::v1::ScheduleNexusOperationCommandAttributes& command) {
  HistoryEvent& made = append(event(enums::EVENT_TYPE_NEXUS_OPERATION_SCHEDULED));
  auto& attributes = *made.mutable_nexus_operation_scheduled_event_attributes();
  attributes.set_endpoint(command.endpoint());
  attributes.set_service(command.service());
  attributes.set_operation(command.operation());
  *attributes.mutable_input() = command.input();
  const std::int64_t id = made.event_id();
  nexus_[id] = {};
  // Half of them have their answer at once.
  after(rng_.percent(70) ? 10 : 1000, [this, id] {
    if (rng_.percent(50)) return end_nexus(id, false);
    begin_nexus(id);
  });
}

void SimServer::begin_nexus(std::int64_t scheduled_id) {
  Nexus& operation = nexus_[scheduled_id];
  if (operation.over || closed_) return;
  operation.started = true;
  HistoryEvent started = event(enums::EVENT_TYPE_NEXUS_OPERATION_STARTED);
  auto& attributes = *started.mutable_nexus_operation_started_event_attributes();
  attributes.set_scheduled_event_id(scheduled_id);
  attributes.set_operation_token(absl::StrCat("token-", scheduled_id));
  happen({std::move(started)});
  after(rng_.percent(50) ? 100 : 6000, [this, scheduled_id] { end_nexus(scheduled_id, false); });
}

void SimServer::end_nexus(std::int64_t scheduled_id, bool cancelled) {
  Nexus& operation = nexus_[scheduled_id];
  if (operation.over || closed_) return;
  operation.over = true;
  HistoryEvent ended;
  const auto fail = [&](auto& attributes, const char* how) {
    attributes.set_scheduled_event_id(scheduled_id);
    attributes.mutable_failure()->set_message(absl::StrCat(how, " ", rng_.below(1000)));
  };
  const std::uint64_t way = cancelled ? 9 : rng_.below(9);
  if (way < 5) {
    ended = event(enums::EVENT_TYPE_NEXUS_OPERATION_COMPLETED);
    auto& attributes = *ended.mutable_nexus_operation_completed_event_attributes();
    attributes.set_scheduled_event_id(scheduled_id);
    if (way > 0) attributes.mutable_result()->set_data(absl::StrCat(rng_.below(1000)));
  } else if (way < 7) {
    ended = event(enums::EVENT_TYPE_NEXUS_OPERATION_FAILED);
    fail(*ended.mutable_nexus_operation_failed_event_attributes(), "failed");
  } else if (way < 9) {
    ended = event(enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT);
    fail(*ended.mutable_nexus_operation_timed_out_event_attributes(), "timed out");
  } else {
    ended = event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCELED);
    fail(*ended.mutable_nexus_operation_canceled_event_attributes(), "canceled");
  }
  happen({std::move(ended)});
}

void SimServer::cancel_nexus(std::int64_t scheduled_id) {
  const auto found = nexus_.find(scheduled_id);
  if (found == nexus_.end()) {
    return violation(
        absl::StrCat("a request to cancel Nexus operation ", scheduled_id, ", which is none"));
  }
  Nexus& operation = found->second;
  if (operation.cancelled)
    violation(absl::StrCat("two requests to cancel Nexus operation ", scheduled_id));
  operation.cancelled = true;
  append(event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUESTED))
      .mutable_nexus_operation_cancel_requested_event_attributes()
      ->set_scheduled_event_id(scheduled_id);
  if (operation.over) return;  // Its end is buffered.
  if (operation.started || rng_.percent(50)) return answer_nexus_cancel(scheduled_id);
  after(100, [this, scheduled_id] { end_nexus(scheduled_id, true); });
}

void SimServer::answer_nexus_cancel(std::int64_t scheduled_id) {
  if (rng_.percent(10)) return;  // Servers may keep it to themselves.
  after(rng_.percent(50) ? 10 : 2000, [this, scheduled_id] {
    if (closed_) return;
    const bool delivered = rng_.percent(60);
    HistoryEvent answer;
    if (delivered) {
      answer = event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED);
      answer.mutable_nexus_operation_cancel_request_completed_event_attributes()
          ->set_scheduled_event_id(scheduled_id);
    } else {
      answer = event(enums::EVENT_TYPE_NEXUS_OPERATION_CANCEL_REQUEST_FAILED);
      auto& attributes = *answer.mutable_nexus_operation_cancel_request_failed_event_attributes();
      attributes.set_scheduled_event_id(scheduled_id);
      attributes.mutable_failure()->set_message("not delivered");
    }
    happen({std::move(answer)});
    if (delivered && rng_.percent(70))
      after(1000, [this, scheduled_id] { end_nexus(scheduled_id, true); });
  });
}

}  // namespace chimera::sim
