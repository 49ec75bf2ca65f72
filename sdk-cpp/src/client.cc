// The client: its connection, and its calls on their way into the chain of interceptors.
#include "chimera/client.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/codec.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/runtime.h"
#include "sdk-cpp/src/version.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace detail {

ClientState::ClientState() : calls_(std::make_unique<sdk::ClientCalls>(*this)) { intercept({}); }
ClientState::~ClientState() = default;

void ClientState::intercept(const sdk::ClientInterceptors& interceptors) {
  outbound_ = std::make_unique<sdk::Chain<sdk::ClientOutbound>>(interceptors, *calls_);
}

absl::Status ClientState::call(std::string_view method,
                               const google::protobuf::MessageLite& request,
                               google::protobuf::MessageLite& response,
                               std::chrono::milliseconds timeout) {
  sdk::refuse_in_workflow("a method of chimera::Client");
  core::CallOptions options{.namespace_ = namespace_};
  if (timeout.count() > 0) options.timeout = timeout;
  return connection->call_blocking(method, request, response, std::move(options));
}

void ClientState::must(std::string_view doing, std::string_view method,
                       const google::protobuf::MessageLite& request,
                       google::protobuf::MessageLite& response, std::chrono::milliseconds timeout) {
  const absl::Status status = call(method, request, response, timeout);
  if (!status.ok()) sdk::throw_rpc(status, doing);
}

Target start(ClientState& client, std::string_view type, const WorkflowOptions& options,
             Arguments arguments) {
  sdk::StartWorkflowInput input{.type = type, .options = options, .arguments = arguments};
  return client.outbound().start_workflow(input);
}

Target signal_with_start(ClientState& client, std::string_view type, const WorkflowOptions& options,
                         Arguments arguments, std::string_view signal, Arguments signal_arguments) {
  sdk::StartWorkflowInput input{.type = type,
                                .options = options,
                                .arguments = arguments,
                                .signal = signal,
                                .signal_arguments = signal_arguments};
  return client.outbound().start_workflow(input);
}

Answer result(ClientState& client, const Target& target, bool follow_runs) {
  return client.outbound().result({target, follow_runs});
}

void signal(ClientState& client, const Target& target, std::string_view name, Arguments arguments) {
  sdk::SignalInput input{target, name, arguments};
  client.outbound().signal(input);
}

Answer query(ClientState& client, const Target& target, std::string_view name,
             const QueryOptions& options, Arguments arguments) {
  sdk::QueryInput input{target, name, options, arguments};
  return client.outbound().query(input);
}

StartedUpdate start_update(ClientState& client, const Target& target, std::string_view name,
                           const UpdateOptions& options, UpdateStage until, Arguments arguments) {
  sdk::UpdateInput input{name, options, until, arguments};
  return client.outbound().start_update(target, input);
}

StartedUpdate update_with_start(ClientState& client, std::string_view type,
                                const WorkflowOptions& options, Arguments arguments,
                                const UpdateToStartWith& update, Target& target) {
  sdk::StartWorkflowInput start{.type = type, .options = options, .arguments = arguments};
  sdk::UpdateInput input{update.name, update.options, update.until, update.arguments};
  return client.outbound().update_with_start(start, input, target);
}

Answer update_result(ClientState& client, const Target& target, const std::string& update_id) {
  return client.outbound().update_result({target, update_id});
}

void cancel(ClientState& client, const Target& target, const CancelOptions& options) {
  client.outbound().cancel({target, options});
}

void terminate(ClientState& client, const Target& target, const std::string& reason,
               Arguments details) {
  client.outbound().terminate({target, reason, details});
}

WorkflowExecution describe(ClientState& client, const Target& target) {
  return client.outbound().describe({target});
}

std::string fetch_history(ClientState& client, const Target& target) {
  return client.outbound().fetch_history({target});
}

WorkflowExecutionOptions update_options(ClientState& client, const Target& target,
                                        const WorkflowExecutionOptionsUpdate& update) {
  return client.outbound().update_options({target, update});
}

}  // namespace detail

WorkflowQueryRejectedError::WorkflowQueryRejectedError(WorkflowExecutionStatus status)
    : TemporalError(
          absl::StrCat("the query was rejected: the workflow's status is ",
                       api::enums::v1::WorkflowExecutionStatus_Name(
                           static_cast<api::enums::v1::WorkflowExecutionStatus>(status)))),
      status_(status) {}

namespace sdk {

detail::ClientPtr open_client(const ClientOptions& options,
                              std::shared_ptr<base::Transport> transport) {
  core::ConnectionOptions connection{.target_host = options.target_host,
                                     .client_name = sdk::kSdkName,
                                     .client_version = sdk::kSdkVersion,
                                     .identity = options.identity,
                                     .api_key = options.api_key,
                                     .connect_timeout = options.connect_timeout};
  if (options.tls) {
    connection.tls = core::TlsOptions{.server_root_ca_cert = options.tls->server_root_ca_cert,
                                      .client_cert = options.tls->client_cert,
                                      .client_private_key = options.tls->client_private_key,
                                      .domain = options.tls->domain};
  }
  if (options.runtime) connection.metrics = options.runtime->state().metrics;
  connection.metadata.assign(options.rpc_metadata.begin(), options.rpc_metadata.end());
  connection.transport = std::move(transport);
  auto connected = core::Connection::connect(std::move(connection));
  if (!connected.ok()) {
    throw RpcError(static_cast<int>(connected.status().code()),
                   std::string(connected.status().message()));
  }
  auto state = std::make_shared<detail::ClientState>();
  state->runtime = options.runtime;
  state->connection = *std::move(connected);
  state->namespace_ = options.namespace_;
  state->codec = sdk::to_core(options.payload_codec);
  state->query_reject_condition = static_cast<int>(options.default_workflow_query_reject_condition);
  if (options.encode_common_attributes) {
    state->codec = core::encoding_common_attributes(std::move(state->codec));
  }
  return state;
}

}  // namespace sdk

Client Client::connect(const ClientOptions& options) {
  sdk::refuse_in_workflow("chimera::Client::connect");
  return Client(sdk::open_client(options, nullptr));
}

std::vector<WorkflowExecution> Client::list_workflows(const std::string& query, std::size_t limit) {
  return state_->outbound().list_workflows({query, limit});
}

void Client::complete(const std::string& task_token, detail::Arguments result) {
  state_->outbound().complete_activity({task_token, result});
}

void Client::fail_activity(const std::string& task_token, const FailureError& error) {
  state_->outbound().fail_activity({task_token, error});
}

activity::CancellationDetails Client::heartbeat(const std::string& task_token,
                                                detail::Arguments details) {
  return state_->outbound().heartbeat_activity({task_token, details});
}

void Client::report_cancellation(const std::string& task_token, detail::Arguments details) {
  state_->outbound().report_activity_cancellation({task_token, details});
}

const std::string& Client::identity() const { return state_->connection->options().identity; }
const std::string& Client::namespace_() const { return state_->namespace_; }

}  // namespace chimera
