#include "sdk-cpp/src/log.h"

#include <string>

#include "core/telemetry/log.h"

namespace chimera::sdk {

namespace {
core::LogLevel to_core(LogLevel level) {
  constexpr core::LogLevel kLevels[] = {core::LogLevel::kDebug, core::LogLevel::kInfo,
                                        core::LogLevel::kWarn, core::LogLevel::kError};
  return kLevels[static_cast<int>(level)];
}
}  // namespace

bool log_enabled(LogLevel level) { return core::log_enabled(to_core(level)); }

void log(LogLevel level, std::string_view message) {
  core::log(to_core(level), "sdk", std::string(message));
}

void log(LogLevel level, std::string logger, std::string_view message, LogFields fields) {
  core::log(to_core(level), std::move(logger), std::string(message), std::move(fields));
}

}  // namespace chimera::sdk
