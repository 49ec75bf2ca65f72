#include "core/rpc/connect_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"

#include "core/rpc/grpc_transport.h"
#include "core/rpc/headers.h"
#include "core/rpc/tls.h"

namespace chimera::core {
namespace {

bool mentions(const absl::Status& status, std::initializer_list<std::string_view> words) {
  std::string message = absl::AsciiStrToLower(status.message());
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    return absl::StrContains(message, absl::string_view(word.data(), word.size()));
  });
}

// The words, in lower case, of OpenSSL and of gRPC's handshaker.
bool is_tls_failure(const absl::Status& status) {
  return mentions(status, {"handshak", "ssl_error", "certificate", "wrong_version_number",
                           "peer name", "invalid credentials", "secure subchannel"});
}

bool is_other_service(const absl::Status& status) {
  return mentions(status, {"unknown service", "http1", "http/1", "http2 header with status",
                           "is not a valid temporal."});
}

// gRPC's words for bytes that no HTTP/2 server sends, such as a TLS alert.
bool is_not_http2(const absl::Status& status) {
  return mentions(status, {"failed parsing http/2"});
}

std::string how(const ConnectionOptions& options) {
  if (options.transport) return "in process";
  std::string result = uses_tls(options) ? "TLS" : "no TLS";
  if (options.tls && !(options.tls->client_cert.empty() && options.tls->client_cert_file.empty()))
    result += ", client certificate";
  if (!options.api_key.empty()) result += ", API key";
  if (options.http_connect_proxy)
    absl::StrAppend(&result, ", by the proxy ", options.http_connect_proxy->target_host);
  return result;
}

absl::Status check_target(const std::string& target, const char* option = "target_host") {
  auto wrong = [&](const char* why) {
    return absl::InvalidArgumentError(absl::StrCat(option, " \"", target, "\" ", why,
                                                   "; write HOST:PORT, as in "
                                                   "\"localhost:7233\""));
  };
  if (target.empty()) return wrong("is empty");
  if (absl::StartsWith(target, "unix:") || absl::StartsWith(target, "dns:")) {
    return absl::OkStatus();
  }
  if (absl::StrContains(target, "://")) return wrong("has a scheme");
  std::size_t colon = target.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0) return wrong("has no host or no port");
  if (!absl::SimpleAtoi(target.substr(colon + 1), &port) || port < 1 || port > 65535) {
    return wrong("has no port between 1 and 65535");
  }
  return absl::OkStatus();
}

absl::Status check_proxy(const HttpConnectProxyOptions& proxy, const std::string& target) {
  if (absl::Status status = check_target(proxy.target_host, "http_connect_proxy.target_host");
      !status.ok())
    return status;
  if (absl::StartsWith(target, "unix:")) {
    return absl::InvalidArgumentError(
        absl::StrCat("http_connect_proxy is given, but \"", target,
                     "\" is a socket of this machine, which no proxy reaches"));
  }
  if (absl::StrContains(proxy.user, ':'))
    return absl::InvalidArgumentError("http_connect_proxy.user must not contain a colon");
  if (proxy.user.empty() && !proxy.password.empty())
    return absl::InvalidArgumentError("http_connect_proxy.password is given without a user");
  return absl::OkStatus();
}

