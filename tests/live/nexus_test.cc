// Nexus operations and services through a server: a workflow calls, a handler of the same worker
// answers. A server without Nexus is skipped.
#include "chimera/nexus.h"

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "temporal/api/operatorservice/v1/request_response.pb.h"

#include "chimera/codec.h"
#include "core/base/api.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace nexus_test {

using testing::HasSubstr;
using Type = NexusOperationCancellationType;

struct Broken {};
[[noreturn, maybe_unused]] Payload to_payload(const Broken&) {
  throw ConversionError("it is broken");
}
[[maybe_unused]] void from_payload(const Payload&, Broken&) {}

struct Bank {
  nexus::Operation<int, std::string> pay;
  nexus::Operation<std::string, std::string> review;
  nexus::Operation<std::string, void> audit{"audit-it"};
  nexus::Operation<void, Broken> broken;
};
const NexusOperationOptions kSoon{.schedule_to_close_timeout = 20s};

// What the test has workflows do, each in its turn; the same when they are replayed.
using Code = std::function<std::string(const std::string& endpoint)>;
std::deque<Code> codes;
struct CallsBank {
  std::string run(std::string endpoint, int number) {
    try {
      return codes.at(number)(endpoint);
    } catch (const NexusOperationError& error) {
      return describe(error);
    }
  }
};
inline const auto kCallsBank = define_workflow<&CallsBank::run>("CallsBank");

// The workflow behind the operation.
struct Reviews {
  std::string run(std::string what) {
    if (what == "for ever") workflow::wait_condition([] { return false; });
    if (what == "badly") throw ApplicationError("not good", {.type = "Bad"});
    if (what == "until told") workflow::wait_condition([this] { return told_; });
    return "reviewed " + what;
  }
  void tell() { told_ = true; }

 private:
  bool told_ = false;
};
inline const auto kReviews = define_workflow<&Reviews::run>("Reviews").signal<&Reviews::tell>();

class NexusLive : public Live {
 protected:
  void SetUp() override {
    endpoint_ = absl::StrCat("e-", absl::StrReplaceAll(queue(), {{".", "-"}, {"_", "-"}}));
    api::operatorservice::v1::CreateNexusEndpointRequest request;
    request.mutable_spec()->set_name(endpoint_);
    request.mutable_spec()->mutable_target()->mutable_worker()->set_namespace_("default");
    request.mutable_spec()->mutable_target()->mutable_worker()->set_task_queue(queue());
    client().call_raw("temporal.api.operatorservice.v1.OperatorService", "CreateNexusEndpoint",
                      request.SerializeAsString());
  }

  // With the handlers that the test gave it, and others.
  void serve() {
    std::set<std::string> has;
    for (const auto& each : bank.type().operations) has.insert(each.name);
    if (!has.contains("pay"))
      bank.handle<&Bank::pay>([](int cents) { return absl::StrCat("paid ", cents); });
    if (!has.contains("review")) {
      bank.handle<&Bank::review>([this](const std::string& what) {
        return nexus::start_workflow<kReviews>({.id = review_id(what), .execution_timeout = 60s},
                                               what);
      });
    }
    if (!has.contains("audit-it")) bank.handle<&Bank::audit>([](const std::string&) {});
    if (!has.contains("broken")) bank.handle<&Bank::broken>([] { return Broken(); });
    registry().add(kCallsBank).add(kReviews).add(bank);
    start_worker();
  }
  std::string review_id(const std::string& what) const { return queue() + "-review-" + what; }
  std::string call(Code code) { return begin(std::move(code)).result(); }
  WorkflowHandle<std::string> begin(Code code) {
    const auto number = static_cast<int>(codes.size());
    codes.push_back(std::move(code));
    return start<&CallsBank::run>(endpoint_, number);
  }
  static std::string review(const std::string& endpoint, const std::string& what,
                            NexusOperationOptions options = kSoon) {
    return workflow::execute_nexus_operation<&Bank::review>(endpoint, options, what);
  }

  nexus::Service<Bank> bank;
  std::string endpoint_;
};
INSTANTIATE_TEST_SUITE_P(, NexusLive, testing::Values(std::size_t{1000}, std::size_t{0}),
                         cache_name);

TEST_P(NexusLive, AnswersAtOnce) {
  serve();
  EXPECT_EQ(call([](const std::string& endpoint) {
              auto handle = workflow::start_nexus_operation<&Bank::pay>(endpoint, kSoon, 5);
              workflow::execute_nexus_operation<&Bank::audit>(endpoint, kSoon, "x");
              return handle.get() + handle.operation_token() +
                     workflow::execute_nexus_operation<std::string>(endpoint, "Bank", "pay", kSoon,
                                                                    7);
            }),
            "paid 5paid 7");
}

