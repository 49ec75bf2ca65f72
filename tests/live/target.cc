// The server of a test program that has Live fixtures.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gtest/gtest.h"

#include "core/rpc/connection.h"
#include "server/server.h"
#include "tests/live/live.h"
#include "tests/support/genuine_server.h"

namespace chimera::live {
namespace {

Target the_target;

// As both servers are started with.
const std::map<std::string, std::string> kDynamicConfig{
    {"history.enableStandaloneActivityOperatorCommands", "true"},
    {"nexusoperation.enableStandalone", "true"}};

// A dev server listens before its namespace is there.
void wait_for_namespace() {
  namespace wf = api::workflowservice::v1;
  core::ConnectionOptions options;
  options.target_host = the_target.address;
  options.connect_timeout = std::chrono::seconds(30);
  auto connection = core::Connection::connect(std::move(options));
  for (int i = 0; connection.ok() && i < 300; ++i) {
    wf::DescribeNamespaceRequest request;
    request.set_namespace_("default");
    wf::DescribeNamespaceResponse reply;
    if ((*connection)
            ->call_blocking(CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), request, reply, {})
            .ok()) {
      the_target.ends_polls =
          reply.namespace_info().capabilities().worker_poll_complete_on_shutdown();
      wf::GetSystemInfoResponse info;
      if (the_target.genuine && (*connection)
                                    ->call_blocking(CHIMERA_WORKFLOW_SERVICE(GetSystemInfo),
                                                    wf::GetSystemInfoRequest(), info, {})
                                    .ok())
        the_target.genuine_version = info.server_version();
      return;
    }
    absl::SleepFor(absl::Milliseconds(100));
  }
  std::fprintf(stderr, "live: no namespace \"default\" at %s\n", the_target.address.c_str());
  std::exit(2);
}

}  // namespace

const Target& target() { return the_target; }
bool server_is(const std::string& version) {
  return the_target.genuine_version.starts_with(version);
}

int run_tests(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::unique_ptr<server::Server> embedded;
  std::unique_ptr<GenuineServer> genuine;
  the_target.genuine = argc > 1;
  if (argc > 1 && std::string(argv[1]) == "--genuine") {
    genuine = std::make_unique<GenuineServer>(kDynamicConfig);
    the_target.address = genuine->address();
  } else if (argc > 2 && std::string(argv[1]) == "--address") {
    the_target.address = argv[2];
  } else {
    auto started =
        server::Server::start({.port = 0,
                               .search_attributes = {{"GoldKw", "Keyword"}, {"GoldInt", "Int"}},
                               .dynamic_config = kDynamicConfig});
    if (!started.ok()) {
      std::fprintf(stderr, "live: %s\n", started.status().ToString().c_str());
      return 2;
    }
    embedded = *std::move(started);
    the_target.address = absl::StrCat("127.0.0.1:", embedded->port());
  }
  wait_for_namespace();
  return RUN_ALL_TESTS();
}

}  // namespace chimera::live
