#include "sdk-cpp/src/log.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace chimera::sdk {
namespace {

LogLevel threshold() {
  const char* text = std::getenv("CHIMERA_LOG");
  if (text == nullptr) return LogLevel::kInfo;
  if (std::strcmp(text, "debug") == 0) return LogLevel::kDebug;
  if (std::strcmp(text, "warning") == 0) return LogLevel::kWarning;
  if (std::strcmp(text, "error") == 0) return LogLevel::kError;
  return LogLevel::kInfo;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  static const LogLevel least = threshold();
  if (level < least) return;
  constexpr std::array kNames = {"DEBUG", "INFO", "WARNING", "ERROR"};
  const std::string line =
      absl::StrCat(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::Now(), absl::UTCTimeZone()), " ",
                   kNames[static_cast<std::size_t>(level)], " chimera: ", std::string(message), "\n");
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace chimera::sdk
