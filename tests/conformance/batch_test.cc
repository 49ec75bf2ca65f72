// O: batch operations.
#include "tests/conformance/batch_session.h"

namespace chimera::conformance {
namespace {

class BatchTest : public BatchSession {};

TEST_F(BatchTest, batch_terminate) {
  start_many(3);

  const Request request = batch_request("job");
  const Described batch = run(request);

  expect_counts(batch, 3, 3, 0);
  EXPECT_EQ(batch.job_id(), request.job_id());
  EXPECT_EQ(batch.reason(), "enough");
  EXPECT_EQ(batch.identity(), "operator");
  EXPECT_TRUE(batch.has_start_time() && batch.has_close_time());
  if (!server_is("1.29")) {
    EXPECT_EQ(batch.operation_type(), enums::BATCH_OPERATION_TYPE_TERMINATE_WORKFLOW);
    EXPECT_EQ(batch.query(), own);
  }
  for (const char* suffix : {"1", "2", "3"}) {
    const HistoryEvent last = last_of(suffix);
    ASSERT_EQ(last.event_type(), enums::EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED);
    EXPECT_EQ(last.workflow_execution_terminated_event_attributes().reason(), "enough");
  }
}

TEST_F(BatchTest, batch_signal) {
  start_many(2);
  Request request = batch_request("job");
  request.mutable_signal_operation()->set_signal("go");
  *request.mutable_signal_operation()->mutable_input() = payloads("1");
  request.mutable_signal_operation()->set_identity("operator");

  expect_counts(run(request), 2, 2, 0);

  for (const char* suffix : {"1", "2"}) {
    const auto signaled = last_of(suffix).workflow_execution_signaled_event_attributes();
    EXPECT_EQ(signaled.signal_name(), "go");
    EXPECT_EQ(signaled.identity(), "operator");
    EXPECT_EQ(signaled.input().payloads(0).data(), "1");
  }
}

TEST_F(BatchTest, batch_cancel_of_listed_executions) {
  start_many(2);
  Request request = batch_request("job");
  request.clear_visibility_query();
  request.mutable_cancellation_operation()->set_identity("operator");
  for (const char* suffix : {"-1", "-2", "-there-is-none"})
    request.add_executions()->set_workflow_id(id + suffix);

  expect_counts(run(request), 3, 3, 0);  // What is not there is no failure.

  EXPECT_EQ(events_of("1"), "Started TaskScheduled CancelRequested");
  EXPECT_EQ(events_of("2"), "Started TaskScheduled CancelRequested");
}

TEST_F(BatchTest, batch_delete) {
  start_many(2);
  Request request = batch_request("job");
  request.mutable_deletion_operation()->set_identity("operator");

  expect_counts(run(request), 2, 2, 0);

  wait_until_listed(0);
}

TEST_F(BatchTest, batch_reset) {
  start_many(1);
  const Task task = poll();
  respond(task, {});
  ASSERT_TRUE(run(batch_request("nothing-yet")).has_close_time());  // It has ended.
  Request request = batch_request("job");
  request.mutable_reset_operation()->mutable_options()->mutable_first_workflow_task();

  expect_counts(run(request), 1, 1, 0);

  EXPECT_EQ(events_of("1"), "Started TaskScheduled TaskStarted TaskFailed TaskScheduled");
}

// One at a time: the second is refused while the first waits for its rate.
TEST_F(BatchTest, batch_limit) {
  Request first = batch_request("first");
  first.clear_visibility_query();
  for (int i = 0; i < 400; ++i)
    first.add_executions()->set_workflow_id(absl::StrCat(id, "-none-", i));
  ASSERT_TRUE(start_batch(first).ok());

  const absl::Status second =
      rpc<wf::StartBatchOperationResponse>(batch_request("second")).status();

  // The genuine server counts what its lists show.
  if (!target().genuine || !second.ok()) {
    EXPECT_EQ(second.code(), absl::StatusCode::kResourceExhausted) << second;
    EXPECT_EQ(second.message(), "Max concurrent batch operations is reached");
  }
  wf::StopBatchOperationRequest stop;
  stop.set_namespace_(ns);
  stop.set_job_id(first.job_id());
  stop.set_reason("enough");
  EXPECT_TRUE(rpc<wf::StopBatchOperationResponse>(stop).ok());
  const auto stopped = described(first.job_id());
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  EXPECT_EQ(stopped->state(), enums::BATCH_OPERATION_STATE_FAILED);
  EXPECT_EQ(stopped->total_operation_count(), 0);
}

TEST_F(BatchTest, batch_job_id_is_taken) {
  const Request request = batch_request("job");
  run(request);

  const absl::Status again = start_batch(request);

  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists) << again;
}

TEST_F(BatchTest, batch_is_listed) {
  const Request request = batch_request("job");
  run(request);
  wf::ListBatchOperationsRequest list;
  list.set_namespace_(ns);

  bool found = false;
  for (int i = 0; i < 100 && !found; ++i) {
    const auto reply = patient_rpc<wf::ListBatchOperationsResponse>(list);
    ASSERT_TRUE(reply.ok()) << reply.status();
    for (const auto& batch : reply->operation_info()) {
      found = found || (batch.job_id() == request.job_id() &&
                        batch.state() == enums::BATCH_OPERATION_STATE_COMPLETED);
    }
    if (!found) no_task_within(milliseconds(1));
  }
  EXPECT_TRUE(found);
  // It is no workflow of its namespace's lists, unless they are asked for its division.
  EXPECT_EQ(this->found(""), "");
}

TEST_F(BatchTest, batch_of_a_query_that_names_nothing_fails) {
  if (server_is("1.29")) return;  // It tries for ever.
  Request request = batch_request("job");
  request.set_visibility_query("ThereIsNone = 1");

  EXPECT_EQ(run(request).state(), enums::BATCH_OPERATION_STATE_FAILED);
}

TEST_F(BatchTest, batch_failures_are_counted) {
  if (target().genuine) GTEST_SKIP() << "it tries each fifty times";
  start_many(2);
  Request request = batch_request("job");
  request.mutable_reset_operation()->mutable_options()->set_build_id("there-is-none");

  expect_counts(run(request), 2, 0, 2);
}

TEST_F(BatchTest, batch_unknown_job) {
  const auto described = this->described("there-is-none");
  EXPECT_EQ(described.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(described.status().message(), "workflow not found for ID: there-is-none");

  wf::StopBatchOperationRequest stop;
  stop.set_namespace_(ns);
  stop.set_job_id("there-is-none");
  absl::Status stopped = rpc<wf::StopBatchOperationResponse>(stop).status();
  EXPECT_EQ(stopped.message(), "Reason is not set on request.");
  stop.set_reason("why");
  stopped = rpc<wf::StopBatchOperationResponse>(stop).status();
  EXPECT_EQ(stopped.message(), "workflow not found for ID: there-is-none");
}

class BatchRefusalTest : public BatchSession {
 protected:
  void expect_refused(const std::function<void(Request&)>& change, const std::string& text) {
    Request request = batch_request("job");
    change(request);
    const absl::Status status = rpc<wf::StartBatchOperationResponse>(request).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text << ": " << status;
    EXPECT_EQ(status.message(), text);
  }
};

TEST_F(BatchRefusalTest, batch_bad_input) {
  if (server_is("1.29")) return;  // In other words.
  constexpr char kMissing[] =
      "must provide required parameters: BatchType,Reason,Namespace, AND one of (Query OR "
      "Executions OR TargetExecutions)";
  expect_refused([](Request& r) { r.clear_reason(); }, kMissing);
  expect_refused([](Request& r) { r.clear_visibility_query(); }, kMissing);
  expect_refused([](Request& r) { r.clear_operation(); }, kMissing);
  expect_refused([](Request& r) { r.clear_job_id(); }, "JobId is not set on request.");
  expect_refused([](Request& r) { r.add_executions()->set_workflow_id("a"); },
                 "visibility query, executions, and target executions are mutually exclusive");
  expect_refused([](Request& r) { r.set_visibility_query("WorkflowId = "); },
                 "invalid visibility query: syntax error at position 40");
  // Blanks count, and an expression has to be there.
  expect_refused([](Request& r) { r.set_visibility_query("WorkflowId ="); },
                 "invalid visibility query: syntax error at position 39");
  expect_refused([](Request& r) { r.set_visibility_query(" "); },
                 "invalid visibility query: syntax error at position 28");
  expect_refused([](Request& r) { r.set_visibility_query("ORDER BY StartTime"); },
                 "invalid visibility query: syntax error at position 32 near 'order'");
  expect_refused([](Request& r) { r.mutable_terminate_activities_operation(); },
                 "The operation type "
                 "*workflowservice.StartBatchOperationRequest_TerminateActivitiesOperation is not "
                 "supported for this namespace");
  expect_refused([](Request& r) { r.mutable_signal_operation(); }, "must provide signal name");
  expect_refused([](Request& r) { r.mutable_update_workflow_options_operation(); },
                 "must provide UpdateOptions");
}

TEST_F(BatchRefusalTest, batch_bad_input_of_resets_and_activities) {
  if (server_is("1.29")) return;  // In other words.
  expect_refused([](Request& r) { r.mutable_reset_operation(); },
                 "unknown batch reset type Unspecified");
  expect_refused([](Request& r) { r.mutable_reset_operation()->mutable_options(); },
                 "batch reset missing target");
  expect_refused([](Request& r) { r.mutable_unpause_activities_operation(); },
                 "activity filter must be set");
  expect_refused([](Request& r) { r.mutable_unpause_activities_operation()->set_match_all(false); },
                 "Either activity type must be set, or match all should be set to true");
  expect_refused([](Request& r) { r.mutable_reset_activities_operation(); },
                 "must provide ActivityType or MatchAll");
  expect_refused([](Request& r) { r.mutable_update_activity_options_operation(); },
                 "Either activity type must be set, or restore original should be set to true");
  expect_refused(
      [](Request& r) {
        r.clear_visibility_query();
        r.add_target_executions()->set_type(enums::EXECUTION_TYPE_ACTIVITY);
      },
      "target_executions[0] has type Activity, but operation "
      "*workflowservice.StartBatchOperationRequest_TerminationOperation requires Workflow");
}

}  // namespace
}  // namespace chimera::conformance
