// The log lines of the SDK and of the code that it runs, by way of the core's log. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_LOG_H_
#define CHIMERA_SDK_CPP_SRC_LOG_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chimera::sdk {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
using LogFields = std::vector<std::pair<std::string, std::string>>;

bool log_enabled(LogLevel level);  // Ask before building fields.
void log(LogLevel level, std::string_view message);
// Said by a workflow or an activity: `logger` is which of the two.
void log(LogLevel level, std::string logger, std::string_view message, LogFields fields);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_LOG_H_
