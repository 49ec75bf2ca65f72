// chimera::api, the API definitions (package temporal.api) as generated C++.
#ifndef CHIMERA_CORE_BASE_API_H_
#define CHIMERA_CORE_BASE_API_H_

#include "temporal/api/command/v1/message.pb.h"
#include "temporal/api/common/v1/message.pb.h"
#include "temporal/api/failure/v1/message.pb.h"
#include "temporal/api/history/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

namespace chimera {
namespace api = ::temporal::api;
}  // namespace chimera

#endif  // CHIMERA_CORE_BASE_API_H_