TEST_P(NexusLive, AWorkflowStandsBehindAnOperation) {
  serve();
  const auto handle = begin([](const std::string& endpoint) {
    auto operation = workflow::start_nexus_operation<&Bank::review>(endpoint, kSoon, "it");
    return operation.operation_token().empty() ? "no token" : operation.get();
  });
  EXPECT_EQ(handle.result(), "reviewed it");
  // Both histories name the other one.
  const std::string caller = handle.fetch_history();
  EXPECT_THAT(caller, HasSubstr(review_id("it")));
  EXPECT_EQ(count_events(caller, "NEXUS_OPERATION_STARTED"), 1);
  const auto reviews = client().get_workflow_handle<void>(review_id("it"));
  EXPECT_THAT(reviews.fetch_history(), HasSubstr(handle.id()));
  EXPECT_THAT(reviews.fetch_history(), HasSubstr("completionCallbacks"));
}

TEST_P(NexusLive, AWorkflowThatFailsFailsItsOperation) {
  serve();
  const std::string error =
      call([](const std::string& endpoint) { return review(endpoint, "badly"); });
  EXPECT_THAT(error, HasSubstr("NexusOperationError"));
  EXPECT_THAT(error, HasSubstr("ApplicationError Bad: not good"));
}

TEST_P(NexusLive, TwoOperationsShareAWorkflow) {
  std::atomic<int> starts = 0;
  bank.handle<&Bank::review>([&, this](const std::string& what) {
    auto run = nexus::start_workflow<kReviews>(
        {.id = review_id(what),
         .execution_timeout = 60s,
         .id_conflict_policy = WorkflowIdConflictPolicy::kUseExisting},
        what);
    if (++starts == 2) nexus::client().get_workflow_handle<void>(run.workflow_id).signal("tell");
    return run;
  });
  serve();
  EXPECT_EQ(
      call([](const std::string& endpoint) {
        auto one = workflow::start_nexus_operation<&Bank::review>(endpoint, kSoon, "until told");
        auto other = workflow::start_nexus_operation<&Bank::review>(endpoint, kSoon, "until told");
        return one.get() + ", " + other.get();
      }),
      "reviewed until told, reviewed until told");
}

TEST_P(NexusLive, OneThatRunsAlreadyIsRefusedWithoutThatPolicy) {
  serve();
  const auto first = client().start_workflow<kReviews>(
      {.id = review_id("for ever"), .task_queue = queue()}, "for ever");
  EXPECT_THAT(call([](const std::string& endpoint) { return review(endpoint, "for ever"); }),
              HasSubstr("nexus::HandlerError INTERNAL"));
  first.terminate();
}

TEST_P(NexusLive, OperationErrorsEndTheOperation) {
  bank.handle<&Bank::review>([](const std::string& what) -> nexus::StartResult<std::string> {
    throw nexus::OperationError(
        what == "failed" ? nexus::OperationState::kFailed : nexus::OperationState::kCancelled,
        "no money");
  });
  serve();
  EXPECT_THAT(call([](const std::string& endpoint) {
                try {
                  return review(endpoint, "failed");
                } catch (const NexusOperationError& error) {
                  const auto* cause = dynamic_cast<const ApplicationError*>(error.cause());
                  return cause == nullptr ? describe(error)
                                          : error.operation() + " " + cause->message();
                }
              }),
              "review no money");
  EXPECT_EQ(call([](const std::string& endpoint) {
              try {
                return review(endpoint, "cancelled");
              } catch (const NexusOperationError& error) {
                return is_cancelled(error) ? std::string("cancelled") : describe(error);
              }
            }),
            "cancelled");
}

