// `chimera worker`: hosts C++ libraries (./liborders.so) and Python code (package.module:name) in
// one worker on one task queue. With Python among its arguments it becomes `python -m
// chimera.host`, in the user's interpreter.
#include <cerrno>
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
#include "host/native_host.h"

namespace chimera::cli {
namespace {

struct Arguments {
  ServerAddress server;
  host::HostOptions host;
  std::string python = "python3";
  std::vector<std::string> code;
};

bool is_library(const std::string& name) { return absl::EndsWith(name, ".so"); }

[[noreturn]] void become_python(const Arguments& arguments) {
  std::vector<std::string> words = {arguments.python,
                                    "-m",
                                    "chimera.host",
                                    "--address",
                                    arguments.server.address,
                                    "--namespace",
                                    arguments.server.namespace_,
                                    "--task-queue",
                                    arguments.host.task_queue};
  if (!arguments.server.api_key.empty())
    words.insert(words.end(), {"--api-key", arguments.server.api_key});
  if (arguments.server.tls) words.push_back("--tls");
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

void work(Arguments& arguments) {
  for (const std::string& name : arguments.code) {
    if (is_library(name)) continue;
    if (name.find(':') == std::string::npos)
      fail(absl::StrCat(name,
                        " is neither a C++ library (its name must end with .so) nor Python code "
                        "(package.module:name, or package.module:a,b)"));
    become_python(arguments);
  }
  block_stop_signals();
  auto connection = arguments.server.connect();
  if (!connection.ok()) fail(connection.status());
  arguments.host.namespace_ = arguments.server.namespace_;
  auto host = host::NativeHost::start(*connection, arguments.host, arguments.code);
  if (!host.ok()) fail(host.status());
  wait_for_stop();
  absl::Status ended = (*host)->stop();
  if (!ended.ok()) fail(ended);
}

}  // namespace

void add_worker(CLI::App& app) {
  static Arguments arguments;  // Lives as long as the command line that refers to it.
  CLI::App* command =
      app.add_subcommand("worker", "Run workflows and activities of C++ and Python");
  command->add_option("--task-queue,-q", arguments.host.task_queue, "Task queue")->required();
  command->add_option("--python", arguments.python, "Interpreter for Python code")
      ->capture_default_str();
  command->add_option("--metrics-address", arguments.host.metrics_address,
                      "HOST:PORT that serves /metrics, /livez and /readyz");
  command
      ->add_option("code", arguments.code, "Libraries (./libx.so) and Python (package.module:name)")
      ->required();
  arguments.server.add_to(*command);
  command->callback([] { work(arguments); });
}

}  // namespace chimera::cli
