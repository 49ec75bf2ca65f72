// Structured logs: a level, who speaks, a message and fields. They go to one sink per process; the
// default writes lines to stderr. Any thread.
#ifndef CHIMERA_CORE_TELEMETRY_LOG_H_
#define CHIMERA_CORE_TELEMETRY_LOG_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace chimera::core {

enum class LogLevel { kTrace = 0, kDebug, kInfo, kWarn, kError, kOff };

std::string_view log_level_name(LogLevel level);  // "INFO"

using LogFields = std::vector<std::pair<std::string, std::string>>;

struct LogRecord {
  LogLevel level = LogLevel::kInfo;
  std::string logger;  // "worker", "activity", "workflow", or a user's.
  std::string message;
  LogFields fields;  // workflow_id, run_id, workflow_type, attempt, ...
  base::WallTime time;
  bool replaying = false;  // Said by workflow code that runs again: dropped.
};

// Called from any thread, several at once; must not block, throw or log.
using LogSink = std::function<void(const LogRecord&)>;

// Both hold for the process. An empty sink is the default one. The default level is kWarn, or
// CHIMERA_LOG (trace, debug, info, warn, error, off).
void set_log_sink(LogSink sink);
void set_log_level(LogLevel level);

bool log_enabled(LogLevel level);  // Cheap: ask before building fields.
void log(LogRecord record);        // Fills in the time if it is unset.
void log(LogLevel level, std::string logger, std::string message, LogFields fields = {});

// "2026-01-02T03:04:05.678901Z  WARN worker: message key=value key2=\"two words\""
std::string log_line(const LogRecord& record);

}  // namespace chimera::core

#endif  // CHIMERA_CORE_TELEMETRY_LOG_H_