// Each of them ends the operation with the first answer.
TEST_P(NexusLive, HandlerErrorsReachTheCaller) {
  std::atomic<int> calls = 0;
  bank.handle<&Bank::review>([&](const std::string& what) -> nexus::StartResult<std::string> {
    ++calls;
    if (what == "handler") {
      throw nexus::HandlerError(nexus::HandlerErrorType::kUnauthorized, "not you",
                                nexus::RetryBehavior::kUnspecified,
                                std::make_exception_ptr(std::runtime_error("no key")));
    }
    if (what == "override") {
      throw nexus::HandlerError(nexus::HandlerErrorType::kUnavailable, "never again",
                                nexus::RetryBehavior::kNonRetryable);
    }
    throw ApplicationError("broke", {.type = "Broke", .non_retryable = true});
  });
  serve();
  const auto outcome = [&](const std::string& what) {
    return call([what](const std::string& endpoint) { return review(endpoint, what); });
  };
  const std::string refused = outcome("handler");
  EXPECT_THAT(refused, HasSubstr("nexus::HandlerError UNAUTHORIZED"));
  EXPECT_THAT(refused, HasSubstr("not you"));
  EXPECT_THAT(refused, HasSubstr("no key"));
  EXPECT_THAT(outcome("override"), HasSubstr("nexus::HandlerError UNAVAILABLE"));
  const std::string application = outcome("application");
  EXPECT_THAT(application, HasSubstr("nexus::HandlerError INTERNAL"));
  EXPECT_THAT(application, HasSubstr("broke"));
  EXPECT_EQ(calls, 3);
}

// Whatever it is, the server asks again.
TEST_P(NexusLive, WhatAHandlerThrowsIsTriedAgain) {
  std::mutex mutex;
  std::map<std::string, int> tries;
  bank.handle<&Bank::review>([&](const std::string& what) -> nexus::StartResult<std::string> {
    {
      const std::lock_guard lock(mutex);
      if (++tries[what] > 1) return "at last";
    }
    if (what == "exception") throw std::runtime_error("oh");
    if (what == "number") throw 42;
    throw nexus::HandlerError(nexus::HandlerErrorType::kUnavailable, "later");
  });
  serve();
  EXPECT_EQ(call([](const std::string& endpoint) {
              std::vector<workflow::Task<std::string>> all;
              for (const char* what : {"exception", "number", "handler"})
                all.push_back(workflow::spawn([=] { return review(endpoint, what); }));
              std::string out;
              for (auto& each : all) out += each.get() + ".";
              return out;
            }),
            "at last.at last.at last.");
}

TEST_P(NexusLive, WhatNobodyHandlesAndNobodyCanReadIsRefused) {
  serve();
  EXPECT_THAT(call([](const std::string& endpoint) {
                return workflow::execute_nexus_operation<std::string>(endpoint, "Bank", "steal",
                                                                      kSoon);
              }),
              HasSubstr("nexus::HandlerError NOT_FOUND"));
  EXPECT_THAT(call([](const std::string& endpoint) {
                return workflow::execute_nexus_operation<std::string>(endpoint, "Shop", "pay",
                                                                      kSoon);
              }),
              HasSubstr("nexus::HandlerError NOT_FOUND"));
  EXPECT_THAT(call([](const std::string& endpoint) {
                return workflow::execute_nexus_operation<std::string>(endpoint, "Bank", "pay",
                                                                      kSoon, "five");
              }),
              HasSubstr("nexus::HandlerError BAD_REQUEST"));
}

TEST_P(NexusLive, AResultThatCannotBeWrittenIsTriedAgainUntilTheTimeout) {
  std::atomic<int> calls = 0;
  bank.handle<&Bank::broken>([&] {
    ++calls;
    return Broken();
  });
  serve();
  EXPECT_THAT(call([](const std::string& endpoint) {
                workflow::execute_nexus_operation<&Bank::broken>(endpoint,
                                                                 {.schedule_to_close_timeout = 4s});
                return std::string("answered");
              }),
              HasSubstr("TimeoutError"));
  EXPECT_GE(calls, 2);
}

TEST_P(NexusLive, AnOperationThatGoesOnTimesOut) {
  serve();
  const std::string error = call([](const std::string& endpoint) {
    return review(endpoint, "for ever", {.schedule_to_close_timeout = 2s});
  });
  EXPECT_THAT(error, HasSubstr("NexusOperationError"));
  EXPECT_THAT(error, HasSubstr("TimeoutError"));
}

// --- Cancellation ---

// What ended the operation, cancelled when `when` has passed.
std::string cancelled_after(const std::string& endpoint, Type type,
                            const std::function<void()>& when) {
  workflow::CancellationScope scope;
  const auto cancels = workflow::spawn([&] {
    when();
    scope.cancel();
  });
  try {
    return scope.run([&] {
      return workflow::execute_nexus_operation<&Bank::review>(
          endpoint, {.schedule_to_close_timeout = 30s, .cancellation_type = type}, "for ever");
    });
  } catch (const NexusOperationError& error) {
    return is_cancelled(error) ? "cancelled" : describe(error);
  }
}

