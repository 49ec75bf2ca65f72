// Workflow code that needs more stack than there is, in a worker process of its own: what the
// process says when it dies of it, and that the same run does not kill the next one.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/crash_worker.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;

// Without waiting, so that only stack that is big enough lets it pass.
[[gnu::noinline]] int dig(int kib) {
  volatile char frame[1024] = {};
  frame[kib % 1024] = 1;
  return kib <= 1 ? 1 : dig(kib - 1) + frame[kib % 1024];
}

class DeepWorkflow {
 public:
  std::string run(int kib) {
    const int dug = dig(kib);
    workflow::wait_condition([this] { return done_; });
    return absl::StrCat("dug ", dug);
  }
  void finish() { done_ = true; }

 private:
  bool done_ = false;
};
const auto kDeep =
    define_workflow<&DeepWorkflow::run>("Deep").signal<&DeepWorkflow::finish>("finish");

// `live --crash-worker ADDRESS QUEUE`, as a process.
class WorkerProcess {
 public:
  explicit WorkerProcess(const std::string& queue) : log_(testing::TempDir() + queue + ".log") {
    child_ = fork();
    if (child_ != 0) return;
    const int file = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDERR_FILENO);
    execl("/proc/self/exe", "live", "--crash-worker", target().address.c_str(), queue.c_str(),
          nullptr);
    _exit(127);
  }
  ~WorkerProcess() {
    if (child_ > 0) {
      kill(child_, SIGKILL);
      wait();
    }
    std::remove(log_.c_str());
  }
  // How it ended.
  int wait() {
    int status = 0;
    waitpid(std::exchange(child_, 0), &status, 0);
    return status;
  }
  std::string log() const {
    std::ifstream file(log_);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  const std::string log_;
  pid_t child_ = 0;
};

class CrashTest : public Live {};
INSTANTIATE_TEST_SUITE_P(, CrashTest, testing::Values(std::size_t{1000}), cache_name);

TEST_P(CrashTest, AnOverflowIsNamedAndTheRunKillsNoOtherWorker) {
  do_not_replay();
  WorkflowOptions with = options();
  with.task_timeout = 2s;  // After which the server gives the task out again.
  auto deep = client().start_workflow<&DeepWorkflow::run>(with, 3000);
  {
    WorkerProcess first(queue());
    const int status = first.wait();
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) << status;
    EXPECT_THAT(first.log(), HasSubstr(absl::StrCat("stack overflow in workflow Deep (id ",
                                                    deep.id(), ", run ")));
    EXPECT_THAT(first.log(), HasSubstr("the 1024 KiB of a workflow's stack"));
    EXPECT_THAT(first.log(), HasSubstr("\n  at "));
  }
  {
    WorkerProcess second(queue());
    eventually([&] { return count_events(deep.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 1; },
               "the second worker has room for the run");
  }
  // The next begins the run again from its history, and its first task is no second attempt.
  WorkerProcess third(queue());
  deep.signal<&DeepWorkflow::finish>();
  EXPECT_EQ(deep.result(), "dug 3000");
}

}  // namespace

int run_crash_worker(const std::string& address, const std::string& queue) {
  auto client = Client::connect({.target_host = address});
  Worker worker(client, {.task_queue = queue, .max_concurrent_workflow_task_polls = 2});
  worker.add(kDeep);
  worker.run();
  return 0;
}

}  // namespace chimera::live
