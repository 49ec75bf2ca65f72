// Nexus operations of workflow code: the command, and what the core's jobs do.
#include <memory>
#include <stdexcept>
#include <string>

#include "gmock/gmock.h"

#include "chimera/interceptor.h"
#include "chimera/nexus.h"
#include "sdk-cpp/src/user_links.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;
using Start = core::ResolveNexusOperationStart;
using Schedule = core::ScheduleNexusOperation;

struct Charge {
  int cents = 0;
};
struct Payments {
  static constexpr char kName[] = "payments.v1";
  nexus::Operation<Charge, std::string> charge;
  nexus::Operation<std::string, void> refund{"refund-it"};
  nexus::Operation<void, int> count;
};

using FailurePtr = std::shared_ptr<const api::failure::v1::Failure>;

FailurePtr failed(const std::string& message) {
  auto failure = std::make_shared<api::failure::v1::Failure>();
  failure->set_message(message);
  failure->mutable_nexus_operation_execution_failure_info()->set_service("payments.v1");
  return failure;
}
FailurePtr cancelled() {
  auto failure = std::make_shared<api::failure::v1::Failure>(*failed("cancelled"));
  failure->mutable_cause()->mutable_canceled_failure_info();
  return failure;
}
core::Job started(const std::string& token) { return Start{1, Start::OperationToken{token}}; }

// What the code ended with.
std::string ended;
void ends_with(const std::function<std::string()>& body) {
  ended = "has not ended";
  code = [body] {
    try {
      ended = body();
    } catch (const std::exception& error) {
      ended = describe(error);
    }
  };
}

std::string charged() {
  return workflow::execute_nexus_operation<&Payments::charge>("bank", {}, Charge{5});
}

TEST(NexusOperation, TheCommandNamesTheOperationAndHasItsOptions) {
  using namespace std::chrono_literals;
  ends_with([] {
    return workflow::execute_nexus_operation<&Payments::charge>(
        "bank",
        {.schedule_to_close_timeout = 3s,
         .schedule_to_start_timeout = 2s,
         .start_to_close_timeout = 1s,
         .cancellation_type = NexusOperationCancellationType::kTryCancel,
         .headers = {{"tenant", "blue"}},
         .summary = "the money"},
        Charge{5});
  });
  Driver driver(kRuns);
  const core::Completion completion = driver.start();
  const auto* scheduled = command<Schedule>(completion, 0);
  ASSERT_NE(scheduled, nullptr) << task_failure(completion);
  const auto& attributes = scheduled->attributes;
  EXPECT_EQ(attributes.endpoint(), "bank");
  EXPECT_EQ(attributes.service(), "payments.v1");
  EXPECT_EQ(attributes.operation(), "charge");
  EXPECT_EQ(attributes.input().data(), "{\"cents\":5}");
  EXPECT_EQ(attributes.schedule_to_close_timeout().seconds(), 3);
  EXPECT_EQ(attributes.schedule_to_start_timeout().seconds(), 2);
  EXPECT_EQ(attributes.start_to_close_timeout().seconds(), 1);
  EXPECT_THAT(attributes.nexus_header(), UnorderedElementsAre(Pair("tenant", "blue")));
  EXPECT_EQ(scheduled->cancellation_type, core::NexusOperationCancellationType::kTryCancel);
  EXPECT_EQ(commands(completion)[0].user_metadata->summary().data(), "\"the money\"");
}

TEST(NexusOperation, WithoutAnInputItIsNull) {
  ends_with([] {
    return std::to_string(workflow::execute_nexus_operation<&Payments::count>("bank", {}));
  });
  Driver driver(kRuns);
  const core::Completion completion = driver.start();
  const auto* scheduled = command<Schedule>(completion, 0);
  ASSERT_NE(scheduled, nullptr);
  EXPECT_EQ(scheduled->attributes.input().metadata().at("encoding"), "binary/null");
}

TEST(NexusOperation, ATypedNameIsTheContractsAndAnotherOneIsRefused) {
  ends_with([] {
    workflow::execute_nexus_operation<&Payments::refund>("bank", {}, "order-1");
    return std::string();
  });
  Driver driver(kRuns);
  EXPECT_EQ(command<Schedule>(driver.start(), 0)->attributes.operation(), "refund-it");

  ends_with([] { return workflow::execute_nexus_operation<std::string>("", "s", "o", {}); });
  Driver nameless(kRuns);
  nameless.start();
  EXPECT_THAT(ended, HasSubstr("a Nexus operation needs the name of an endpoint"));
}

