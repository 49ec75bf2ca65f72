// A connection that keeps large payloads elsewhere: requests leave with references, replies come
// with what those stand for. Below all that converts and encodes, above what tries calls again.
#ifndef CHIMERA_SDK_CPP_SRC_STORAGE_STORING_CONNECTION_H_
#define CHIMERA_SDK_CPP_SRC_STORAGE_STORING_CONNECTION_H_

#include <memory>

#include "core/rpc/connection.h"
#include "sdk-cpp/src/storage/payload_store.h"

namespace chimera::sdk {

// What cannot be stored makes a call fail with the status payload core::kNotStored, but for
// queries, whose answer says so. What cannot be retrieved fails the task that holds it, and nobody
// sees that task; or the call, if it is none of a task's. Serialized messages pass as they are.
std::shared_ptr<core::Connection> storing_connection(std::shared_ptr<core::Connection> inner,
                                                     std::shared_ptr<PayloadStore> store);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_STORAGE_STORING_CONNECTION_H_
