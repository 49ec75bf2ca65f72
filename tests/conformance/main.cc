// Starts the target, runs the cases, stops the target.
#include <cstdio>
#include <cstdlib>

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/server.h"
#include "tests/conformance/target.h"
#include "tests/support/genuine_server.h"

namespace chimera::conformance {
namespace {

Target* the_target = nullptr;

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

std::string new_file() {
  const std::string path = absl::StrCat(testing::TempDir(), "conformance_", getpid(), ".db");
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
  return path;
}

int run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Target target;
  the_target = &target;
  std::unique_ptr<server::Server> embedded;
  std::unique_ptr<GenuineServer> genuine;
  const std::map<std::string, std::string> limits = {
      {"limit.historyCount.suggestContinueAsNew", absl::StrCat(kSuggestEvents)},
      {"limit.historyCount.error", absl::StrCat(kHistoryEventsMax)},
      {"history.workflowTaskHeartbeatTimeout", absl::StrCat(kHeartbeatsMax.count())}};
  core::ConnectionOptions options;
  options.connect_timeout = std::chrono::seconds(30);
  if (argc > 1 && std::string(argv[1]) == "--genuine") {
    std::map<std::string, std::string> settings = limits;
    settings.insert(std::begin(kGenuineSettings), std::end(kGenuineSettings));
    genuine = std::make_unique<GenuineServer>(settings);
    options.target_host = genuine->address();
  } else if (argc > 2 && std::string(argv[1]) == "--address") {
    options.target_host = argv[2];
  } else {
    server::ServerOptions server_options{
        .search_attributes = {{"GoldKw", "Keyword"}, {"GoldInt", "Int"}, {"GoldText", "Text"}},
        .dynamic_config = limits};
    if (argc > 1 && std::string(argv[1]) == "--file") server_options.database_filename = new_file();
    auto started = server::Server::start(std::move(server_options));
    if (!started.ok()) {
      std::fprintf(stderr, "conformance: %s\n", started.status().ToString().c_str());
      return 2;
    }
    embedded = *std::move(started);
    options.transport = embedded->local_transport();
  }
  target.genuine = embedded == nullptr;
  if (target.genuine) target.timer_slack = std::chrono::milliseconds(2500);
  connect(options);
  wait_for_namespace();
  int result = RUN_ALL_TESTS();
  target.connection.reset();
  options.transport.reset();
  return result;
}

}  // namespace

const Target& target() { return *the_target; }

}  // namespace chimera::conformance

int main(int argc, char** argv) { return chimera::conformance::run(argc, argv); }
