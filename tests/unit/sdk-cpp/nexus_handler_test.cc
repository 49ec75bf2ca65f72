// Nexus handlers: what they are given and what becomes of what they return and throw; the tokens
// and links of the official SDKs.
#include <future>
#include <memory>
#include <stdexcept>
#include <string>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/interceptor.h"
#include "chimera/nexus.h"
#include "sdk-cpp/src/nexus_pool.h"
#include "sdk-cpp/src/nexus_workflow.h"
#include "sdk-cpp/src/user_links.h"

namespace chimera::sdk {
namespace {

using nexus::HandlerErrorType;
using testing::HasSubstr;
using Response = api::workflowservice::v1::PollNexusTaskQueueResponse;

struct Bank {
  nexus::Operation<std::string, std::string> pay;
  nexus::Operation<void, int> count;
  nexus::Operation<std::string, void> audit;
};

class Answer final : public core::NexusHandle {
 public:
  void complete(core::NexusResult result) override { promise_.set_value(std::move(result)); }
  core::NexusResult get() { return promise_.get_future().get(); }

 private:
  std::promise<core::NexusResult> promise_;
};

class NexusHandler : public testing::Test {
 protected:
  template <auto Operation, class... F>
  void handle(F... functions) {
    service_.handle<Operation>(std::move(functions)...);
  }
  CppNexusLanguage& language() {
    if (language_ != nullptr) return *language_;
    core::WorkerOptions options;
    options.namespace_ = "ns";
    options.task_queue = "queue";
    language_ = std::make_unique<CppNexusLanguage>(codec_, 4);
    language_->set_worker(options);
    language_->add(service_.type());
    language_->intercept(with_users(interceptors_, {}));
    return *language_;
  }

  static std::shared_ptr<Response> request(const std::string& operation,
                                           const Payload& input = make_payload("x")) {
    auto task = std::make_shared<Response>();
    task->set_task_token("task");
    auto& request = *task->mutable_request();
    request.set_endpoint("bank-endpoint");
    (*request.mutable_header())["tenant"] = "blue";
    auto& start = *request.mutable_start_operation();
    start.set_service("Bank");
    start.set_operation(operation);
    start.set_request_id("request-1");
    start.set_callback("http://caller");
    *start.mutable_payload() = to_proto(input);
    return task;
  }
  static std::shared_ptr<Response> cancellation(const std::string& token) {
    auto task = std::make_shared<Response>();
    task->set_task_token("task");
    auto& cancel = *task->mutable_request()->mutable_cancel_operation();
    cancel.set_service("Bank");
    cancel.set_operation("audit");
    cancel.set_operation_token(token);
    return task;
  }
  std::shared_ptr<Answer> start(std::shared_ptr<Response> task) {
    auto answer = std::make_shared<Answer>();
    language().start({.message = std::move(task), .deadline = std::nullopt, .handle = answer});
    return answer;
  }
  core::NexusResult run(std::shared_ptr<Response> task) { return start(std::move(task))->get(); }

  static api::nexus::v1::StartOperationResponse started(const core::NexusResult& result) {
    const auto* completed = std::get_if<core::NexusResult::Completed>(&result.status);
    return completed == nullptr ? api::nexus::v1::StartOperationResponse()
                                : completed->response.start_operation();
  }
  // "TYPE retry message < cause", the retry as the number of the behaviour.
  static std::string failed(const core::NexusResult& result) {
    const auto* failed = std::get_if<core::NexusResult::Failed>(&result.status);
    if (failed == nullptr) return "not failed";
    const auto& info = failed->failure.nexus_handler_failure_info();
    return absl::StrCat(info.type(), " ", static_cast<int>(info.retry_behavior()), " ",
                        failed->failure.message(), " < ", failed->failure.cause().message());
  }
  template <class Error>
  std::string thrown(Error error) {
    service_ = {};
    language_ = nullptr;
    handle<&Bank::pay>([error](const std::string&) -> std::string { throw error; });
    return failed(run(request("pay")));
  }

