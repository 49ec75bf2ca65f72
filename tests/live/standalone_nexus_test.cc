// Nexus operations that a client calls by itself. Servers before 1.32 know no such calls.
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "chimera/codec.h"
#include "chimera/interceptor.h"
#include "chimera/nexus.h"
#include "core/base/api.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace standalone_nexus_test {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct Parcel {
  std::string item;
  int count = 0;
};
struct Depot {
  nexus::Operation<Parcel, int> weigh;
  nexus::Operation<std::string, std::string> send{"send-it"};
  nexus::Operation<void, void> close;
  nexus::Operation<void, int> keep;  // Until somebody ends it, whoever cancels it.
};

// The workflow behind the operation.
struct Delivery {
  std::string run(std::string where) {
    if (where == "nowhere") throw ApplicationError("no such place", {.type = "Address"});
    if (where == "far") workflow::wait_condition([] { return false; });
    return "arrived at " + where;
  }
};
const auto kDelivery = define_workflow<&Delivery::run>("Delivery");

int weigh(const Parcel& parcel) {
  if (parcel.item == "air")
    throw nexus::OperationError(nexus::OperationState::kFailed, "nothing to weigh");
  if (parcel.item == "bomb")
    throw nexus::HandlerError(nexus::HandlerErrorType::kUnauthorized, "not here");
  if (parcel.item == "broken") throw std::runtime_error("the scales are broken");
  const auto& headers = nexus::info().headers;
  return parcel.count * static_cast<int>(parcel.item.size()) +
         (headers.contains("more") ? static_cast<int>(headers.at("more").size()) : 0);
}

class StandaloneNexusLive : public Live {
 protected:
  void SetUp() override {
    if (server_is("1.29")) GTEST_SKIP() << "server 1.29 has no operations that stand alone";
    endpoint_ = absl::StrCat("s-", absl::StrReplaceAll(queue(), {{".", "-"}, {"_", "-"}}));
    api::operatorservice::v1::CreateNexusEndpointRequest request;
    request.mutable_spec()->set_name(endpoint_);
    request.mutable_spec()->mutable_target()->mutable_worker()->set_namespace_("default");
    request.mutable_spec()->mutable_target()->mutable_worker()->set_task_queue(queue());
    Client::connect({.target_host = target().address})
        .call_raw("temporal.api.operatorservice.v1.OperatorService", "CreateNexusEndpoint",
                  request.SerializeAsString());
  }
  void serve() {
    nexus::Service<Depot> depot;
    depot.handle<&Depot::weigh>(weigh);
    depot.handle<&Depot::send>([](const std::string& where) {
      return nexus::start_workflow<kDelivery>({.id = "delivery-" + nexus::info().request_id},
                                              where);
    });
    depot.handle<&Depot::close>([] {});
    depot.handle<&Depot::keep>([] { return nexus::AsyncOperation<int>{"kept"}; },
                               [this](const std::string& token) {
                                 if (token == "kept") ++cancelled_;
                               });
    registry().add(kDelivery).add(depot);
    start_worker();
  }
  StartNexusOperationOptions operation() {
    return {.id = absl::StrCat(queue(), "-", ++number_), .schedule_to_close_timeout = 30s};
  }
  NexusExecutionHandle<std::string> send(const StartNexusOperationOptions& options,
                                         const std::string& where) {
    return client().start_nexus_operation<&Depot::send>(endpoint_, options, where);
  }
  NexusExecutionHandle<int> begin(const std::string& item) {
    return client().start_nexus_operation<&Depot::weigh>(endpoint_, operation(), Parcel{item, 1});
  }
  void wait_for_start(const auto& handle) {
    eventually([&] { return handle.describe().state == PendingNexusOperationState::kStarted; },
               "the start");
  }

  std::string endpoint_;
  std::atomic<int> cancelled_ = 0;  // What is kept.

 private:
  int number_ = 0;
};
INSTANTIATE_TEST_SUITE_P(, StandaloneNexusLive, testing::Values(std::size_t{1000}), cache_name);

NexusOperationFailureError failure_of(const auto& handle) {
  try {
    handle.result();
  } catch (const NexusOperationFailureError& error) {
    return error;
  }
  ADD_FAILURE() << handle.id() << " completed";
  return NexusOperationFailureError(std::make_shared<const ApplicationError>("completed"));
}
template <class Error>
Error cause_of(const auto& handle) {
  const NexusOperationFailureError failure = failure_of(handle);
  const auto* cause = dynamic_cast<const Error*>(failure.cause());
  if (cause == nullptr) throw std::logic_error(failure.what());
  return *cause;
}

