// The client: its connection, and its calls on their way into the chain of interceptors.
#include "chimera/client.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "core/rpc/headers.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/codec.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/runtime.h"
#include "sdk-cpp/src/storage/storing_connection.h"
#include "sdk-cpp/src/user_links.h"
#include "sdk-cpp/src/version.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace detail {

ClientState::ClientState() : ClientState(nullptr, {}) {}
ClientState::ClientState(std::shared_ptr<ClientState> plain, const RpcOptions& rpc)
    : plain_(std::move(plain)), rpc_(rpc), calls_(std::make_unique<sdk::ClientCalls>(*this)) {
  if (plain_ == nullptr) {
    intercept({});
    return;
  }
  runtime = plain_->runtime;
  connection = plain_->connection;
  namespace_ = plain_->namespace_;
  codec = plain_->codec;
  query_reject_condition = plain_->query_reject_condition;
  intercept(plain_->interceptors_);
  if (plain_->user_links_ != nullptr) user_outbound_ = plain_->user_links_->enter(*this);
}
ClientState::~ClientState() = default;

std::shared_ptr<ClientState> ClientState::plain() {
  return plain_ == nullptr ? shared_from_this() : plain_;
}

void ClientState::intercept(const sdk::ClientInterceptors& interceptors) {
  interceptors_ = interceptors;
  outbound_ = std::make_unique<sdk::Chain<sdk::ClientOutbound>>(interceptors, *calls_);
}

void ClientState::use(const Interceptors& interceptors) {
  user_interceptors_ = interceptors;
  user_outbound_ = nullptr;
  user_links_ = std::make_unique<sdk::UserClientLinks>(interceptors, *this);
  if (user_links_->empty()) {
    user_links_ = nullptr;
  } else {
    user_outbound_ = user_links_->enter(*this);
  }
}

const Interceptors& ClientState::user_interceptors() const {
  return plain_ == nullptr ? user_interceptors_ : plain_->user_interceptors_;
}

Patience ClientState::patience() const {
  // What ends in a hundred years does not end; the longest timeouts would be in the past.
  if (rpc_.timeout.count() == 0 || rpc_.timeout > std::chrono::years(100)) return {};
  return {std::chrono::steady_clock::now() + rpc_.timeout};
}

core::CallOptions ClientState::call_options() const {
  core::CallOptions options{.namespace_ = namespace_};
  if (!rpc_.retry) options.retry = core::RetryClass::kNone;
  options.metadata.assign(rpc_.metadata.begin(), rpc_.metadata.end());
  options.deadline = patience().until;
  return options;
}

absl::Status ClientState::call(std::string_view method,
                               const google::protobuf::MessageLite& request,
                               google::protobuf::MessageLite& response,
                               std::chrono::milliseconds timeout, const Patience* patience,
                               Values values) {
  sdk::refuse_in_workflow("a method of chimera::Client");
  core::CallOptions options = call_options();
  if (timeout.count() > 0) options.timeout = timeout;
  if (patience != nullptr) options.deadline = patience->until;
  options.values_as_they_are = values == Values::kAsTheyAre;
  return connection->call_blocking(method, request, response, std::move(options));
}

void ClientState::must(std::string_view doing, std::string_view method,
                       const google::protobuf::MessageLite& request,
                       google::protobuf::MessageLite& response, std::chrono::milliseconds timeout,
                       const Patience* patience, Values values) {
  const absl::Status status = call(method, request, response, timeout, patience, values);
  if (!status.ok()) sdk::throw_rpc(status, doing);
}

ClientPtr with_rpc(const ClientPtr& client, const RpcOptions& options) {
  sdk::check_metadata(options.metadata, "RpcOptions::metadata");
  // Nanoseconds cannot hold the longest.
  if (options.timeout < std::chrono::milliseconds::zero())
    sdk::checked(options.timeout, "RpcOptions::timeout");
  return std::make_shared<ClientState>(client->plain(), options);
}
ClientPtr without_rpc(const ClientPtr& client) { return client->plain(); }

}  // namespace detail

detail::ClientPtr sdk::client_of(std::shared_ptr<core::Connection> connection,
                                 std::string namespace_, Codec codec) {
  auto client = std::make_shared<detail::ClientState>();
  client->connection = std::move(connection);
  client->namespace_ = std::move(namespace_);
  client->codec = std::move(codec);
  return client;
}

