// Workflow code that needs more stack than there is, in a worker process of its own: what the
// process says of it, and that it goes on.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sdk-cpp/src/sanitizers.h"
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

// Endless; each frame may hold something of the heap, so that it is the C library that meets the
// end of the stack.
[[gnu::noinline]] std::size_t fall(std::size_t depth, bool allocates) {
  if (depth == 0) return 0;
  const std::string text(allocates ? 100 : 1, 'x');
  return text.size() + fall(depth + text.size(), allocates) % 7;
}

class EndlessWorkflow {
 public:
  std::string run(bool allocates) {
    auto other = workflow::spawn([this] { workflow::wait_condition([this] { return done_; }); });
    return absl::StrCat(fall(1, allocates));
  }

 private:
  bool done_ = false;
};
const auto kEndless = define_workflow<&EndlessWorkflow::run>("Endless");

// Where no task runs: in what a query asks, a condition, a constructor.
class FallsElsewhere {
 public:
  explicit FallsElsewhere(std::string where) : where_(std::move(where)) {
    if (where_ == "constructor") fall(1, true);
  }
  std::string run(std::string) {
    workflow::wait_condition([this] { return woken_ && fall_in("condition"); });
    return "fell";
  }
  bool fall_in(const std::string& where) const { return where_ == where && fall(1, true) > 0; }
  void wake() { woken_ = true; }

 private:
  std::string where_;
  bool woken_ = false;
};
const auto kFallsElsewhere = define_workflow<&FallsElsewhere::run>("FallsElsewhere")
                                 .signal<&FallsElsewhere::wake>("wake")
                                 .query<&FallsElsewhere::fall_in>("fall_in");

#if !defined(CHIMERA_ASAN) && !defined(CHIMERA_TSAN)  // Which take SIGSEGV for themselves.
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
  bool runs() const { return waitpid(child_, nullptr, WNOHANG) == 0; }
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

TEST_P(CrashTest, AnOverflowIsNamedAndTheRunGetsALargerStack) {
  do_not_replay();
  auto deep = client().start_workflow<&DeepWorkflow::run>(options(), 3000);
  {
    WorkerProcess worker(queue());
    eventually([&] { return count_events(deep.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 1; },
               "room for the run at its second attempt");
    EXPECT_EQ(count_events(deep.fetch_history(), "WORKFLOW_TASK_FAILED"), 1);
    EXPECT_THAT(deep.fetch_history(), HasSubstr("the 1024 KiB of a workflow's stack"));
    EXPECT_THAT(worker.log(), HasSubstr(absl::StrCat("stack overflow in workflow Deep (id ",
                                                     deep.id(), ", run ")));
    EXPECT_THAT(worker.log(), HasSubstr("\n  at "));
  }
  // Another worker begins the run again from its history, and its first task is no second attempt.
  WorkerProcess next(queue());
  deep.signal<&DeepWorkflow::finish>();
  EXPECT_EQ(deep.result(), "dug 3000");
}

TEST_P(CrashTest, EndlessRecursionDoesNotEndTheWorker) {
  do_not_replay();
  WorkerProcess worker(queue());
  for (const bool allocates : {false, true}) {
    auto endless = client().start_workflow<&EndlessWorkflow::run>(options(), allocates);
    eventually([&] { return count_events(endless.fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
               "the first overflow");
    eventually([&] { return worker.log().find("the 8192 KiB") != std::string::npos; },
               "that of the large stack");
    auto other = client().start_workflow<&DeepWorkflow::run>(options(), 10);
    other.signal<&DeepWorkflow::finish>();
    EXPECT_EQ(other.result(), "dug 10");
    endless.terminate("it has no end");
  }
  EXPECT_TRUE(worker.runs());
}

TEST_P(CrashTest, NorDoesItElsewhere) {
  do_not_replay();
  WorkerProcess worker(queue());
  auto queried = client().start_workflow<&FallsElsewhere::run>(options(), "query");
  EXPECT_FALSE(queried.query<&FallsElsewhere::fall_in>("other")) << "after its first task";
  EXPECT_THROW(queried.query<&FallsElsewhere::fall_in>("query"), std::exception);
  EXPECT_FALSE(queried.query<&FallsElsewhere::fall_in>("other")) << "the run goes on";
  auto waits = client().start_workflow<&FallsElsewhere::run>(options(), "condition");
  waits.signal<&FallsElsewhere::wake>();
  auto made = client().start_workflow<&FallsElsewhere::run>(options(), "constructor");
  for (auto* one : {&waits, &made})
    eventually([&] { return count_events(one->fetch_history(), "WORKFLOW_TASK_FAILED") > 0; },
               "a failed task");
  for (auto* one : {&queried, &waits, &made}) one->terminate("it has no end");
  auto other = client().start_workflow<&DeepWorkflow::run>(options(), 10);
  other.signal<&DeepWorkflow::finish>();
  EXPECT_EQ(other.result(), "dug 10");
  EXPECT_TRUE(worker.runs());
}
#endif

}  // namespace

int run_crash_worker(const std::string& address, const std::string& queue) {
  auto client = Client::connect({.target_host = address});
  Worker worker(client, {.task_queue = queue, .max_concurrent_workflow_task_polls = 2});
  worker.add(kDeep).add(kEndless).add(kFallsElsewhere);
  worker.run();
  return 0;
}

}  // namespace chimera::live
