// Sessions: activities that stay on one worker, how many it takes, and what is left when it goes.
#include "chimera/session.h"

#include <atomic>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace session_test {

using testing::HasSubstr;
using testing::StartsWith;

CHIMERA_LIVE(SessionLive);

const ActivityOptions kOptions{.start_to_close_timeout = 10s};

// What only one worker has.
class Disk {
 public:
  explicit Disk(std::string name) : name_(std::move(name)) {}
  std::string save(int value) {
    value_ = value;
    return name_;
  }
  std::string load() { return absl::StrCat(name_, value_.load()); }
  // Until its worker ends.
  std::string hang() {
    inside.Notify();
    activity::wait_for_cancelled(60s);
    throw ApplicationError("hangs", {.non_retryable = true});
  }
  absl::Notification inside;

 private:
  const std::string name_;
  std::atomic<int> value_{0};
};

struct Saves {
  std::string run(int value) {
    workflow::Session session({.execution_timeout = 60s});
    std::string seen;
    for (int i = 0; i < 4; ++i) {
      seen += session.execute_activity<&Disk::save>(kOptions, value);
      seen += session.execute_activity<std::string>("load", kOptions) + " ";
    }
    session.complete();
    return seen;
  }
};

class Beside {  // A second worker of the same task queue.
 public:
  Beside(Client& client, WorkerOptions options, Disk& disk) : worker_(client, std::move(options)) {
    worker_.add_activity<&Disk::save>(disk)
        .add_activity<&Disk::load>(disk)
        .add_activity<&Disk::hang>(disk);
    worker_.start();
  }
  void stop() {
    worker_.shutdown();
    worker_.wait();
  }

 private:
  Worker worker_;
};

TEST_P(SessionLive, KeepsItsActivitiesOnOneWorker) {
  Disk a("a"), b("b");
  registry()
      .add(define_workflow<&Saves::run>("Saves"))
      .add_activity<&Disk::save>(a)
      .add_activity<&Disk::load>(a);
  worker_options().max_concurrent_sessions = 1;
  start_worker();
  WorkerOptions with;
  with.task_queue = queue();
  with.max_concurrent_sessions = 1;
  Beside beside(client(), with, b);

  const auto first = start<&Saves::run>(1), second = start<&Saves::run>(2);

  EXPECT_THAT(first.result(), testing::AnyOf("aa1 aa1 aa1 aa1 ", "bb1 bb1 bb1 bb1 "));
  EXPECT_THAT(second.result(), testing::AnyOf("aa2 aa2 aa2 aa2 ", "bb2 bb2 bb2 bb2 "));
  beside.stop();
  stop_worker();
}

class Holds {
 public:
  void release() { released_ = true; }
  std::string run(bool waits) {
    try {
      workflow::Session session(
          {.creation_timeout = waits ? Duration(60s) : Duration(300ms), .execution_timeout = 60s});
      if (waits) workflow::wait_condition([this] { return released_; });
      session.complete();
    } catch (const ActivityError& error) {
      return error.find_cause<TimeoutError>() != nullptr ? "no room" : error.what();
    }
    return "had one";
  }

 private:
  bool released_ = false;
};

TEST_P(SessionLive, AWorkerTakesNoMoreThanItHasRoomFor) {
  registry().add(define_workflow<&Holds::run>("Holds").signal<&Holds::release>("release"));
  worker_options().max_concurrent_sessions = 1;
  start_worker();
  const auto holder = start<&Holds::run>(true);
  eventually(
      [&] { return count_events(holder.fetch_history(), "WORKFLOW_EXECUTION_SIGNALED") == 1; },
      "the session");

  // The key "Taskqueue", which Go's workflows read, in base64 wherever it begins.
  EXPECT_THAT(holder.fetch_history(), testing::AnyOf(HasSubstr("VGFza3F1ZXVl"),
                                                     HasSubstr("c2txdWV1"), HasSubstr("YXNrcXVl")));
  EXPECT_EQ(execute<&Holds::run>(false), "no room");
  holder.signal<&Holds::release>();
  EXPECT_EQ(holder.result(), "had one");
  EXPECT_EQ(execute<&Holds::run>(false), "had one");
  stop_worker();
}

