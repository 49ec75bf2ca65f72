// Starts the target, runs the cases, stops the target.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/server.h"
#include "tests/conformance/target.h"

namespace chimera::conformance {
namespace {

Target* the_target = nullptr;

int free_port() {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    std::abort();
  close(fd);
  return ntohs(address.sin_port);
}

pid_t start_genuine(int port) {
  const char* cli = std::getenv("CHIMERA_TEMPORAL_CLI");
  if (cli == nullptr) {
    std::fprintf(stderr,
                 "conformance --genuine: set CHIMERA_TEMPORAL_CLI to the temporal program\n");
    std::exit(2);
  }
  pid_t child = fork();
  if (child != 0) return child;
  std::string port_text = absl::StrCat(port);
  execl(cli, cli, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port",
        port_text.c_str(), "--log-level", "error", "--dynamic-config-value",
        "frontend.enableExecuteMultiOperation=true", "--dynamic-config-value",
        "system.enableEagerWorkflowStart=true", "--search-attribute", "GoldKw=Keyword",
        "--search-attribute", "GoldInt=Int", nullptr);
  std::fprintf(stderr, "cannot start %s: %s\n", cli, std::strerror(errno));
  _exit(127);
}

void connect(core::ConnectionOptions options) {
  auto connection = core::Connection::connect(std::move(options));
  if (!connection.ok()) {
    std::fprintf(stderr, "conformance: %s\n", connection.status().ToString().c_str());
    std::exit(2);
  }
  the_target->connection = *connection;
}

// A dev server listens before its namespace is there.
void wait_for_namespace() {
  for (int i = 0; i < 300; ++i) {
    api::workflowservice::v1::DescribeNamespaceRequest request;
    request.set_namespace_("default");
    api::workflowservice::v1::DescribeNamespaceResponse reply;
    if (the_target->connection
            ->call_blocking(CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), request, reply)
            .ok())
      return;
    usleep(100'000);
  }
  std::fprintf(stderr, "conformance: no namespace \"default\" after 30 s\n");
  std::exit(2);
}

int run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Target target;
  the_target = &target;
  std::unique_ptr<server::Server> embedded;
  pid_t genuine = 0;
  core::ConnectionOptions options;
  options.connect_timeout = std::chrono::seconds(30);
  if (argc > 1 && std::string(argv[1]) == "--genuine") {
    int port = free_port();
    genuine = start_genuine(port);
    options.target_host = absl::StrCat("127.0.0.1:", port);
  } else if (argc > 2 && std::string(argv[1]) == "--address") {
    options.target_host = argv[2];
  } else {
    auto started =
        server::Server::start({.search_attributes = {{"GoldKw", "Keyword"}, {"GoldInt", "Int"}}});
    if (!started.ok()) {
      std::fprintf(stderr, "conformance: %s\n", started.status().ToString().c_str());
      return 2;
    }
    embedded = *std::move(started);
    options.transport = embedded->local_transport();
  }
  target.genuine = argc > 1;
  if (target.genuine) target.timer_slack = std::chrono::milliseconds(2500);
  connect(options);
  wait_for_namespace();
  int result = RUN_ALL_TESTS();
  target.connection.reset();
  options.transport.reset();
  if (genuine > 0) {
    kill(genuine, SIGKILL);
    waitpid(genuine, nullptr, 0);
  }
  return result;
}

}  // namespace

const Target& target() { return *the_target; }

}  // namespace chimera::conformance

int main(int argc, char** argv) { return chimera::conformance::run(argc, argv); }
