// How a Connection is made, with its sources of time and chance as arguments, for connect() and for
// tests.
#ifndef CHIMERA_CORE_RPC_CONNECT_H_
#define CHIMERA_CORE_RPC_CONNECT_H_

#include <functional>
#include <memory>

#include "core/base/timers.h"
#include "core/rpc/connection.h"

namespace chimera::core {

struct ConnectEnvironment {
  base::Timers& timers;
  std::function<double()> chance;  // In [0, 1), any thread.
};

// `done` runs once, on a thread of the transport or of the timers, or inside this call when the
// options are wrong.
void connect_async(ConnectionOptions options, ConnectEnvironment environment,
                   absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<Connection>>) &&> done);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_RPC_CONNECT_H_
