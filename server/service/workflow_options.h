// What calls that change options of workflows, or carry such a change, have to pass. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_
#define CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/rules/dynamic_config.h"
#include "server/engine/run/run.h"

namespace chimera::server {

using PostResetOperation = ::temporal::api::workflow::v1::PostResetOperation;

// How the time of a workflow is to skip, by its start or by its options, where the server does that
// at all; the number of skips, if it is left out, is filled in. Does nothing about other options.
absl::Status check_time_skipping(const DynamicConfig& config, common::TimeSkippingConfig& wanted);
absl::Status check_time_skipping(const DynamicConfig& config, RunOptions& options);
absl::Status check_time_skipping(
    const DynamicConfig& config,
    google::protobuf::RepeatedPtrField<PostResetOperation>& operations);
// `run`: the one that is reset.
absl::Status check_post_reset(
    const Engine& engine, const Run& run,
    const google::protobuf::RepeatedPtrField<PostResetOperation>& operations);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_
