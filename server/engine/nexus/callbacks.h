// NexusCallbacks, the deliveries of how runs have ended to those who wait for it: operations of
// this server. Loop thread.
#ifndef CHIMERA_SERVER_ENGINE_NEXUS_CALLBACKS_H_
#define CHIMERA_SERVER_ENGINE_NEXUS_CALLBACKS_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/rules/dynamic_config.h"
#include "server/engine/run/run.h"

namespace chimera::server {

class Engine;

// Of a start's callbacks; in the genuine server's words. Names of headers become lower case.
absl::Status check_callbacks(const DynamicConfig& config,
                             google::protobuf::RepeatedPtrField<common::Callback>& callbacks);

// Of a delivery that has failed, as callers over the network would be told.
failure::Failure delivery_failure(const absl::Status& status);

// The last run of its chain has closed: what it brought about is told in the same turn, and becomes
// durable with it.
void deliver_callbacks(Engine& engine, const Run& run);

// As DescribeWorkflowExecution shows them.
void describe_callbacks(const Run& run, wf::DescribeWorkflowExecutionResponse& response);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_NEXUS_CALLBACKS_H_