// Gives up before a worker has room, and goes on.
class GivesUp {
 public:
  void give_up() { given_up_ = true; }
  void release() { released_ = true; }
  std::string run() {
    auto waits = workflow::spawn([] { workflow::Session session({.execution_timeout = 60s}); });
    workflow::wait_condition([this] { return given_up_; });
    waits.cancel();
    std::string end = "has it";
    try {
      waits.get();
    } catch (const CancelledError&) {
      end = "gave up";
    }
    workflow::wait_condition([this] { return released_; });
    return end;
  }

 private:
  bool given_up_ = false, released_ = false;
};

TEST_P(SessionLive, NoPlaceIsKeptForOneThatWasGivenUp) {
  registry()
      .add(define_workflow<&Holds::run>("Holds").signal<&Holds::release>("release"))
      .add(define_workflow<&GivesUp::run>("GivesUp")
               .signal<&GivesUp::give_up>("give_up")
               .signal<&GivesUp::release>("release"));
  worker_options().max_concurrent_sessions = 1;
  start_worker();
  const auto holder = start<&Holds::run>(true);
  eventually(
      [&] { return count_events(holder.fetch_history(), "WORKFLOW_EXECUTION_SIGNALED") == 1; },
      "the session");
  const auto waits = start<&GivesUp::run>();
  eventually([&] { return count_events(waits.fetch_history(), "ACTIVITY_TASK_SCHEDULED") == 1; },
             "the wait for a session");
  waits.signal<&GivesUp::give_up>();
  eventually([&] { return count_events(waits.fetch_history(), "ACTIVITY_TASK_CANCELED") == 1; },
             "the end of the wait");

  holder.signal<&Holds::release>();
  EXPECT_EQ(holder.result(), "had one");
  EXPECT_EQ(execute<&Holds::run>(false), "had one");
  waits.signal<&GivesUp::release>();
  EXPECT_EQ(waits.result(), "gave up");
  stop_worker();
}

TEST_P(SessionLive, RatesHoldInSessionsToo) {
  Disk disk("a");
  registry()
      .add(define_workflow<&Saves::run>("Saves"))
      .add_activity<&Disk::save>(disk)
      .add_activity<&Disk::load>(disk);
  worker_options().max_concurrent_sessions = 1;
  worker_options().max_per_second_of_activity = {{"save", 20}};
  start_worker();
  const auto before = std::chrono::steady_clock::now();

  EXPECT_EQ(execute<&Saves::run>(1), "aa1 aa1 aa1 aa1 ");

  EXPECT_GE(std::chrono::steady_clock::now() - before, 3 * 50ms);
  stop_worker();
}

struct Hangs {
  std::string run() {
    workflow::Session session({.execution_timeout = 60s});
    try {
      return session.execute_activity<&Disk::hang>(kOptions);
    } catch (const SessionFailedError& error) {
      if (!session.failed()) return "it has not failed";
      try {
        static_cast<void>(session.execute_activity<&Disk::load>(kOptions));
      } catch (const SessionFailedError&) {
        return error.type();
      }
      return "went on";
    }
  }
};

TEST_P(SessionLive, FailsWithItsWorker) {
  Disk disk("a");
  registry().add(define_workflow<&Hangs::run>("Hangs"));
  start_worker();
  WorkerOptions with;
  with.task_queue = queue();
  with.max_concurrent_sessions = 1;
  with.graceful_shutdown_timeout = 1s;
  Beside beside(client(), with, disk);
  const auto handle = start<&Hangs::run>();
  disk.inside.WaitForNotification();

  beside.stop();

  EXPECT_EQ(handle.result(), "SessionFailed");
}

struct Asks {
  std::string run(int timeout) {
    try {
      workflow::Session session({.execution_timeout = timeout * 1s});
      session.complete();
      session.complete();
      static_cast<void>(session.execute_activity<std::string>("load", kOptions));
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }
};

TEST_P(SessionLive, WrongUseIsSaid) {
  registry().add(define_workflow<&Asks::run>("Asks"));
  worker_options().max_concurrent_sessions = -1;
  EXPECT_THAT([&] { start_worker(); }, testing::ThrowsMessage<std::invalid_argument>(HasSubstr(
                                           "max_concurrent_sessions must not be negative")));
  worker_options().max_concurrent_sessions = 1;
  start_worker();

  EXPECT_THAT(execute<&Asks::run>(0), HasSubstr("execution_timeout is required"));
  EXPECT_THAT(execute<&Asks::run>(9), HasSubstr("after the session's complete()"));
  stop_worker();
}

}  // namespace session_test
}  // namespace chimera::live
