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

std::string new_file() {
  const std::string path = absl::StrCat(testing::TempDir(), "conformance_", getpid(), ".db");
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
  return path;
}

int run(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  Target& target = changed_target();
  std::unique_ptr<server::Server> embedded;
  std::unique_ptr<GenuineServer> genuine;
  const std::map<std::string, std::string> limits = server_limits();
  core::ConnectionOptions options = connection_options();
  if (argc > 1 && std::string(argv[1]) == "--genuine") {
    std::map<std::string, std::string> settings = limits;
    settings.insert(std::begin(kGenuineSettings), std::end(kGenuineSettings));
    genuine = std::make_unique<GenuineServer>(settings);
    options.target_host = genuine->address();
  } else if (argc > 2 && std::string(argv[1]) == "--address") {
    options.target_host = argv[2];
    target.foreign = true;
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
  if (target.genuine) target.timer_slack = kGenuineSlack;
  connect(target, options);
  int result = RUN_ALL_TESTS();
  target.connection.reset();
  options.transport.reset();
  return result;
}

}  // namespace
}  // namespace chimera::conformance

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--serve")
    return chimera::conformance::serve_until_killed(argv[2]);
  return chimera::conformance::run(argc, argv);
}