TEST_P(StandaloneNexusLive, AnOperationIsCalledWithoutAWorkflow) {
  serve();
  EXPECT_EQ(
      client().execute_nexus_operation<&Depot::weigh>(endpoint_, operation(), Parcel{"tea", 2}), 6);
  StartNexusOperationOptions heavier = operation();
  heavier.headers = {{"more", "x"}};
  EXPECT_EQ(
      client().execute_nexus_operation<int>(endpoint_, "Depot", "weigh", heavier, Parcel{"tea", 2}),
      7);
  client().execute_nexus_operation<&Depot::close>(endpoint_, operation());

  const StartNexusOperationOptions options = operation();
  const auto handle = send(options, "home");
  EXPECT_EQ(handle.id(), options.id);
  EXPECT_THAT(handle.run_id(), SizeIs(36));
  EXPECT_EQ(handle.result(), "arrived at home");
  EXPECT_EQ(handle.result(), handle.result());
  EXPECT_EQ(client().get_nexus_operation_handle<&Depot::send>(options.id).result(),
            "arrived at home");
  EXPECT_EQ(client().get_nexus_operation_handle<std::string>(options.id, handle.run_id()).result(),
            "arrived at home");
}

TEST_P(StandaloneNexusLive, TheCauseSaysHowItFailed) {
  serve();
  const auto air = begin("air");
  EXPECT_THAT(failure_of(air).what(), HasSubstr("nothing to weigh"));
  EXPECT_EQ(air.describe().status, NexusExecutionStatus::kFailed);
  const auto told = air.describe({.include_input = true, .include_outcome = true});
  EXPECT_EQ(from_payload<Parcel>(told.input.value()).item, "air");
  ASSERT_NE(told.outcome_failure, nullptr);
  EXPECT_FALSE(told.result);

  EXPECT_EQ(cause_of<nexus::HandlerError>(begin("bomb")).type(),
            nexus::HandlerErrorType::kUnauthorized);
  const auto address = cause_of<ApplicationError>(send(operation(), "nowhere"));
  EXPECT_EQ(address.type(), "Address");
  EXPECT_EQ(address.message(), "no such place");
}

TEST_P(StandaloneNexusLive, AHandlerThatFailsIsAskedAgain) {
  serve();
  StartNexusOperationOptions options = operation();
  options.schedule_to_close_timeout = 4s;
  const auto handle =
      client().start_nexus_operation<&Depot::weigh>(endpoint_, options, Parcel{"broken", 1});
  NexusExecutionDescription told;
  eventually(
      [&] {
        told = handle.describe();
        return told.last_attempt_failure != nullptr;
      },
      "the first attempt");
  EXPECT_GE(told.attempt, 1);
  EXPECT_THAT(describe(told.last_attempt_failure.get()), HasSubstr("the scales are broken"));
  EXPECT_EQ(cause_of<TimeoutError>(handle).type(), TimeoutType::kScheduleToClose);
  EXPECT_EQ(handle.describe().status, NexusExecutionStatus::kTimedOut);
}

TEST_P(StandaloneNexusLive, ThePoliciesSayWhatBecomesOfAnIdThatIsTaken) {
  serve();
  StartNexusOperationOptions options = operation();
  const auto first = send(options, "far");
  try {
    send(options, "far");
    FAIL() << "two of one id";
  } catch (const NexusOperationAlreadyStartedError& error) {
    EXPECT_EQ(error.operation_id(), options.id);
    EXPECT_EQ(error.run_id(), first.run_id());
  }
  options.id_conflict_policy = NexusOperationIdConflictPolicy::kUseExisting;
  EXPECT_EQ(send(options, "far").run_id(), first.run_id());
  first.terminate("enough");
  options.id_conflict_policy = NexusOperationIdConflictPolicy::kFail;
  options.id_reuse_policy = NexusOperationIdReusePolicy::kAllowDuplicateFailedOnly;
  const auto second = send(options, "home");
  EXPECT_NE(second.run_id(), first.run_id());
  second.result();
  EXPECT_THROW(send(options, "home"), NexusOperationAlreadyStartedError);
  options.id_reuse_policy = NexusOperationIdReusePolicy::kRejectDuplicate;
  EXPECT_THROW(send(options, "home"), NexusOperationAlreadyStartedError);
  cause_of<TerminatedError>(
      client().get_nexus_operation_handle<&Depot::send>(options.id, first.run_id()));
}

TEST_P(StandaloneNexusLive, ACancellationReachesItsHandler) {
  serve();
  const auto handle = send(operation(), "far");
  wait_for_start(handle);
  handle.cancel("changed my mind");
  cause_of<CancelledError>(handle);
  const NexusExecutionDescription told = handle.describe();
  EXPECT_EQ(told.status, NexusExecutionStatus::kCanceled);
  ASSERT_TRUE(told.cancellation);
  EXPECT_EQ(told.cancellation->reason, "changed my mind");
  EXPECT_FALSE(told.operation_token.empty());
  EXPECT_GE(told.close_time, told.schedule_time);
}

