// A golden set: what the official core was given and what it did, recorded.
#ifndef CHIMERA_TESTS_REPLAY_GOLDEN_H_
#define CHIMERA_TESTS_REPLAY_GOLDEN_H_

#include <map>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"
#include "temporal/sdk/core/workflow_activation/workflow_activation.pb.h"
#include "temporal/sdk/core/workflow_completion/workflow_completion.pb.h"

#include "core/base/api.h"

namespace chimera::core::testing {

using CoresdkActivation = coresdk::workflow_activation::WorkflowActivation;
using CoresdkCompletion = coresdk::workflow_completion::WorkflowActivationCompletion;

struct GoldenSet {
  std::string name;
  nlohmann::json live, replay, wire;  // Entries; events of wire are written out.
  std::map<std::string, api::history::v1::History> histories;  // By file.
  std::map<std::string, std::string> workflow_ids;             // By file.
};

// Of tests/replay/golden/sets.
GoldenSet load_set(const std::string& name);
std::vector<std::string> set_names();

template <class Message>
Message parse(const nlohmann::json& json);

// An activation and its answer; `completion` is null when the recording ends before it.
struct Exchange {
  CoresdkActivation activation;
  std::vector<CoresdkCompletion> completion;
  std::size_t live_index = 0;
};

// The differences, leaving out what may differ; empty if there are none.
std::string compare(CoresdkActivation expected, CoresdkActivation actual);
std::string compare(api::workflowservice::v1::RespondWorkflowTaskCompletedRequest expected,
                    api::workflowservice::v1::RespondWorkflowTaskCompletedRequest actual);
std::string compare(api::workflowservice::v1::RespondWorkflowTaskFailedRequest expected,
                    api::workflowservice::v1::RespondWorkflowTaskFailedRequest actual);
std::string compare(api::workflowservice::v1::RespondQueryTaskCompletedRequest expected,
                    api::workflowservice::v1::RespondQueryTaskCompletedRequest actual);
bool is_eviction(const CoresdkActivation& activation);

}  // namespace chimera::core::testing

#endif  // CHIMERA_TESTS_REPLAY_GOLDEN_H_
