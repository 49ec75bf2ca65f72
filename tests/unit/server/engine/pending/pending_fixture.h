// An engine on a clock that only the test moves, without loop thread, transport or file: the test
// is the worker and the client.
#ifndef CHIMERA_TESTS_UNIT_SERVER_ENGINE_PENDING_PENDING_FIXTURE_H_
#define CHIMERA_TESTS_UNIT_SERVER_ENGINE_PENDING_PENDING_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/strip.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/run/transition.h"
#include "server/engine/run/update.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/workflow_task.h"

namespace chimera::server {

using OneRun = Run;  // In a test, Run is googletest's.

class FakeClock : public base::Clock {
 public:
  WallTime now() const override { return wall; }
  base::SteadyTime steady() const override { return base::SteadyTime{wall.time_since_epoch()}; }
  WallTime wall{std::chrono::hours{24 * 20000}};
};

class PendingFixture : public testing::Test {
 protected:
  PendingFixture() {
    loop.refresh();
    engine.namespaces().add("default", "namespace-id", std::chrono::hours{24});
  }
  ~PendingFixture() override { engine.detach_timers(); }

  Namespace& ns() { return *engine.namespaces().find("default"); }

  RunPtr start(const std::string& id) {
    StartSpec spec;
    spec.ns = &ns();
    spec.workflow_id = id;
    spec.run_id = engine.ids().run_id(engine.now());
    spec.request_id = engine.ids().uuid();
    spec.attributes.mutable_workflow_type()->set_name("Case");
    spec.attributes.mutable_task_queue()->set_name("queue");
    spec.attributes.mutable_workflow_task_timeout()->set_seconds(10);
    RunPtr run = share(create_run(engine, std::move(spec)));
    settle();
    return run;
  }

  // Gives the run's pending workflow task out.
  void begin_task(const OneRun& run) {
    wf::PollWorkflowTaskQueueResponse response;
    Transition t(engine, run);
    start_task(t, {"worker", "request", /*build_id=*/"", /*on_sticky=*/false}, response);
    t.commit();
  }
  absl::Status answer(const OneRun& run, std::vector<command::Command> commands) {
    wf::RespondWorkflowTaskCompletedRequest request;
    wf::RespondWorkflowTaskCompletedResponse response;
    request.set_identity("worker");
    for (auto& command : commands) *request.add_commands() = std::move(command);
    absl::Status status = complete_task(engine, run, request, response);
    settle();
    return status;
  }
  absl::Status respond(const OneRun& run, std::vector<command::Command> commands) {
    begin_task(run);
    return answer(run, std::move(commands));
  }
  // What a turn does behind its handlers.
  void settle() {
    engine.after_task();
    engine.after_turn();
  }
  void pass(Nanos time) {
    clock.wall += time;
    loop.refresh();
    loop.timers().fire_due(loop.now());
    loop.patience().fire_due(loop.real_now());
    settle();
  }

  // The run's events from `first` on but for workflow tasks, as "TIMER_FIRED".
  static std::vector<std::string> events(const OneRun& run, std::int64_t first = 1) {
    std::vector<std::string> names;
    for (std::int64_t id = first; id < run.next_event_id(); ++id) {
      const std::string name =
          enums::EventType_Name(run.events.events(static_cast<int>(id) - 1).event_type());
      const std::string short_name(absl::StripPrefix(name, "EVENT_TYPE_"));
      if (!short_name.starts_with("WORKFLOW_TASK_")) names.push_back(short_name);
    }
    return names;
  }
  static const HistoryEvent* find_event(const OneRun& run, enums::EventType type) {
    for (const HistoryEvent& event : run.events.events()) {
      if (event.event_type() == type) return &event;
    }
    return nullptr;
  }
  static command::Command complete_workflow() {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION);
    command.mutable_complete_workflow_execution_command_attributes();
    return command;
  }

  FakeClock clock;
  Loop loop{clock, /*foreign_clock=*/true};
  Engine engine{loop, make_memory_store()};
};

}  // namespace chimera::server

#endif  // CHIMERA_TESTS_UNIT_SERVER_ENGINE_PENDING_PENDING_FIXTURE_H_