absl::Status check_keep_alive(const KeepAliveOptions& keep_alive) {
  constexpr std::chrono::milliseconds kMost{std::numeric_limits<int>::max()};
  for (const auto& [name, value] :
       {std::pair("interval", keep_alive.interval), std::pair("timeout", keep_alive.timeout)}) {
    if (value <= std::chrono::milliseconds::zero() || value > kMost) {
      return absl::InvalidArgumentError(
          absl::StrCat("keep_alive.", name, " is ", value.count(),
                       " ms; it must be positive, and at most 24 days. To have no keep-alive, "
                       "leave keep_alive empty"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::string connection_advice(const ConnectionOptions& options, const absl::Status& failure) {
  if (is_not_http2(failure)) {
    return uses_tls(options)
               ? "What listens there speaks TLS, but not gRPC. Check host and port."
               : "What listens there does not speak gRPC in plain text. Check whether the server "
                 "wants TLS (set tls or an API key), and host and port.";
  }
  if (is_other_service(failure)) {
    return "Something listens there, but it is not a Temporal server's gRPC port (7233 by default; "
           "the Web UI's and the HTTP API's ports are others). Check host and port.";
  }
  switch (failure.code()) {
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return options.api_key.empty()
                 ? "The server refused the credentials. Check the client certificate, or give an "
                   "API key."
                 : "The server refused the API key. Check that it is whole, not expired, and meant "
                   "for this namespace and address.";
    default:
      break;
  }
  if (is_tls_failure(failure)) {
    return "The TLS handshake failed. Check that the server speaks TLS at all, that "
           "server_root_ca_cert signed its certificate, that `domain` is a name in it, and whether "
           "it wants a client certificate.";
  }
  if (absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure)) {
    if (!uses_tls(options) && mentions(failure, {"socket closed", "connection reset", "goaway"})) {
      return "Something accepted the connection and closed it. Check whether the server wants TLS "
             "(set tls or an API key).";
    }
    return "Check that a server listens there (start one with `temporal server start-dev` or "
           "`chimera server`), that host and port are right, and that no firewall is between.";
  }
  return "Check that this is the gRPC address of a Temporal server, and its log.";
}

namespace {

absl::Status check_retry(const RetryOptions& retry) {
  const auto refuse = [](const char* option, const char* rule) {
    return absl::InvalidArgumentError(absl::StrCat("retry: ", option, " must be ", rule));
  };
  constexpr std::chrono::milliseconds kNone{0};
  if (retry.initial_interval <= kNone) return refuse("initial_interval", "above 0");
  if (retry.max_interval <= kNone) return refuse("max_interval", "above 0");
  if (!(retry.multiplier >= 1) || std::isinf(retry.multiplier))
    return refuse("multiplier", "a number of at least 1");
  if (!(retry.randomization_factor >= 0 && retry.randomization_factor <= 1))
    return refuse("randomization_factor", "from 0 to 1");
  if (retry.max_elapsed_time && *retry.max_elapsed_time < kNone)
    return refuse("max_elapsed_time", "at least 0");
  if (retry.max_retries < 0) return refuse("max_retries", "at least 0");
  return absl::OkStatus();
}

}  // namespace

absl::Status check_connection_options(const ConnectionOptions& options) {
  if (!options.transport) {
    if (absl::Status status = check_target(options.target_host); !status.ok()) return status;
  }
  if (options.tls && options.tls_disabled) {
    return absl::InvalidArgumentError("tls is given and tls_disabled is set; choose one");
  }
  if (options.tls) {
    if (absl::Status status = check_tls(*options.tls); !status.ok()) return status;
  }
  if (options.http_connect_proxy) {
    if (absl::Status status = check_proxy(*options.http_connect_proxy, options.target_host);
        !status.ok())
      return status;
  }
  if (options.keep_alive) {
    if (absl::Status status = check_keep_alive(*options.keep_alive); !status.ok()) return status;
  }
  if (absl::Status status = check_retry(options.retry); !status.ok()) return status;
  if (options.connect_timeout <= std::chrono::milliseconds::zero()) {
    return absl::InvalidArgumentError("connect_timeout must be positive");
  }
  return check_metadata(options.metadata);
}

bool is_lasting_connect_failure(const absl::Status& failure) {
  return is_tls_failure(failure) || is_other_service(failure) || is_not_http2(failure);
}

absl::Status describe_connect_failure(const ConnectionOptions& options, const absl::Status& failure,
                                      std::chrono::nanoseconds elapsed) {
  double seconds = std::chrono::duration<double>(elapsed).count();
  return absl::Status(
      failure.code(),
      absl::StrFormat(
          "cannot connect to Temporal at %s (%s), tried for %.1f s: GetSystemInfo "
          "failed with %s. %s",
          options.target_host, how(options), seconds,
          absl::StatusCodeToString(failure.code()) + ": " + std::string(failure.message()),
          connection_advice(options, failure)));
}

}  // namespace chimera::core