TEST_P(StandaloneNexusLive, ADescriptionSaysHowFarACancellationHasCome) {
  serve();
  const auto handle = client().start_nexus_operation<&Depot::keep>(endpoint_, operation());
  wait_for_start(handle);
  EXPECT_EQ(handle.describe().operation_token, "kept");
  handle.cancel("changed my mind");
  NexusExecutionDescription told;
  eventually(
      [&] {
        told = handle.describe();
        return told.cancellation &&
               told.cancellation->state == NexusOperationCancellationState::kSucceeded;
      },
      "the cancellation");
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(told.status, NexusExecutionStatus::kRunning);
  EXPECT_EQ(told.cancellation->reason, "changed my mind");
  EXPECT_EQ(told.cancellation->attempt, 1);
  EXPECT_EQ(told.cancellation->last_attempt_failure, nullptr);
  handle.terminate();
}

TEST_P(StandaloneNexusLive, ATerminationAsksNobody) {
  const auto handle = send(operation(), "far");  // Nobody serves it.
  handle.terminate("enough");
  EXPECT_EQ(cause_of<TerminatedError>(handle).message(), "enough");
  EXPECT_EQ(handle.describe().status, NexusExecutionStatus::kTerminated);
  try {
    handle.terminate();
    FAIL() << "it ended twice";
  } catch (const RpcError& error) {
    EXPECT_THAT(error.code(),
                testing::AnyOf(StatusCode::kFailedPrecondition, StatusCode::kNotFound));
  }
}

TEST_P(StandaloneNexusLive, ATimeoutEndsIt) {
  StartNexusOperationOptions options = operation();
  options.schedule_to_start_timeout = 1s;
  EXPECT_EQ(cause_of<TimeoutError>(send(options, "far")).type(), TimeoutType::kScheduleToStart);
  serve();
  options = operation();
  options.start_to_close_timeout = 1s;
  EXPECT_EQ(cause_of<TimeoutError>(send(options, "far")).type(), TimeoutType::kStartToClose);
}

TEST_P(StandaloneNexusLive, ADescriptionHasWhatTheServerTells) {
  serve();
  StartNexusOperationOptions options = operation();
  options.summary = "a long way";
  options.search_attributes = {{"GoldKw", "gold"}};
  options.headers = {{"tenant", "a"}};
  const auto handle = send(options, "far");
  wait_for_start(handle);
  const NexusExecutionDescription told = handle.describe();
  EXPECT_EQ(told.id, options.id);
  EXPECT_EQ(told.run_id, handle.run_id());
  EXPECT_EQ(told.endpoint, endpoint_);
  EXPECT_EQ(told.service, "Depot");
  EXPECT_EQ(told.operation, "send-it");
  EXPECT_EQ(told.status, NexusExecutionStatus::kRunning);
  EXPECT_EQ(told.attempt, 1);
  EXPECT_EQ(told.summary, "a long way");
  EXPECT_EQ(told.schedule_to_close_timeout, Duration(30s));
  EXPECT_EQ(told.expiration_time - told.schedule_time, Duration(30s));
  EXPECT_EQ(told.identity, client().identity());
  EXPECT_EQ(from_payload<std::string>(told.search_attributes.at("GoldKw")), "gold");
  EXPECT_EQ(told.headers.at("tenant"), "a");
  EXPECT_EQ(told.last_attempt_failure, nullptr);
  EXPECT_FALSE(told.cancellation);
  EXPECT_FALSE(told.input);
  // The delivery that stands behind it.
  ASSERT_THAT(told.links, SizeIs(1));
  EXPECT_THAT(told.links[0].url, HasSubstr("/workflows/delivery-" + told.request_id));
  handle.terminate();
}

TEST_P(StandaloneNexusLive, ListsFindThem) {
  serve();
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    const auto handle = begin("tea");
    EXPECT_EQ(handle.result(), 3);
    ids.push_back(handle.id());
  }
  const auto far = send(operation(), "far");
  const std::string query = absl::StrCat("Endpoint = '", endpoint_, "'");
  eventually(
      [&] {
        return client().count_nexus_operations(query).count == 4 &&
               client().count_nexus_operations(query + " AND ExecutionStatus = 'Completed'")
                       .count == 3;
      },
      "the count");
  std::vector<std::string> found;
  for (const NexusExecution& each : client().list_nexus_operations(
           query + " AND ExecutionStatus = 'Completed'", {.page_size = 2})) {
    found.push_back(each.id);
    EXPECT_EQ(each.operation, "weigh");
    EXPECT_EQ(each.status, NexusExecutionStatus::kCompleted);
    EXPECT_GT(each.close_time, each.schedule_time);
  }
  EXPECT_THAT(found, testing::UnorderedElementsAreArray(ids));
  EXPECT_THAT(client().list_nexus_operations(query, {.limit = 1}).all(), SizeIs(1));
  EXPECT_THAT(client().count_nexus_operations(query + " GROUP BY ExecutionStatus").groups,
              SizeIs(2));
  EXPECT_THAT(client().list_nexus_operations("OperationId = 'none'").all(), IsEmpty());
  far.terminate();
}

