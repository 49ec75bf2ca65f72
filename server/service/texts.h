// The texts of a request that came as a message, not as bytes: reading bytes refuses what is not
// UTF-8. Pure.
#ifndef CHIMERA_SERVER_SERVICE_TEXTS_H_
#define CHIMERA_SERVER_SERVICE_TEXTS_H_

#include <string>

#include "google/protobuf/message.h"

namespace chimera::server {

// The name of the first field whose text is not UTF-8 ("workflow_type.name"); empty: all are.
// Payloads are bytes, and not looked into.
std::string find_bad_text(const google::protobuf::Message& message);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_TEXTS_H_