  nexus::Service<Bank> service_;
  Codec codec_;
  Interceptors interceptors_;
  std::unique_ptr<CppNexusLanguage> language_;
};

TEST_F(NexusHandler, AnswersAtOnce) {
  handle<&Bank::pay>([](const std::string& who) { return "paid " + who; });
  handle<&Bank::count>([] { return 3; });
  const auto paid = started(run(request("pay", make_payload("bob"))));
  EXPECT_EQ(paid.sync_success().payload().data(), "\"paid bob\"");
  EXPECT_EQ(started(run(request("count"))).sync_success().payload().data(), "3");
}

TEST_F(NexusHandler, OrWithAnOperationThatGoesOn) {
  std::string ended;
  handle<&Bank::audit>([](const std::string& id) { return nexus::AsyncOperation<void>{"t-" + id}; },
                       [&](const std::string& token) { ended = token; });
  EXPECT_EQ(started(run(request("audit"))).async_success().operation_token(), "t-x");
  const core::NexusResult result = run(cancellation("t-x"));
  EXPECT_TRUE(
      std::get<core::NexusResult::Completed>(result.status).response.has_cancel_operation());
  EXPECT_EQ(ended, "t-x");
}

TEST_F(NexusHandler, OrDecidesWhenItIsCalled) {
  handle<&Bank::audit>([](const std::string& id) -> nexus::StartResult<void> {
    if (id == "x") return {};
    return nexus::AsyncOperation<void>{"t-" + id};
  });
  EXPECT_EQ(started(run(request("audit"))).sync_success().payload().metadata().at("encoding"),
            "binary/null");
  EXPECT_EQ(started(run(request("audit", make_payload("y")))).async_success().operation_token(),
            "t-y");
}

TEST_F(NexusHandler, AnEmptyTokenIsRefused) {
  handle<&Bank::audit>([](const std::string&) { return nexus::AsyncOperation<void>{}; },
                       [](const std::string&) {});
  EXPECT_THAT(failed(run(request("audit"))), HasSubstr("INTERNAL 2 the handler of Bank/audit gave "
                                                       "an empty operation token"));
}

TEST_F(NexusHandler, IsToldOfTheRequest) {
  nexus::Info info;
  handle<&Bank::pay>([&](const std::string&) {
    info = nexus::info();
    nexus::add_link({.url = "temporal:///namespaces/a/workflows/b/c", .type = "T"});
    return std::string();
  });
  const auto answer = started(run(request("pay")));
  EXPECT_EQ(info.namespace_, "ns");
  EXPECT_EQ(info.task_queue, "queue");
  EXPECT_EQ(info.endpoint, "bank-endpoint");
  EXPECT_EQ(info.service + "/" + info.operation, "Bank/pay");
  EXPECT_EQ(info.request_id, "request-1");
  EXPECT_EQ(info.callback_url, "http://caller");
  EXPECT_EQ(info.headers.at("tenant"), "blue");
  ASSERT_EQ(answer.sync_success().links_size(), 1);
  EXPECT_EQ(answer.sync_success().links(0).type(), "T");
  EXPECT_THROW(nexus::info(), std::logic_error);
}

TEST_F(NexusHandler, OperationErrorsEndTheOperation) {
  handle<&Bank::pay>([](const std::string& how) -> std::string {
    throw nexus::OperationError(
        how == "x" ? nexus::OperationState::kFailed : nexus::OperationState::kCancelled, "no money",
        std::make_exception_ptr(std::runtime_error("overdrawn")));
  });
  const auto failure = started(run(request("pay"))).failure();
  EXPECT_EQ(failure.message(), "no money");
  EXPECT_EQ(failure.application_failure_info().type(), "OperationError");
  EXPECT_TRUE(failure.application_failure_info().non_retryable());
  EXPECT_EQ(failure.cause().message(), "overdrawn");
  const auto cancelled = started(run(request("pay", make_payload("y")))).failure();
  EXPECT_TRUE(cancelled.has_canceled_failure_info());
  EXPECT_EQ(cancelled.message(), "no money");
  EXPECT_EQ(cancelled.cause().message(), "overdrawn");
}

// As the official SDKs have it; 0, 1, 2: by the type, retryable, not retryable.
TEST_F(NexusHandler, OtherErrorsAreHandlerErrors) {
  EXPECT_EQ(thrown(nexus::HandlerError(HandlerErrorType::kUnauthorized, "not you")),
            "UNAUTHORIZED 0 not you < ");
  EXPECT_EQ(thrown(nexus::HandlerError(HandlerErrorType::kUnauthorized, "later",
                                       nexus::RetryBehavior::kRetryable,
                                       std::make_exception_ptr(std::runtime_error("why")))),
            "UNAUTHORIZED 1 later < why");
  EXPECT_EQ(thrown(ApplicationError("broke", {.non_retryable = true})),
            "INTERNAL 2 Handler failed with non-retryable application error < broke");
  EXPECT_EQ(thrown(ApplicationError("busy")),
            "INTERNAL 1 Handler failed with retryable application error < busy");
  EXPECT_THAT(thrown(WorkflowAlreadyStartedError("id", "Type", "run")), HasSubstr("INTERNAL 2"));
  EXPECT_EQ(thrown(std::runtime_error("oh")), "INTERNAL 0 Internal handler error < oh");
  EXPECT_THAT(thrown(7), HasSubstr("INTERNAL 0 Internal handler error"));
  EXPECT_THAT(thrown(CancelledError("by nobody")), HasSubstr("INTERNAL 0 Internal handler error"));
}

TEST_F(NexusHandler, RefusedCallsAreHandlerErrorsByTheirStatus) {
  const auto of = [&](StatusCode code) {
    const std::string whole = thrown(RpcError(code, "refused"));
    return whole.substr(0, whole.find(" refused"));
  };
  EXPECT_EQ(of(StatusCode::kInvalidArgument), "BAD_REQUEST 0");
  EXPECT_EQ(of(StatusCode::kAlreadyExists), "INTERNAL 2");
  EXPECT_EQ(of(StatusCode::kFailedPrecondition), "INTERNAL 2");
  EXPECT_EQ(of(StatusCode::kOutOfRange), "INTERNAL 2");
  EXPECT_EQ(of(StatusCode::kAborted), "UNAVAILABLE 0");
  EXPECT_EQ(of(StatusCode::kUnavailable), "UNAVAILABLE 0");
  EXPECT_EQ(of(StatusCode::kPermissionDenied), "INTERNAL 0");
  EXPECT_EQ(of(StatusCode::kNotFound), "NOT_FOUND 0");
  EXPECT_EQ(of(StatusCode::kResourceExhausted), "RESOURCE_EXHAUSTED 0");
  EXPECT_EQ(of(StatusCode::kUnimplemented), "NOT_IMPLEMENTED 0");
  EXPECT_EQ(of(StatusCode::kDeadlineExceeded), "UPSTREAM_TIMEOUT 0");
}

TEST_F(NexusHandler, WhatCannotBeReadIsABadRequest) {
  handle<&Bank::pay>([](const std::string&) { return std::string(); });
  EXPECT_THAT(failed(run(request("pay", make_payload(7)))),
              HasSubstr("BAD_REQUEST 2 cannot decode the operation's input"));
}

TEST_F(NexusHandler, AnUnknownOperationIsNotFound) {
  handle<&Bank::pay>([](const std::string&) { return std::string(); });
  EXPECT_THAT(failed(run(request("steal"))),
              HasSubstr("NOT_FOUND 0 Nexus service 'Bank' has no operation 'steal'. It has: pay"));
  EXPECT_THAT(failed(run(cancellation("t"))), HasSubstr("NOT_FOUND 0"));
}

TEST_F(NexusHandler, WhatAnswersAtOnceCannotBeCancelled) {
  handle<&Bank::audit>([](const std::string&) {});
  EXPECT_THAT(failed(run(cancellation("t"))),
              HasSubstr("NOT_IMPLEMENTED 0 the operation audit cannot be cancelled"));
}

TEST_F(NexusHandler, OneThatIsToldToStopMaySaySo) {
  std::promise<void> runs;
  handle<&Bank::pay>([&](const std::string&) -> std::string {
    runs.set_value();
    nexus::wait_for_cancelled(std::chrono::minutes(1));
    nexus::throw_if_cancelled();
    return "was not told";
  });
  for (const auto reason :
       {core::NexusCancelReason::kTimedOut, core::NexusCancelReason::kWorkerShutdown}) {
    runs = {};
    const auto answer = start(request("pay"));
    runs.get_future().wait();
    language().cancel("task", reason);
    const core::NexusResult result = answer->get();
    if (reason == core::NexusCancelReason::kTimedOut) {  // Nobody listens.
      EXPECT_TRUE(std::holds_alternative<core::NexusResult::CancelAcknowledged>(result.status));
    } else {  // Another worker may do it.
      EXPECT_THAT(failed(result), HasSubstr("UNAVAILABLE 0 the worker is ending"));
    }
  }
}

TEST_F(NexusHandler, IsToldThatTheWorkerEnds) {
  std::promise<void> runs;
  handle<&Bank::count>([&] {
    runs.set_value();
    return nexus::wait_for_worker_shutdown(std::chrono::minutes(1)) && !nexus::is_cancelled() ? 1
                                                                                              : 0;
  });
  const auto answer = start(request("count"));
  runs.get_future().wait();
  language().begin_shutdown();
  EXPECT_EQ(started(answer->get()).sync_success().payload().data(), "1");
}

struct Shouts final : NexusOperationInboundInterceptor {
  using NexusOperationInboundInterceptor::NexusOperationInboundInterceptor;
  nexus::StartResult<Payload> execute_nexus_operation_start(
      ExecuteNexusOperationStartInput input) override {
    input.input = make_payload(from_payload<std::string>(input.input) + "!");
    const auto result = next().execute_nexus_operation_start(std::move(input));
    if (result.value() == nullptr) return *result.operation();
    return make_payload(nexus::info().operation + ": " +
                        from_payload<std::string>(*result.value()));
  }
  void execute_nexus_operation_cancel(ExecuteNexusOperationCancelInput input) override {
    input.operation_token += "!";
    next().execute_nexus_operation_cancel(std::move(input));
  }
};
struct ShoutsAll final : Interceptor {
  std::unique_ptr<NexusOperationInboundInterceptor> intercept_nexus_operation(
      NexusOperationInboundInterceptor* next) override {
    return std::make_unique<Shouts>(next);
  }
};

TEST_F(NexusHandler, PassesItsInterceptors) {
  interceptors_ = {std::make_shared<ShoutsAll>()};
  std::string ended;
  handle<&Bank::pay>([](const std::string& who) { return "paid " + who; });
  handle<&Bank::audit>([](const std::string& id) { return nexus::AsyncOperation<void>{id}; },
                       [&](const std::string& token) { ended = token; });
  EXPECT_EQ(started(run(request("pay", make_payload("bob")))).sync_success().payload().data(),
            "\"pay: paid bob!\"");
  EXPECT_EQ(started(run(request("audit"))).async_success().operation_token(), "x!");
  run(cancellation("x"));
  EXPECT_EQ(ended, "x!");
}

TEST(NexusService, IsAddedWithAllItsHandlersOnce) {
  nexus::Service<Bank> service;
  service.handle<&Bank::pay>([](const std::string&) { return ""; });
  service.handle<&Bank::count>([] { return 1; });
  Registry registry;
  const auto refusal = [&] {
    try {
      registry.add(service);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal(), HasSubstr("the Nexus operation Bank/audit has no handler"));
  service.handle<&Bank::audit>([](const std::string&) {});
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(refusal(), "the Nexus service 'Bank' is registered twice");
  EXPECT_THROW(service.handle<&Bank::pay>([](const std::string&) { return ""; }),
               std::invalid_argument);
}

TEST(NexusToken, IsTheOfficialSdks) {
  const std::string token = write_token({"ns", "id/1"});
  std::string text;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token, &text));
  EXPECT_EQ(text, R"({"t":1,"ns":"ns","wid":"id/1"})");
  EXPECT_THAT(token, testing::Not(HasSubstr("=")));
  EXPECT_EQ(read_token(token).workflow_id, "id/1");
  for (const char* wrong : {R"({"t":2,"ns":"ns","aid":"a"})", R"({"v":1,"t":1,"wid":"w"})",
                            R"({"t":1,"ns":"ns","wid":""})", "[]", "x"}) {
    EXPECT_THROW(read_token(absl::WebSafeBase64Escape(wrong)), nexus::HandlerError) << wrong;
  }
  EXPECT_THROW(read_token("%"), nexus::HandlerError);
}

TEST(NexusLink, IsTheOfficialSdks) {
  constexpr char kType[] = "temporal.api.common.v1.Link.WorkflowEvent";
  for (const std::string url :
       {"temporal:///namespaces/ns/workflows/a%2Fb/run/history?eventID=5&eventType="
        "NexusOperationScheduled&referenceType=EventReference",
        "temporal:///namespaces/ns/workflows/a%2Fb/run/history?eventType="
        "WorkflowExecutionStarted&referenceType=RequestIdReference&requestID=r%201"}) {
    const auto proto = to_proto(nexus::Link{.url = url, .type = kType});
    ASSERT_TRUE(proto) << url;
    EXPECT_EQ(proto->workflow_event().workflow_id(), "a/b");
    EXPECT_EQ(to_public(*proto)->url, url);
    EXPECT_EQ(to_public(*proto)->type, kType);
  }
  EXPECT_FALSE(to_proto(nexus::Link{.url = "http://elsewhere", .type = kType}));
  EXPECT_FALSE(to_proto(nexus::Link{.url = "temporal:///namespaces/ns/workflows", .type = kType}));
  for (const auto& [url, type] :
       {std::pair("temporal:///namespaces/n/workflows/w/r?reason=because", "Workflow"),
        std::pair("temporal:///namespaces/n/activities/a/r/details", "Activity"),
        std::pair("temporal:///namespaces/n/nexus-operations/o/r/details", "NexusOperation")}) {
    const nexus::Link link{.url = url, .type = absl::StrCat("temporal.api.common.v1.Link.", type)};
    const auto proto = to_proto(link);
    ASSERT_TRUE(proto) << url;
    EXPECT_EQ(*to_public(*proto), link);
  }
}

}  // namespace
}  // namespace chimera::sdk
