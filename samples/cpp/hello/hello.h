// The hello sample: one activity, one workflow.
#ifndef CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_
#define CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_

#include <string>

#include "chimera/workflow.h"

namespace hello {

inline std::string compose_greeting(const std::string& name) { return "Hello, " + name + "!"; }

class GreetingWorkflow {
 public:
  std::string run(std::string name) {
    return chimera::workflow::execute_activity<&compose_greeting>(
        {.start_to_close_timeout = std::chrono::seconds(10)}, name);
  }
};

inline const auto kGreeting = chimera::define_workflow<&GreetingWorkflow::run>("Greeting");

}  // namespace hello

#endif  // CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_
