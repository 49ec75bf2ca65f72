// LocalTransport, calls from this process without bytes or sockets. Any thread.
#ifndef CHIMERA_SERVER_SERVICE_LOCAL_TRANSPORT_H_
#define CHIMERA_SERVER_SERVICE_LOCAL_TRANSPORT_H_

#include <memory>

#include "core/base/transport.h"
#include "server/service/dispatcher.h"

namespace chimera::server {

// Both owners of the dispatcher: the server and its local transports, which may outlive it.
std::shared_ptr<base::Transport> make_local_transport(std::shared_ptr<Dispatcher> dispatcher);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_LOCAL_TRANSPORT_H_
