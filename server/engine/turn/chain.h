// Chains of runs: continue-as-new, workflow retry, cron; and what the end of a run means to
// others. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_TURN_CHAIN_H_
#define CHIMERA_SERVER_ENGINE_TURN_CHAIN_H_

#include <string>

#include "server/engine/run/transition.h"

namespace chimera::server {

struct FollowUp {
  enums::RetryState state = enums::RETRY_STATE_RETRY_POLICY_NOT_SET;
  std::string run_id;  // Of the run that follows; empty: none. It is created later in the turn.
};

FollowUp follow_after_failure(Transition& t, const failure::Failure& failure);
std::string follow_after_completion(Transition& t,
                                    const common::Payloads& result);  // A cron run's successor.
void continue_run(Transition& t, command::ContinueAsNewWorkflowExecutionCommandAttributes& from,
                  std::int64_t completed_id,
                  history::WorkflowExecutionContinuedAsNewEventAttributes& a);
void time_out_run(Transition& t);
// Tells the parent, the schedule and children, ends updates and queries. Once, after the transition
// that closed the run.
void after_close(Engine& engine, const Run& run);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_TURN_CHAIN_H_
