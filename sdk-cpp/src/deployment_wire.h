// What servers tell of worker deployments, as the public types. Pure.
#ifndef CHIMERA_SDK_CPP_SRC_DEPLOYMENT_WIRE_H_
#define CHIMERA_SDK_CPP_SRC_DEPLOYMENT_WIRE_H_

#include <optional>

#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "chimera/deployment.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

WorkerDeploymentDescription to_public(
    const api::workflowservice::v1::DescribeWorkerDeploymentResponse& reply);
WorkerDeploymentListEntry to_public(
    const api::workflowservice::v1::ListWorkerDeploymentsResponse::WorkerDeploymentSummary& entry);
// Throw ConversionError when the codec fails.
WorkerDeploymentVersionDescription to_public(
    const api::workflowservice::v1::DescribeWorkerDeploymentVersionResponse& reply,
    const Codec& codec);
Memo to_public(const api::deployment::v1::VersionMetadata& metadata, const Codec& codec);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_DEPLOYMENT_WIRE_H_
