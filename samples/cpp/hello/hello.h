// The hello sample: one activity, one workflow.
#ifndef CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_
#define CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_

#include <string>

#include "chimera/workflow.h"

namespace hello {

inline std::string compose_greeting(const std::string& name) { return "Hello, " + name + "!"; }
inline constexpr auto kComposeGreeting =
    chimera::define_activity<&compose_greeting>("compose_greeting");

class GreetingWorkflow {
 public:
  std::string run(std::string name) {
    return chimera::workflow::execute_activity<kComposeGreeting>(
        {.start_to_close_timeout = std::chrono::seconds(10)}, name);
  }
};

inline const auto kGreeting = chimera::define_workflow<&GreetingWorkflow::run>("Greeting");

}  // namespace hello

#endif  // CHIMERA_SAMPLES_CPP_HELLO_HELLO_H_
