// The log lines of the SDK and of the code that it runs, by way of the core's log. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_LOG_H_
#define CHIMERA_SDK_CPP_SRC_LOG_H_

#include <string_view>

namespace chimera::sdk {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
void log(LogLevel level, std::string_view message);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_LOG_H_
