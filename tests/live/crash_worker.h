// The worker of crash_test.cc, which dies of its workflow: this program as another process.
#ifndef CHIMERA_TESTS_LIVE_CRASH_WORKER_H_
#define CHIMERA_TESTS_LIVE_CRASH_WORKER_H_

#include <string>

namespace chimera::live {

// Until SIGTERM, or until it crashes.
int run_crash_worker(const std::string& address, const std::string& queue);

}  // namespace chimera::live

#endif  // CHIMERA_TESTS_LIVE_CRASH_WORKER_H_
