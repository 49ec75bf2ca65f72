// What a client connects with, and what its single calls may be given.
#ifndef CHIMERA_CLIENT_OPTIONS_H_
#define CHIMERA_CLIENT_OPTIONS_H_

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chimera/codec.h"
#include "chimera/external_storage.h"
#include "chimera/runtime.h"

namespace chimera {

class FailureConverter;  // failure_converter.h
class Interceptor;       // interceptor.h

struct TlsConfig {
  // PEM text. A domain overrides the name that is verified and sent as SNI.
  std::string server_root_ca_cert = {}, domain = {}, client_cert = {}, client_private_key = {};
  // Overrides only the name that is verified; needs server_root_ca_cert.
  std::string verification_server_name = {};
  // Instead of the texts, paths of files of them. Looked at so often: what has changed holds for
  // connections that are made from then on, and calls under way go on. Replace a certificate and
  // its key together, by a rename of their folder, say.
  std::string server_root_ca_cert_file = {}, client_cert_file = {}, client_private_key_file = {};
  std::chrono::seconds reload_interval{60};
};

// A silent connection is tried so often, and lost if there is no answer for so long.
struct KeepAliveConfig {
  std::chrono::milliseconds interval{30000}, timeout{15000};
};

// A proxy to reach the server through, by CONNECT. Targets that the variable no_proxy lists are
// reached without it.
struct HttpConnectProxyConfig {
  std::string target_host;               // HOST:PORT
  std::string user = {}, password = {};  // Basic authentication, unless both are empty.
};

// How calls are tried again that failed with what may pass, such as UNAVAILABLE.
struct RetryConfig {
  std::chrono::milliseconds initial_interval{100};
  double randomization_factor = 0.2;
  double multiplier = 1.7;
  std::chrono::milliseconds max_interval{5000};
  std::optional<std::chrono::milliseconds> max_elapsed_time = std::chrono::milliseconds(10000);
  int max_retries = 10;
};

// Sizes of what is sent, above which a warning is logged with what it is and how large; 0: none.
// Above the limits of the server, which it tells, the call, activity or workflow task fails.
struct PayloadLimits {
  std::size_t memo_warning_bytes = std::size_t{2} * 1024;
  std::size_t payload_warning_bytes = std::size_t{512} * 1024;
};

// When a query of a workflow that has ended is refused with WorkflowQueryRejectedError.
enum class QueryRejectCondition {
  kUnspecified = 0,  // The client's default; without one, kNone.
  kNone = 1,
  kNotOpen = 2,
  kNotCompletedCleanly = 3,
};

struct ClientOptions {
  std::string target_host = "localhost:7233";
  std::string namespace_ = "default";
  std::string api_key = {};
  std::optional<TlsConfig> tls = {};  // On when an API key is given, too,
  bool tls_disabled = false;          // unless it is off all the same.
  std::map<std::string, std::string> rpc_metadata = {};
  std::string identity = {};  // pid@host
  std::shared_ptr<const PayloadCodec> payload_codec = {};
  bool encode_common_attributes = false;  // Messages and stack traces of failures as payloads, too.
  std::shared_ptr<const FailureConverter> failure_converter = {};  // Null: as errors.h says.
  ExternalStorage external_storage = {};                           // No drivers: none.
  PayloadLimits payload_limits = {};
  std::chrono::milliseconds connect_timeout{10000};
  QueryRejectCondition default_workflow_query_reject_condition = QueryRejectCondition::kUnspecified;
  std::shared_ptr<const Runtime> runtime = {};  // Shared with the workers. Null: the process's.
  std::optional<KeepAliveConfig> keep_alive =
      KeepAliveConfig{};  // None: connections are not tried.
  std::optional<HttpConnectProxyConfig> http_connect_proxy = {};
  RetryConfig retry = {};
  // Around its calls, the first one outermost; its workers have them, too.
  std::vector<std::shared_ptr<Interceptor>> interceptors = {};
};

// Of single calls: client.with_rpc({.timeout = 2s}), handle.with_rpc(...).
struct RpcOptions {
  // Sent with the call. Wins over ClientOptions::rpc_metadata; names ending in "-bin" have bytes.
  std::map<std::string, std::string> metadata = {};
  // Until a call throws RpcError (kDeadlineExceeded, or what its last try failed with), whatever
  // was tried again meanwhile. What waits (a result, an update) waits so long in all; each page of
  // a list or history has it anew. Zero: 30 seconds a try, and no end where one waits.
  std::chrono::milliseconds timeout{0};
  bool retry = true;  // What may pass, such as UNAVAILABLE: up to 10 tries in 10 seconds.
};

namespace detail {

class ClientState;  // The connection, the namespace and the codec.
// Shared by clients, handles and workers. What it is moved from still has it, so that a client or
// handle that was moved is no trap.
class ClientPtr : public std::shared_ptr<ClientState> {
 public:
  using shared_ptr::shared_ptr;
  ClientPtr(std::shared_ptr<ClientState> state) : shared_ptr(std::move(state)) {}
  ClientPtr(const ClientPtr&) = default;
  ClientPtr& operator=(const ClientPtr&) = default;
  ~ClientPtr() = default;
};

// The same client, for calls with these options. Throws std::invalid_argument for metadata that
// cannot be sent, and a negative timeout.
ClientPtr with_rpc(const ClientPtr& client, const RpcOptions& options);
// The client without options of single calls: handles that it gives have none.
ClientPtr without_rpc(const ClientPtr& client);

}  // namespace detail
}  // namespace chimera

#endif  // CHIMERA_CLIENT_OPTIONS_H_
