#include "server/engine/pending/nexus_operation.h"

#include "server/base/tokens.h"
#include "server/engine/nexus/breakers.h"
#include "server/engine/nexus/endpoints.h"
#include "server/engine/nexus/invocation.h"
#include "server/engine/nexus/requests.h"
#include "tests/unit/server/engine/pending/pending_fixture.h"

namespace chimera::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using State = NexusOperation::State;

// The test polls and answers as the handler's worker does.
class NexusOperationsTest : public PendingFixture {
 protected:
  NexusOperationsTest() {
    nexus::EndpointSpec spec;
    spec.set_name("endpoint");
    spec.mutable_target()->mutable_worker()->set_namespace_("default");
    spec.mutable_target()->mutable_worker()->set_task_queue("handlers");
    EXPECT_TRUE(engine.nexus_endpoints->create(spec).ok());
  }

  static command::Command schedule(int schedule_to_close = 0, int start_to_close = 0) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_SCHEDULE_NEXUS_OPERATION);
    auto& a = *command.mutable_schedule_nexus_operation_command_attributes();
    a.set_endpoint("endpoint");
    a.set_service("service");
    a.set_operation("operation");
    if (schedule_to_close > 0)
      a.mutable_schedule_to_close_timeout()->set_seconds(schedule_to_close);
    if (start_to_close > 0) a.mutable_start_to_close_timeout()->set_seconds(start_to_close);
    return command;
  }
  static command::Command cancel(std::int64_t id) {
    command::Command command;
    command.set_command_type(enums::COMMAND_TYPE_REQUEST_CANCEL_NEXUS_OPERATION);
    command.mutable_request_cancel_nexus_operation_command_attributes()->set_scheduled_event_id(id);
    return command;
  }
  // The next task, if there is one.
  wf::PollNexusTaskQueueResponse take() {
    auto call = std::make_shared<Call>();
    call->timeout = seconds{60};
    call->request = std::make_unique<wf::PollNexusTaskQueueRequest>();
    auto response = std::make_unique<wf::PollNexusTaskQueueResponse>();
    wf::PollNexusTaskQueueResponse* filled = response.get();
    call->response = filled;
    call->owned_response = std::move(response);
    call->deliver = [](absl::Status) {};
    Poller poller;
    poller.call = call;
    engine.matching().poll({"namespace-id", "handlers", enums::TASK_QUEUE_TYPE_NEXUS},
                           std::move(poller));
    settle();
    wf::PollNexusTaskQueueResponse taken = *filled;
    if (!call->finished) {
      call->on_cancel();
      settle();
    }
    return taken;
  }
  static std::string id_of(const wf::PollNexusTaskQueueResponse& task) {
    const auto token = TaskToken::decode(task.task_token());
    return token ? token->run_id : "";
  }
  absl::Status succeed(const wf::PollNexusTaskQueueResponse& task) {
    nexus::Response response;
    response.mutable_start_operation()->mutable_sync_success()->mutable_payload()->set_data("1");
    return answer_with(task, response);
  }
  absl::Status begin(const wf::PollNexusTaskQueueResponse& task) {
    nexus::Response response;
    response.mutable_start_operation()->mutable_async_success()->set_operation_token("token");
    return answer_with(task, response);
  }
  absl::Status answer_with(const wf::PollNexusTaskQueueResponse& task,
                           const nexus::Response& response) {
    absl::Status status = engine.nexus_requests->complete(id_of(task), response);
    settle();
    return status;
  }
  absl::Status refuse(const wf::PollNexusTaskQueueResponse& task, const std::string& type) {
    absl::Status status = engine.nexus_requests->fail(id_of(task), handler_failure(type, "no"));
    settle();
    return status;
  }
  const NexusOperation& operation(const OneRun& run) {
    return run.open<NexusOperations>().all().begin()->second;
  }
  RunPtr caller(std::vector<command::Command> commands) {
    RunPtr run = start("caller");
    EXPECT_TRUE(respond(*run, std::move(commands)).ok());
    return run;
  }
};

TEST_F(NexusOperationsTest, WaitForAWorkerAndItsAnswer) {
  const RunPtr run = caller({schedule()});
  const auto task = take();
  ASSERT_THAT(task.task_token(), Not(IsEmpty()));
  EXPECT_THAT(take().task_token(), IsEmpty()) << "a task goes to one worker";

  EXPECT_TRUE(succeed(task).ok());

  EXPECT_THAT(events(*run, 5),
              ElementsAre("NEXUS_OPERATION_SCHEDULED", "NEXUS_OPERATION_COMPLETED"));
  EXPECT_TRUE(absl::IsNotFound(succeed(task)));
}

TEST_F(NexusOperationsTest, AreAskedForAgainLaterEachTime) {
  const RunPtr run = caller({schedule()});
  Nanos before{};
  for (int attempt = 1; attempt <= 4; ++attempt) {
    ASSERT_TRUE(refuse(take(), "UNAVAILABLE").ok());
    EXPECT_EQ(operation(*run).state, State::kBackingOff);
    EXPECT_EQ(operation(*run).attempts.count, attempt);
    const Nanos delay = operation(*run).attempts.next - clock.wall;
    EXPECT_GT(delay, before);
    EXPECT_LE(delay, seconds{1 << (attempt - 1)});
    EXPECT_THAT(take().task_token(), IsEmpty());
    pass(before = delay);
    EXPECT_EQ(operation(*run).state, State::kScheduled);
  }
}

