// All that tests of workflows and activities need, from any test framework:
//   TestEnvironment      a server in this process whose time skips, and a client of it
//   TestWorker           a worker in it whose activities and children may be mocks; it never hangs
//   ActivityEnvironment  what an activity sees of its worker, without a worker
// docs/testing.md has examples; chimera/testing/gtest.h has a fixture and matchers for GoogleTest.
#ifndef CHIMERA_TESTING_H_
#define CHIMERA_TESTING_H_

#include "chimera/testing/activity_environment.h"
#include "chimera/testing/environment.h"
#include "chimera/testing/mock.h"
#include "chimera/testing/worker.h"

#endif  // CHIMERA_TESTING_H_
