#include "core/telemetry/log.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace chimera::core {
namespace {

constexpr std::string_view kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"};

LogLevel level_from_environment() {
  const char* text = std::getenv("CHIMERA_LOG");
  std::string wanted = text ? absl::AsciiStrToUpper(text) : "WARN";
  for (int i = 0; i <= static_cast<int>(LogLevel::kOff); ++i) {
    if (kNames[i] == wanted) return static_cast<LogLevel>(i);
  }
  return LogLevel::kWarn;
}

std::atomic<LogLevel>& current_level() {
  static std::atomic<LogLevel> level{level_from_environment()};
  return level;
}

// spdlog's stderr sink serializes the lines of several threads.
void write_to_stderr(const LogRecord& record) {
  static spdlog::logger& logger = *[] {
    auto* made = new spdlog::logger("chimera", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::trace);
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  logger.log(spdlog::level::info, spdlog::string_view_t(log_line(record)));
}

std::atomic<std::shared_ptr<const LogSink>>& current_sink() {
  static auto& sink = *new std::atomic<std::shared_ptr<const LogSink>>(
      std::make_shared<const LogSink>(write_to_stderr));
  return sink;
}

std::string quoted_if_needed(const std::string& value) {
  bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c != '"' && c != '=' && c != 0x7f;
  });
  return plain ? value : absl::StrCat("\"", absl::Utf8SafeCEscape(value), "\"");
}

}  // namespace

std::string_view log_level_name(LogLevel level) { return kNames[static_cast<int>(level)]; }

void set_log_sink(LogSink sink) {
  if (!sink) sink = write_to_stderr;
  current_sink().store(std::make_shared<const LogSink>(std::move(sink)));
}

void set_log_level(LogLevel level) { current_level().store(level, std::memory_order_relaxed); }

bool log_enabled(LogLevel level) {
  return level != LogLevel::kOff && level >= current_level().load(std::memory_order_relaxed);
}

void log(LogRecord record) {
  if (record.replaying || !log_enabled(record.level)) return;
  if (record.time == base::WallTime{}) record.time = base::system_clock().now();
  std::shared_ptr<const LogSink> sink = current_sink().load();
  (*sink)(record);
}

void log(LogLevel level, std::string logger, std::string message, LogFields fields) {
  if (!log_enabled(level)) return;
  log(LogRecord{.level = level,
                .logger = std::move(logger),
                .message = std::move(message),
                .fields = std::move(fields)});
}

std::string log_line(const LogRecord& record) {
  auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(record.time.time_since_epoch());
  std::string time = absl::FormatTime("%Y-%m-%d%ET%H:%M:%E6SZ",
                                      absl::FromUnixMicros(micros.count()), absl::UTCTimeZone());
  std::string line =
      absl::StrFormat("%s %5s %s: %s", time, std::string(log_level_name(record.level)),
                      record.logger, record.message);
  for (const auto& [key, value] : record.fields) {
    absl::StrAppend(&line, " ", key, "=", quoted_if_needed(value));
  }
  return line;
}

}  // namespace chimera::core
