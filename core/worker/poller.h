// Poller, the long polls for one TaskSource. Each takes a slot, polls, hands the task over with its
// permit, and begins again; an empty poll gives the slot back. Its end has two steps, because a
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
#include "core/worker/task_source.h"

namespace chimera::core {

// What a worker knows of its pollers.
class PollerBase {
 public:
  // Of the worker that owns the polls.
  struct Events {
    // A poll that will not be tried again; each that was under way may say so.
    std::function<void(absl::Status)> fatal;
    // All polls have ended; exactly once after stop().
    std::function<void()> ended;
  };
  virtual ~PollerBase() = default;
  virtual void start() = 0;
  // Begins no more polls. A task that a poll under way still brings is handed over.
  virtual void stop() = 0;
  // Cancels the polls under way; after stop().
  virtual void cancel() = 0;
  virtual bool ended() = 0;
};

template <class Source>
class Poller : public PollerBase, public std::enable_shared_from_this<Poller<Source>> {
 public:
  using Request = typename Source::Request;
  using Reply = typename Source::Reply;

  // Borrows the timers; they outlive the poller.
  Poller(std::shared_ptr<Connection> connection, base::Timers& timers, Source source,
         std::unique_ptr<PollerBehavior> behavior, Events events)
      : connection_(std::move(connection)),
        timers_(timers),
        source_(std::move(source)),
        behavior_(std::move(behavior)),
        events_(std::move(events)) {}

  void start() override {
    std::vector<std::size_t> first;
    {
      absl::MutexLock lock(&mutex_);
      in_flight_.resize(static_cast<std::size_t>(behavior_->polls()));
      for (std::size_t i = in_flight_.size(); i > 0; --i) resting_.push_back(i - 1);
      first = take_resting();
    }
    for (const std::size_t index : first) begin(index);
  }

  void stop() override {
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
      if (place.pause != 0 && timers_.cancel(place.pause)) ++idle;
    }
    source_.slots->stop_waiting();
    if (idle > 0) leave(idle);
  }

  bool ended() override {
    absl::MutexLock lock(&mutex_);
    return active_ == 0;
  }

  void cancel() override {
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

  // The places that shall poll, beside those that do.
  std::vector<std::size_t> take_resting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<std::size_t> taken;
    for (int target = behavior_->target(); active_ < target && !resting_.empty(); ++active_) {
      taken.push_back(resting_.back());
      resting_.pop_back();
    }
    return taken;
  }

  // A poll of this place has ended: another one, of others too, or none for now.
  void go_on(std::size_t index) {
    std::vector<std::size_t> next;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_ || active_ <= behavior_->target()) {
        next.push_back(index);
        if (!stopping_)
          for (const std::size_t more : take_resting()) next.push_back(more);
      } else {
        --active_;
        resting_.push_back(index);
      }
    }
    for (const std::size_t each : next) begin(each);
  }

  // Waits for a slot, then polls.
  void begin(std::size_t index) {
    bool stopping = false;
    {
      absl::MutexLock lock(&mutex_);
      stopping = stopping_;
      if (!stopping) ++waiting_;
    }
    if (stopping) return leave(1);
    source_.slots->when_free(source_.slot, [self = this->shared_from_this(),
                                            index](base::SlotSupplier::Permit permit) mutable {
      {
        absl::MutexLock lock(&self->mutex_);
        if (self->stopping_) return;  // stop() has counted this poll out.
        --self->waiting_;
      }
      self->poll(index, std::move(permit));
    });
  }

  void poll(std::size_t index, base::SlotSupplier::Permit permit) {
    count(1);
    std::uint64_t number = 0;
    {
      absl::MutexLock lock(&mutex_);
      number = ++in_flight_[index].number;
    }
    CallOptions options = source_.call;
    if (const auto timeout = behavior_->timeout()) options.timeout = timeout;
    // Weak: the call is kept after its end.
    options.on_retry = [weak = this->weak_from_this()](const absl::Status& failure) {
      const auto self = weak.lock();
      if (self && absl::IsResourceExhausted(failure)) self->behavior_->refused();
    };
    auto call = send<Reply>(*connection_, source_.method, source_.request(), std::move(options),
                            [self = this->shared_from_this(), index, permit = std::move(permit)](
                                absl::StatusOr<Shared<Reply>> reply) mutable {
                              self->answered(index, std::move(permit), std::move(reply));
                            });
    absl::MutexLock lock(&mutex_);
    // The answer may have come already, and the next poll of this index may have begun.
    if (in_flight_[index].number == number) in_flight_[index].call = call;
    if (cancelled_) call->cancel();
  }

  void answered(std::size_t index, base::SlotSupplier::Permit permit,
                absl::StatusOr<Shared<Reply>> reply) {
    count(-1);
    bool stopping = is_stopping();
    tell(reply);
    if (reply.ok() && !(*reply)->task_token().empty()) {
      source_.task(*std::move(reply), std::move(permit));
    } else {
      permit.reset();
      bool timed_out = reply.ok() || absl::IsDeadlineExceeded(reply.status());
      if (!timed_out && !stopping) {
        events_.fatal(reply.status());
        return leave(1);
      }
      if (timed_out && source_.empty) source_.empty->add();
    }
    if (stopping) return leave(1);
    if (behavior_->per_second() > 0) {
      auto pause = std::chrono::nanoseconds(
          static_cast<std::int64_t>(1e9 * behavior_->target() / behavior_->per_second()));
      // With the lock, so that stop() sees either the pause or its end.
      absl::MutexLock lock(&mutex_);
      in_flight_[index].pause =
          timers_.after(stopping_ ? std::chrono::nanoseconds(0) : pause,
                        [self = this->shared_from_this(), index] { self->go_on(index); });
      return;
    }
    go_on(index);
  }

  void tell(const absl::StatusOr<Shared<Reply>>& reply) {
    if (!reply.ok() && !absl::IsDeadlineExceeded(reply.status())) return;
    PollResult result;
    if (reply.ok()) {
      result.task = !(*reply)->task_token().empty();
      if ((*reply)->has_poller_scaling_decision())
        result.advice = (*reply)->poller_scaling_decision().poll_request_delta_suggestion();
    }
    behavior_->ended(result);
  }

  void count(int polls) {
    if (source_.under_way) source_.under_way->add(polls);
    if (source_.figures) source_.figures->under_way.fetch_add(polls, std::memory_order_relaxed);
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
    events_.ended();
  }

  const std::shared_ptr<Connection> connection_;
  base::Timers& timers_;
  const Source source_;
  const std::unique_ptr<PollerBehavior> behavior_;
  const Events events_;
  absl::Mutex mutex_;
  std::vector<Place> in_flight_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::size_t> resting_ ABSL_GUARDED_BY(mutex_);  // Places that do not poll now.
  int active_ ABSL_GUARDED_BY(mutex_) = 0;                    // Polls that have not ended.
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // Of these, those that wait for a slot.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool told_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_WORKER_POLLER_H_
