// H: update-with-start.
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"

#include "tests/conformance/update_session.h"

namespace chimera::conformance {
namespace {

using Multi = wf::ExecuteMultiOperationRequest;
using MultiReply = absl::StatusOr<wf::ExecuteMultiOperationResponse>;

// What the error says of one operation.
using OperationStatus = api::errordetails::v1::MultiOperationExecutionFailure::OperationStatus;
std::vector<OperationStatus> statuses_in(const absl::Status& status) {
  const auto bytes = status.GetPayload(base::kStatusDetails);
  google::rpc::Status rich;
  api::errordetails::v1::MultiOperationExecutionFailure failure;
  if (!bytes.has_value() || !rich.ParseFromString(std::string(*bytes)) ||
      rich.details_size() != 1 || !rich.details(0).UnpackTo(&failure)) {
    ADD_FAILURE() << "no detail in " << status;
    return std::vector<OperationStatus>(2);
  }
  return {failure.statuses().begin(), failure.statuses().end()};
}

class UpdateWithStartTest : public UpdateSession {
 protected:
  MultiReply update_with_start(enums::WorkflowIdReusePolicy reuse,
                               enums::WorkflowIdConflictPolicy conflict,
                               const std::function<void(Multi&)>& change = {}) {
    Multi request;
    request.set_namespace_(ns);
    auto& start = *request.add_operations()->mutable_start_workflow();
    start = start_request();
    start.set_workflow_id_reuse_policy(reuse);
    start.set_workflow_id_conflict_policy(conflict);
    auto& update = *request.add_operations()->mutable_update_workflow();
    update.set_namespace_(ns);
    update.mutable_workflow_execution()->set_workflow_id(id);
    update.mutable_wait_policy()->set_lifecycle_stage(
        enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
    update.mutable_request()->mutable_meta()->set_update_id("u1");
    update.mutable_request()->mutable_input()->set_name("add");
    if (change) change(request);
    return rpc<wf::ExecuteMultiOperationResponse>(request, std::chrono::seconds(25));
  }

  // A closed run that accepted update "u1" and never completed it; its run id.
  std::string close_with_update_open() {
    const std::string run_id = start();
    respond(poll(), {});
    absl::StatusOr<UpdateReply> reply = absl::UnknownError("not run");
    std::thread client([&] { reply = update("u1"); });
    Task task = poll();
    auto accepted = accept(task);
    respond(task, {protocol_message(accepted.id()), complete_workflow()},
            [&](Respond& request) { *request.add_messages() = accepted; });
    client.join();
    return run_id;
  }
};

TEST_F(UpdateWithStartTest, uws_new) {
  MultiReply reply = absl::UnknownError("not run");
  std::thread client([&] {
    reply = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                              enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);
  });

  Task task = poll();
  EXPECT_EQ(request_in(task).meta().update_id(), "u1");
  respond_done(task, "both");
  client.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  ASSERT_EQ(reply->responses_size(), 2);
  const auto& started = reply->responses(0).start_workflow();
  EXPECT_TRUE(started.started());
  EXPECT_EQ(started.run_id(), task.workflow_execution().run_id());
  EXPECT_EQ(started.status(), enums::WORKFLOW_EXECUTION_STATUS_RUNNING);
  const auto& updated = reply->responses(1).update_workflow();
  EXPECT_EQ(updated.outcome().success().payloads(0).data(), "\"both\"");
  EXPECT_EQ(updated.stage(), enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  EXPECT_EQ(updated.update_ref().workflow_execution().run_id(), started.run_id());
  EXPECT_EQ(events(),
            "Started TaskScheduled TaskStarted TaskCompleted UpdateAccepted UpdateCompleted");
}

TEST_F(UpdateWithStartTest, uws_existing) {
  const std::string run_id = start();
  respond(poll(), {});
  MultiReply reply = absl::UnknownError("not run");
  std::thread client([&] {
    reply = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                              enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING);
  });
  respond_done(poll(), "there");
  client.join();

  // Its update is known: also who may not use the run gets the outcome.
  auto again = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                                 enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);

  for (const MultiReply& each : {reply, again}) {
    ASSERT_TRUE(each.ok()) << each.status();
    EXPECT_FALSE(each->responses(0).start_workflow().started());
    EXPECT_EQ(each->responses(0).start_workflow().run_id(), run_id);
    EXPECT_EQ(each->responses(1).update_workflow().outcome().success().payloads(0).data(),
              "\"there\"");
  }
}

TEST_F(UpdateWithStartTest, uws_closed_run_with_outcome) {
  const std::string first = start();
  respond(poll(), {});
  std::thread client([&] { EXPECT_TRUE(update("u1").ok()); });
  respond_done(poll(), "old");
  client.join();
  ASSERT_TRUE(terminate().ok());

  auto reply = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                                 enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL);

  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->responses(0).start_workflow().run_id(), first);
  EXPECT_EQ(reply->responses(1).update_workflow().outcome().success().payloads(0).data(),
            "\"old\"");
}

