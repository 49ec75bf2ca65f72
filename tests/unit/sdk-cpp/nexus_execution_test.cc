// Nexus operations that a client calls by itself: what the server is asked, what becomes of its
// answers, and whose values they are.
#include "chimera/nexus_execution.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"
#include "temporal/api/errordetails/v1/message.pb.h"
#include "temporal/api/nexus/v1/message.pb.h"

#include "chimera/codec.h"
#include "chimera/interceptor.h"
#include "sdk-cpp/src/client_state.h"
#include "tests/support/scripted_server.h"

namespace chimera::sdk {
namespace nexus_execution_test {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using testing::ScriptedServer;
namespace ws = api::workflowservice::v1;

struct Parcel {
  std::string item;
  int count = 0;
};
struct Depot {
  static constexpr char kName[] = "depot.v1";
  nexus::Operation<Parcel, int> weigh;
  nexus::Operation<void, std::string> open{"open-it"};
  nexus::Operation<std::string, void> close;
};

class NexusExecutionTest : public ::testing::Test {
 protected:
  NexusExecutionTest() {
    answer("GetSystemInfo", ws::GetSystemInfoResponse());
    answer("DescribeNamespace", ws::DescribeNamespaceResponse());
  }
  Client client() {
    options_.identity = "me";
    return Client(open_client(options_, server_));
  }
  // From now on; the requests are kept.
  void answer(const std::string& name, const google::protobuf::MessageLite& reply) {
    server_->always(name, [this, name, bytes = reply.SerializeAsString()](auto& call) {
      requests_.emplace_back(name, call.request);
      call.finish(absl::OkStatus(), bytes);
    });
  }
  void fail(const std::string& name, const absl::Status& status) {
    server_->always(name, [status](auto& call) { call.finish(status); });
  }
  void start_as(const std::string& run_id) {
    ws::StartNexusOperationExecutionResponse reply;
    reply.set_run_id(run_id);
    reply.set_started(true);
    answer("StartNexusOperationExecution", reply);
  }
  void end_with(const Payload& result) {
    ws::PollNexusOperationExecutionResponse reply;
    *reply.mutable_result() = to_proto(result);
    answer("PollNexusOperationExecution", reply);
  }
  // The last one of its kind.
  template <class Request>
  Request asked(const std::string& name) {
    Request request;
    for (const auto& [each, bytes] : requests_)
      if (each == name) request.ParseFromString(bytes);
    return request;
  }
  ws::StartNexusOperationExecutionRequest start() {
    return asked<ws::StartNexusOperationExecutionRequest>("StartNexusOperationExecution");
  }
  int count(const std::string& name) const {
    int found = 0;
    for (const auto& request : requests_) found += request.first == name;
    return found;
  }

