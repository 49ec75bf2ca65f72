// R: Nexus operations that stand alone, when the server dies by SIGKILL and starts again on its
// file.
#include "tests/conformance/own_server.h"
#include "tests/conformance/standalone_nexus_session.h"

namespace chimera::conformance {
namespace {

class StandaloneNexusDurabilityTest : public OnOwnServer<StandaloneNexusSession> {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "has no Nexus operations that stand alone";
    OnOwnServer<StandaloneNexusSession>::SetUp();
  }
};

TEST_F(StandaloneNexusDurabilityTest, kill9_while_its_handler_has_it) {
  const NexusTask task = begin([](StartOperation& request) {
    *request.mutable_user_metadata()->mutable_summary() = payload("\"of it\"");
  });
  const OperationInfo before = info();
  die_and_come_back();
  EXPECT_EQ(info().run_id(), before.run_id());
  EXPECT_EQ(info().user_metadata().summary().data(), "\"of it\"");
  EXPECT_EQ(try_start([](auto& request) { request.set_request_id("other"); }).status().code(),
            absl::StatusCode::kAlreadyExists);
  const NexusTask again = poll_nexus();
  EXPECT_EQ(again.request().start_operation().request_id(), before.request_id());
  EXPECT_EQ(again.request().start_operation().payload().data(), "\"in\"");
  ASSERT_TRUE(answer(again, result("\"out\"")).ok());
  EXPECT_EQ(outcome().result().data(), "\"out\"");
}

TEST_F(StandaloneNexusDurabilityTest, kill9_while_it_backs_off) {
  ASSERT_TRUE(refuse_as(begin(), "INTERNAL").ok());
  die_and_come_back();
  EXPECT_EQ(info().last_attempt_failure().nexus_handler_failure_info().type(), "INTERNAL");
  ASSERT_TRUE(answer(poll_nexus(), result("\"out\"")).ok());
  EXPECT_EQ(outcome().result().data(), "\"out\"");
  EXPECT_EQ(info().attempt(), 2);
}

TEST_F(StandaloneNexusDurabilityTest, kill9_while_a_workflow_works_at_it) {
  const NexusTask task = begin();
  start_work(task);
  ASSERT_TRUE(answer(task, started("token")).ok());
  ASSERT_TRUE(cancel("c1").ok());
  poll_nexus();
  die_and_come_back();
  EXPECT_EQ(info().operation_token(), "token");
  EXPECT_TRUE(cancel("c1").ok()) << "the same request";
  EXPECT_EQ(info().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_SCHEDULED);
  ASSERT_TRUE(answer(poll_nexus(), cancel_taken()).ok());
  EXPECT_EQ(info().cancellation_info().state(),
            enums::NEXUS_OPERATION_CANCELLATION_STATE_SUCCEEDED);
  respond(poll_work(), {complete_workflow("worked")});
  EXPECT_EQ(outcome().result().data(), "\"worked\"");
}

TEST_F(StandaloneNexusDurabilityTest, kill9_before_its_timeout) {
  begin_async(
      [](StartOperation& request) { set_seconds(request.mutable_start_to_close_timeout(), 2); });
  die_and_come_back();
  EXPECT_EQ(outcome().failure().timeout_failure_info().timeout_type(),
            enums::TIMEOUT_TYPE_START_TO_CLOSE);
}

TEST_F(StandaloneNexusDurabilityTest, kill9_after_its_end) {
  const NexusTask task = begin();
  const std::string first = info().run_id();
  ASSERT_TRUE(answer(task, result("\"out\"")).ok());
  const std::string second = start_operation();
  ASSERT_TRUE(terminate_operation().ok());
  die_and_come_back();
  EXPECT_EQ(info().run_id(), second);
  EXPECT_EQ(outcome(first).result().data(), "\"out\"");
  const std::string query = absl::StrCat("OperationId = '", id, "'");
  EXPECT_EQ(count(query)->count(), 2);
  ASSERT_TRUE(delete_operation().ok());
  eventually([&] { return !try_describe().ok(); });
  die_and_come_back();
  EXPECT_EQ(try_describe().status().message(), missing) << "nor the older one in its place";
  EXPECT_EQ(info(first).status(), enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED);
  EXPECT_EQ(count(query)->count(), 1);
}

}  // namespace
}  // namespace chimera::conformance
