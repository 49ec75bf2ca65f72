// The command line of our programs. CLI11 does the work, behind this header: a file that includes
// it takes as long to compile as the largest of the core.
#ifndef CHIMERA_CLI_COMMAND_LINE_H_
#define CHIMERA_CLI_COMMAND_LINE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace chimera::cli {

// Thrown by a command that has said on stderr why it ends the program.
struct Ended {
  int exit_code = 1;
};

class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option from_environment(const char* variable);
  Option required();
  Option shows_default();
  Option between(int least, int most);
  Option one_of(std::vector<std::string> words);
  Option not_empty();  // As an unset variable of a shell makes it.

 private:
  CLI::Option* option_;
};

// One command, or the program itself. Values belong to the caller and must outlive the parsing.
// Names are "--long,-s", or a plain word for what stands without a name.
class Command {
 public:
  explicit Command(CLI::App* app) : app_(app) {}

  Command subcommand(const char* name, const char* help);
  void require_subcommand();
  bool has_parsed_subcommand() const;

  Option option(const char* names, std::string& value, const char* help);
  Option option(const char* names, int& value, const char* help);
  Option option(const char* names, double& value, const char* help);
  Option option(const char* names, std::vector<std::string>& value, const char* help);
  void flag(const char* names, bool& value, const char* help);

  // Runs once everything is parsed; of nested commands the inner one's first.
  void on_parsed(std::function<void()> body);

 private:
  CLI::App* app_;
};

class CommandLine {
 public:
  explicit CommandLine(const char* what_it_is);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  void add_version(const char* text);
  Command program();

  // Parses and runs the command. The program's exit code: 0 for --help and --version as well, what
  // a command ended with, or `misused` if the words cannot be read.
  int run(int argc, char** argv, int misused);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_COMMAND_LINE_H_
