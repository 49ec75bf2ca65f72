// Histories for tests, event by event. Ids follow by themselves; a workflow task is one call.
#ifndef CHIMERA_TESTS_UNIT_CORE_WORKFLOW_HISTORY_BUILDER_H_
#define CHIMERA_TESTS_UNIT_CORE_WORKFLOW_HISTORY_BUILDER_H_

#include <memory>
#include <string>

#include "core/base/api.h"
#include "core/workflow/run.h"

namespace chimera::core::testing {

namespace enums = api::enums::v1;

class HistoryBuilder {
 public:
  using Event = api::history::v1::HistoryEvent;
  using Poll = api::workflowservice::v1::PollWorkflowTaskQueueResponse;

  HistoryBuilder() {
    auto& started = *add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_STARTED)
                         .mutable_workflow_execution_started_event_attributes();
    started.mutable_workflow_type()->set_name("Test");
    started.set_original_execution_run_id("run");
  }

  Event& add(enums::EventType type) {
    Event& event = *history_.add_events();
    event.set_event_id(history_.events_size());
    event.set_event_type(type);
    event.mutable_event_time()->set_seconds(1000 + history_.events_size());
    return event;
  }
  std::int64_t last_id() const { return history_.events_size(); }

  // A workflow task that is under way.
  HistoryBuilder& task_started() {
    add(enums::EVENT_TYPE_WORKFLOW_TASK_SCHEDULED);
    add(enums::EVENT_TYPE_WORKFLOW_TASK_STARTED);
    started_ = last_id();
    return *this;
  }
  HistoryBuilder& task_completed() {
    auto& completed = *add(enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED)
                           .mutable_workflow_task_completed_event_attributes();
    completed.mutable_sdk_metadata()->add_core_used_flags(1);
    completed.mutable_sdk_metadata()->add_core_used_flags(2);
    completed.mutable_sdk_metadata()->add_core_used_flags(3);
    previous_started_ = started_;
    return *this;
  }
  HistoryBuilder& task() { return task_started().task_completed(); }

  std::int64_t timer_started(int seq) {
    add(enums::EVENT_TYPE_TIMER_STARTED)
        .mutable_timer_started_event_attributes()
        ->set_timer_id(std::to_string(seq));
    return last_id();
  }
  HistoryBuilder& timer_fired(int seq, std::int64_t started) {
    auto& fired = *add(enums::EVENT_TYPE_TIMER_FIRED).mutable_timer_fired_event_attributes();
    fired.set_timer_id(std::to_string(seq));
    fired.set_started_event_id(started);
    return *this;
  }
  HistoryBuilder& timer_canceled(int seq, std::int64_t started) {
    auto& canceled =
        *add(enums::EVENT_TYPE_TIMER_CANCELED).mutable_timer_canceled_event_attributes();
    canceled.set_timer_id(std::to_string(seq));
    canceled.set_started_event_id(started);
    return *this;
  }
  std::int64_t activity_scheduled(const std::string& id, const std::string& type) {
    auto& scheduled = *add(enums::EVENT_TYPE_ACTIVITY_TASK_SCHEDULED)
                           .mutable_activity_task_scheduled_event_attributes();
    scheduled.set_activity_id(id);
    scheduled.mutable_activity_type()->set_name(type);
    return last_id();
  }
  HistoryBuilder& signal(const std::string& name) {
    add(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED)
        .mutable_workflow_execution_signaled_event_attributes()
        ->set_signal_name(name);
    return *this;
  }

  // The task whose events are those with ids from `first` on.
  std::shared_ptr<Poll> poll(std::int64_t first = 1) const {
    auto poll = std::make_shared<Poll>();
    poll->set_task_token("token");
    poll->mutable_workflow_execution()->set_workflow_id("id");
    poll->mutable_workflow_execution()->set_run_id("run");
    poll->mutable_workflow_type()->set_name("Test");
    poll->set_attempt(1);
    poll->set_previous_started_event_id(previous_started_);
    poll->set_started_event_id(started_);
    for (const Event& event : history_.events()) {
      if (event.event_id() >= first) *poll->mutable_history()->add_events() = event;
    }
    return poll;
  }

 private:
  api::history::v1::History history_;
  std::int64_t started_ = 0, previous_started_ = 0;
};

inline TaskInput as_input(std::shared_ptr<HistoryBuilder::Poll> poll) {
  auto page = std::make_shared<HistoryPage>(poll, &poll->history(), poll->next_page_token());
  return {poll, std::move(page)};
}

// Completions with the given commands.
template <class... Commands>
LanguageDone done(Commands... commands) {
  Completion::Success success;
  (success.commands.push_back(Command{CommandVariant{std::move(commands)}}), ...);
  return {Completion{std::move(success)}};
}
inline ScheduleActivity schedule(std::uint32_t seq, const std::string& type,
                                 ActivityCancellationType cancellation) {
  ScheduleActivity command{seq, cancellation};
  command.attributes.mutable_activity_type()->set_name(type);
  return command;
}

}  // namespace chimera::core::testing

#endif  // CHIMERA_TESTS_UNIT_CORE_WORKFLOW_HISTORY_BUILDER_H_