TEST_F(UpdateWithStartTest, uws_errors) {
  start();

  const auto refused = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                                         enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL)
                           .status();

  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists) << refused;
  EXPECT_EQ(std::string(refused.message()), "Update-with-Start could not be executed.");
  const auto statuses = statuses_in(refused);
  ASSERT_EQ(statuses.size(), 2u);
  EXPECT_EQ(statuses[0].code(), static_cast<int>(absl::StatusCode::kAlreadyExists));
  ASSERT_EQ(statuses[0].details_size(), 1);
  EXPECT_TRUE(
      statuses[0].details(0).Is<api::errordetails::v1::WorkflowExecutionAlreadyStartedFailure>());
  EXPECT_EQ(statuses[1].code(), static_cast<int>(absl::StatusCode::kAborted));
  EXPECT_EQ(statuses[1].message(), "Operation was aborted.");
  EXPECT_EQ(events(), "Started TaskScheduled") << "nothing of it is left";
}

TEST_F(UpdateWithStartTest, uws_bad_arguments) {
  auto refused = [this](const std::function<void(Multi&)>& change) {
    return update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                             enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING, change)
        .status();
  };
  auto start_of = [](Multi& request) {
    return request.mutable_operations(0)->mutable_start_workflow();
  };
  auto update_of = [](Multi& request) {
    return request.mutable_operations(1)->mutable_update_workflow();
  };

  for (const absl::Status& status : {
           refused([&](Multi& r) { start_of(r)->set_cron_schedule("* * * * *"); }),
           refused([&](Multi& r) { start_of(r)->set_request_eager_execution(true); }),
           refused([&](Multi& r) { start_of(r)->mutable_workflow_start_delay()->set_seconds(1); }),
           refused([&](Multi& r) { start_of(r)->clear_workflow_type(); }),
           refused([&](Multi& r) {
             update_of(r)->mutable_workflow_execution()->set_workflow_id("other");
           }),
           refused([&](Multi& r) {
             update_of(r)->mutable_workflow_execution()->set_run_id(
                 "01234567-0123-7123-8123-0123456789ab");
           }),
           refused([&](Multi& r) { update_of(r)->mutable_request()->clear_input(); }),
           refused([](Multi& r) { r.mutable_operations()->RemoveLast(); }),
       }) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  }
  wf::DescribeWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  *request.mutable_execution() = execution();
  EXPECT_EQ(rpc<wf::DescribeWorkflowExecutionResponse>(request).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(UpdateWithStartTest, uws_of_two_namespaces) {
  if (server_is("1.29")) GTEST_SKIP() << "it passes over the namespace of the update";
  for (const bool of_start : {true, false}) {
    const absl::Status status =
        update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
                          enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
                          [&](Multi& request) {
                            auto& operation = *request.mutable_operations(of_start ? 0 : 1);
                            if (of_start)
                              operation.mutable_start_workflow()->set_namespace_("another");
                            else
                              operation.mutable_update_workflow()->set_namespace_("another");
                          })
            .status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    const auto statuses = statuses_in(status);
    ASSERT_EQ(statuses.size(), 2);
    EXPECT_EQ(statuses[of_start ? 0 : 1].message(),
              "Operation namespace did not match request's namespace.");
  }
}

TEST_F(UpdateWithStartTest, uws_open_update_of_closed_run) {
  for (auto conflict :
       {enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}) {
    const std::string first = close_with_update_open();
    MultiReply reply = absl::UnknownError("not run");
    std::thread client([&] {
      reply = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, conflict);
    });

    Task task = poll();
    respond_done(task, "new run");
    client.join();

    ASSERT_TRUE(reply.ok()) << reply.status();
    EXPECT_TRUE(reply->responses(0).start_workflow().started());
    EXPECT_NE(reply->responses(0).start_workflow().run_id(), first);
    EXPECT_EQ(reply->responses(1).update_workflow().outcome().success().payloads(0).data(),
              "\"new run\"");
    ASSERT_TRUE(terminate().ok());
  }
}

TEST_F(UpdateWithStartTest, uws_open_update_of_closed_run_rejected) {
  close_with_update_open();
  for (auto conflict :
       {enums::WORKFLOW_ID_CONFLICT_POLICY_FAIL, enums::WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING}) {
    auto reply = update_with_start(enums::WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, conflict);

    EXPECT_EQ(reply.status().code(), absl::StatusCode::kAlreadyExists) << reply.status();
    EXPECT_EQ(std::string(reply.status().message()), "Update-with-Start could not be executed.");
  }
}

}  // namespace
}  // namespace chimera::conformance
