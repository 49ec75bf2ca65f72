#include "core/rpc/payload_warnings.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "core/converter/payload.h"
#include "core/rpc/connection.h"
#include "core/telemetry/log.h"

namespace chimera::core {
namespace {

namespace wf = api::workflowservice::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class PayloadWarningsTest : public ::testing::Test {
 protected:
  PayloadWarningsTest() {
    set_log_sink([this](const LogRecord& record) { records_.push_back(record); });
  }
  ~PayloadWarningsTest() override { set_log_sink({}); }

  void look(const google::protobuf::Message& request) {
    warn_of_large_values({.memo_bytes = 100, .payload_bytes = 1000}, "/x.Y/Z", &request);
  }
  std::vector<std::string> messages() const {
    std::vector<std::string> messages;
    for (const LogRecord& record : records_) messages.push_back(record.message);
    return messages;
  }
  std::vector<LogRecord> records_;
};

wf::StartWorkflowExecutionRequest start(std::size_t input, std::size_t memo) {
  wf::StartWorkflowExecutionRequest request;
  request.set_workflow_id("order-1");
  request.mutable_workflow_type()->set_name("Order");
  for (int i = 0; i < 2; ++i)
    *request.mutable_input()->add_payloads() = bytes_payload(std::string(input / 2, 'x'));
  (*request.mutable_memo()->mutable_fields())["note"] = bytes_payload(std::string(memo, 'x'));
  return request;
}

TEST_F(PayloadWarningsTest, SayWhatIsLargeOncePerValue) {
  look(start(2000, 200));

  EXPECT_THAT(messages(),
              ::testing::UnorderedElementsAre(
                  AllOf(HasSubstr("[TMPRL1103] the arguments of workflow Order: 2"),
                        HasSubstr("the warning limit of 1000.")),
                  AllOf(HasSubstr("[TMPRL1103] the memo: 2"), HasSubstr("limit of 100."))));
  EXPECT_THAT(records_[0].fields, Contains(Pair("workflow_id", "order-1")));
  EXPECT_THAT(records_[0].fields, Contains(Pair("workflow_type", "Order")));
  EXPECT_EQ(records_[0].level, LogLevel::kWarn);
}

TEST_F(PayloadWarningsTest, SaySoOfCommandsWithTheirWorkflow) {
  wf::RespondWorkflowTaskCompletedRequest request;
  request.set_resource_id("workflow:order-2");
  auto& activity = *request.add_commands()->mutable_schedule_activity_task_command_attributes();
  activity.mutable_activity_type()->set_name("pack");
  *activity.mutable_input()->add_payloads() = bytes_payload(std::string(2000, 'x'));

  look(request);

  EXPECT_THAT(messages(), ElementsAre(HasSubstr("the arguments of activity pack: 2")));
  EXPECT_THAT(records_.at(0).fields, Contains(Pair("workflow_id", "order-2")));
}

TEST_F(PayloadWarningsTest, SerializedRequestsAreReadByTheirMethod) {
  const PayloadWarnings warnings{.memo_bytes = 0, .payload_bytes = 1000};
  const std::string bytes = start(2000, 200).SerializeAsString();
  warn_of_large_values(warnings, CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution), bytes);
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("the arguments of workflow Order")));
  warn_of_large_values(warnings, "/unknown.Service/Method", bytes);
  warn_of_large_values(warnings, CHIMERA_WORKFLOW_SERVICE(StartWorkflowExecution),
                       std::string(2000, '\xff'));
  EXPECT_EQ(records_.size(), 1u);
}

TEST_F(PayloadWarningsTest, AMemoIsFoundInASmallRequest) {
  wf::RespondWorkflowTaskCompletedRequest request;
  auto& child =
      *request.add_commands()->mutable_start_child_workflow_execution_command_attributes();
  child.set_workflow_id("child-1");
  (*child.mutable_memo()->mutable_fields())["note"] = bytes_payload(std::string(200, 'x'));
  look(request);
  EXPECT_THAT(messages(), ElementsAre(HasSubstr("[TMPRL1103] the memo: 2")));
  EXPECT_THAT(records_.at(0).fields, Contains(Pair("workflow_id", "child-1")));
}

TEST_F(PayloadWarningsTest, SmallOnesAndNoLimitsAreSilent) {
  look(start(500, 50));
  const auto large = start(5000, 5000);
  warn_of_large_values({}, "/x.Y/Z", &large);
  EXPECT_THAT(messages(), IsEmpty());
}

}  // namespace
}  // namespace chimera::core
