// Our activations and completions as the protobufs of the official core, in which the golden traces
// are written.
#ifndef CHIMERA_TESTS_REPLAY_CORESDK_H_
#define CHIMERA_TESTS_REPLAY_CORESDK_H_

#include "temporal/sdk/core/workflow_activation/workflow_activation.pb.h"
#include "temporal/sdk/core/workflow_completion/workflow_completion.pb.h"

#include "core/language/activation.h"
#include "core/language/commands.h"

namespace chimera::core::testing {

coresdk::workflow_activation::WorkflowActivation to_coresdk(const Activation& activation);
// `own_queue`: the task queue of the worker.
Completion from_coresdk(
    const coresdk::workflow_completion::WorkflowActivationCompletion& completion,
    const std::string& own_queue);

}  // namespace chimera::core::testing

#endif  // CHIMERA_TESTS_REPLAY_CORESDK_H_