TEST(NexusOperation, OneThatIsAnsweredAtOnceHasNoToken) {
  ends_with([] {
    auto handle = workflow::start_nexus_operation<&Payments::charge>("bank", {}, Charge{5});
    return handle.get() + " " + handle.operation_token() + std::to_string(handle.done());
  });
  Driver driver(kRuns);
  driver.start();
  const ProtoPayload result = to_proto(make_payload("receipt"));
  driver.activate(
      {Start{1, Start::StartedSync{}}, core::ResolveNexusOperation{1, core::Completed{&result}}});
  EXPECT_EQ(ended, "receipt 1");
}

TEST(NexusOperation, OneThatGoesOnIsWaitedForByItsHandle) {
  ends_with([] {
    auto handle = workflow::start_nexus_operation<&Payments::charge>("bank", {}, Charge{5});
    ended = handle.operation_token();
    return handle.get();
  });
  Driver driver(kRuns);
  driver.start();
  driver.activate({started("token-1")});
  EXPECT_EQ(ended, "token-1");
  const ProtoPayload result = to_proto(make_payload("receipt"));
  driver.activate({core::ResolveNexusOperation{1, core::Completed{&result}}});
  EXPECT_EQ(ended, "receipt");
}

TEST(NexusOperation, AFailureOfTheStartAndOfTheEndIsANexusOperationError) {
  ends_with([] {
    try {
      return charged();
    } catch (const NexusOperationError& error) {
      const auto* handler = dynamic_cast<const nexus::HandlerError*>(error.cause());
      return handler == nullptr
                 ? "no handler error"
                 : error.service() + " " + name_of(handler->type()) + " " +
                       std::to_string(handler->retryable()) + " " + handler->message();
    }
  });
  Driver driver(kRuns);
  driver.start();
  auto whole = std::make_shared<api::failure::v1::Failure>(*failed("failed"));
  whole->mutable_cause()->set_message("no such thing");
  whole->mutable_cause()->mutable_nexus_handler_failure_info()->set_type("NOT_FOUND");
  driver.activate({Start{1, core::Failed{whole}}});
  EXPECT_EQ(ended, "payments.v1 NOT_FOUND 0 no such thing");

  ends_with(&charged);
  Driver later(kRuns);
  later.start();
  later.activate({started("t")});
  later.activate({core::ResolveNexusOperation{
      1, core::ResolveNexusOperation::TimedOut{failed("took too long")}}});
  EXPECT_THAT(ended, HasSubstr("NexusOperationError took too long"));
}

// Before its start: what then happens is up to the cancellation type, which the core knows.
TEST(NexusOperation, ACancellationIsOneCommandAndMayEndTheStart) {
  ends_with([] {
    workflow::CancellationScope scope;
    auto cancels = workflow::spawn([&] { scope.cancel(); });
    try {
      return scope.run(&charged);
    } catch (const NexusOperationError& error) {
      return is_cancelled(error) ? "cancelled" : describe(error);
    }
  });
  Driver driver(kRuns);
  const core::Completion completion = driver.start();
  ASSERT_EQ(commands(completion).size(), 2u) << task_failure(completion);
  EXPECT_EQ(command<core::RequestCancelNexusOperation>(completion, 1)->seq, 1u);
  EXPECT_EQ(ended, "has not ended");
  driver.activate({core::ResolveNexusOperation{1, core::Cancelled{cancelled()}}});
  EXPECT_EQ(ended, "cancelled");

  ended = "has not ended";
  Driver waits(kRuns);  // The same, and the start comes first.
  waits.start();
  const core::Completion after = waits.activate({started("t")});
  EXPECT_EQ(ended, "has not ended");
  EXPECT_TRUE(commands(after).empty());
  const ProtoPayload result = to_proto(make_payload("all the same"));
  waits.activate({core::ResolveNexusOperation{1, core::Completed{&result}}});
  EXPECT_EQ(ended, "all the same");
}

