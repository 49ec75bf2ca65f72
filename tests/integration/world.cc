#include "tests/integration/world.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/runtime.h"

namespace chimera::integration {

namespace wf = api::workflowservice::v1;
namespace enums = api::enums::v1;

World::World(std::map<std::string, std::string> config)
    : queue(::testing::UnitTest::GetInstance()->current_test_info()->name()) {
  LoggingConfig logging{.level = LogLevel::kInfo, .forwarding = [this](const LogRecord& record) {
                          std::string line = absl::StrCat(record.logger, ": ", record.message);
                          for (const auto& [name, value] : record.fields)
                            absl::StrAppend(&line, " ", name, "=", value);
                          absl::MutexLock lock(&mutex_);
                          log_.push_back(std::move(line));
                        }};
  runtime_ = std::make_shared<const Runtime>(TelemetryConfig{
      .logging = std::move(logging), .metrics = PrometheusConfig{.bind_address = "127.0.0.1:0"}});
  server_ = *server::Server::start({.dynamic_config = std::move(config)});
  core::ConnectionOptions options;
  options.transport = server_->local_transport();
  options.metrics = runtime_->state().metrics;
  auto state = std::make_shared<detail::ClientState>();
  state->runtime = runtime_;
  state->connection = *core::Connection::connect(std::move(options));
  state->namespace_ = "default";
  client_ = Client(std::move(state));
}

World::~World() {
  client_ = Client(nullptr);
  core::set_log_sink(nullptr);
}

HistoryEvent World::wait_for(const std::string& id, enums::EventType type) {
  wf::GetWorkflowExecutionHistoryRequest request;
  request.set_namespace_("default");
  request.mutable_execution()->set_workflow_id(id);
  request.set_wait_new_event(true);
  do {
    wf::GetWorkflowExecutionHistoryResponse reply;
    absl::Status status = client_.state()->connection->call_blocking(
        CHIMERA_WORKFLOW_SERVICE(GetWorkflowExecutionHistory), request, reply);
    if (!status.ok()) {
      ADD_FAILURE() << status;
      return {};
    }
    for (const HistoryEvent& event : reply.history().events()) {
      if (event.event_type() == type) return event;
    }
    request.set_next_page_token(reply.next_page_token());
  } while (!request.next_page_token().empty());
  ADD_FAILURE() << id << " ended without " << enums::EventType_Name(type);
  return {};
}

std::string World::task_failure(const std::string& id) {
  HistoryEvent event = wait_for(id, enums::EVENT_TYPE_WORKFLOW_TASK_FAILED);
  auto handle = client_.get_workflow_handle<void>(id);
  EXPECT_EQ(handle.describe().status, WorkflowExecutionStatus::kRunning);
  handle.terminate("seen enough");
  return event.workflow_task_failed_event_attributes().failure().message();
}

std::vector<std::string> World::logged(const std::string& text) {
  std::vector<std::string> found;
  absl::MutexLock lock(&mutex_);
  for (const std::string& line : log_) {
    if (absl::StrContains(line, text)) found.push_back(line);
  }
  return found;
}

}  // namespace chimera::integration
