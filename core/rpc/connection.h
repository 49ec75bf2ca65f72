// Connection, a client's way to a Temporal server: one channel (or a local transport), headers,
// retries, timeouts. Shared by clients and workers of any language. Any thread.
#ifndef CHIMERA_CORE_RPC_CONNECTION_H_
#define CHIMERA_CORE_RPC_CONNECTION_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"

#include "core/base/api.h"
#include "core/base/clock.h"
#include "core/base/transport.h"
#include "core/rpc/eager_starts.h"
#include "core/rpc/payload_warnings.h"

namespace chimera::core {

class Metrics;  // core/telemetry/metrics.h

struct TlsOptions {  // PEM text, not paths. Empty: the system's roots, no client certificate.
  std::string server_root_ca_cert, client_cert, client_private_key;
  std::string domain;  // Overrides the name that is verified and sent as SNI.
  // Overrides the name that is verified, not what is sent as SNI; needs server_root_ca_cert.
  std::string verification_server_name;
  // Instead of the texts, files of them, which are looked at so often; what has changed holds for
  // connections that are made from then on. Paths.
  std::string server_root_ca_cert_file, client_cert_file, client_private_key_file;
  std::chrono::seconds reload_interval{60};
  bool from_files() const {
    return !(server_root_ca_cert_file.empty() && client_cert_file.empty() &&
             client_private_key_file.empty());
  }
};

struct RetryOptions {  // Of normal calls, as sdk-core 1.35.
  std::chrono::milliseconds initial_interval{100};
  double randomization_factor = 0.2;
  double multiplier = 1.7;
  std::chrono::milliseconds max_interval{5000};
  std::optional<std::chrono::milliseconds> max_elapsed_time{10000};
  int max_retries = 10;
};

struct KeepAliveOptions {
  std::chrono::milliseconds interval{30000}, timeout{15000};
};

// Sent CONNECT with the target. Targets that the variable no_proxy lists are reached without it.
struct HttpConnectProxyOptions {
  std::string target_host;     // HOST:PORT
  std::string user, password;  // Basic authentication; none if both are empty.
};

struct ConnectionOptions {
  std::string target_host = "localhost:7233";  // HOST:PORT, no scheme.
  std::string client_name = "chimera-cpp", client_version;
  std::string identity;  // Default pid@hostname.
  std::optional<TlsOptions> tls;
  bool tls_disabled = false;  // Otherwise TLS is on when an API key is given.
  std::string api_key;
  base::RpcMetadata metadata;  // User headers for every call.
  RetryOptions retry;
  std::optional<KeepAliveOptions> keep_alive = KeepAliveOptions{};
  std::optional<HttpConnectProxyOptions> http_connect_proxy;
  bool gzip = true;
  std::chrono::milliseconds connect_timeout{10000};
  PayloadWarnings payload_warnings;
  // Instead of gRPC: an embedded server in this process. target_host is then only a name in
  // messages.
  std::shared_ptr<base::Transport> transport;
  // Where this connection and its workers count; calls under way hold it. Null: process_metrics().
  std::shared_ptr<Metrics> metrics;
};

enum class RetryClass {
  kNone,      // One try.
  kNormal,    // RetryOptions.
  kTaskPoll,  // No end; see tolerate_fatal_until.
};

struct CallOptions {
  RetryClass retry = RetryClass::kNormal;
  std::optional<std::chrono::milliseconds> timeout;  // Per try; default 30 s, long polls 70 s.
  // Of all tries together.
  std::optional<base::SteadyTime> deadline = {};
  base::RpcMetadata metadata;
  std::string namespace_;  // Header temporal-namespace; empty leaves it out.
  // Task polls: until then, codes that are otherwise final are tried again.
  base::SteadyTime tolerate_fatal_until{};
  // Each failure after which the call is tried again; on a transport's thread. May be empty.
  std::function<void(const absl::Status&)> on_retry = {};
  // Of a connection that stores values: what the server takes of one (0: it does not say), and
  // whether they travel as they are all the same.
  std::size_t value_bytes_max = 0;
  bool values_as_they_are = false;
};

// The payloads of a failed call's status, where it was not sent: what it holds could not be stored,
// or is larger than the server takes.
inline constexpr char kNotStored[] = "chimera/not-stored";
inline constexpr char kTooLarge[] = "chimera/too-large";

class Connection {
 public:
  // Blocks until GetSystemInfo has answered or connect_timeout has passed. The error says what was
  // tried, where, and what to check (unreachable, refused credentials, TLS).
  static absl::StatusOr<std::shared_ptr<Connection>> connect(ConnectionOptions options);
  virtual ~Connection() = default;

  // Method is the RPC's full path, in static storage. The reply is written to `response`, which
  // like `request` must live until `done`.
  virtual std::shared_ptr<base::RpcInFlight> call(
      std::string_view method,
      std::variant<const google::protobuf::MessageLite*, std::string> request,
      std::variant<google::protobuf::MessageLite*, std::string*> response, CallOptions options,
      absl::AnyInvocable<void(absl::Status) &&> done) = 0;

  // The same, blocking. Not from a transport, lane or loop thread.
  absl::Status call_blocking(std::string_view method, const google::protobuf::MessageLite& request,
                             google::protobuf::MessageLite& response, CallOptions options = {});

  virtual const ConnectionOptions& options() const = 0;  // identity and client_name filled in.
  virtual const api::workflowservice::v1::GetSystemInfoResponse::Capabilities& capabilities()
      const = 0;
  // Of the workers on this connection. Never null.
  virtual std::shared_ptr<EagerStarts> eager_starts() = 0;
  virtual void set_api_key(std::string key) = 0;
  // False while calls find no server: tries that go on fail at least so often.
  virtual bool reachable() const { return true; }
  // Whether it keeps large values elsewhere: sizes count only after that, so it measures itself.
  virtual bool stores_values() const { return false; }
  virtual void set_metadata(base::RpcMetadata metadata) = 0;
  virtual void set_client_name(std::string name, std::string version) = 0;
};

// "/temporal.api.workflowservice.v1.WorkflowService/" + name, as a literal.
#define CHIMERA_WORKFLOW_SERVICE(name) "/temporal.api.workflowservice.v1.WorkflowService/" #name

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_CONNECTION_H_
