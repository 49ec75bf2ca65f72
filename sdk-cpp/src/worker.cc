#include "chimera/worker.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "core/worker/worker.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/library.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/session_worker.h"
#include "sdk-cpp/src/user_links.h"
#include "sdk-cpp/src/worker_options.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera {
namespace {

void check(const absl::Status& status, std::string_view doing) {
  if (status.ok()) return;
  const std::string text = absl::StrCat(std::string(doing), ": ", std::string(status.message()));
  if (status.code() == absl::StatusCode::kInvalidArgument ||
      status.code() == absl::StatusCode::kAlreadyExists) {
    throw std::invalid_argument(text);
  }
  throw sdk::rpc_error(status, text);
}

// SIGINT and SIGTERM as a call on an ordinary thread, for every worker of the process that runs
// with signals. A handler and a pipe each, not sigwait: gRPC's threads are there already, do not
// block the signals, and would let them end the process. Pipes are never closed, only used again:
// the handler may be about to write to one.
class Signals {
 public:
  explicit Signals(std::function<void()> first) : first_(std::move(first)), pipe_(take_pipe()) {}
  void listen() {
    thread_ = std::thread([this] { wait(); });
  }
  ~Signals() {
    {
      absl::MutexLock lock(&mutex_);
      pipe_.used.store(false);
      if (--listeners_ == 0) {
        sigaction(SIGINT, &before_int_, nullptr);
        sigaction(SIGTERM, &before_term_, nullptr);
      }
    }
    const char end = 0;
    static_cast<void>(!write(pipe_.write_end, &end, 1));
    if (thread_.joinable()) thread_.join();
    pipe_.idle.store(true);
  }

 private:
  struct Pipe {
    int read_end = -1, write_end = -1;
    std::atomic<bool> used{true};   // Gets signals.
    std::atomic<bool> idle{false};  // Free for the next worker.
    Pipe* next = nullptr;
  };

  static Pipe& take_pipe() {
    absl::MutexLock lock(&mutex_);
    Pipe* pipe = free_pipe();
    if (listeners_++ > 0) return *pipe;
    struct sigaction action = {};
    action.sa_handler = &Signals::tell_all;
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &before_int_);
    sigaction(SIGTERM, &action, &before_term_);
    return *pipe;
  }
  static Pipe* free_pipe() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (Pipe* pipe = pipes_.load(); pipe != nullptr; pipe = pipe->next) {
      if (!pipe->idle.exchange(false)) continue;
      pollfd waiting{.fd = pipe->read_end, .events = POLLIN, .revents = 0};
      for (char old = 0; poll(&waiting, 1, 0) == 1 && read(pipe->read_end, &old, 1) == 1;) {
      }
      pipe->used.store(true);
      return pipe;
    }
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category());
    auto* const made = new Pipe{.read_end = ends[0], .write_end = ends[1], .next = pipes_.load()};
    pipes_.store(made);
    return made;
  }
  static void tell_all(int signal) {
    const int before = errno;  // Of whatever this interrupts.
    const char byte = static_cast<char>(signal);
    for (Pipe* pipe = pipes_.load(); pipe != nullptr; pipe = pipe->next) {
      if (pipe->used.load()) static_cast<void>(!write(pipe->write_end, &byte, 1));
    }
    errno = before;
  }
  void wait() {
    char signal = 0;
    for (bool again = false; read(pipe_.read_end, &signal, 1) == 1 && signal != 0; again = true) {
      if (again) std::_Exit(128 + signal);
      sdk::log(sdk::LogLevel::kInfo,
               absl::StrCat(signal == SIGINT ? "SIGINT" : "SIGTERM",
                            ": no new tasks; waiting for those under way (again: stop at once)"));
      first_();
    }
  }

  static inline std::atomic<Pipe*> pipes_{nullptr};  // Newest first; never freed.
  static inline absl::Mutex mutex_{absl::kConstInit};
  static inline int listeners_ ABSL_GUARDED_BY(mutex_) = 0;
  static inline struct sigaction before_int_ = {}, before_term_ = {};
  std::function<void()> first_;
  Pipe& pipe_;
  std::thread thread_;
};

}  // namespace

class Worker::State {
 public:
  // Null before start() and when that has failed.
  std::shared_ptr<core::Worker> made() {
    absl::MutexLock lock(&mutex);
    return worker;
  }
  absl::Status wait();

  absl::Mutex mutex;
  detail::ClientPtr client;  // Whose namespace and codec the worker has.
  WorkerOptions options;
  sdk::WorkerInterceptors interceptors;
  std::unique_ptr<sdk::NativeTypes> types;
  // Null: it takes none. Shared with a shutdown() under way.
  std::shared_ptr<sdk::SessionWorker> sessions;
  std::shared_ptr<core::Worker> worker;          // Destroyed before the types that it borrows.
  bool stopping ABSL_GUARDED_BY(mutex) = false;  // A shutdown came before there was a worker.
  bool waited = false;
};

