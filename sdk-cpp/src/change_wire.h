// Changes of executions in requests: new options, and what a reset does. Throw
// std::invalid_argument, which begins with `doing`, for what cannot be asked for.
#ifndef CHIMERA_SDK_CPP_SRC_CHANGE_WIRE_H_
#define CHIMERA_SDK_CPP_SRC_CHANGE_WIRE_H_

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/field_mask.pb.h"
#include "temporal/api/workflow/v1/message.pb.h"

#include "chimera/client.h"
#include "core/base/api.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

void write(const WorkflowExecutionOptionsUpdate& update, std::string_view doing,
           api::workflow::v1::WorkflowExecutionOptions& options, google::protobuf::FieldMask& mask);
void write(const PostResetOperation& operation, std::string_view doing, const Codec& codec,
           api::workflow::v1::PostResetOperation& out);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_CHANGE_WIRE_H_
