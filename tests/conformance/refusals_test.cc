// What a request may not ask, and the words in which it is refused.
#include "google/rpc/status.pb.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "tests/conformance/session.h"

namespace chimera::conformance {
namespace {

namespace op = api::operatorservice::v1;
using testing::AnyOf;
using testing::HasSubstr;

class RefusalsTest : public Session {
 protected:
  std::string of_start(const std::function<void(Start&)>& change) {
    Start request = start_request();
    change(request);
    const auto reply = rpc<wf::StartWorkflowExecutionResponse>(request);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  }
  std::string of_attribute(const std::string& name, const std::string& value) {
    return of_start([&](Start& request) {
      (*request.mutable_search_attributes()->mutable_indexed_fields())[name] = payload(value);
    });
  }
  std::string of_command(const Command& command) {
    id += "x";
    start();
    const auto reply = try_respond(poll(), {command});
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  }
  template <class Reply, class Request>
  std::string of(const Request& request) {
    const auto reply = rpc<Reply>(request);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kInvalidArgument) << reply.status();
    return std::string(reply.status().message());
  }
  static void add_link(google::protobuf::RepeatedPtrField<api::common::v1::Link>& links) {
    auto& event = *links.Add()->mutable_workflow_event();
    event.set_namespace_("default");
    event.set_workflow_id("w");
    event.set_run_id("r");
  }
};

TEST_F(RefusalsTest, what_is_not_there_names_no_clusters) {
  const auto bytes = signal("any").GetPayload(base::kStatusDetails);
  ASSERT_TRUE(bytes.has_value());
  google::rpc::Status status;
  ASSERT_TRUE(status.ParseFromString(std::string(*bytes)));
  ASSERT_EQ(status.details_size(), 1);
  api::errordetails::v1::NotFoundFailure failure;
  ASSERT_TRUE(status.details(0).UnpackTo(&failure));
  EXPECT_EQ(failure.current_cluster(), "");
  EXPECT_EQ(failure.active_cluster(), "");
}

// Server 1.32 has words of its own.
TEST_F(RefusalsTest, priorities) {
  EXPECT_THAT(of_start([](Start& r) { r.mutable_priority()->set_priority_key(-1); }),
              AnyOf("PriorityKey can't be negative", "priority key can't be negative"));
  EXPECT_THAT(
      of_start([](Start& r) { r.mutable_priority()->set_fairness_key(std::string(65, 'k')); }),
      AnyOf("FairnessKey length exceeds limit", "fairness key length exceeds limit"));
  EXPECT_THAT(of_start([](Start& r) { r.mutable_priority()->set_fairness_weight(-1); }),
              AnyOf("FairnessWeight can't be negative", "must be greater than zero"));
  EXPECT_THAT(
      of_command(
          schedule_activity("1", [](auto& a) { a.mutable_priority()->set_priority_key(-1); })),
      AnyOf("BadScheduleActivityAttributes: PriorityKey can't be negative",
            "BadScheduleActivityAttributes: invalid priorities: priority key can't be negative"));
  Command child = start_child(id + "-child");
  child.mutable_start_child_workflow_execution_command_attributes()
      ->mutable_priority()
      ->set_fairness_key(std::string(65, 'k'));
  EXPECT_THAT(of_command(child),
              AnyOf("BadStartChildExecutionAttributes: FairnessKey length exceeds limit",
                    "BadStartChildExecutionAttributes: fairness key length exceeds limit"));
}

TEST_F(RefusalsTest, links) {
  EXPECT_EQ(of_start([](Start& r) {
              for (int i = 0; i < 11; ++i) add_link(*r.mutable_links());
            }),
            "cannot attach more than 10 links per request, got 11");
  EXPECT_EQ(of_start([](Start& r) {
              add_link(*r.mutable_links());
              r.mutable_links(0)->mutable_workflow_event()->clear_workflow_id();
            }),
            "workflow event link must not have an empty workflow ID field");
  EXPECT_EQ(of_start([](Start& r) { r.add_links(); }), "unsupported link variant");
  start();
  wf::SignalWorkflowExecutionRequest signal;
  signal.set_namespace_(ns);
  *signal.mutable_workflow_execution() = execution();
  signal.set_signal_name("s");
  add_link(*signal.mutable_links());
  signal.mutable_links(0)->mutable_workflow_event()->clear_run_id();
  EXPECT_EQ(of<wf::SignalWorkflowExecutionResponse>(signal),
            "workflow event link must not have an empty run ID field");
}

TEST_F(RefusalsTest, durations_of_an_activity) {
  const std::string bad = "BadScheduleActivityAttributes: ";
  EXPECT_THAT(
      of_command(
          schedule_activity("1", [](auto& a) { a.mutable_heartbeat_timeout()->set_seconds(-1); })),
      AnyOf(bad + "Invalid HeartbeatTimeout for ScheduleActivityTaskCommand: negative duration. "
                  "ActivityId=1 ActivityType=act",
            bad + "invalid HeartbeatTimeout: negative duration"));
  const std::string signs = "duration has seconds and nanos with different signs";
  EXPECT_THAT(of_command(schedule_activity("1",
                                           [](auto& a) {
                                             auto& limit = *a.mutable_schedule_to_start_timeout();
                                             limit.set_seconds(1);
                                             limit.set_nanos(-1);
                                           })),
              AnyOf(bad + "Invalid ScheduleToStartTimeout for ScheduleActivityTaskCommand: " +
                        signs + ". ActivityId=1 ActivityType=act",
                    bad + "invalid ScheduleToStartTimeout: " + signs));
  EXPECT_THAT(of_command(schedule_activity("")),
              AnyOf(bad + "ActivityId is not set on ScheduleActivityTaskCommand. ActivityType=act",
                    bad + "activityId is not set"));
  EXPECT_THAT(of_command(schedule_activity("1", [](auto& a) { a.clear_activity_type(); })),
              AnyOf(bad + "ActivityType is not set on ScheduleActivityTaskCommand. ActivityID=1",
                    bad + "activityType is not set"));
  EXPECT_EQ(of_command(start_timer("t", milliseconds(-1000))),
            "BadStartTimerAttributes: An invalid StartToFireTimeout is set on StartTimerCommand: "
            "negative duration. TimerId=t");
}

TEST_F(RefusalsTest, values_of_search_attributes) {
  EXPECT_THAT(of_attribute("TemporalChangeVersion", "\"text\""),
              HasSubstr("invalid value for search attribute TemporalChangeVersion of type "
                        "KeywordList: text"));
  EXPECT_THAT(of_attribute("TemporalChangeVersion", "[1,2]"),
              HasSubstr("of type KeywordList: [1 2]"));
  EXPECT_THAT(of_attribute("TemporalScheduledStartTime", "\"2026-01-31\""),
              HasSubstr("invalid value for search attribute TemporalScheduledStartTime of type "
                        "Datetime: 2026-01-31"));
  EXPECT_THAT(of_attribute("TemporalScheduledStartTime", "\"2026-01-31T09:00:00\""),
              HasSubstr("of type Datetime: 2026-01-31T09:00:00"));
  EXPECT_THAT(of_attribute("GoldInt", "\"text\""), HasSubstr("GoldInt of type Int: text"));
  EXPECT_THAT(of_attribute("GoldInt", "9223372036854775808"), HasSubstr("GoldInt of type Int: "));
  EXPECT_THAT(of_attribute("GoldInt", "1.5"), HasSubstr("GoldInt of type Int: 1.5"));
  EXPECT_THAT(of_attribute("GoldKw", "true"), HasSubstr("GoldKw of type Keyword: true"));
}

TEST_F(RefusalsTest, an_upsert_of_nothing) {
  Command upsert;
  upsert.set_command_type(enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES);
  auto& a = *upsert.mutable_upsert_workflow_search_attributes_command_attributes();
  EXPECT_EQ(of_command(upsert),
            "BadSearchAttributes: SearchAttributes is not set on "
            "UpsertWorkflowSearchAttributesCommand.");
  a.mutable_search_attributes();
  EXPECT_EQ(of_command(upsert),
            "BadSearchAttributes: IndexedFields is not set on "
            "UpsertWorkflowSearchAttributesCommand.");
}

// But for a child's, which the genuine servers stumble over (INTERNAL).
TEST_F(RefusalsTest, commands_without_attributes) {
  const std::pair<enums::CommandType, const char*> kinds[] = {
      {enums::COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
       "BadScheduleActivityAttributes: ScheduleActivityTask"},
      {enums::COMMAND_TYPE_REQUEST_CANCEL_ACTIVITY_TASK,
       "BadRequestCancelActivityAttributes: RequestCancelActivityTask"},
      {enums::COMMAND_TYPE_START_TIMER, "BadStartTimerAttributes: StartTimer"},
      {enums::COMMAND_TYPE_CANCEL_TIMER, "BadCancelTimerAttributes: CancelTimer"},
      {enums::COMMAND_TYPE_RECORD_MARKER, "BadRecordMarkerAttributes: RecordMarker"},
      {enums::COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
       "BadCompleteWorkflowExecutionAttributes: CompleteWorkflowExecution"},
      {enums::COMMAND_TYPE_FAIL_WORKFLOW_EXECUTION,
       "BadFailWorkflowExecutionAttributes: FailWorkflowExecution"},
      {enums::COMMAND_TYPE_CANCEL_WORKFLOW_EXECUTION,
       "BadCancelWorkflowExecutionAttributes: CancelWorkflowExecution"},
      {enums::COMMAND_TYPE_CONTINUE_AS_NEW_WORKFLOW_EXECUTION,
       "BadContinueAsNewAttributes: ContinueAsNewWorkflowExecution"},
      {enums::COMMAND_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION,
       "BadSignalWorkflowExecutionAttributes: SignalExternalWorkflowExecution"},
      {enums::COMMAND_TYPE_REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION,
       "BadRequestCancelExternalWorkflowExecutionAttributes: "
       "RequestCancelExternalWorkflowExecution"},
      {enums::COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
       "BadSearchAttributes: UpsertWorkflowSearchAttributes"},
      {enums::COMMAND_TYPE_MODIFY_WORKFLOW_PROPERTIES,
       "BadModifyWorkflowPropertiesAttributes: ModifyWorkflowProperties"},
      {enums::COMMAND_TYPE_PROTOCOL_MESSAGE, "BadUpdateWorkflowExecutionMessage: ProtocolMessage"},
  };
  for (const auto& [type, wanted] : kinds) {
    Command bare;
    bare.set_command_type(type);
    std::string name = wanted;
    name.erase(0, name.rfind(' ') + 1);
    EXPECT_EQ(of_command(bare),
              absl::StrCat(wanted, "CommandAttributes is not set on ", name, "Command."));
  }
}

TEST_F(RefusalsTest, names_left_out) {
  op::RemoveSearchAttributesRequest remove;
  remove.set_namespace_(ns);
  EXPECT_EQ(of<op::RemoveSearchAttributesResponse>(remove),
            "SearchAttributes are not set on request.");
  wf::ListTaskQueuePartitionsRequest list;
  list.set_namespace_(ns);
  EXPECT_EQ(of<wf::ListTaskQueuePartitionsResponse>(list), "taskQueue is not set");
}

TEST_F(RefusalsTest, more_search_attributes_of_a_type_than_there_may_be) {
  op::AddSearchAttributesRequest add;
  add.set_namespace_(ns);
  for (const char* name : {"RefusedBool1", "RefusedBool2", "RefusedBool3", "RefusedBool4"})
    (*add.mutable_search_attributes())[name] = enums::INDEXED_VALUE_TYPE_BOOL;
  EXPECT_EQ(of<op::AddSearchAttributesResponse>(add),
            "Unable to create search attributes: cannot have more than 3 search attribute of type "
            "Bool.");
}

// What is deprecated or switched off as a server comes.
TEST_F(RefusalsTest, what_no_server_does) {
  const auto refusal = [&](auto request, auto reply) {
    request.set_namespace_(ns);
    const auto status = rpc<decltype(reply)>(request).status();
    return absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
  };
#define CHIMERA_REFUSAL(NAME) refusal(wf::NAME##Request(), wf::NAME##Response())
  const std::string sets =
      "PERMISSION_DENIED: Worker versioning v0.1 (Version Set-based, deprecated) is disabled on "
      "this namespace.";
  EXPECT_EQ(CHIMERA_REFUSAL(GetWorkerBuildIdCompatibility), sets);
  EXPECT_EQ(CHIMERA_REFUSAL(UpdateWorkerBuildIdCompatibility), sets);
  const std::string rules =
      "PERMISSION_DENIED: Worker versioning v0.2 (Rules-based, deprecated) is disabled on this "
      "namespace.";
  EXPECT_EQ(CHIMERA_REFUSAL(GetWorkerVersioningRules), rules);
  EXPECT_EQ(CHIMERA_REFUSAL(UpdateWorkerVersioningRules), rules);
  EXPECT_EQ(CHIMERA_REFUSAL(GetWorkerTaskReachability), rules);
  const std::string deployments =
      "UNIMPLEMENTED: Deployments are deprecated and no longer supported, use Worker Deployments "
      "instead";
  EXPECT_EQ(CHIMERA_REFUSAL(DescribeDeployment), deployments);
  EXPECT_EQ(CHIMERA_REFUSAL(ListDeployments), deployments);
  EXPECT_EQ(CHIMERA_REFUSAL(GetCurrentDeployment), deployments);
  EXPECT_EQ(CHIMERA_REFUSAL(SetCurrentDeployment), deployments);
  EXPECT_EQ(CHIMERA_REFUSAL(GetDeploymentReachability), deployments);
  EXPECT_EQ(CHIMERA_REFUSAL(CreateWorkflowRule),
            "UNIMPLEMENTED: method CreateWorkflowRule not supported");
  EXPECT_EQ(CHIMERA_REFUSAL(ListWorkflowRules),
            "UNIMPLEMENTED: method ListWorkflowRules not supported");
  EXPECT_EQ(CHIMERA_REFUSAL(FetchWorkerConfig),
            "UNIMPLEMENTED: FetchWorkerConfig command is not enabled.");
  EXPECT_EQ(CHIMERA_REFUSAL(UpdateWorkerConfig),
            "UNIMPLEMENTED: UpdateWorkerConfig command is not enabled.");
#undef CHIMERA_REFUSAL
}

}  // namespace
}  // namespace chimera::conformance
