#include "bindings/python/ending.h"

#include <mutex>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include <pthread.h>

#include "bindings/python/gil.h"
#include "core/telemetry/log.h"

namespace chimera::bindings {
namespace {

// A server that does not answer must not keep the program from ending.
constexpr absl::Duration kPatience = absl::Seconds(5);

struct Member {
  EndsWith order;
  std::weak_ptr<Ending> what;
};

// Of one process. Never destroyed: threads may use it until the process is gone.
struct Process {
  absl::Mutex mutex;
  std::vector<Member> members ABSL_GUARDED_BY(mutex);
  std::size_t prune_at ABSL_GUARDED_BY(mutex) = 64;
  int threads ABSL_GUARDED_BY(mutex) = 0;
};

Process* process() {
  static Process* here = nullptr;
  static std::once_flag once;
  std::call_once(once, [] {
    here = new Process;
    // A lock of the parent may be held for ever in the child, so that it gets its own.
    pthread_atfork(nullptr, nullptr, [] { here = new Process; });
  });
  return here;
}

void end_all(Process& here, EndsWith order) {
  std::vector<std::shared_ptr<Ending>> found;
  {
    absl::MutexLock lock(&here.mutex);
    for (const Member& member : here.members) {
      if (member.order != order) continue;
      if (auto what = member.what.lock()) found.push_back(std::move(what));
    }
  }
  for (const auto& what : found) what->end();
}

void end() {
  Process& here = *process();
  GilReleased released;
  end_all(here, EndsWith::kWorkers);
  end_all(here, EndsWith::kLanguages);
  {
    absl::MutexLock lock(&here.mutex);
    const auto none = [&here]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(here.mutex) { return here.threads == 0; };
    if (!here.mutex.AwaitWithTimeout(absl::Condition(&none), kPatience)) {
      core::log(core::LogLevel::kWarn, "worker",
                "the process ends although workers, replays or connections are still at work");
    }
  }
  // Clients that still call a server of this process would each say that it is going.
  core::set_log_level(core::LogLevel::kError);
  end_all(here, EndsWith::kServers);
}

}  // namespace

void end_with_interpreter(EndsWith order, std::weak_ptr<Ending> what) {
  Process& here = *process();
  absl::MutexLock lock(&here.mutex);
  if (here.members.size() >= here.prune_at) {
    std::erase_if(here.members, [](const Member& member) { return member.what.expired(); });
    here.prune_at = 64 + 2 * here.members.size();
  }
  here.members.push_back({order, std::move(what)});
}

void run_on_thread(absl::AnyInvocable<void() &&> body) {
  Process& here = *process();
  {
    absl::MutexLock lock(&here.mutex);
    ++here.threads;
  }
  std::thread([&here, body = std::move(body)]() mutable {
    {
      absl::AnyInvocable<void() &&> ours = std::move(body);
      std::move(ours)();
    }
    absl::MutexLock lock(&here.mutex);
    --here.threads;
  }).detach();
}

MadeHere::MadeHere() : process_(process()) {}

MadeHere::operator bool() const { return process_ == process(); }

void define_ending(py::module_& module) {
  process();
  py::module_::import("atexit").attr("register")(
      py::cpp_function(&end, py::name("end"), py::scope(module)));
}

}  // namespace chimera::bindings
