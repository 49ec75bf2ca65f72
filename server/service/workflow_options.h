// What calls that change options of workflows, or carry such a change, have to pass. Loop thread.
#ifndef CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_
#define CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_

#include <string>

#include "absl/status/status.h"

#include "server/engine/run/run.h"

namespace chimera::server {

using PostResetOperation = ::temporal::api::workflow::v1::PostResetOperation;

absl::Status check_time_skipping(const RunOptions& options);
// `task_queue`: of the run that is reset.
absl::Status check_post_reset(
    const google::protobuf::RepeatedPtrField<PostResetOperation>& operations,
    const std::string& task_queue);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_WORKFLOW_OPTIONS_H_
