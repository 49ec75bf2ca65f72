// Links of Nexus: what a link of the API is for handlers, which get and give URLs, and the other
// way round. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_NEXUS_LINKS_H_
#define CHIMERA_SERVER_ENGINE_RULES_NEXUS_LINKS_H_

#include <optional>

#include "server/base/types.h"

namespace chimera::server {

using Links = google::protobuf::RepeatedPtrField<common::Link>;

nexus::Link to_nexus(const common::Link::WorkflowEvent& link);
nexus::Link to_nexus(const common::Link::NexusOperation& link);
// Nothing: a handler may link to what is no Temporal thing, which is left out.
std::optional<common::Link> from_nexus(const nexus::Link& link);
Links from_nexus(const google::protobuf::RepeatedPtrField<nexus::Link>& links);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_NEXUS_LINKS_H_
