// What OpenTelemetry's variables say, for traces and metrics alike.
#ifndef CHIMERA_SDK_CPP_SRC_OTLP_ENVIRONMENT_H_
#define CHIMERA_SDK_CPP_SRC_OTLP_ENVIRONMENT_H_

#include <map>
#include <string>

namespace chimera::otlp {

// OTEL_RESOURCE_ATTRIBUTES, and OTEL_SERVICE_NAME as service.name. Throws std::invalid_argument.
std::map<std::string, std::string> resource_from_environment();

}  // namespace chimera::otlp

#endif  // CHIMERA_SDK_CPP_SRC_OTLP_ENVIRONMENT_H_
