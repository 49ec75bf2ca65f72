// K: failures whose chain of causes is deeper than clients read. The genuine server keeps them as
// they are, and most clients cannot read such a history: an expected deviation.
#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

using api::failure::v1::Failure;
using testing::HasSubstr;

Failure chain(int length) {
  Failure failure;
  Failure* one = &failure;
  for (int i = 1; i <= length; ++i) {
    one->set_message(absl::StrCat("failure ", i));
    one->mutable_application_failure_info()->set_type("Nested");
    one->mutable_application_failure_info()->mutable_details()->add_payloads()->set_data("1");
    (*one->mutable_application_failure_info()
          ->mutable_details()
          ->mutable_payloads(0)
          ->mutable_metadata())["encoding"] = "json/plain";
    if (i < length) one = one->mutable_cause();
  }
  return failure;
}

std::vector<std::string> messages(const Failure& failure) {
  std::vector<std::string> all;
  for (const Failure* one = &failure;; one = &one->cause()) {
    all.push_back(one->message());
    if (!one->has_cause()) return all;
  }
}

// The outer ones as they were, a note, and the one that began it.
void expect_cut(const Failure& failure, int length) {
  const auto all = messages(failure);
  ASSERT_EQ(all.size(), 80u);
  for (int i = 0; i < 78; ++i) EXPECT_EQ(all[i], absl::StrCat("failure ", i + 1));
  EXPECT_THAT(all[78], HasSubstr(absl::StrCat("left out ", length - 79, " causes")));
  EXPECT_EQ(all[79], absl::StrCat("failure ", length));
}

class FailureTest : public Session {
 protected:
  void SetUp() override {
    if (target().genuine)
      GTEST_SKIP() << "the genuine server keeps long chains: docs/differences.md";
  }
  absl::Status fail_with(const ActivityTask& task, Failure failure) {
    wf::RespondActivityTaskFailedRequest request;
    request.set_namespace_(ns);
    request.set_task_token(task.task_token());
    *request.mutable_failure() = std::move(failure);
    return rpc<wf::RespondActivityTaskFailedResponse>(request).status();
  }
  static Command fail_workflow_with(Failure failure) {
    Command command;
    command.set_command_type(enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION);
    *command.mutable_fail_workflow_execution_command_attributes()->mutable_failure() =
        std::move(failure);
    return command;
  }
};

TEST_F(FailureTest, chain_at_the_limit_is_kept) {
  start();
  respond(poll(), {fail_workflow_with(chain(80))});

  const auto all = messages(last_event().workflow_execution_failed_event_attributes().failure());

  EXPECT_EQ(all.size(), 80u);
  EXPECT_EQ(all.back(), "failure 80");
}

TEST_F(FailureTest, deep_failure_of_a_workflow) {
  for (const int length : {81, 96, 100, 900}) {
    start();
    respond(poll(), {fail_workflow_with(chain(length))});

    expect_cut(last_event().workflow_execution_failed_event_attributes().failure(), length);
  }
}

TEST_F(FailureTest, deep_failure_of_an_activity) {
  start();
  respond(poll(), {schedule_activity("1", [](auto& a) {
            a.mutable_retry_policy()->set_maximum_attempts(2);
            a.mutable_retry_policy()->mutable_initial_interval()->set_nanos(1'000'000);
          })});

  ASSERT_TRUE(fail_with(poll_activity(), chain(150)).ok());
  ASSERT_TRUE(fail_with(poll_activity(), chain(200)).ok());

  const HistoryEvent started = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_STARTED);
  // Of what is tried again only 4 KiB are kept (and 20 causes).
  const auto kept = messages(started.activity_task_started_event_attributes().last_failure());
  ASSERT_EQ(kept.size(), 22u);
  EXPECT_EQ(kept[0], "Failure exceeds size limit.");
  EXPECT_EQ(kept[1], "failure 1");
  const HistoryEvent failed = event_of(enums::EVENT_TYPE_ACTIVITY_TASK_FAILED);
  expect_cut(failed.activity_task_failed_event_attributes().failure(), 200);
  // The worker reads it, too, as part of the next task.
  respond(poll(), {complete_workflow()});
}

TEST_F(FailureTest, deep_failure_of_a_task_and_a_marker) {
  start();
  wf::RespondWorkflowTaskFailedRequest request;
  request.set_namespace_(ns);
  request.set_task_token(poll().task_token());
  *request.mutable_failure() = chain(120);
  ASSERT_TRUE(rpc<wf::RespondWorkflowTaskFailedResponse>(request).ok());
  Command marked = marker("m");
  *marked.mutable_record_marker_command_attributes()->mutable_failure() = chain(130);

  respond(poll(), {marked, complete_workflow()});

  expect_cut(event_of(enums::EVENT_TYPE_WORKFLOW_TASK_FAILED)
                 .workflow_task_failed_event_attributes()
                 .failure(),
             120);
  expect_cut(
      event_of(enums::EVENT_TYPE_MARKER_RECORDED).marker_recorded_event_attributes().failure(),
      130);
}

TEST_F(FailureTest, deep_failure_of_an_update) {
  start();
  respond(poll(), {});
  wf::UpdateWorkflowExecutionRequest request;
  request.set_namespace_(ns);
  request.mutable_workflow_execution()->set_workflow_id(id);
  request.mutable_wait_policy()->set_lifecycle_stage(
      enums::UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED);
  request.mutable_request()->mutable_meta()->set_update_id("u");
  request.mutable_request()->mutable_input()->set_name("update");
  absl::StatusOr<wf::UpdateWorkflowExecutionResponse> reply;
  std::thread caller([&] { reply = rpc<wf::UpdateWorkflowExecutionResponse>(request); });
  const Task task = poll();
  respond(task, {}, [&](Respond& respond) {
    for (const bool accept : {true, false}) {
      auto& message = *respond.add_messages();
      message.set_id(accept ? "a" : "r");
      message.set_protocol_instance_id("u");
      if (accept) {
        message.mutable_body()->PackFrom(api::update::v1::Acceptance());
        continue;
      }
      api::update::v1::Response response;
      response.mutable_meta()->set_update_id("u");
      *response.mutable_outcome()->mutable_failure() = chain(110);
      message.mutable_body()->PackFrom(response);
    }
  });
  caller.join();

  ASSERT_TRUE(reply.ok()) << reply.status();
  expect_cut(reply->outcome().failure(), 110);
  expect_cut(event_of(enums::EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED)
                 .workflow_execution_update_completed_event_attributes()
                 .outcome()
                 .failure(),
             110);
}

}  // namespace
}  // namespace chimera::conformance
