// A worker with Nexus services and nothing else.
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/telemetry/metrics.h"
#include "core/worker/nexus_rpc.h"
#include "core/worker/worker.h"
#include "tests/support/scripted_server.h"

namespace chimera::core {
namespace {

namespace enums = api::enums::v1;
namespace wf = api::workflowservice::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScriptedServer;

// What a handler does is a function of the test's.
class TinyServices : public NexusLanguage {
 public:
  std::string name() const override { return "C++"; }
  void start(NexusTask task) override { code(std::move(task)); }
  void cancel(const std::string&, NexusCancelReason) override {}
  std::function<void(NexusTask)> code = [](NexusTask task) {
    NexusResult::Completed completed;
    completed.response.mutable_start_operation()
        ->mutable_sync_success()
        ->mutable_payload()
        ->set_data("receipt");
    task.handle->complete({std::move(completed)});
  };
};

class NexusWorkerTest : public ::testing::Test {
 protected:
  NexusWorkerTest() {
    const auto empty = [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); };
    server_->always("GetSystemInfo", empty);
    server_->always("DescribeNamespace", [this](ScriptedServer::Call& call) {
      wf::DescribeNamespaceResponse reply;
      reply.mutable_namespace_info()->mutable_limits()->set_blob_size_limit_error(value_max_);
      call.answer(reply);
    });
    ConnectionOptions connection;
    connection.transport = server_;
    connection.identity = "me";
    connection.metrics = metrics_;
    connection_ = *Connection::connect(std::move(connection));
  }
  ~NexusWorkerTest() override {
    if (!worker_) return;
    worker_->initiate_shutdown();
    goodbye_ = server_->next("ShutdownWorker");
    server_->always("ShutdownWorker",
                    [](ScriptedServer::Call& call) { call.finish(absl::OkStatus()); });
    auto request = goodbye_->as<wf::ShutdownWorkerRequest>();
    EXPECT_THAT(request.task_queue_types(), ElementsAre(enums::TASK_QUEUE_TYPE_NEXUS));
    goodbye_->finish(absl::OkStatus());
    EXPECT_TRUE(worker_->wait().ok());
  }

  void start() {
    worker_ = *Worker::create(connection_, {.task_queue = "orders"});
    ASSERT_TRUE(worker_->add_nexus_service("Payments", services_).ok());
    ASSERT_TRUE(worker_->start().ok());
  }
  void give(bool knows_failures = true) {
    wf::PollNexusTaskQueueResponse task;
    task.set_task_token("token");
    auto& request = *task.mutable_request();
    request.mutable_capabilities()->set_temporal_failure_responses(knows_failures);
    request.mutable_start_operation()->set_service("Payments");
    request.mutable_start_operation()->set_operation("charge");
    auto poll = server_->next("PollNexusTaskQueue");
    ASSERT_NE(poll, nullptr);
    const auto asked = poll->as<wf::PollNexusTaskQueueRequest>();
    EXPECT_EQ(asked.task_queue().name(), "orders");
    EXPECT_EQ(asked.identity(), "me");
    poll->answer(task);
  }
  static void fail(NexusTask task) {
    NexusResult::Failed failed;
    failed.failure.set_message("no money");
    failed.failure.set_stack_trace("at bank");
    auto& info = *failed.failure.mutable_nexus_handler_failure_info();
    info.set_type("UNAVAILABLE");
    info.set_retry_behavior(enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE);
    task.handle->complete({std::move(failed)});
  }
  wf::RespondNexusTaskFailedRequest failure() {
    auto failed = server_->next("RespondNexusTaskFailed");
    EXPECT_NE(failed, nullptr);
    if (!failed) return {};
    failed->finish(absl::OkStatus());
    return failed->as<wf::RespondNexusTaskFailedRequest>();
  }

  std::int64_t value_max_ = 1000;
  std::shared_ptr<ScriptedServer> server_ = std::make_shared<ScriptedServer>();
  std::shared_ptr<Metrics> metrics_ = std::make_shared<Metrics>();
  std::shared_ptr<Connection> connection_;
  ScriptedServer::CallPtr goodbye_;
  TinyServices services_;
  std::unique_ptr<Worker> worker_;  // Ends before what it borrows.
};

TEST_F(NexusWorkerTest, AnswersARequest) {
  start();
  give();
  auto answer = server_->next("RespondNexusTaskCompleted");
  ASSERT_NE(answer, nullptr);
  const auto request = answer->as<wf::RespondNexusTaskCompletedRequest>();
  EXPECT_EQ(request.task_token(), "token");
  EXPECT_EQ(request.response().start_operation().sync_success().payload().data(), "receipt");
  answer->finish(absl::OkStatus());
  const std::string text = metrics_->prometheus_text();
  for (const char* name : {"temporal_nexus_task_execution_latency_count{",
                           "worker_type=\"NexusWorker\"", "poller_type=\"nexus_task\""})
    EXPECT_THAT(text, HasSubstr(name));
}

TEST_F(NexusWorkerTest, AFailureGoesInTheFormThatTheCallerReads) {
  services_.code = fail;
  start();
  give(/*knows_failures=*/true);
  EXPECT_EQ(failure().failure().nexus_handler_failure_info().type(), "UNAVAILABLE");
  give(/*knows_failures=*/false);
  const auto request = failure();
  EXPECT_FALSE(request.has_failure());
  EXPECT_EQ(request.error().error_type(), "UNAVAILABLE");
  EXPECT_EQ(request.error().retry_behavior(),
            enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE);
  const auto& inner = request.error().failure();
  EXPECT_EQ(inner.message(), "no money");
  EXPECT_EQ(inner.metadata().at("type"), "temporal.api.failure.v1.Failure");
  EXPECT_THAT(inner.details(), HasSubstr("\"stackTrace\":\"at bank\""));
  EXPECT_THAT(inner.details(), Not(HasSubstr("no money")));
}

TEST_F(NexusWorkerTest, AResultThatIsTooLargeFailsTheHandler) {
  value_max_ = 5;
  start();
  give();
  const auto failed = failure().failure();
  EXPECT_EQ(failed.nexus_handler_failure_info().retry_behavior(),
            enums::NEXUS_HANDLER_ERROR_RETRY_BEHAVIOR_NON_RETRYABLE);
  EXPECT_THAT(failed.message(), HasSubstr("5"));
}

TEST_F(NexusWorkerTest, AShutdownWaitsForHandlers) {
  std::shared_ptr<NexusHandle> handle;
  absl::Mutex mutex;
  services_.code = [&](NexusTask task) {
    absl::MutexLock lock(&mutex);
    handle = task.handle;
  };
  start();
  give();
  const auto came = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex) { return handle != nullptr; };
  {
    absl::MutexLock lock(&mutex);
    mutex.Await(absl::Condition(&came));
  }
  worker_->initiate_shutdown();
  const auto ended = std::make_shared<std::atomic<bool>>(false);
  worker_->when_ended([ended](const absl::Status&) { *ended = true; });
  EXPECT_FALSE(*ended);
  NexusResult::Completed completed;
  completed.response.mutable_start_operation()->mutable_async_success()->set_operation_token("t");
  handle->complete({std::move(completed)});
  auto answer = server_->next("RespondNexusTaskCompleted");
  ASSERT_NE(answer, nullptr);
  EXPECT_FALSE(*ended) << "the server does not have the answer yet";
  answer->finish(absl::OkStatus());
}

}  // namespace
}  // namespace chimera::core