namespace detail {

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

PagedRange<WorkflowHistoryEvent> fetch_history_events(ClientState& client, const Target& target,
                                                      const FetchHistoryOptions& options) {
  return client.outbound().fetch_history_events({target, options});
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

void check_metadata(const std::map<std::string, std::string>& metadata, std::string_view what) {
  const absl::Status status = core::check_metadata({metadata.begin(), metadata.end()});
  if (!status.ok())
    throw std::invalid_argument(
        absl::StrCat(std::string(what), ": ", std::string(status.message())));
}

detail::ClientPtr open_client(const ClientOptions& options,
                              std::shared_ptr<base::Transport> transport) {
  sdk::check_interceptors(options.interceptors, "ClientOptions::interceptors");
  const auto store = PayloadStore::make(options.external_storage, to_core(options.payload_codec),
                                        "ClientOptions::external_storage");
  core::ConnectionOptions connection{.target_host = options.target_host,
                                     .client_name = sdk::kSdkName,
                                     .client_version = sdk::kSdkVersion,
                                     .identity = options.identity,
                                     .api_key = options.api_key,
                                     .connect_timeout = options.connect_timeout};
  if (options.tls) {
    connection.tls =
        core::TlsOptions{.server_root_ca_cert = options.tls->server_root_ca_cert,
                         .client_cert = options.tls->client_cert,
                         .client_private_key = options.tls->client_private_key,
                         .domain = options.tls->domain,
                         .verification_server_name = options.tls->verification_server_name,
                         .server_root_ca_cert_file = options.tls->server_root_ca_cert_file,
                         .client_cert_file = options.tls->client_cert_file,
                         .client_private_key_file = options.tls->client_private_key_file,
                         .reload_interval = options.tls->reload_interval};
  }
  connection.tls_disabled = options.tls_disabled;
  connection.keep_alive.reset();
  if (options.keep_alive)
    connection.keep_alive = {options.keep_alive->interval, options.keep_alive->timeout};
  if (const auto& proxy = options.http_connect_proxy)
    connection.http_connect_proxy = {proxy->target_host, proxy->user, proxy->password};
  connection.retry = {.initial_interval = options.retry.initial_interval,
                      .randomization_factor = options.retry.randomization_factor,
                      .multiplier = options.retry.multiplier,
                      .max_interval = options.retry.max_interval,
                      .max_elapsed_time = options.retry.max_elapsed_time,
                      .max_retries = options.retry.max_retries};
  if (options.runtime) connection.metrics = options.runtime->state().metrics;
  connection.payload_warnings = {.memo_bytes = options.payload_limits.memo_warning_bytes,
                                 .payload_bytes = options.payload_limits.payload_warning_bytes};
  connection.metadata.assign(options.rpc_metadata.begin(), options.rpc_metadata.end());
  connection.transport = std::move(transport);
  auto connected = core::Connection::connect(std::move(connection));
  if (!connected.ok()) {
    throw sdk::rpc_error(connected.status(), std::string(connected.status().message()));
  }
  auto state = std::make_shared<detail::ClientState>();
  state->runtime = options.runtime;
  state->connection = *std::move(connected);
  if (store != nullptr) state->connection = storing_connection(state->connection, store);
  state->namespace_ = options.namespace_;
  auto payloads = sdk::to_core(options.payload_codec);
  if (options.encode_common_attributes)
    payloads = core::encoding_common_attributes(std::move(payloads));
  state->codec = {std::move(payloads), options.failure_converter};
  state->query_reject_condition = static_cast<int>(options.default_workflow_query_reject_condition);
  state->use(options.interceptors);
  return state;
}

}  // namespace sdk

Client Client::connect(const ClientOptions& options) {
  sdk::refuse_in_workflow("chimera::Client::connect");
  return Client(sdk::open_client(options, nullptr));
}

PagedRange<WorkflowExecution> Client::list_workflows(const std::string& query,
                                                     const ListOptions& options) const {
  return state_->outbound().list_workflows({query, options});
}

WorkflowCount Client::count_workflows(const std::string& query) const {
  return state_->outbound().count_workflows({query});
}

void Client::update_api_key(const std::string& key) const {
  sdk::check_metadata({{"authorization", "Bearer " + key}}, "Client::update_api_key()");
  state_->connection->set_api_key(key);
}

void Client::update_rpc_metadata(const std::map<std::string, std::string>& metadata) const {
  sdk::check_metadata(metadata, "Client::update_rpc_metadata()");
  state_->connection->set_metadata({metadata.begin(), metadata.end()});
}

const std::string& Client::identity() const { return state_->connection->options().identity; }
const std::string& Client::namespace_() const { return state_->namespace_; }

}  // namespace chimera
