#include <string>

#include "tests/live/crash_worker.h"
#include "tests/live/live.h"

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--crash-worker")
    return chimera::live::run_crash_worker(argv[2], argv[3]);
  return chimera::live::run_tests(argc, argv);
}
