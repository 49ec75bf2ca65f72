// Versions of workers and overrides of them as the API's messages, and back. Pure.
#ifndef CHIMERA_SDK_CPP_SRC_VERSION_WIRE_H_
#define CHIMERA_SDK_CPP_SRC_VERSION_WIRE_H_

#include <optional>

#include "temporal/api/deployment/v1/message.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "chimera/client.h"
#include "core/base/api.h"

namespace chimera::sdk {

api::deployment::v1::WorkerDeploymentVersion to_proto(const WorkerDeploymentVersion& version);
WorkerDeploymentVersion to_public(const api::deployment::v1::WorkerDeploymentVersion& version);

// As servers of all ages read it. Throws std::invalid_argument for a version without a name or a
// build id.
api::workflow::v1::VersioningOverride to_proto(const VersioningOverride& override);
// Nothing for what this SDK has no type for.
std::optional<VersioningOverride> to_public(const api::workflow::v1::VersioningOverride& override);

WorkflowVersioningInfo to_public(const api::workflow::v1::WorkflowExecutionVersioningInfo& info);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_VERSION_WIRE_H_