  ClientOptions options_;
  const std::shared_ptr<ScriptedServer> server_ = std::make_shared<ScriptedServer>();
  std::vector<std::pair<std::string, std::string>> requests_;
};

TEST_F(NexusExecutionTest, AStartSaysAllThatItsOptionsDo) {
  start_as("run");
  const auto handle = client().start_nexus_operation<&Depot::weigh>(
      "depots",
      {.id = "w-1",
       .schedule_to_close_timeout = 3min,
       .schedule_to_start_timeout = 2s,
       .start_to_close_timeout = 1min,
       .id_reuse_policy = NexusOperationIdReusePolicy::kRejectDuplicate,
       .id_conflict_policy = NexusOperationIdConflictPolicy::kUseExisting,
       .search_attributes = {{"GoldKw", "gold"}},
       .summary = "tea",
       .headers = {{"tenant", "a"}}},
      Parcel{"tea", 3});
  EXPECT_EQ(handle.id(), "w-1");
  EXPECT_EQ(handle.run_id(), "run");

  const auto request = start();
  EXPECT_EQ(request.namespace_(), "default");
  EXPECT_EQ(request.identity(), "me");
  EXPECT_FALSE(request.request_id().empty());
  EXPECT_EQ(request.operation_id(), "w-1");
  EXPECT_EQ(request.endpoint(), "depots");
  EXPECT_EQ(request.service(), "depot.v1");
  EXPECT_EQ(request.operation(), "weigh");
  EXPECT_EQ(request.schedule_to_close_timeout().seconds(), 180);
  EXPECT_EQ(request.schedule_to_start_timeout().seconds(), 2);
  EXPECT_EQ(request.start_to_close_timeout().seconds(), 60);
  EXPECT_EQ(request.id_reuse_policy(),
            api::enums::v1::NEXUS_OPERATION_ID_REUSE_POLICY_REJECT_DUPLICATE);
  EXPECT_EQ(request.id_conflict_policy(),
            api::enums::v1::NEXUS_OPERATION_ID_CONFLICT_POLICY_USE_EXISTING);
  EXPECT_EQ(request.search_attributes().indexed_fields().at("GoldKw").data(), R"("gold")");
  EXPECT_EQ(request.user_metadata().summary().data(), R"("tea")");
  EXPECT_THAT(request.nexus_header(), ElementsAre(Pair("tenant", "a")));
  EXPECT_EQ(from_payload<Parcel>(to_public(request.input())).count, 3);
}

TEST_F(NexusExecutionTest, WhatHasNoInputSendsNull) {
  start_as("run");
  end_with(make_payload("open"));
  EXPECT_EQ(client().execute_nexus_operation<&Depot::open>("depots", {.id = "o"}), "open");
  EXPECT_EQ(start().operation(), "open-it");
  EXPECT_EQ(start().input().metadata().at("encoding"), "binary/null");
  EXPECT_FALSE(start().has_user_metadata());
}

TEST_F(NexusExecutionTest, IsCalledByName) {
  start_as("run");
  end_with(make_payload(7));
  EXPECT_EQ(
      client().execute_nexus_operation<int>("depots", "Other", "weigh", {.id = "o"}, "a parcel"),
      7);
  EXPECT_EQ(start().service(), "Other");
  EXPECT_EQ(start().input().data(), R"("a parcel")");
  end_with(make_payload(nullptr));
  client().execute_nexus_operation<&Depot::close>("depots", {.id = "c"}, "now");
}

TEST_F(NexusExecutionTest, ItsEndIsWaitedFor) {
  start_as("run");
  int polls = 0;
  server_->always("PollNexusOperationExecution", [&](auto& call) {
    requests_.emplace_back(call.name, call.request);
    ws::PollNexusOperationExecutionResponse reply;
    reply.set_wait_stage(api::enums::v1::NEXUS_OPERATION_WAIT_STAGE_STARTED);
    if (++polls == 3) *reply.mutable_result() = to_proto(make_payload(9));
    call.answer(reply);
  });
  const auto handle =
      client().start_nexus_operation<&Depot::weigh>("depots", {.id = "w"}, Parcel{"tea", 3});
  EXPECT_EQ(handle.result(), 9);
  EXPECT_EQ(polls, 3);
  const auto poll = asked<ws::PollNexusOperationExecutionRequest>("PollNexusOperationExecution");
  EXPECT_EQ(poll.operation_id(), "w");
  EXPECT_EQ(poll.run_id(), "run");
  EXPECT_EQ(poll.wait_stage(), api::enums::v1::NEXUS_OPERATION_WAIT_STAGE_CLOSED);
  EXPECT_EQ(count("DescribeNexusOperationExecution"), 0);
}

TEST_F(NexusExecutionTest, AFailureIsTheCauseOfItsError) {
  start_as("run");
  ws::PollNexusOperationExecutionResponse reply;
  reply.mutable_failure()->set_message("no money");
  reply.mutable_failure()->mutable_nexus_handler_failure_info()->set_type("UNAUTHORIZED");
  answer("PollNexusOperationExecution", reply);
  try {
    client().execute_nexus_operation<&Depot::close>("depots", {.id = "c"}, "now");
    FAIL() << "it completed";
  } catch (const NexusOperationFailureError& error) {
    EXPECT_THAT(error.what(), HasSubstr("Nexus operation did not complete: nexus::HandlerError"));
    const auto* cause = dynamic_cast<const nexus::HandlerError*>(error.cause());
    ASSERT_NE(cause, nullptr);
    EXPECT_EQ(cause->type(), nexus::HandlerErrorType::kUnauthorized);
  }
}

TEST_F(NexusExecutionTest, AnIdThatIsTakenSaysWhichRunHasIt) {
  api::errordetails::v1::NexusOperationExecutionAlreadyStartedFailure taken;
  taken.set_run_id("first");
  google::rpc::Status details;
  details.set_code(6);
  details.add_details()->PackFrom(taken);
  absl::Status status = absl::AlreadyExistsError("nexus operation execution already started");
  status.SetPayload(base::kStatusDetails, absl::Cord(details.SerializeAsString()));
  fail("StartNexusOperationExecution", status);
  try {
    client().start_nexus_operation<&Depot::open>("depots", {.id = "o"});
    FAIL() << "it started";
  } catch (const NexusOperationAlreadyStartedError& error) {
    EXPECT_EQ(error.operation_id(), "o");
    EXPECT_EQ(error.run_id(), "first");
    EXPECT_THAT(error.what(), HasSubstr("has been started already (run first)"));
  }
  fail("StartNexusOperationExecution", absl::NotFoundError("endpoint not registered"));
  try {
    client().start_nexus_operation<&Depot::open>("nowhere", {.id = "o"});
    FAIL() << "it started";
  } catch (const RpcError& error) {
    EXPECT_EQ(error.code(), StatusCode::kNotFound);
    EXPECT_THAT(error.what(), HasSubstr("cannot start Nexus operation 'o'"));
  }
}

TEST_F(NexusExecutionTest, WhatIsIncompleteIsRefusedBeforeAnybodyIsAsked) {
  const Client caller = client();
  const auto refusal = [&](const char* endpoint, const char* service, const char* operation,
                           const StartNexusOperationOptions& options) {
    try {
      caller.start_nexus_operation<void>(endpoint, service, operation, options);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("it started");
  };
  EXPECT_THAT(refusal("", "s", "o", {.id = "i"}), HasSubstr("needs the name of an endpoint"));
  EXPECT_THAT(refusal("e", "", "o", {.id = "i"}), HasSubstr("needs the name of a service"));
  EXPECT_THAT(refusal("e", "s", "", {.id = "i"}), HasSubstr("needs a name"));
  EXPECT_THAT(refusal("e", "s", "o", {}), HasSubstr("StartNexusOperationOptions::id"));
  EXPECT_THAT(refusal("e", "s", "o", {.id = "i", .start_to_close_timeout = -1s}),
              HasSubstr("StartNexusOperationOptions::start_to_close_timeout"));
  EXPECT_EQ(count("StartNexusOperationExecution"), 0);
}

TEST_F(NexusExecutionTest, ADescriptionHasWhatTheServerTells) {
  ws::DescribeNexusOperationExecutionResponse reply;
  auto& info = *reply.mutable_info();
  info.set_operation_id("w");
  info.set_run_id("run");
  info.set_endpoint("depots");
  info.set_service("depot.v1");
  info.set_operation("weigh");
  info.set_status(api::enums::v1::NEXUS_OPERATION_EXECUTION_STATUS_RUNNING);
  info.set_state(api::enums::v1::PENDING_NEXUS_OPERATION_STATE_BACKING_OFF);
  info.mutable_schedule_to_close_timeout()->set_seconds(180);
  info.set_attempt(3);
  info.mutable_last_attempt_failure()->set_message("the scales are broken");
  info.set_request_id("asked");
  info.set_operation_token("token");
  info.set_identity("me");
  info.set_state_transition_count(5);
  *info.mutable_user_metadata()->mutable_summary() = to_proto(make_payload("tea"));
  (*info.mutable_nexus_header())["tenant"] = "a";
  auto& link = *info.add_links()->mutable_workflow_event();
  link.set_namespace_("n");
  link.set_workflow_id("w");
  link.set_run_id("r");
  info.mutable_cancellation_info()->set_state(
      api::enums::v1::NEXUS_OPERATION_CANCELLATION_STATE_BLOCKED);
  info.mutable_cancellation_info()->set_reason("changed my mind");
  info.mutable_cancellation_info()->set_blocked_reason("the circuit breaker is open");
  *reply.mutable_input() = to_proto(make_payload("in"));
  *reply.mutable_result() = to_proto(make_payload(9));
  answer("DescribeNexusOperationExecution", reply);

  const auto told = client()
                        .get_nexus_operation_handle<&Depot::weigh>("w", "run")
                        .describe({.include_input = true, .include_outcome = true});
  const auto request =
      asked<ws::DescribeNexusOperationExecutionRequest>("DescribeNexusOperationExecution");
  EXPECT_TRUE(request.include_input() && request.include_outcome());
  EXPECT_EQ(request.run_id(), "run");
  EXPECT_EQ(absl::StrCat(told.id, told.run_id, told.endpoint, told.service, told.operation),
            "wrundepotsdepot.v1weigh");
  EXPECT_EQ(told.status, NexusExecutionStatus::kRunning);
  EXPECT_EQ(told.state, PendingNexusOperationState::kBackingOff);
  EXPECT_EQ(told.schedule_to_close_timeout, Duration(180s));
  EXPECT_EQ(told.attempt, 3);
  ASSERT_NE(told.last_attempt_failure, nullptr);
  EXPECT_EQ(told.last_attempt_failure->message(), "the scales are broken");
  EXPECT_EQ(told.request_id, "asked");
  EXPECT_EQ(told.operation_token, "token");
  EXPECT_EQ(told.identity, "me");
  EXPECT_EQ(told.state_transition_count, 5);
  EXPECT_EQ(told.summary, "tea");
  EXPECT_THAT(told.headers, ElementsAre(Pair("tenant", "a")));
  ASSERT_EQ(told.links.size(), 1u);
  EXPECT_THAT(told.links[0].url, HasSubstr("/namespaces/n/workflows/w/r/history"));
  ASSERT_TRUE(told.cancellation);
  EXPECT_EQ(told.cancellation->state, NexusOperationCancellationState::kBlocked);
  EXPECT_EQ(told.cancellation->reason, "changed my mind");
  EXPECT_EQ(told.cancellation->blocked_reason, "the circuit breaker is open");
  EXPECT_EQ(from_payload<std::string>(told.input.value()), "in");
  EXPECT_EQ(from_payload<int>(told.result.value()), 9);
  EXPECT_EQ(told.outcome_failure, nullptr);
}

TEST_F(NexusExecutionTest, IsCancelledAndTerminatedWithAReason) {
  answer("RequestCancelNexusOperationExecution",
         ws::RequestCancelNexusOperationExecutionResponse());
  answer("TerminateNexusOperationExecution", ws::TerminateNexusOperationExecutionResponse());
  const auto handle = client().get_nexus_operation_handle<int>("w", "run");
  handle.cancel("one");
  handle.terminate("two");
  const auto cancel = asked<ws::RequestCancelNexusOperationExecutionRequest>(
      "RequestCancelNexusOperationExecution");
  EXPECT_EQ(
      absl::StrCat(cancel.operation_id(), cancel.run_id(), cancel.reason(), cancel.identity()),
      "wrunoneme");
  EXPECT_FALSE(cancel.request_id().empty());
  const auto terminate =
      asked<ws::TerminateNexusOperationExecutionRequest>("TerminateNexusOperationExecution");
  EXPECT_EQ(absl::StrCat(terminate.operation_id(), terminate.run_id(), terminate.reason()),
            "wruntwo");
  EXPECT_NE(terminate.request_id(), cancel.request_id());
}

TEST_F(NexusExecutionTest, ListsComeInPagesAndCountsInGroups) {
  server_->always("ListNexusOperationExecutions", [&](auto& call) {
    const auto request = call.template as<ws::ListNexusOperationExecutionsRequest>();
    EXPECT_EQ(request.query(), "Endpoint = 'depots'");
    EXPECT_EQ(request.page_size(), 1);
    ws::ListNexusOperationExecutionsResponse reply;
    auto& info = *reply.add_operations();
    info.set_operation_id("w" + request.next_page_token());
    info.set_operation("weigh");
    info.set_status(api::enums::v1::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT);
    info.mutable_execution_duration()->set_seconds(3);
    if (request.next_page_token().empty()) reply.set_next_page_token("2");
    call.answer(reply);
  });
  ws::CountNexusOperationExecutionsResponse counted;
  counted.set_count(2);
  counted.add_groups()->set_count(2);
  answer("CountNexusOperationExecutions", counted);

  std::vector<std::string> found;
  const Client caller = client();
  for (const auto& each : caller.list_nexus_operations("Endpoint = 'depots'", {.page_size = 1})) {
    found.push_back(each.id);
    EXPECT_EQ(each.operation, "weigh");
    EXPECT_EQ(each.status, NexusExecutionStatus::kTimedOut);
    EXPECT_EQ(each.execution_duration, Duration(3s));
  }
  EXPECT_THAT(found, ElementsAre("w", "w2"));
  const NexusExecutionCount count = caller.count_nexus_operations("GROUP BY ExecutionStatus");
  EXPECT_EQ(count.count, 2);
  EXPECT_EQ(count.groups.at(0).count, 2);
}

// --- Whose values they are ---

std::string text_of(const SerializationContext* context) {
  if (context == nullptr || !context->nexus) return "none";
  const NexusSerializationContext& nexus = *context->nexus;
  return absl::StrCat(nexus.endpoint, "/", nexus.service, "/", nexus.operation);
}

// Marks what it encodes with whose it is, and reads nothing else.
class Marked final : public PayloadCodec {
 public:
  explicit Marked(std::string mark) : mark_(std::move(mark)) {}
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) each.metadata["mark"] = mark_;
    return payloads;
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) {
      if (each.metadata["mark"] != mark_)
        throw ConversionError(
            absl::StrCat("written for ", each.metadata["mark"], ", read for ", mark_));
      each.metadata.erase("mark");
    }
    return payloads;
  }
  std::shared_ptr<const PayloadCodec> with_context(
      const SerializationContext& context) const override {
    return std::make_shared<Marked>(text_of(&context));
  }

