// `chimera server`: the embedded server as a process. Accepts the arguments of `temporal server
// start-dev` too, because the official SDKs' test environments start "an existing server" with
// them.
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include <google/protobuf/stubs/logging.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/telemetry/log.h"
#include "server/server.h"

namespace chimera::cli {
namespace {

struct Arguments {
  server::ServerOptions options;
  std::string log_level, log_format;
  std::vector<std::string> dynamic_config, search_attributes;
  bool headless = false, log_config = false, time_skipping = false, test_service = false;
  // Taken for compatibility, and told to have no effect.
  int ui_port = 0, http_port = 0, metrics_port = 0;
  std::string ui_ip, ui_public_path, ui_asset_path, ui_codec_endpoint;
  std::vector<std::string> sqlite_pragma;
};

std::map<std::string, std::string> pairs(const std::vector<std::string>& texts, const char* flag) {
  std::map<std::string, std::string> result;
  for (const std::string& text : texts) {
    std::pair<std::string, std::string> pair = absl::StrSplit(text, absl::MaxSplits('=', 1));
    if (pair.first.empty() || text.find('=') == std::string::npos)
      fail(absl::StrCat(flag, " ", text, ": expected NAME=VALUE"));
    result.insert(std::move(pair));
  }
  return result;
}

// {"time":...,"level":"WARN","logger":"server","msg":...} and the fields, as one line.
void log_as_json(const core::LogRecord& record) {
  nlohmann::ordered_json line;
  line["time"] =
      absl::FormatTime(absl::RFC3339_full, absl::FromChrono(record.time), absl::UTCTimeZone());
  line["level"] = core::log_level_name(record.level);
  line["logger"] = record.logger;
  line["msg"] = record.message;
  for (const auto& [key, value] : record.fields) line[key] = value;
  // What is no UTF-8 is replaced: a sink must not throw.
  const std::string text =
      line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void set_up_logs(const Arguments& arguments) {
  static const std::map<std::string, core::LogLevel> levels{{"debug", core::LogLevel::kDebug},
                                                            {"info", core::LogLevel::kInfo},
                                                            {"warn", core::LogLevel::kWarn},
                                                            {"error", core::LogLevel::kError},
                                                            {"never", core::LogLevel::kOff}};
  if (const auto level = levels.find(arguments.log_level); level != levels.end())
    core::set_log_level(level->second);
  if (arguments.log_format == "json") core::set_log_sink(log_as_json);
}

// What malformed requests make libprotobuf say; their callers get an error anyway.
void log_of_protobuf(google::protobuf::LogLevel, const char* file, int line,
                     const std::string& message) {
  core::log(core::LogLevel::kDebug, "server", absl::StrCat(file, ":", line, ": ", message));
}

// Flags of the official dev server that have nothing to do here: nothing is taken and ignored.
void tell_of_no_effect(const Arguments& arguments) {
  const auto tell = [](bool given, const char* flag, const char* why) {
    if (given) std::fprintf(stderr, "chimera server: %s has no effect: %s\n", flag, why);
  };
  constexpr char kNoUi[] = "this server has no web UI of its own";
  tell(arguments.ui_port != 0, "--ui-port", kNoUi);
  tell(!arguments.ui_ip.empty(), "--ui-ip", kNoUi);
  tell(!arguments.ui_public_path.empty(), "--ui-public-path", kNoUi);
  tell(!arguments.ui_asset_path.empty(), "--ui-asset-path", kNoUi);
  tell(!arguments.ui_codec_endpoint.empty(), "--ui-codec-endpoint", kNoUi);
  tell(arguments.http_port != 0, "--http-port", "this server speaks gRPC alone");
  tell(arguments.metrics_port != 0, "--metrics-port", "this server has no metrics of its own");
  tell(!arguments.sqlite_pragma.empty(), "--sqlite-pragma",
       "the file's settings are this server's own");
}

std::string config_text(const Arguments& arguments) {
  const server::ServerOptions& options = arguments.options;
  return nlohmann::ordered_json{{"ip", options.ip},
                                {"port", options.port},
                                {"db_filename", options.database_filename},
                                {"archive", options.archive_folder},
                                {"namespaces", options.namespaces},
                                {"search_attributes", options.search_attributes},
                                {"dynamic_config", options.dynamic_config}}
      .dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// Where it is, what it has, and what to do next.
void greet(const Arguments& arguments, int port) {
  const server::ServerOptions& options = arguments.options;
  const std::string address = absl::StrCat(options.ip, ":", port);
  std::printf("chimera server: listening on %s, %s\n", address.c_str(),
              options.database_filename.empty()
                  ? "in memory (all is gone when it stops; --db-filename keeps it)"
                  : absl::StrCat("data in ", options.database_filename).c_str());
  std::vector<std::string> names = options.namespaces;
  names.insert(names.begin(), "default");
  std::printf("  namespaces: %s\n", absl::StrJoin(names, ", ").c_str());
  if (!options.archive_folder.empty())
    std::printf("  archive: %s\n", options.archive_folder.c_str());
  std::printf(
      "  look: chimera show WORKFLOW_ID --address %s, or temporal workflow list --address %s\n",
      address.c_str(), address.c_str());
  if (options.time_skipping_locks) {
    std::printf("  time: %s (TestService)\n", *options.time_skipping_locks == 0
                                                  ? "skips while nobody works"
                                                  : "skips when a client unlocks it");
  }
  if (!arguments.headless) {
    std::printf(
        "  web UI: the official one, pointed here: TEMPORAL_ADDRESS=%s (docs/operations.md)\n",
        address.c_str());
  }
  std::fflush(stdout);
}

void serve(Arguments& arguments) {
  if (arguments.time_skipping) {
    arguments.options.time_skipping_locks = 0;
  } else if (arguments.test_service) {
    arguments.options.time_skipping_locks = 1;
  }
  set_up_logs(arguments);
  google::protobuf::SetLogHandler(log_of_protobuf);
  arguments.options.dynamic_config = pairs(arguments.dynamic_config, "--dynamic-config-value");
  arguments.options.search_attributes = pairs(arguments.search_attributes, "--search-attribute");
  tell_of_no_effect(arguments);
  if (arguments.log_config)
    std::fprintf(stderr, "chimera server: config %s\n", config_text(arguments).c_str());
  take_stop_signals();
  std::signal(SIGXFSZ, SIG_IGN);  // A limit on file sizes (ulimit -f) is told, not died of.
  auto server = server::Server::start(arguments.options);
  if (!server.ok()) fail(server.status());
  stop_in_order();  // Whoever reads the line below may stop the server at once.
  greet(arguments, (*server)->port());
  wait_for_stop();
  server->reset();
}

void add_options(Command command, Arguments& arguments) {
  server::ServerOptions& options = arguments.options;
  options.port = 7233;
  command.option("--port,-p", options.port, "TCP port; 0 takes a free one")
      .between(0, 65535)
      .shows_default();
  command.option("--ip", options.ip, "Address to listen on").shows_default();
  command.option("--db-filename,-f", options.database_filename,
                 "SQLite file to keep everything in; without it, memory");
  command
      .option("--archive", options.archive_folder,
              "Folder that histories and records of closed workflows are archived to")
      .not_empty();
  command.option("--namespace,-n", options.namespaces, "Namespaces beside \"default\"");
  command.option("--search-attribute", arguments.search_attributes, "NAME=TYPE, repeatable");
  command.option("--dynamic-config-value", arguments.dynamic_config,
                 "KEY=VALUE, repeatable: limits, see docs/operations.md");
  command.flag("--headless", arguments.headless, "Says nothing of a web UI");
  command.flag("--log-config", arguments.log_config, "Writes the configuration to stderr");
  constexpr char kNone[] = "Accepted, and told to have no effect";
  command.option("--ui-port", arguments.ui_port, kNone);
  command.option("--ui-ip", arguments.ui_ip, kNone);
  command.option("--ui-public-path", arguments.ui_public_path, kNone);
  command.option("--ui-asset-path", arguments.ui_asset_path, kNone);
  command.option("--ui-codec-endpoint", arguments.ui_codec_endpoint, kNone);
  command.option("--http-port", arguments.http_port, kNone);
  command.option("--metrics-port", arguments.metrics_port, kNone);
  command.flag("--enable-time-skipping", arguments.time_skipping,
               "For tests: time jumps to the next timer while nobody works");
  command.flag("--test-service", arguments.test_service,
               "The same once a client unlocks it (TestService); so is it by a PORT alone");
  command
      .option("--log-level", arguments.log_level,
              "debug, info, warn, error or never; without it, CHIMERA_LOG, else warn")
      .one_of({"debug", "info", "warn", "error", "never"});
  command.option("--log-format", arguments.log_format, "text, or json: one object a line")
      .one_of({"text", "json", "pretty"});
  command.option("--sqlite-pragma", arguments.sqlite_pragma, kNone);
  command.on_parsed([&arguments] { serve(arguments); });
}

}  // namespace

void add_server(Command program) {
  static Arguments arguments;  // Lives as long as the command line that refers to it.
  static Arguments start_dev_arguments;
  Command server = program.subcommand("server", "Run the embedded server");
  add_options(server, arguments);
  add_options(server.subcommand("start-dev", "The same, under the official name"),
              start_dev_arguments);
  // The outer callback runs after the inner one; it must not start a second server.
  server.on_parsed([server] {
    if (!server.has_parsed_subcommand()) serve(arguments);
  });
}

}  // namespace chimera::cli
