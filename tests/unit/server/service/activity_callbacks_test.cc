// Callbacks of activities that stand alone: who brings them, what is told of them, and that they
// outlast leaving memory. That they arrive is for tests/python/live.
#include "server/engine/standalone/activity_executions.h"
#include "tests/unit/server/service/engine_fixture.h"
#include "tests/unit/server/service/server_calls.h"

namespace chimera::server {
namespace {

using testing::HasSubstr;
namespace enums = api::enums::v1;

class ActivityCallbacksTest : public EngineFixture {
 protected:
  ActivityCallbacksTest() : EngineFixture(make_memory_store()) { configure(true); }

  void configure(bool enabled) {
    peek([enabled](Engine& e) {
      e.configure({.activity_callbacks = enabled, .callbacks_max = 2});
      return 0;
    });
  }
  absl::StatusOr<wf::StartActivityExecutionResponse> start(const std::string& id,
                                                           const std::string& request_id) {
    wf::StartActivityExecutionRequest request;
    request.set_namespace_("default");
    request.set_activity_id(id);
    request.set_request_id(request_id);
    request.mutable_activity_type()->set_name("act");
    request.mutable_task_queue()->set_name("queue");
    request.mutable_schedule_to_close_timeout()->set_seconds(600);
    request.set_id_conflict_policy(enums::ACTIVITY_ID_CONFLICT_POLICY_USE_EXISTING);
    request.mutable_on_conflict_options()->set_attach_request_id(true);
    request.mutable_on_conflict_options()->set_attach_completion_callbacks(true);
    auto& callback = *request.add_completion_callbacks()->mutable_nexus();
    callback.set_url("temporal://system");
    (*callback.mutable_header())["Temporal-Callback-Token"] = "of nobody";
    return call<wf::StartActivityExecutionResponse>(method("StartActivityExecution"), request);
  }
  void end(const std::string& id) {
    wf::TerminateActivityExecutionRequest request;
    request.set_namespace_("default");
    request.set_activity_id(id);
    const auto ended =
        call<wf::TerminateActivityExecutionResponse>(method("TerminateActivityExecution"), request);
    EXPECT_TRUE(ended.ok()) << ended.status();
  }
  wf::DescribeActivityExecutionResponse describe(const std::string& id) {
    wf::DescribeActivityExecutionRequest request;
    request.set_namespace_("default");
    request.set_activity_id(id);
    const auto told =
        call<wf::DescribeActivityExecutionResponse>(method("DescribeActivityExecution"), request);
    EXPECT_TRUE(told.ok()) << told.status();
    return told.ok() ? *told : wf::DescribeActivityExecutionResponse();
  }
};

TEST_F(ActivityCallbacksTest, EachRequestBringsItsOwnOnce) {
  for (const char* request : {"one", "one", "two", "two"}) EXPECT_TRUE(start("a", request).ok());
  const auto told = describe("a");
  ASSERT_EQ(told.callbacks_size(), 2);
  EXPECT_TRUE(told.callbacks(0).trigger().has_activity_closed());
  EXPECT_EQ(told.callbacks(0).info().state(), enums::CALLBACK_STATE_STANDBY);
  EXPECT_TRUE(told.callbacks(0).info().has_registration_time());
  EXPECT_EQ(told.callbacks(1).info().callback().nexus().header().at("temporal-callback-token"),
            "of nobody");
  EXPECT_THAT(std::string(start("a", "three").status().message()),
              HasSubstr("cannot attach more than 2 callbacks to an activity (2 callbacks already"));
}

TEST_F(ActivityCallbacksTest, OneThatNobodyTakesHasFailedAndOutlastsLeavingMemory) {
  ASSERT_TRUE(start("a", "one").ok());
  end("a");
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(start(absl::StrCat("b", i), "one").ok());
    end(absl::StrCat("b", i));
  }
  EXPECT_LT(peek([](Engine& e) { return e.activity_executions->live(); }), 300U);
  const auto told = describe("a");
  ASSERT_EQ(told.callbacks_size(), 1);
  EXPECT_EQ(told.callbacks(0).info().state(), enums::CALLBACK_STATE_FAILED);
  EXPECT_EQ(told.callbacks(0).info().attempt(), 1);
  EXPECT_EQ(told.callbacks(0).info().last_attempt_failure().message(),
            "handler error (BAD_REQUEST): invalid callback token");
}

TEST_F(ActivityCallbacksTest, OneThatGoesWithItsNamespaceIsTold) {
  ASSERT_TRUE(start("a", "one").ok());
  peek([](Engine& e) {
    while (e.activity_executions->erase_some(*e.namespaces().find("default"), 1)) {
    }
    return 0;
  });
  EXPECT_TRUE(start("b", "one").ok()) << "the server goes on";
  EXPECT_EQ(describe("b").callbacks_size(), 1);
}

TEST_F(ActivityCallbacksTest, TheyAreSwitchedOffByDefault) {
  configure(false);
  const absl::Status status = start("a", "one").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "completion callbacks are not enabled for this namespace");
}

}  // namespace
}  // namespace chimera::server
