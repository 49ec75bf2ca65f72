// Poller, some long polls for one kind of task. Each takes a slot, polls, hands the task over with
// its permit, and begins again; an empty poll gives the slot back. Its end has two steps, because a
// poll that is cancelled may lose the task that the server has just given it: stop(), and cancel()
// for the polls that the server does not end. Any thread.
#ifndef CHIMERA_CORE_WORKER_POLLER_H_
#define CHIMERA_CORE_WORKER_POLLER_H_

#include <functional>
#include <memory>
#include <vector>

#include "absl/synchronization/mutex.h"

#include "core/base/timers.h"
#include "core/worker/rpc_call.h"
#include "core/worker/slots.h"

namespace chimera::core {

template <class Request, class Reply>
class Poller : public std::enable_shared_from_this<Poller<Request, Reply>> {
 public:
  struct Options {
    std::string_view method;
    int polls = 1;
    CallOptions call;  // Of each poll.
    std::function<std::unique_ptr<Request>()> request;
    // A task came; on a transport's thread.
    std::function<void(Shared<Reply>, Slots::Permit)> task;
    // A poll ended without a task.
    std::function<void()> empty;
    // A poll that will not be tried again; each that was under way may say so.
    std::function<void(absl::Status)> fatal;
    // All polls have ended; exactly once after stop().
    std::function<void()> ended;
    // At most so many polls a second, over all polls of this poller; 0: no limit.
    double per_second = 0;
    Gauge* under_way = nullptr;  // Polls that wait at the server; null: not shown.
  };

  Poller(std::shared_ptr<Connection> connection, std::shared_ptr<Slots> slots, Options options)
      : connection_(std::move(connection)),
        slots_(std::move(slots)),
        options_(std::move(options)) {}

  void start() {
    {
      absl::MutexLock lock(&mutex_);
      active_ = options_.polls;
      in_flight_.resize(static_cast<std::size_t>(options_.polls));
    }
    for (int i = 0; i < options_.polls; ++i) begin(static_cast<std::size_t>(i));
  }

  // Begins no more polls. A task that a poll under way still brings is handed over.
  void stop() {
    std::vector<Place> places;
    int idle = 0;
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(stopping_, true)) return;
      places = in_flight_;
      idle = std::exchange(waiting_, 0);
    }
    for (const Place& place : places) {
      // A pause that is cut short here: nobody else counts this poll out.
      if (place.pause != 0 && base::system_timers().cancel(place.pause)) ++idle;
    }
    slots_->stop_waiting();
    if (idle > 0) leave(idle);
  }

  bool ended() {
    absl::MutexLock lock(&mutex_);
    return active_ == 0;
  }

  // Cancels the polls under way; after stop().
  void cancel() {
    std::vector<Place> places;
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(cancelled_, true)) return;
      places = in_flight_;
    }
    for (const Place& place : places) {
      if (place.call) place.call->cancel();
    }
  }

 private:
  // One of the polls: its call, or the pause before it.
  struct Place {
    std::uint64_t number = 0;
    std::shared_ptr<base::RpcInFlight> call;
    base::TimerId pause = 0;
  };

  // Waits for a slot, then polls.
  void begin(std::size_t index) {
    bool stopping = false;
    {
      absl::MutexLock lock(&mutex_);
      stopping = stopping_;
      if (!stopping) ++waiting_;
    }
    if (stopping) return leave(1);
    slots_->when_free([self = this->shared_from_this(), index](Slots::Permit permit) mutable {
      {
        absl::MutexLock lock(&self->mutex_);
        if (self->stopping_) return;  // stop() has counted this poll out.
        --self->waiting_;
      }
      self->poll(index, std::move(permit));
    });
  }

  void poll(std::size_t index, Slots::Permit permit) {
    if (options_.under_way) options_.under_way->add(1);
    std::uint64_t number = 0;
    {
      absl::MutexLock lock(&mutex_);
      number = ++in_flight_[index].number;
    }
    auto call = send<Reply>(*connection_, options_.method, options_.request(), options_.call,
                            [self = this->shared_from_this(), index, permit = std::move(permit)](
                                absl::StatusOr<Shared<Reply>> reply) mutable {
                              self->answered(index, std::move(permit), std::move(reply));
                            });
    absl::MutexLock lock(&mutex_);
    // The answer may have come already, and the next poll of this index may have begun.
    if (in_flight_[index].number == number) in_flight_[index].call = call;
    if (cancelled_) call->cancel();
  }

  void answered(std::size_t index, Slots::Permit permit, absl::StatusOr<Shared<Reply>> reply) {
    if (options_.under_way) options_.under_way->add(-1);
    bool stopping = is_stopping();
    if (reply.ok() && !(*reply)->task_token().empty()) {
      options_.task(*std::move(reply), std::move(permit));
    } else {
      permit.reset();
      bool timed_out = reply.ok() || absl::IsDeadlineExceeded(reply.status());
      if (!timed_out && !stopping) {
        options_.fatal(reply.status());
        return leave(1);
      }
      if (timed_out && options_.empty) options_.empty();
    }
    if (stopping) return leave(1);
    if (options_.per_second > 0) {
      auto pause = std::chrono::nanoseconds(
          static_cast<std::int64_t>(1e9 * options_.polls / options_.per_second));
      // With the lock, so that stop() sees either the pause or its end.
      absl::MutexLock lock(&mutex_);
      in_flight_[index].pause = base::system_timers().after(
          stopping_ ? std::chrono::nanoseconds(0) : pause,
          [self = this->shared_from_this(), index] { self->begin(index); });
      return;
    }
    begin(index);
  }

  bool is_stopping() {
    absl::MutexLock lock(&mutex_);
    return stopping_;
  }

  void leave(int polls) {
    {
      absl::MutexLock lock(&mutex_);
      active_ -= polls;
      if (active_ > 0 || std::exchange(told_, true)) return;
    }
    options_.ended();
  }

  const std::shared_ptr<Connection> connection_;
  const std::shared_ptr<Slots> slots_;
  const Options options_;
  absl::Mutex mutex_;
  std::vector<Place> in_flight_ ABSL_GUARDED_BY(mutex_);
  int active_ ABSL_GUARDED_BY(mutex_) = 0;   // Polls that have not ended.
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // Of these, those that wait for a slot.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_POLLER_H_
