// Replays of a finished run's history by WorkflowRun alone.
#ifndef CHIMERA_TESTS_SIM_REPLAY_H_
#define CHIMERA_TESTS_SIM_REPLAY_H_

#include <memory>
#include <string>
#include <vector>

#include "core/workflow/run.h"
#include "tests/sim/instance.h"
#include "tests/sim/server.h"

namespace chimera::sim {

// Follows the whole history, in pages. Problems go to the record.
void replay_all(const std::vector<EventPtr>& history, const std::string& run_id,
                const Program& program, RunRecord& record, Fault fault, Rng& rng);

// Answers a task that was completed before, with nothing but its history to go by: the commands and
// messages of the answer.
std::string answer_again(const CompletedTask& completed, const std::string& run_id,
                         const Program& program, RunRecord& record, Fault fault, Rng& rng);

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_REPLAY_H_
