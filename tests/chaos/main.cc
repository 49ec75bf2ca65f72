// `chaos_test [--kills N]` runs the tests; `chaos_test --serve FILE` is the server that they kill.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "server/server.h"
#include "tests/chaos/kills.h"

namespace chimera::chaos {
namespace {

int kill_count = 3;

// Tells the port on standard output, then serves until somebody kills it.
int serve(const char* file) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  auto server = server::Server::start({.port = 0, .database_filename = file});
  if (!server.ok()) {
    std::fprintf(stderr, "%s\n", server.status().ToString().c_str());
    return 1;
  }
  std::printf("%d\n", (*server)->port());
  std::fflush(stdout);
  for (;;) pause();
}

}  // namespace

int kills() { return kill_count; }

}  // namespace chimera::chaos

int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--serve") return chimera::chaos::serve(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  if (argc == 3 && std::string(argv[1]) == "--kills")
    chimera::chaos::kill_count = std::atoi(argv[2]);
  return RUN_ALL_TESTS();
}