TEST_F(NexusOperationsTest, ARequestThatNobodyTakesFails) {
  const RunPtr run = caller({schedule()});

  pass(seconds{9});

  EXPECT_EQ(operation(*run).state, State::kBackingOff);
  EXPECT_EQ(operation(*run).attempts.last_failure->message(), "upstream timeout");
}

TEST_F(NexusOperationsTest, ABreakerGivesAnEndpointARest) {
  const RunPtr run = caller({schedule()});
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(refuse(take(), "UNAVAILABLE").ok());
    pass(operation(*run).attempts.next - clock.wall);
  }
  wf::DescribeWorkflowExecutionResponse described;
  run->pending().describe(clock.wall, described);
  nexus_invocation::show_blocked(engine, *run, described);
  EXPECT_EQ(described.pending_nexus_operations(0).state(),
            enums::PENDING_NEXUS_OPERATION_STATE_BLOCKED);
  EXPECT_EQ(described.pending_nexus_operations(0).blocked_reason(), "The circuit breaker is open.");
  EXPECT_THAT(take().task_token(), IsEmpty());

  pass(std::chrono::minutes{1});
  const auto probe = take();
  ASSERT_THAT(probe.task_token(), Not(IsEmpty()));
  EXPECT_TRUE(succeed(probe).ok());

  EXPECT_FALSE(engine.nexus_breakers->is_open({"namespace-id", "endpoint"}));
}

TEST_F(NexusOperationsTest, EndByTheirTimeouts) {
  const RunPtr run = caller({schedule(/*schedule_to_close=*/5), schedule(0, /*start_to_close=*/3)});
  const auto first = take(), second = take();
  const auto& late = run->open<NexusOperations>().all().begin()->second.attributes().request_id() ==
                             first.request().start_operation().request_id()
                         ? second
                         : first;
  ASSERT_TRUE(begin(late).ok());

  pass(seconds{3});
  EXPECT_THAT(events(*run, 7), ElementsAre("NEXUS_OPERATION_STARTED", "NEXUS_OPERATION_TIMED_OUT"));
  pass(seconds{2});

  EXPECT_TRUE(run->open<NexusOperations>().all().empty());
  EXPECT_EQ(run->last_event().event_type(), enums::EVENT_TYPE_NEXUS_OPERATION_TIMED_OUT);
}

TEST_F(NexusOperationsTest, AreCancelledOnceTheyHaveBegun) {
  const RunPtr run = caller({schedule(), cancel(5)});
  const auto task = take();
  EXPECT_FALSE(operation(*run).is_canceling());

  ASSERT_TRUE(begin(task).ok());
  const auto asked = take();

  EXPECT_EQ(asked.request().cancel_operation().operation_token(), "token");
  nexus::Response response;
  response.mutable_cancel_operation();
  ASSERT_TRUE(answer_with(asked, response).ok());
  EXPECT_EQ(operation(*run).cancel.state, enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED);
}

TEST_F(NexusOperationsTest, HoldTheTimeOfTheirRunUnlessTheyBackOff) {
  const RunPtr run = caller({schedule()});
  EXPECT_EQ(run->open<NexusOperations>().waits_until(clock.wall), kUnset);

  ASSERT_TRUE(refuse(take(), "UNAVAILABLE").ok());
  EXPECT_EQ(run->open<NexusOperations>().waits_until(clock.wall), operation(*run).attempts.next);

  pass(seconds{1});
  ASSERT_TRUE(begin(take()).ok());
  EXPECT_EQ(run->open<NexusOperations>().waits_until(clock.wall), kUnset);
}

TEST_F(NexusOperationsTest, AnotherNamespaceCompletesThem) {
  const RunPtr run = caller({schedule()});
  const auto task = take();
  Namespace& other = engine.namespaces().add("other", "other-id", std::chrono::hours{24});
  StartSpec spec;
  spec.ns = &other;
  spec.workflow_id = "work";
  spec.run_id = engine.ids().run_id(engine.now());
  spec.request_id = "request";
  spec.attributes.mutable_task_queue()->set_name("work");
  auto& callback = *spec.attributes.add_completion_callbacks()->mutable_nexus();
  callback.set_url(task.request().start_operation().callback());
  *callback.mutable_header() = task.request().start_operation().callback_header();
  const OneRun& work = create_run(engine, std::move(spec));
  settle();
  ASSERT_TRUE(begin(task).ok());

  ASSERT_TRUE(respond(work, {complete_workflow()}).ok());

  EXPECT_THAT(events(*run, 5), testing::Contains("NEXUS_OPERATION_COMPLETED"));
  EXPECT_EQ(work.open<Callbacks>().all()[0].state, enums::CALLBACK_STATE_SUCCEEDED);
}

TEST_F(NexusOperationsTest, ATokenOfAnotherServerIsNone) {
  EXPECT_TRUE(absl::IsInvalidArgument(nexus_invocation::complete(engine, "", {})));
  EXPECT_TRUE(absl::IsInvalidArgument(nexus_invocation::complete(engine, "{\"v\":1}", {})));
}

}  // namespace
}  // namespace chimera::server
