#include "sdk-cpp/src/log.h"

#include <string>

#include "core/telemetry/log.h"

namespace chimera::sdk {

void log(LogLevel level, std::string_view message) {
  constexpr core::LogLevel kLevels[] = {core::LogLevel::kDebug, core::LogLevel::kInfo,
                                        core::LogLevel::kWarn, core::LogLevel::kError};
  core::log(kLevels[static_cast<int>(level)], "sdk", std::string(message));
}

}  // namespace chimera::sdk
