// Schedules as the API's messages, and back. Borrowed both ways; any thread.
#ifndef CHIMERA_SDK_CPP_SRC_SCHEDULE_WIRE_H_
#define CHIMERA_SDK_CPP_SRC_SCHEDULE_WIRE_H_

#include <string>
#include <vector>

#include "temporal/api/schedule/v1/message.pb.h"
#include "temporal/api/workflowservice/v1/request_response.pb.h"

#include "chimera/schedule.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

// What was told and is not shown stays. Throws std::invalid_argument for what no schedule can be,
// ConversionError.
api::schedule::v1::Schedule to_proto(const Schedule& schedule, const Codec& codec);
api::schedule::v1::BackfillRequest to_proto(const ScheduleBackfill& backfill);

// Throw ConversionError when the codec fails.
Schedule to_public(const api::schedule::v1::Schedule& schedule, const Codec& codec);
ScheduleDescription to_public(const std::string& id,
                              const api::workflowservice::v1::DescribeScheduleResponse& reply,
                              const Codec& codec, const Codec& workflows_codec);
ScheduleListEntry to_public(const api::schedule::v1::ScheduleListEntry& entry, const Codec& codec);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_SCHEDULE_WIRE_H_