 private:
  const std::string mark_;
};

// Travels as what it was converted for.
struct Tagged {
  std::string written, read;
};
Payload to_payload(const Tagged&) { return make_payload(text_of(serialization_context())); }
void from_payload(const Payload& payload, Tagged& value) {
  value.written = chimera::from_payload<std::string>(payload);
  value.read = text_of(serialization_context());
}

constexpr char kWhose[] = "depots/depot.v1/weigh";

class NexusContextTest : public NexusExecutionTest {
 protected:
  NexusContextTest() {
    options_.payload_codec = std::make_shared<Marked>("");
    start_as("run");
    end_with(result_);
    ws::DescribeNexusOperationExecutionResponse told;
    told.mutable_info()->set_endpoint("depots");
    told.mutable_info()->set_service("depot.v1");
    told.mutable_info()->set_operation("weigh");
    *told.mutable_info()->mutable_user_metadata()->mutable_summary() = to_proto(result_);
    answer("DescribeNexusOperationExecution", told);
  }
  Payload result_ = {.metadata = {{"encoding", "json/plain"}, {"mark", kWhose}},
                     .data = R"("there")"};
};

TEST_F(NexusContextTest, InputSummaryAndResultAreTheOperations) {
  const auto handle = client().start_nexus_operation<Tagged>(
      "depots", "depot.v1", "weigh", {.id = "w", .summary = "tea"}, Tagged());
  EXPECT_EQ(start().input().data(), absl::StrCat("\"", kWhose, "\""));
  EXPECT_EQ(start().input().metadata().at("mark"), kWhose);
  EXPECT_EQ(start().user_metadata().summary().metadata().at("mark"), kWhose);
  EXPECT_EQ(handle.result().read, kWhose);
  EXPECT_EQ(handle.describe().summary, "there");
  EXPECT_EQ(serialization_context(), nullptr);
}

