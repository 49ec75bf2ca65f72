#include "cli/command_line.h"

#include <utility>

#include "CLI/App.hpp"
#include "CLI/Config.hpp"
#include "CLI/Error.hpp"
#include "CLI/Formatter.hpp"
#include "CLI/Option.hpp"
#include "CLI/Validators.hpp"

namespace chimera::cli {

Option Option::from_environment(const char* variable) {
  option_->envname(variable);
  return *this;
}

Option Option::required() {
  option_->required();
  return *this;
}

Option Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option Option::between(int least, int most) {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::one_of(std::vector<std::string> words) {
  option_->check(CLI::IsMember(std::move(words)));
  return *this;
}

Option Option::not_empty() {
  option_->check([](const std::string& value) {
    return value.empty() ? std::string("its value is empty: give one, or leave the option out")
                         : "";
  });
  return *this;
}

Command Command::subcommand(const char* name, const char* help) {
  return Command(app_->add_subcommand(name, help));
}

void Command::require_subcommand() { app_->require_subcommand(1); }

bool Command::has_parsed_subcommand() const { return !app_->get_subcommands().empty(); }

Option Command::option(const char* names, std::string& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, int& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, double& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

Option Command::option(const char* names, std::vector<std::string>& value, const char* help) {
  return Option(app_->add_option(names, value, help));
}

void Command::flag(const char* names, bool& value, const char* help) {
  app_->add_flag(names, value, help);
}

void Command::on_parsed(std::function<void()> body) { app_->callback(std::move(body)); }

CommandLine::CommandLine(const char* what_it_is) : app_(std::make_unique<CLI::App>(what_it_is)) {}

CommandLine::~CommandLine() = default;

void CommandLine::add_version(const char* text) { app_->set_version_flag("--version", text); }

Command CommandLine::program() { return Command(app_.get()); }

int CommandLine::run(int argc, char** argv, int misused) {
  try {
    app_->parse(argc, argv);
    return 0;
  } catch (const Ended& ended) {
    return ended.exit_code;
  } catch (const CLI::ParseError& error) {
    return app_->exit(error) == 0 ? 0 : misused;
  }
}

}  // namespace chimera::cli
