// `chimera worker`: hosts C++ libraries (./liborders.so) and Python code (package.module:name) in
// one worker on one task queue. It becomes the program that has the core as a shared library: with
// Python among its arguments `python -m chimera.host`, in the user's interpreter, else
// `chimera-worker`, beside it.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include <unistd.h>

#include "cli/command.h"
#include "cli/worker_arguments.h"

namespace chimera::cli {
namespace {

[[noreturn]] void become(std::vector<std::string> program, const WorkerArguments& arguments,
                         const char* advice) {
  const std::vector<std::string> words = arguments.words();
  program.insert(program.end(), words.begin(), words.end());
  if (!arguments.server.api_key.empty())
    setenv("TEMPORAL_API_KEY", arguments.server.api_key.c_str(), /*overwrite=*/1);
  std::vector<char*> raw;
  raw.reserve(program.size() + 1);
  for (std::string& word : program) raw.push_back(word.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  fail(absl::StrCat("cannot start ", program[0], ": ", std::strerror(errno), "; ", advice));
}

std::string beside_us(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? name : (self.parent_path() / name).string();
}

void work(WorkerArguments& arguments) {
  arguments.check();
  if (arguments.with_python())
    become({arguments.python, "-m", "chimera.host"}, arguments,
           "name the interpreter with --python");
  become({beside_us("chimera-worker")}, arguments, "it is installed beside chimera");
}

}  // namespace

void add_worker(Command program) {
  static WorkerArguments arguments;  // Lives as long as the command line that refers to it.
  Command command = program.subcommand("worker", "Run workflows and activities of C++ and Python");
  arguments.add_to(command);
  command.on_parsed([] { work(arguments); });
}

}  // namespace chimera::cli