TEST_F(NexusContextTest, AHandleThatHasAnIdAloneAsksOfWhichOperationItIs) {
  const auto handle = client().get_nexus_operation_handle<Tagged>("w");
  EXPECT_EQ(handle.result().read, kWhose);
  EXPECT_EQ(count("DescribeNexusOperationExecution"), 1);
}

TEST_F(NexusContextTest, NobodyIsAskedWhereTheResultSaysIt) {
  ws::PollNexusOperationExecutionResponse reply;
  auto& context = *reply.mutable_propagated_nexus_serialization_context();
  context.set_endpoint("depots");
  context.set_service("depot.v1");
  context.set_operation("weigh");
  *reply.mutable_result() = to_proto(result_);
  answer("PollNexusOperationExecution", reply);
  EXPECT_EQ(client().get_nexus_operation_handle<Tagged>("w").result().read, kWhose);
  EXPECT_EQ(count("DescribeNexusOperationExecution"), 0);
}

// --- Interceptors ---

std::vector<std::string> seen;

class Notes final : public ClientOutboundInterceptor {
 public:
  using ClientOutboundInterceptor::ClientOutboundInterceptor;
  NexusExecutionHandle<Payload> start_nexus_operation(StartNexusExecutionInput input) override {
    seen.push_back(absl::StrCat("start ", input.endpoint, " ", input.service, " ", input.operation,
                                " ", input.input.data));
    input.options.headers["more"] = "x";
    input.endpoint += "-2";
    input.input = make_payload("changed");
    return next().start_nexus_operation(std::move(input));
  }
  Payload nexus_operation_result(NexusOperationResultInput input) override {
    seen.push_back(absl::StrCat("result ", input.id, " ", input.run_id, " ", input.operation));
    return next().nexus_operation_result(std::move(input));
  }
  NexusExecutionDescription describe_nexus_operation(DescribeNexusOperationInput input) override {
    seen.push_back(absl::StrCat("describe ", input.id));
    return next().describe_nexus_operation(std::move(input));
  }
  void cancel_nexus_operation(CancelNexusOperationInput input) override {
    seen.push_back("cancel " + input.reason);
    next().cancel_nexus_operation(std::move(input));
  }
  void terminate_nexus_operation(TerminateNexusOperationInput input) override {
    seen.push_back("terminate " + input.reason);
    next().terminate_nexus_operation(std::move(input));
  }
  PagedRange<NexusExecution> list_nexus_operations(ListNexusOperationsInput input) override {
    seen.push_back("list " + input.query);
    return next().list_nexus_operations(std::move(input));
  }
  NexusExecutionCount count_nexus_operations(CountNexusOperationsInput input) override {
    seen.push_back("count " + input.query);
    return next().count_nexus_operations(std::move(input));
  }
};
struct TakesNotes final : Interceptor {
  std::unique_ptr<ClientOutboundInterceptor> intercept_client(
      ClientOutboundInterceptor* next) override {
    return std::make_unique<Notes>(next);
  }
};

