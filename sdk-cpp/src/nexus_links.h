// Links of Nexus requests, which are URLs, against the API's. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_NEXUS_LINKS_H_
#define CHIMERA_SDK_CPP_SRC_NEXUS_LINKS_H_

#include <optional>

#include "chimera/nexus.h"
#include "core/base/api.h"

namespace chimera::sdk {

using ProtoLink = api::common::v1::Link;

// To events of workflows, workflows, activities and Nexus operations; nothing for others.
std::optional<ProtoLink> to_proto(const nexus::Link& link);
std::optional<nexus::Link> to_public(const ProtoLink& link);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_NEXUS_LINKS_H_