constexpr Type kTypes[] = {Type::kWaitCancellationCompleted, Type::kWaitCancellationRequested,
                           Type::kTryCancel, Type::kAbandon};

TEST_P(NexusLive, OneThatIsCancelledAtOnceIsNeverScheduled) {
  serve();
  for (const Type type : kTypes) {
    const auto handle = begin(
        [type](const std::string& endpoint) { return cancelled_after(endpoint, type, [] {}); });
    EXPECT_EQ(handle.result(), "cancelled");
    EXPECT_EQ(count_events(handle.fetch_history(), "NEXUS_OPERATION_SCHEDULED"), 0);
  }
}

// The handler is asked, and answers once the caller has cancelled.
TEST_P(NexusLive, ACancellationBeforeTheStartIsWhatItsTypeSays) {
  for (const Type type : kTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    std::promise<void> asked, release;
    std::atomic<int> calls = 0;
    const std::shared_future<void> released = release.get_future().share();
    const std::string id = absl::StrCat(queue(), "-", static_cast<int>(type));
    nexus::Service<Bank> service;
    service.handle<&Bank::review>([&](const std::string& what) {
      if (++calls == 1) asked.set_value();
      released.wait();
      return nexus::start_workflow<kReviews>({.id = id, .execution_timeout = 60s}, what);
    });
    service.handle<&Bank::pay>([](int) { return ""; });
    service.handle<&Bank::audit>([](const std::string&) {});
    service.handle<&Bank::broken>([] { return Broken(); });
    Worker worker(client(), {.task_queue = queue(), .max_cached_workflows = GetParam()});
    worker.add(kCallsBank).add(kReviews).add(service);
    worker.start();
    const auto handle = begin([type](const std::string& endpoint) {
      return cancelled_after(endpoint, type, [] { workflow::sleep(100ms); });
    });
    asked.get_future().wait();
    const bool waits =
        type == Type::kWaitCancellationCompleted || type == Type::kWaitCancellationRequested;
    if (waits) {
      eventually(
          [&] {
            return count_events(handle.fetch_history(), "NEXUS_OPERATION_CANCEL_REQUESTED") == 1;
          },
          "the cancellation is asked for");
      release.set_value();
      EXPECT_EQ(handle.result(), "cancelled");
    } else {
      EXPECT_EQ(handle.result(), "cancelled");
      release.set_value();
    }
    EXPECT_EQ(count_events(handle.fetch_history(), "NEXUS_OPERATION_CANCEL_REQUESTED"),
              type == Type::kAbandon ? 0 : 1);
    if (type == Type::kWaitCancellationCompleted) {
      EXPECT_EQ(count_events(handle.fetch_history(), "NEXUS_OPERATION_CANCELED"), 1);
    }
  }
  registry().add(kCallsBank).add(kReviews);  // For the replay.
}

TEST_P(NexusLive, ACancellationAfterTheStartReachesTheWorkflow) {
  std::atomic<int> reviews = 0;
  bank.handle<&Bank::review>([&](const std::string& what) {
    return nexus::start_workflow<kReviews>(
        {.id = absl::StrCat(queue(), "-r", ++reviews), .execution_timeout = 60s}, what);
  });
  serve();
  for (const Type type : kTypes) {
    SCOPED_TRACE(static_cast<int>(type));
    const auto handle = begin([type](const std::string& endpoint) {
      workflow::CancellationScope scope;
      try {
        return scope.run([&] {
          auto operation = workflow::start_nexus_operation<&Bank::review>(
              endpoint, {.schedule_to_close_timeout = 30s, .cancellation_type = type}, "for ever");
          scope.cancel();
          return operation.get();
        });
      } catch (const NexusOperationError& error) {
        return is_cancelled(error) ? "cancelled" : describe(error);
      }
    });
    EXPECT_EQ(handle.result(), "cancelled");
    const std::string history = handle.fetch_history();
    EXPECT_EQ(count_events(history, "NEXUS_OPERATION_CANCEL_REQUESTED"),
              type == Type::kAbandon ? 0 : 1);
    if (type == Type::kWaitCancellationCompleted) {
      EXPECT_EQ(count_events(history, "NEXUS_OPERATION_CANCELED"), 1);
    }
    if (type == Type::kWaitCancellationRequested) {  // Or its end, which may come first.
      EXPECT_GE(count_events(history, "NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED") +
                    count_events(history, "NEXUS_OPERATION_CANCELED"),
                1);
    }
    if (type == Type::kAbandon || type == Type::kTryCancel) continue;
    const auto ended =
        client().get_workflow_handle<std::string>(absl::StrCat(queue(), "-r", reviews.load()));
    EXPECT_TRUE(is_cancelled(*failure_of(ended).cause()));
  }
}

