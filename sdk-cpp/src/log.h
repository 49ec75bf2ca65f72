// The SDK's log lines, until an application puts its own sink in: one line each on stderr. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_LOG_H_
#define CHIMERA_SDK_CPP_SRC_LOG_H_

#include <string_view>

namespace chimera::sdk {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
void log(LogLevel level, std::string_view message);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_LOG_H_
