// The C++ half of the mixed worker, a library that worker.py loads with --native: local activities
// across the border of the languages, and beside it in C++ alone. See ../../README.md.
#include <chrono>
#include <string>

#include "chimera/library.h"
#include "chimera/workflow.h"

namespace {

namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

const chimera::LocalActivityOptions kOptions{.start_to_close_timeout = 60s};

std::string noop(const std::string& text) { return text; }

struct CppLocalPy10 {
  std::string run(std::string text) {
    for (int i = 0; i < 10; ++i)
      text = workflow::execute_local_activity<std::string>("noop", kOptions, text);
    return text;
  }
};

struct CppLocalCpp10 {
  std::string run(std::string text) {
    for (int i = 0; i < 10; ++i)
      text = workflow::execute_local_activity<std::string>("noop_cpp", kOptions, text);
    return text;
  }
};

struct CppEcho {
  std::string run(std::string text) { return text; }
};

}  // namespace

CHIMERA_LIBRARY(library) {
  library.add(chimera::define_workflow<&CppLocalPy10::run>("CppLocalPy10"))
      .add(chimera::define_workflow<&CppLocalCpp10::run>("CppLocalCpp10"))
      .add(chimera::define_workflow<&CppEcho::run>("CppEcho"))
      .add_activity<&noop>("noop_cpp");
}