// Its token is the handler's own, and so is what cancels it.
TEST_P(NexusLive, AnOperationOfOnesOwnIsCancelledByItsToken) {
  std::promise<std::string> ended;
  bank.handle<&Bank::audit>(
      [](const std::string& what) { return nexus::AsyncOperation<void>{"token of " + what}; },
      [&](const std::string& token) { ended.set_value(token); });
  serve();
  EXPECT_EQ(call([](const std::string& endpoint) {
              auto handle = workflow::start_nexus_operation<&Bank::audit>(
                  endpoint,
                  {.schedule_to_close_timeout = 30s,
                   .cancellation_type = Type::kWaitCancellationRequested},
                  "it");
              handle.cancel();
              try {
                handle.get();
                return std::string("went on");
              } catch (const NexusOperationError& error) {
                return handle.operation_token() + (is_cancelled(error) ? ", cancelled" : "");
              }
            }),
            "token of it, cancelled");
  EXPECT_EQ(ended.get_future().get(), "token of it");
}

// --- Workers ---

TEST_P(NexusLive, HandlersUnderWayEndBeforeTheirWorker) {
  worker_options().graceful_shutdown_timeout = 20s;
  std::promise<void> asked;
  std::atomic<int> calls = 0;
  bank.handle<&Bank::pay>([&](int) -> std::string {
    if (++calls == 1) asked.set_value();
    return nexus::wait_for_worker_shutdown(8s) ? "ended in time" : "not told";
  });
  serve();
  const auto handle = begin([](const std::string& endpoint) {
    return workflow::execute_nexus_operation<&Bank::pay>(endpoint, kSoon, 1);
  });
  asked.get_future().wait();
  stop_worker();
  start_worker();
  EXPECT_EQ(handle.result(), "ended in time");  // The server may have asked twice.
}

TEST_P(NexusLive, AnotherWorkerDoesWhatOneThatEndsHasNotDone) {
  std::promise<void> asked;
  std::atomic<int> calls = 0;
  bank.handle<&Bank::pay>([&](int) -> std::string {
    if (++calls > 1) return "by the other";
    asked.set_value();
    nexus::wait_for_cancelled(8s);
    nexus::throw_if_cancelled();
    return "not told";
  });
  serve();
  const auto handle = begin([](const std::string& endpoint) {
    return workflow::execute_nexus_operation<&Bank::pay>(endpoint, kSoon, 1);
  });
  asked.get_future().wait();
  stop_worker();
  start_worker();
  EXPECT_EQ(handle.result(), "by the other");
}

TEST_P(NexusLive, HandlersKnowTheirRequest) {
  nexus::Info info;
  bank.handle<&Bank::pay>([&](int) {
    info = nexus::info();
    nexus::logger().info("asked");
    nexus::metric_meter().create_counter("asked").add(1);
    return nexus::client().namespace_();
  });
  serve();
  EXPECT_EQ(call([](const std::string& endpoint) {
              return workflow::execute_nexus_operation<&Bank::pay>(
                  endpoint, {.schedule_to_close_timeout = 20s, .headers = {{"Tenant", "blue"}}}, 1);
            }),
            "default");
  EXPECT_EQ(info.task_queue, queue());
  EXPECT_EQ(info.service, "Bank");
  EXPECT_EQ(info.operation, "pay");
  EXPECT_EQ(info.headers.at("tenant"), "blue");
  EXPECT_FALSE(info.request_id.empty());
  EXPECT_FALSE(info.callback_url.empty());
  EXPECT_TRUE(info.deadline);
  ASSERT_EQ(info.links.size(), 1u);
  EXPECT_THAT(info.links[0].url, HasSubstr("eventType=NexusOperationScheduled"));
}

TEST_P(NexusLive, ValuesPassTheCodecOnBothSides) {
  client_options().payload_codec = aes_gcm_codec("k", {{"k", std::string(32, 'x')}});
  serve();
  const auto handle = begin([](const std::string& endpoint) {
    return workflow::execute_nexus_operation<&Bank::pay>(endpoint, kSoon, 5) + ", " +
           review(endpoint, "it");
  });
  EXPECT_EQ(handle.result(), "paid 5, reviewed it");
  EXPECT_THAT(handle.fetch_history(), testing::Not(HasSubstr("cGFpZCA1")));  // "paid 5"
}

}  // namespace nexus_test
}  // namespace chimera::live
