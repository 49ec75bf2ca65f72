// The program that the Go, Java and TypeScript SDKs ran for the histories in golden/histories,
// written with the C++ SDK; and ways in which it may have changed since.
#ifndef CHIMERA_TESTS_REPLAY_FOREIGN_PROGRAM_H_
#define CHIMERA_TESTS_REPLAY_FOREIGN_PROGRAM_H_

#include <functional>
#include <string>
#include <vector>

#include "chimera/replayer.h"

namespace chimera::testing {

// What the program does, and where its languages differ. A test changes it before a replay.
struct Program {
  // Go and Java ask for versions and side effects; TypeScript for patches, and its wait for the end
  // has a timer.
  bool typescript = false;
  std::string local_activity = "Flaky", activity = "Refuse", child = "Kid";
  std::function<int()> first_version = [] {
    return workflow::get_version("change-a", workflow::kDefaultVersion, 2);
  };
  std::function<void()> side_effects;  // All of them, instead of the program's.

  // What a replay saw.
  std::vector<int> versions, values;
  int functions_called = 0;
};
Program& program();

void add_program(Replayer& replayer);

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_REPLAY_FOREIGN_PROGRAM_H_