TEST_P(StandaloneNexusLive, WhatIsNotThereIsNamed) {
  const auto code_of = [](const auto& call) {
    try {
      call();
    } catch (const RpcError& error) {
      return std::pair(error.code(), std::string(error.what()));
    }
    return std::pair(StatusCode::kOk, std::string());
  };
  const auto nowhere = code_of([&] {
    client().start_nexus_operation<&Depot::send>("nowhere-" + endpoint_, operation(), "home");
  });
  EXPECT_EQ(nowhere.first, StatusCode::kNotFound);
  EXPECT_THAT(nowhere.second, HasSubstr("nowhere-"));
  const auto absent = client().get_nexus_operation_handle<int>("no-such-operation");
  for (const auto& [code, words] :
       {code_of([&] { absent.result(); }), code_of([&] { absent.describe(); }),
        code_of([&] { absent.cancel(); }), code_of([&] { absent.terminate(); })}) {
    EXPECT_EQ(code, StatusCode::kNotFound) << words;
    EXPECT_THAT(words, HasSubstr("no-such-operation"));
  }
}

std::string text_of(const SerializationContext* context) {
  if (context == nullptr || !context->nexus) return "none";
  return absl::StrCat(context->nexus->endpoint, "/", context->nexus->service, "/",
                      context->nexus->operation);
}

// What it encodes is read by a codec for the same operation only.
class Marked final : public PayloadCodec {
 public:
  explicit Marked(std::string mark) : mark_(std::move(mark)) {}
  std::vector<Payload> encode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) each.metadata["mark"] = mark_;
    return payloads;
  }
  std::vector<Payload> decode(std::vector<Payload> payloads) const override {
    for (Payload& each : payloads) {
      const std::string mark = each.metadata["mark"];
      if (mark != mark_)
        throw ConversionError(absl::StrCat("written for ", mark, ", read for ", mark_));
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

TEST_P(StandaloneNexusLive, ItsValuesHaveTheContextOfTheOperation) {
  client_options().payload_codec = std::make_shared<Marked>("none");
  serve();
  StartNexusOperationOptions options = operation();
  options.summary = "said";
  EXPECT_EQ(client().execute_nexus_operation<&Depot::weigh>(endpoint_, options, Parcel{"tea", 2}),
            6);
  const auto again = client().get_nexus_operation_handle<&Depot::weigh>(options.id);
  EXPECT_EQ(again.result(), 6);
  const auto told = again.describe({.include_input = true, .include_outcome = true});
  EXPECT_EQ(told.summary, "said");
  EXPECT_EQ(from_payload<Parcel>(told.input.value()).item, "tea");
  EXPECT_EQ(from_payload<int>(told.result.value()), 6);
  EXPECT_THAT(failure_of(begin("air")).what(), HasSubstr("nothing to weigh"));
}

TEST_P(StandaloneNexusLive, PassesInterceptors) {
  struct Heavier final : ClientOutboundInterceptor {
    using ClientOutboundInterceptor::ClientOutboundInterceptor;
    NexusExecutionHandle<Payload> start_nexus_operation(StartNexusExecutionInput input) override {
      input.options.headers["more"] = "xx";
      return next().start_nexus_operation(std::move(input));
    }
  };
  struct Interceptors final : Interceptor {
    std::unique_ptr<ClientOutboundInterceptor> intercept_client(
        ClientOutboundInterceptor* next) override {
      return std::make_unique<Heavier>(next);
    }
  };
  client_options().interceptors = {std::make_shared<Interceptors>()};
  serve();
  EXPECT_EQ(begin("tea").result(), 5);
  client().execute_nexus_operation<&Depot::close>(endpoint_, operation());
}

TEST_P(StandaloneNexusLive, ManyAreUnderWayAtOnce) {
  serve();
  std::vector<NexusExecutionHandle<std::string>> handles;
  for (int i = 0; i < 20; ++i) handles.push_back(send(operation(), absl::StrCat("place ", i)));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(handles[i].result(), absl::StrCat("arrived at place ", i));
}

}  // namespace standalone_nexus_test
}  // namespace chimera::live