TEST(NexusOperation, AHandleCancelsToo) {
  ends_with([] {
    auto handle = workflow::start_nexus_operation<&Payments::charge>("bank", {}, Charge{5});
    handle.cancel();
    handle.cancel();
    return handle.get();
  });
  Driver driver(kRuns);
  driver.start();
  const core::Completion completion = driver.activate({started("t")});
  ASSERT_EQ(commands(completion).size(), 1u);
  EXPECT_NE(command<core::RequestCancelNexusOperation>(completion, 0), nullptr);
  driver.activate({core::ResolveNexusOperation{1, core::Cancelled{cancelled()}}});
  EXPECT_THAT(ended, HasSubstr("CancelledError"));
}

TEST(NexusOperation, ARunLeavesTheCacheWhileOneIsOpen) {
  for (const bool has_started : {false, true}) {
    bool unwound = false;
    code = [&] {
      struct Note {
        bool& unwound;
        ~Note() { unwound = true; }
      } const note{unwound};
      charged();
    };
    Driver driver(kRuns);
    driver.start();
    if (has_started) driver.activate({started("t")});
    const core::Completion completion = driver.activate({evict()});
    EXPECT_TRUE(unwound);
    EXPECT_TRUE(commands(completion).empty());
  }
}

// Says whose values it has before it.
struct Says final : core::PayloadCodec {
  explicit Says(std::string whose = "") : whose(std::move(whose)) {}
  absl::Status encode(api::common::v1::Payloads& payloads) const override {
    for (auto& each : *payloads.mutable_payloads()) (*each.mutable_metadata())["whose"] = whose;
    return absl::OkStatus();
  }
  absl::Status decode(api::common::v1::Payloads&) const override { return absl::OkStatus(); }
  absl::StatusOr<std::shared_ptr<const core::PayloadCodec>> in(
      const core::PayloadContext& context) const override {
    if (!context.nexus) return nullptr;
    return std::make_shared<const Says>(
        absl::StrCat(std::string(context.nexus->endpoint), "/", std::string(context.nexus->service),
                     "/", std::string(context.nexus->operation), std::string(context.workflow_id)));
  }
  const std::string whose;
};

TEST(NexusOperation, ItsValuesAreItsOwnForACodec) {
  ends_with(&charged);
  Driver driver(kRuns, std::make_shared<const Says>());
  const core::Completion completion = driver.start();
  ASSERT_NE(command<Schedule>(completion, 0), nullptr);
  EXPECT_EQ(command<Schedule>(completion, 0)->attributes.input().metadata().at("whose"),
            "bank/payments.v1/charge");
}

struct Doubles final : WorkflowOutboundInterceptor {
  using WorkflowOutboundInterceptor::WorkflowOutboundInterceptor;
  workflow::NexusOperationHandle<Payload> start_nexus_operation(
      chimera::StartNexusOperationInput input) override {
    input.endpoint += "-2";
    input.options.headers["seen"] = input.service + "." + input.operation;
    input.input = make_payload(Charge{2 * from_payload<Charge>(input.input).cents});
    return next().start_nexus_operation(std::move(input));
  }
};
struct DoublesAll final : Interceptor {
  std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor* next) override {
    return std::make_unique<Doubles>(next);
  }
};

TEST(NexusOperation, AnInterceptorChangesTheCall) {
  ends_with(&charged);
  Driver driver(kRuns, nullptr, with_users({std::make_shared<DoublesAll>()}, {}));
  const core::Completion completion = driver.start();
  const auto* scheduled = command<Schedule>(completion, 0);
  ASSERT_NE(scheduled, nullptr) << task_failure(completion);
  EXPECT_EQ(scheduled->attributes.endpoint(), "bank-2");
  EXPECT_EQ(scheduled->attributes.input().data(), "{\"cents\":10}");
  EXPECT_EQ(scheduled->attributes.nexus_header().at("seen"), "payments.v1.charge");
  const ProtoPayload result = to_proto(make_payload("receipt"));
  driver.activate({started("t")});
  driver.activate({core::ResolveNexusOperation{1, core::Completed{&result}}});
  EXPECT_EQ(ended, "receipt");
}

}  // namespace
}  // namespace chimera::sdk
