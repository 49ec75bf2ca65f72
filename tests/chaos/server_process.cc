#include "tests/chaos/server_process.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace chimera::chaos {

void ServerProcess::launch() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) std::abort();
  child_ = fork();
  if (child_ == 0) {
    dup2(ends[1], STDOUT_FILENO);
    execl("/proc/self/exe", "chaos_test", "--serve", file_.c_str(), nullptr);
    _exit(127);
  }
  close(ends[1]);
  output_ = ends[0];
}

void ServerProcess::wait_ready(std::chrono::milliseconds patience) {
  pollfd ready{output_, POLLIN, 0};
  poll(&ready, 1, static_cast<int>(patience.count()));
}

bool ServerProcess::connect() {
  std::string line;
  char byte;
  while (read(output_, &byte, 1) == 1 && byte != '\n') line.push_back(byte);
  int port = 0;
  if (!absl::SimpleAtoi(line, &port)) return false;
  core::ConnectionOptions options;
  options.target_host = absl::StrCat("127.0.0.1:", port);
  auto connection = core::Connection::connect(std::move(options));
  if (!connection.ok()) {
    std::fprintf(stderr, "%s\n", connection.status().ToString().c_str());
    return false;
  }
  std::lock_guard lock(mutex_);
  connection_ = *std::move(connection);
  changed_.notify_all();
  return true;
}

void ServerProcess::sever() {
  std::lock_guard lock(mutex_);
  connection_ = nullptr;
}

void ServerProcess::strike() { ::kill(child_, SIGKILL); }

void ServerProcess::kill() {
  if (child_ == 0) return;
  strike();
  waitpid(child_, nullptr, 0);
  close(output_);
  child_ = 0;
}

std::shared_ptr<core::Connection> ServerProcess::connection() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return shut_ || connection_ != nullptr; });
  return shut_ ? nullptr : connection_;
}

void ServerProcess::shut() {
  std::lock_guard lock(mutex_);
  shut_ = true;
  changed_.notify_all();
}

}  // namespace chimera::chaos
