// `chimera worker`: hosts C++ libraries (./liborders.so) and Python code (package.module:name) in
// one worker on one task queue. With Python among its arguments it becomes `python -m
// chimera.host`, in the user's interpreter.
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include <unistd.h>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Formatter.hpp"
#include "cli/command.h"
#include "core/rpc/connect_error.h"
#include "host/native_host.h"

namespace chimera::cli {
namespace {

struct Arguments {
  ServerAddress server;
  host::HostOptions host;
  std::string python = "python3";
  double grace_s = 0;
  std::vector<std::string> code;
};

bool is_library(const std::string& name) { return absl::EndsWith(name, ".so"); }

[[noreturn]] void become_python(const Arguments& arguments) {
  std::vector<std::string> words = {arguments.python, "-m", "chimera.host"};
  const std::vector<std::string> server = arguments.server.words();
  words.insert(words.end(), server.begin(), server.end());
  if (!arguments.server.api_key.empty())
    setenv("TEMPORAL_API_KEY", arguments.server.api_key.c_str(), /*overwrite=*/1);
  words.insert(words.end(), {"--task-queue", arguments.host.worker.task_queue,
                             "--graceful-shutdown-timeout", absl::StrCat(arguments.grace_s)});
  if (!arguments.host.metrics_address.empty())
    words.insert(words.end(), {"--metrics-address", arguments.host.metrics_address});
  words.insert(words.end(), arguments.code.begin(), arguments.code.end());
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  fail(absl::StrCat("cannot start ", arguments.python, ": ", std::strerror(errno),
                    "; name the interpreter with --python"));
}

void run_native(Arguments& arguments) {
  take_stop_signals();
  auto connection = arguments.server.connect();
  if (!connection.ok()) fail(connection.status());
  auto host = host::NativeHost::start(*connection, arguments.host, arguments.code, stop_waiting);
  if (!host.ok()) fail(host.status());
  wait_for_stop();
  absl::Status ended = (*host)->stop();
  if (!ended.ok()) fail(ended);
}

void work(Arguments& arguments) {
  if (arguments.code.empty())
    fail("name what to run: C++ libraries (./libx.so) and Python code (package.module:name)",
         kMisused);
  if (!(arguments.grace_s >= 0)) fail("--graceful-shutdown-timeout must not be negative", kMisused);
  auto options = arguments.server.connection_options();
  if (!options.ok()) fail(options.status());
  if (absl::Status wrong = core::check_connection_options(*options); !wrong.ok()) fail(wrong);
  arguments.host.worker.namespace_ = arguments.server.namespace_;
  arguments.host.worker.graceful_shutdown_timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(arguments.grace_s * 1000));
  bool python = false;
  for (const std::string& name : arguments.code) {
    if (is_library(name)) continue;
    if (name.find(':') == std::string::npos)
      fail(absl::StrCat(name,
                        " is neither a C++ library (its name must end with .so) nor Python code "
                        "(package.module:name, or package.module:a,b)"));
    python = true;
  }
  if (python) become_python(arguments);
  run_native(arguments);
}

}  // namespace

void add_worker(CLI::App& app) {
  static Arguments arguments;  // Lives as long as the command line that refers to it.
  CLI::App* command =
      app.add_subcommand("worker", "Run workflows and activities of C++ and Python");
  command->add_option("--task-queue,-q", arguments.host.worker.task_queue, "Task queue")
      ->required();
  command->add_option("--python", arguments.python, "Interpreter for Python code")
      ->capture_default_str();
  command->add_option("--metrics-address", arguments.host.metrics_address,
                      "HOST:PORT that serves /metrics, /livez and /readyz");
  command->add_option("--graceful-shutdown-timeout", arguments.grace_s,
                      "Seconds that activities have after SIGTERM before they are cancelled");
  command->add_option("code", arguments.code,
                      "Libraries (./libx.so) and Python (package.module:name)");
  arguments.server.add_to(*command);
  command->callback([] { work(arguments); });
}

}  // namespace chimera::cli