TEST_F(NexusExecutionTest, InterceptorsSeeEveryCallAndMayChangeIt) {
  seen.clear();
  options_.interceptors = {std::make_shared<TakesNotes>()};
  start_as("run");
  end_with(make_payload(nullptr));
  ws::DescribeNexusOperationExecutionResponse described;
  described.mutable_info()->set_operation_id("w");
  answer("DescribeNexusOperationExecution", described);
  answer("RequestCancelNexusOperationExecution",
         ws::RequestCancelNexusOperationExecutionResponse());
  answer("TerminateNexusOperationExecution", ws::TerminateNexusOperationExecutionResponse());
  answer("ListNexusOperationExecutions", ws::ListNexusOperationExecutionsResponse());
  answer("CountNexusOperationExecutions", ws::CountNexusOperationExecutionsResponse());

  const Client caller = client();
  const auto handle =
      caller.start_nexus_operation<&Depot::close>("depots", {.id = "w"}, "all of it");
  EXPECT_EQ(handle.run_id(), "run");
  EXPECT_EQ(start().endpoint(), "depots-2");
  EXPECT_EQ(start().input().data(), R"("changed")");
  EXPECT_THAT(start().nexus_header(), ElementsAre(Pair("more", "x")));
  handle.result();
  EXPECT_EQ(handle.describe().id, "w");
  handle.cancel("one");
  handle.terminate("two");
  EXPECT_TRUE(caller.list_nexus_operations("a").all().empty());
  EXPECT_EQ(caller.count_nexus_operations("b").count, 0);
  EXPECT_THAT(seen, ElementsAre("start depots depot.v1 close \"all of it\"", "result w run close",
                                "describe w", "cancel one", "terminate two", "list a", "count b"));
}

}  // namespace nexus_execution_test
}  // namespace chimera::sdk
