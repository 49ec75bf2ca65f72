// What the server makes of failures that come in, before they become part of a history. Pure.
#ifndef CHIMERA_SERVER_ENGINE_RULES_FAILURES_H_
#define CHIMERA_SERVER_ENGINE_RULES_FAILURES_H_

#include <string>

#include "server/base/types.h"

namespace chimera::server {

// How many failures one chain of causes may have. Protobuf reads at most 100 messages within each
// other unless its caller says otherwise, and most callers do not: an event's failure is as deep as
// level 6 (reply, task, history, event, attributes, outcome), its last cause has up to four levels
// below it (info, payloads, payload, metadata), and the server wraps a failure up to twice.
inline constexpr int kFailuresMax = 80;

failure::Failure server_failure(std::string message);
// Too long a chain loses its middle, in whose place is a note of how much that was. A failure over
// the size limit becomes one that says so, with what is short of it as its cause. True: it was cut.
bool cut_failure(failure::Failure& failure);
// The first of the two only, for failures whose size has limits of its own.
bool cut_causes(failure::Failure& failure);

// Likewise for the last failure of what is tried again: a few kilobytes of it are kept.
void cut_retried_failure(failure::Failure& failure);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_ENGINE_RULES_FAILURES_H_
