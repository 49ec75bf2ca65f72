#include "cli/worker_arguments.h"

#include <algorithm>
#include <chrono>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "core/rpc/connect_error.h"

namespace chimera::cli {
namespace {

bool is_library(const std::string& name) { return absl::EndsWith(name, ".so"); }

}  // namespace

void WorkerArguments::add_to(Command command) {
  command.option("--task-queue,-q", host.worker.task_queue, "Task queue").required();
  command.option("--python", python, "Interpreter for Python code").shows_default();
  command.option("--metrics-address", host.metrics_address,
                 "HOST:PORT that serves /metrics, /livez and /readyz");
  command.option("--graceful-shutdown-timeout", grace_s,
                 "Seconds that activities have after SIGTERM before they are cancelled");
  command.option("code", code, "Libraries (./libx.so) and Python (package.module:name)");
  server.add_to(command);
}

void WorkerArguments::check() {
  if (code.empty())
    fail("name what to run: C++ libraries (./libx.so) and Python code (package.module:name)",
         kMisused);
  if (!(grace_s >= 0)) fail("--graceful-shutdown-timeout must not be negative", kMisused);
  auto options = server.connection_options();
  if (!options.ok()) fail(options.status());
  if (absl::Status wrong = core::check_connection_options(*options); !wrong.ok()) fail(wrong);
  host.worker.namespace_ = server.namespace_;
  host.worker.graceful_shutdown_timeout =
      std::chrono::milliseconds(static_cast<std::int64_t>(grace_s * 1000));
  for (const std::string& name : code) {
    if (is_library(name) || name.find(':') != std::string::npos) continue;
    fail(absl::StrCat(name,
                      " is neither a C++ library (its name must end with .so) nor Python code "
                      "(package.module:name, or package.module:a,b)"));
  }
}

bool WorkerArguments::with_python() const {
  return !std::all_of(code.begin(), code.end(), is_library);
}

std::vector<std::string> WorkerArguments::words() const {
  std::vector<std::string> result = server.words();
  result.insert(result.end(), {"--task-queue", host.worker.task_queue,
                               "--graceful-shutdown-timeout", absl::StrCat(grace_s)});
  if (!host.metrics_address.empty())
    result.insert(result.end(), {"--metrics-address", host.metrics_address});
  result.insert(result.end(), code.begin(), code.end());
  return result;
}

}  // namespace chimera::cli
