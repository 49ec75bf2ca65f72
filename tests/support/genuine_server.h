// GenuineServer, the real dev server as a child process for the time of a test program. One thread.
#ifndef CHIMERA_TESTS_SUPPORT_GENUINE_SERVER_H_
#define CHIMERA_TESTS_SUPPORT_GENUINE_SERVER_H_

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera {

class GenuineServer {
 public:
  // The path of a program that is not given is in CHIMERA_TEMPORAL_CLI; without it this ends the
  // process with a message. With a file it keeps what it has there.
  explicit GenuineServer(const std::map<std::string, std::string>& dynamic_config = {},
                         const std::string& file = "", const char* program = nullptr,
                         const std::vector<std::string>& more = {})
      : port_(free_port()) {
    const char* cli = program != nullptr ? program : std::getenv("CHIMERA_TEMPORAL_CLI");
    if (cli == nullptr) {
      std::fprintf(stderr, "--genuine: set CHIMERA_TEMPORAL_CLI to the temporal program\n");
      std::exit(2);
    }
    child_ = fork();
    if (child_ == 0) run(cli, dynamic_config, file, more);
  }
  ~GenuineServer() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  GenuineServer(const GenuineServer&) = delete;
  GenuineServer& operator=(const GenuineServer&) = delete;

  // It listens a while before its namespace is there.
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }

 private:
  static int free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    close(fd);
    return ntohs(address.sin_port);
  }

  [[noreturn]] void run(const char* cli, const std::map<std::string, std::string>& config,
                        const std::string& file, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {cli,
                                      "server",
                                      "start-dev",
                                      "--headless",
                                      "--ip",
                                      "127.0.0.1",
                                      "--port",
                                      absl::StrCat(port_),
                                      "--log-level",
                                      "error",
                                      "--search-attribute",
                                      "GoldKw=Keyword",
                                      "--search-attribute",
                                      "GoldInt=Int",
                                      "--search-attribute",
                                      "GoldText=Text"};
    if (!file.empty()) words.insert(words.end(), {"--db-filename", file});
    words.insert(words.end(), more.begin(), more.end());
    auto set = [&words](const std::string& name, const std::string& value) {
      words.push_back("--dynamic-config-value");
      words.push_back(absl::StrCat(name, "=", value));
    };
    set("frontend.enableExecuteMultiOperation", "true");
    set("system.enableEagerWorkflowStart", "true");
    for (const auto& [name, value] : config) set(name, value);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    execv(cli, arguments.data());
    std::fprintf(stderr, "cannot start %s: %s\n", cli, std::strerror(errno));
    _exit(127);
  }

  const int port_;
  pid_t child_ = 0;
};

}  // namespace chimera

#endif  // CHIMERA_TESTS_SUPPORT_GENUINE_SERVER_H_