absl::Status Worker::State::wait() {
  waited = true;
  absl::Status status = worker->wait();
  if (sessions != nullptr) {
    try {
      sessions->wait();
    } catch (const std::exception& error) {
      if (status.ok()) status = absl::InternalError(absl::StrCat("its sessions: ", error.what()));
    }
  }
  // Code that did not end is left on its thread, and needs its types when it returns.
  if (absl::IsDeadlineExceeded(status)) static_cast<void>(types.release());
  return status;
}

Worker::Worker(const Client& client, WorkerOptions options) : state_(std::make_unique<State>()) {
  sdk::check(options);
  sdk::check_interceptors(options.interceptors, "WorkerOptions::interceptors");
  state_->client = client.state();
  state_->options = std::move(options);
}
Worker::Worker(Worker&&) noexcept = default;

Worker::~Worker() {
  if (state_ == nullptr || state_->worker == nullptr || state_->waited) return;
  shutdown();
  const absl::Status status = state_->wait();
  if (!status.ok())
    sdk::log(sdk::LogLevel::kError, absl::StrCat("worker ended: ", status.ToString()));
}

void Worker::intercept(std::shared_ptr<sdk::WorkerInterceptor> interceptor) {
  state_->interceptors.push_back(std::move(interceptor));
}

void Worker::start() {
  sdk::refuse_in_workflow("Worker::start");
  if (state_->worker != nullptr) throw std::logic_error("the worker has been started already");
  sdk::check_behaviors(state_->options, workflows());
  auto worker = core::Worker::create(state_->client->connection,
                                     sdk::to_core(state_->options, state_->client->namespace_));
  check(worker.status(), "cannot create the worker");
  state_->types = sdk::NativeTypes::create(state_->client->codec, (*worker)->options(),
                                           state_->options.workflow_stack_bytes);
  state_->types->use(state_->client);
  check(state_->types->add(*this), "cannot create the worker");
  state_->types->intercept(sdk::with_users(
      sdk::joined(state_->client->user_interceptors(), state_->options.interceptors),
      state_->interceptors));
  state_->types->fail_on(state_->options.workflow_failure_exceptions);
  if (state_->options.workflow_failure_exceptions.nondeterminism)
    (*worker)->set_nondeterminism_fails_workflow("");
  check(state_->types->register_with(**worker), "cannot create the worker");
  for (const auto& [activity, per_second] : state_->options.max_per_second_of_activity)
    check(state_->types->limit(activity, per_second), "cannot create the worker");
  if (state_->options.max_concurrent_sessions != 0) {
    auto sessions = std::make_shared<sdk::SessionWorker>(Client(state_->client), state_->options,
                                                         *this, state_->interceptors);
    {
      absl::MutexLock lock(&state_->mutex);
      state_->sessions = sessions;
      if (state_->stopping) sessions->shutdown();
    }
    sessions->start();
  }
  {
    absl::MutexLock lock(&state_->mutex);
    state_->worker = *std::move(worker);
    if (state_->stopping) state_->worker->initiate_shutdown();
  }
  const absl::Status started = state_->worker->start();
  if (started.ok()) {
    close(true);
  } else {                                         // It may be tried again.
    std::shared_ptr<sdk::SessionWorker> sessions;  // Ends without the lock.
    absl::MutexLock lock(&state_->mutex);
    state_->worker.reset();
    sessions = std::move(state_->sessions);
  }
  check(started,
        absl::StrCat("cannot start the worker of task queue '", state_->options.task_queue, "'"));
}

void Worker::replace_client(const Client& client) {
  const std::shared_ptr<core::Worker> worker = state_->made();
  if (worker == nullptr) throw std::logic_error("the worker has not been started");
  if (client.namespace_() != state_->client->namespace_) {
    throw std::invalid_argument(absl::StrCat("cannot replace the client of a worker in namespace '",
                                             state_->client->namespace_, "' by one of '",
                                             client.namespace_(), "'"));
  }
  worker->replace_connection(client.state()->connection);
  state_->types->use(client.state());
  if (state_->sessions != nullptr) state_->sessions->replace_client(client);
}

void Worker::shutdown() {
  std::shared_ptr<core::Worker> worker;
  std::shared_ptr<sdk::SessionWorker> sessions;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->stopping = true;
    worker = state_->worker;
    sessions = state_->sessions;
  }
  if (sessions != nullptr) sessions->shutdown();
  if (worker != nullptr) worker->initiate_shutdown();
}

void Worker::wait() {
  if (state_->worker == nullptr || state_->waited) return;
  check(state_->wait(), "the worker ended");
}

void Worker::run() {
  Signals signals([this] { shutdown(); });
  start();
  signals.listen();
  wait();
}

}  // namespace chimera
