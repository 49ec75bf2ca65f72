#include "cli/command.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include <pthread.h>
#include <unistd.h>

namespace chimera::cli {
namespace {

// Lives as long as the process: its thread does.
struct Stop {
  absl::Notification asked;  // By a signal or by stop_waiting().
  std::atomic<bool> asked_once{false}, waiting{false};

  void ask() {
    if (!asked_once.exchange(true)) asked.Notify();
  }
};

Stop& stop() {
  static Stop* const result = new Stop;
  return *result;
}

void take(const sigset_t& signals) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    const char* name = signal == SIGINT ? "SIGINT" : "SIGTERM";
    if (!stop().waiting.load() || stop().asked.HasBeenNotified()) {
      std::fprintf(stderr, "chimera: %s, ending at once\n", name);
      _exit(128 + signal);
    }
    std::fprintf(stderr, "chimera: %s, finishing what is under way (again: end at once)\n", name);
    stop().ask();
  }
}

absl::StatusOr<std::string> read_file(const char* option, const std::string& path) {
  if (path.empty()) return "";
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || text.empty())
    return absl::InvalidArgumentError(
        absl::StrCat(option, ": cannot read ", path, "; it must be a PEM file"));
  return text;
}

}  // namespace

void ServerAddress::add_to(Command command) {
  command.option("--address,-a", address, "HOST:PORT of the server")
      .from_environment("TEMPORAL_ADDRESS")
      .shows_default();
  command.option("--namespace,-n", namespace_, "Namespace")
      .from_environment("TEMPORAL_NAMESPACE")
      .shows_default();
  command.option("--api-key", api_key, "API key; turns TLS on")
      .from_environment("TEMPORAL_API_KEY");
  command.flag("--tls", tls, "Use TLS, with the system's roots unless --tls-ca-path is given");
  command.flag("--no-tls", no_tls, "No TLS, although an API key is given");
  command.option("--tls-ca-path", tls_ca_path, "PEM file of who signed the server; turns TLS on")
      .from_environment("TEMPORAL_TLS_CA");
  command.option("--tls-cert-path", tls_cert_path, "PEM file, client certificate; turns TLS on")
      .from_environment("TEMPORAL_TLS_CERT");
  command.option("--tls-key-path", tls_key_path, "PEM file, the certificate's private key")
      .from_environment("TEMPORAL_TLS_KEY");
  command.option("--tls-server-name", tls_server_name, "Name in the server's certificate")
      .from_environment("TEMPORAL_TLS_SERVER_NAME");
}

absl::StatusOr<core::ConnectionOptions> ServerAddress::connection_options() const {
  core::ConnectionOptions options;
  options.target_host = address;
  options.api_key = api_key;
  options.tls_disabled = no_tls;
  if (!tls && tls_ca_path.empty() && tls_cert_path.empty() && tls_key_path.empty() &&
      tls_server_name.empty())
    return options;
  auto ca = read_file("--tls-ca-path", tls_ca_path);
  auto cert = read_file("--tls-cert-path", tls_cert_path);
  auto key = read_file("--tls-key-path", tls_key_path);
  for (const auto* file : {&ca, &cert, &key}) {
    if (!file->ok()) return file->status();
  }
  options.tls = core::TlsOptions{.server_root_ca_cert = *std::move(ca),
                                 .client_cert = *std::move(cert),
                                 .client_private_key = *std::move(key),
                                 .domain = tls_server_name};
  return options;
}

absl::StatusOr<std::shared_ptr<core::Connection>> ServerAddress::connect() const {
  auto options = connection_options();
  if (!options.ok()) return options.status();
  return core::Connection::connect(*std::move(options));
}

std::vector<std::string> ServerAddress::words() const {
  std::vector<std::string> result = {"--address", address, "--namespace", namespace_};
  if (tls) result.push_back("--tls");
  if (no_tls) result.push_back("--no-tls");
  for (const auto& [name, value] :
       {std::pair("--tls-ca-path", &tls_ca_path), std::pair("--tls-cert-path", &tls_cert_path),
        std::pair("--tls-key-path", &tls_key_path),
        std::pair("--tls-server-name", &tls_server_name)}) {
    if (!value->empty()) result.insert(result.end(), {name, *value});
  }
  return result;
}

void fail(const std::string& message, int exit_code) {
  std::fflush(stdout);  // What went well comes first.
  std::fprintf(stderr, "chimera: %s\n", message.c_str());
  throw Ended{exit_code};
}

void fail(const absl::Status& status, int exit_code) {
  fail(std::string(status.message()), exit_code);
}

void take_stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(take, signals).detach();
}

void stop_in_order() { stop().waiting.store(true); }

void wait_for_stop() {
  stop_in_order();
  stop().asked.WaitForNotification();
}

void stop_waiting() { stop().ask(); }

}  // namespace chimera::cli
