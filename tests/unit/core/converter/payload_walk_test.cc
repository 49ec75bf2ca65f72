#include "core/converter/payload_walk.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "temporal/api/update/v1/message.pb.h"

#include "core/converter/payload.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Notes the data of all values, and may change them.
struct Notes final : PayloadVisitor {
  void visit(const google::protobuf::Message& owner, const google::protobuf::FieldDescriptor& field,
             std::span<Payload* const> payloads) override {
    places.push_back(owner.GetDescriptor()->name() + "." + field.name());
    for (Payload* payload : payloads) {
      data.push_back(payload->data());
      if (!change_to.empty()) payload->set_data(change_to);
    }
  }
  std::vector<std::string> places, data;
  std::string change_to;
};

std::vector<std::string> values_of(const google::protobuf::Message& message) {
  Notes notes;
  look_at_payloads(message, notes);
  return notes.data;
}

Payload value(std::string data) { return bytes_payload(std::move(data)); }

TEST(PayloadWalkTest, FindsValuesAtAnyDepthAndNotWhatOthersRead) {
  wf::StartWorkflowExecutionRequest start;
  *start.mutable_input()->add_payloads() = value("one");
  *start.mutable_input()->add_payloads() = value("two");
  (*start.mutable_memo()->mutable_fields())["note"] = value("memo");
  (*start.mutable_header()->mutable_fields())["trace"] = value("header");
  (*start.mutable_search_attributes()->mutable_indexed_fields())["City"] = value("attribute");
  *start.mutable_user_metadata()->mutable_summary() = value("summary");

  EXPECT_THAT(values_of(start), UnorderedElementsAre("one", "two", "memo", "summary"));
}

TEST(PayloadWalkTest, FindsTheDetailsOfAllCauses) {
  api::failure::v1::Failure failure;
  *failure.mutable_encoded_attributes() = value("message");
  auto& cause = *failure.mutable_cause()->mutable_cause();
  *cause.mutable_application_failure_info()->mutable_details()->add_payloads() = value("details");

  EXPECT_THAT(values_of(failure), UnorderedElementsAre("message", "details"));
}

TEST(PayloadWalkTest, OfMarkersOnlyWhatIsUsers) {
  wf::RespondWorkflowTaskCompletedRequest request;
  const auto add = [&](const char* marker, const char* detail, const char* data) {
    auto& attributes = *request.add_commands()->mutable_record_marker_command_attributes();
    attributes.set_marker_name(marker);
    *(*attributes.mutable_details())[detail].add_payloads() = value(data);
  };
  add("core_local_activity", "data", "core's");
  add("core_local_activity", "result", "local result");
  add("core_patch", "patch-data", "patch");
  add("SideEffect", "data", "side effect");

  EXPECT_THAT(values_of(request), ElementsAre("local result", "side effect"));
}

TEST(PayloadWalkTest, AnswersToQueriesAndUpdatesAreChangedInPlace) {
  wf::RespondWorkflowTaskCompletedRequest request;
  *(*request.mutable_query_results())["q"].mutable_answer()->add_payloads() = value("answer");
  api::update::v1::Response response;
  *response.mutable_outcome()->mutable_success()->add_payloads() = value("outcome");
  request.add_messages()->mutable_body()->PackFrom(response);

  Notes notes;
  notes.change_to = "changed";
  PackedMessages packed;
  visit_payloads(request, notes, packed);
  packed.pack();

  EXPECT_THAT(notes.data, UnorderedElementsAre("answer", "outcome"));
  EXPECT_THAT(values_of(request), ElementsAre("changed", "changed"));
  ASSERT_TRUE(request.messages(0).body().UnpackTo(&response));
  EXPECT_EQ(response.outcome().success().payloads(0).data(), "changed");
}

TEST(PayloadWalkTest, AWorkflowTaskHasValuesInItsHistoryQueriesAndUpdates) {
  wf::PollWorkflowTaskQueueResponse task;
  auto& started = *task.mutable_history()->add_events();
  *started.mutable_workflow_execution_started_event_attributes()->mutable_input()->add_payloads() =
      value("input");
  *(*task.mutable_queries())["q"].mutable_query_args()->add_payloads() = value("asked");
  api::update::v1::Request update;
  *update.mutable_input()->mutable_args()->add_payloads() = value("update");
  task.add_messages()->mutable_body()->PackFrom(update);

  EXPECT_THAT(values_of(task), UnorderedElementsAre("input", "asked", "update"));
}

TEST(PayloadWalkTest, KnowsWhatHoldsNone) {
  EXPECT_TRUE(may_hold_payloads(*wf::QueryWorkflowRequest::descriptor()));
  EXPECT_TRUE(may_hold_payloads(*wf::PollActivityTaskQueueResponse::descriptor()));
  EXPECT_FALSE(may_hold_payloads(*wf::RespondActivityTaskCompletedResponse::descriptor()));
  EXPECT_FALSE(may_hold_payloads(*wf::RequestCancelWorkflowExecutionRequest::descriptor()));
  EXPECT_THAT(values_of(wf::DescribeNamespaceRequest()), IsEmpty());
}

}  // namespace
}  // namespace chimera::core
