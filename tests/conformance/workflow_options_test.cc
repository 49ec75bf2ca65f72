// R: options of a workflow that change while it is open, and reset with such a change.
#include "google/protobuf/field_mask.pb.h"

#include "tests/conformance/reset_session.h"

namespace chimera::conformance {
namespace {

using testing::AnyOf;
using Options = api::workflow::v1::WorkflowExecutionOptions;

class WorkflowOptionsTest : public ResetSession {
 protected:
  using Update = wf::UpdateWorkflowExecutionOptionsRequest;

  Update update_request(const std::vector<std::string>& paths,
                        const std::function<void(Options&)>& change = {}) {
    Update request;
    request.set_namespace_(ns);
    *request.mutable_workflow_execution() = execution();
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    request.mutable_workflow_execution_options();
    if (change) change(*request.mutable_workflow_execution_options());
    request.set_identity("operator");
    return request;
  }

  Options update(const std::vector<std::string>& paths,
                 const std::function<void(Options&)>& change = {}) {
    const auto reply =
        rpc<wf::UpdateWorkflowExecutionOptionsResponse>(update_request(paths, change));
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->workflow_execution_options() : Options();
  }

  void expect_refused(const Update& request, absl::StatusCode code, const std::string& text) {
    const absl::Status status = rpc<wf::UpdateWorkflowExecutionOptionsResponse>(request).status();
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_EQ(status.message(), text);
  }
};

TEST_F(WorkflowOptionsTest, options_priority) {
  if (server_is("1.29")) return;  // It has the override alone.
  start([](Start& request) { request.mutable_priority()->set_priority_key(4); });

  Options now = update({"priority"}, [](Options& o) { o.mutable_priority()->set_priority_key(2); });
  EXPECT_EQ(now.priority().priority_key(), 2);
  now = update({"priority.fairness_key"},
               [](Options& o) { o.mutable_priority()->set_fairness_key("f"); });
  EXPECT_EQ(now.priority().priority_key(), 2);
  EXPECT_EQ(now.priority().fairness_key(), "f");
  update({"priority.fairness_key"},
         [](Options& o) { o.mutable_priority()->set_fairness_key("f"); });  // Nothing new.

  EXPECT_EQ(events(), "Started TaskScheduled OptionsUpdated OptionsUpdated");
  const HistoryEvent last = last_event();
  EXPECT_TRUE(last.worker_may_ignore());
  const auto& a = last.workflow_execution_options_updated_event_attributes();
  EXPECT_EQ(a.identity(), "operator");
  EXPECT_TRUE(a.unset_versioning_override());
  EXPECT_EQ(describe().workflow_execution_info().priority().priority_key(), 2);
  respond(poll(), {complete_workflow()});
}

TEST_F(WorkflowOptionsTest, options_while_a_task_runs) {
  if (server_is("1.29")) return;
  start();
  const Task task = poll();

  update({"priority"}, [](Options& o) { o.mutable_priority()->set_priority_key(2); });

  EXPECT_EQ(events(), "Started TaskScheduled TaskStarted");
  EXPECT_EQ(describe().workflow_execution_info().priority().priority_key(), 2);
  respond(task, {schedule_activity("a")});
  EXPECT_EQ(poll_activity().priority().priority_key(), 2);
}

TEST_F(WorkflowOptionsTest, options_override) {
  start();

  const Options now = update({"versioning_override"}, [](Options& o) {
    o.mutable_versioning_override()->set_auto_upgrade(true);
  });

  EXPECT_TRUE(now.versioning_override().auto_upgrade());
  EXPECT_TRUE(
      describe().workflow_execution_info().versioning_info().versioning_override().auto_upgrade());
  EXPECT_FALSE(update({"versioning_override"}).has_versioning_override());
  EXPECT_EQ(events(), "Started TaskScheduled OptionsUpdated OptionsUpdated");
}

TEST_F(WorkflowOptionsTest, options_bad_input) {
  if (server_is("1.29")) return;  // In other words.
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  start();
  Update request = update_request({"priority"});
  request.clear_update_mask();
  expect_refused(request, kInvalid, "UpdateMask is required");
  request = update_request({"priority"});
  request.clear_workflow_execution_options();
  expect_refused(request, kInvalid, "WorkflowExecutionOptions is required");
  request = update_request({"priority"});
  request.clear_workflow_execution();
  expect_refused(request, kInvalid, "WorkflowId is not set on request.");
  request = update_request({"priority"});
  request.mutable_workflow_execution()->set_run_id("none");
  expect_refused(request, kInvalid, "RunId is not valid UUID.");
  expect_refused(update_request({"versioning_override.pinned"}), kInvalid,
                 "error applying update_options: versioning_override doesn't support partial "
                 "updates");
  const absl::Status negative =
      rpc<wf::UpdateWorkflowExecutionOptionsResponse>(update_request({"priority"}, [](Options& o) {
        o.mutable_priority()->set_priority_key(-1);
      })).status();
  EXPECT_EQ(negative.code(), kInvalid);
  EXPECT_THAT(std::string(negative.message()),
              AnyOf("PriorityKey can't be negative", "priority key can't be negative"));
  expect_refused(
      update_request({"versioning_override"},
                     [](Options& o) {
                       auto& pinned = *o.mutable_versioning_override()->mutable_pinned();
                       pinned.mutable_version()->set_deployment_name("d");
                       pinned.mutable_version()->set_build_id("b");
                       pinned.set_behavior(
                           api::workflow::v1::VersioningOverride::PINNED_OVERRIDE_BEHAVIOR_PINNED);
                     }),
      absl::StatusCode::kFailedPrecondition,
      absl::StrCat("Pinned version 'd:b' is not present in task queue '", queue,
                   "' of type 'Workflow'"));
  EXPECT_EQ(events(), "Started TaskScheduled");
  ASSERT_TRUE(terminate().ok());
  expect_refused(update_request({"priority"}), absl::StatusCode::kNotFound,
                 "workflow execution already completed");
}

TEST_F(WorkflowOptionsTest, reset_with_new_options) {
  if (server_is("1.29")) return;
  const std::string base = start();
  respond(poll(), {});

  const std::string run_id = reset(base, 4, [](Request& request) {
    auto& update = *request.add_post_reset_operations()->mutable_update_workflow_options();
    update.mutable_update_mask()->add_paths("priority");
    update.mutable_workflow_execution_options()->mutable_priority()->set_priority_key(1);
  });

  EXPECT_EQ(events(run_id),
            "Started TaskScheduled TaskStarted TaskFailed OptionsUpdated TaskScheduled");
  EXPECT_EQ(describe().workflow_execution_info().priority().priority_key(), 1);
}

// Signals are in the API of resets, not in the servers.
TEST_F(WorkflowOptionsTest, reset_with_a_signal) {
  if (server_is("1.29")) return;
  const std::string base = start();
  respond(poll(), {});
  Request request = reset_request(base, 4);
  request.add_post_reset_operations()->mutable_signal_workflow()->set_signal_name("s");

  const absl::Status status = rpc<wf::ResetWorkflowExecutionResponse>(request).status();

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_EQ(status.message(),
            "unsupported post reset operation: *workflow.PostResetOperation_SignalWorkflow_");
}

}  // namespace
}  // namespace chimera::conformance
