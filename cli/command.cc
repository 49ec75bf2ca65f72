#include "cli/command.h"

#include <csignal>
#include <cstdio>
#include <thread>

#include <pthread.h>
#include <unistd.h>

#include "CLI/Error.hpp"
#include "CLI/Option.hpp"

namespace chimera::cli {
namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void ServerAddress::add_to(CLI::App& command) {
  command.add_option("--address,-a", address, "HOST:PORT of the server")
      ->envname("TEMPORAL_ADDRESS")
      ->capture_default_str();
  command.add_option("--namespace,-n", namespace_, "Namespace")
      ->envname("TEMPORAL_NAMESPACE")
      ->capture_default_str();
  command.add_option("--api-key", api_key, "API key; turns TLS on")->envname("TEMPORAL_API_KEY");
  command.add_flag("--tls", tls, "Use TLS with the system's roots");
}

absl::StatusOr<std::shared_ptr<core::Connection>> ServerAddress::connect() const {
  core::ConnectionOptions options;
  options.target_host = address;
  options.api_key = api_key;
  if (tls) options.tls.emplace();
  return core::Connection::connect(std::move(options));
}

void fail(const std::string& message) {
  std::fprintf(stderr, "chimera: %s\n", message.c_str());
  throw CLI::RuntimeError(1);
}

void fail(const absl::Status& status) { fail(std::string(status.message())); }

void block_stop_signals() {
  sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

int wait_for_stop() {
  sigset_t set = stop_signals();
  int signal = 0;
  sigwait(&set, &signal);
  std::thread([set] {
    int again = 0;
    sigwait(&set, &again);
    std::fprintf(stderr, "chimera: second signal, ending at once\n");
    _exit(128 + again);
  }).detach();
  return signal;
}

}  // namespace chimera::cli
