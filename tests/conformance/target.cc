#include "tests/conformance/target.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include "server/server.h"
#include "tests/support/genuine_server.h"

namespace chimera::conformance {
namespace {

// A dev server listens before its namespace is there.
void wait_for_namespace(core::Connection& connection) {
  for (int i = 0; i < 300; ++i) {
    api::workflowservice::v1::DescribeNamespaceRequest request;
    request.set_namespace_("default");
    api::workflowservice::v1::DescribeNamespaceResponse reply;
    if (connection.call_blocking(CHIMERA_WORKFLOW_SERVICE(DescribeNamespace), request, reply).ok())
      return;
    usleep(100'000);
  }
  std::fprintf(stderr, "conformance: no namespace \"default\" after 30 s\n");
  std::exit(2);
}

server::ServerOptions embedded_on(const std::string& file) {
  return {.port = 0, .database_filename = file, .dynamic_config = server_limits()};
}

}  // namespace

Target& changed_target() {
  static auto* the_target = new Target;
  return *the_target;
}

const Target& target() { return changed_target(); }

std::map<std::string, std::string> server_limits() {
  return {{"limit.historyCount.suggestContinueAsNew", absl::StrCat(kSuggestEvents)},
          {"limit.historyCount.error", absl::StrCat(kHistoryEventsMax)},
          {"history.workflowTaskHeartbeatTimeout", absl::StrCat(kHeartbeatsMax.count())},
          {"frontend.WorkflowPauseEnabled", "true"},
          {"frontend.WorkflowTimeSkippingEnabled", "true"},
          {"history.enableStandaloneActivityOperatorCommands", "true"},
          {"nexusoperation.enableStandalone", "true"},
          {"matching.wv.VersionDrainageStatusVisibilityGracePeriod", "2"},
          {"matching.wv.VersionDrainageStatusRefreshInterval", "1"}};
}

core::ConnectionOptions connection_options() {
  core::ConnectionOptions options;
  options.connect_timeout = std::chrono::seconds(30);
  return options;
}

void connect(Target& target, core::ConnectionOptions options) {
  auto connection = core::Connection::connect(std::move(options));
  if (!connection.ok()) {
    std::fprintf(stderr, "conformance: %s\n", connection.status().ToString().c_str());
    std::exit(2);
  }
  target.connection = *connection;
  wait_for_namespace(*target.connection);
}

int serve_until_killed(const char* file) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto server = server::Server::start(embedded_on(file));
  if (!server.ok()) {
    std::fprintf(stderr, "conformance: %s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("%d\n", (*server)->port());
  std::fflush(stdout);
  for (;;) pause();
}

struct OwnServer::Process {
  Process(bool genuine, const std::string& file) {
    if (genuine) {
      auto settings = server_limits();
      settings.insert(std::begin(kGenuineSettings), std::end(kGenuineSettings));
      genuine_ = std::make_unique<GenuineServer>(settings, file);
      address = genuine_->address();
    } else {
      launch(file);
    }
  }
  ~Process() {
    if (child_ == 0) return;
    ::kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  std::string address;

 private:
  void launch(const std::string& file) {
    int ends[2];
    if (pipe(ends) != 0) std::abort();
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      execl("/proc/self/exe", "conformance", "--serve", file.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    std::string line;
    char byte;
    while (read(ends[0], &byte, 1) == 1 && byte != '\n') line.push_back(byte);
    close(ends[0]);
    EXPECT_FALSE(line.empty()) << "the server did not start";
    address = absl::StrCat("127.0.0.1:", line);
  }

  std::unique_ptr<GenuineServer> genuine_;
  pid_t child_ = 0;
};

OwnServer::OwnServer() : mine_(target()), before_(target()) {
  file_ = absl::StrCat(testing::TempDir(), "conformance_own_", getpid(), ".db");
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((file_ + suffix).c_str());
  restart();
}

OwnServer::~OwnServer() {
  kill();
  changed_target() = before_;
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((file_ + suffix).c_str());
}

void OwnServer::kill() {
  mine_.connection = nullptr;
  changed_target() = mine_;
  process_ = nullptr;
}

void OwnServer::restart() {
  process_ = std::make_unique<Process>(before_.genuine, file_);
  core::ConnectionOptions options = connection_options();
  options.target_host = process_->address;
  connect(mine_, std::move(options));
  changed_target() = mine_;
}

}  // namespace chimera::conformance
