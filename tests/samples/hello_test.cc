// samples/cpp/hello: its worker in one process, its client in another.
#include <array>
#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

namespace chimera {
namespace {

// The program's standard output, and how it ended.
struct Ended {
  std::string output;
  int status = -1;
};

Ended run(const std::string& arguments) {
  Ended ended;
  FILE* pipe = popen(absl::StrCat(CHIMERA_HELLO, " ", arguments, " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ended;
  std::array<char, 256> line;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) ended.output += line.data();
  ended.status = WEXITSTATUS(pclose(pipe));
  return ended;
}

pid_t start_worker(const std::string& address) {
  const pid_t child = fork();
  if (child != 0) return child;
  execl(CHIMERA_HELLO, CHIMERA_HELLO, "worker", address.c_str(), nullptr);
  _exit(127);
}

TEST(HelloTest, GreetsAndDrains) {
  const std::string& address = live::target().address;
  const pid_t worker = start_worker(address);

  const Ended greeting = run(absl::StrCat("World ", address));
  kill(worker, SIGTERM);
  int status = -1;
  waitpid(worker, &status, 0);

  EXPECT_EQ(greeting.output, "Hello, World!\n");
  EXPECT_EQ(greeting.status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace chimera
