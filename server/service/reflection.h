// Server reflection (grpc/reflection/v1/reflection.proto and its older twin v1alpha, which is the
// same on the wire): what services there are and how their messages look. Pure.
#ifndef CHIMERA_SERVER_SERVICE_REFLECTION_H_
#define CHIMERA_SERVER_SERVICE_REFLECTION_H_

#include <string>

namespace chimera::server {

// A serialized ServerReflectionRequest to a serialized ServerReflectionResponse.
std::string answer_reflection(const std::string& request);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_REFLECTION_H_
