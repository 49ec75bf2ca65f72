// Structured concurrency for workflow code: tasks and groups of them, the first of several things
// that tasks wait for, and what tasks share. Included by chimera/workflow.h, whose rules hold here
// too: all waits park the fiber that makes them, and throw CancelledError when its scope is
// cancelled, ReadOnlyContextError in a query, a validator or a wait condition.
//
// Everything here belongs to the run whose code made it, and is deterministic: who waits is served
// first come, first served. A wait that is cancelled leaves its queue and takes nothing with it;
// what it was handed before that it keeps, and the cancellation comes with the next wait. Used
// outside a workflow, or by another run, all calls throw std::logic_error, which names the call.
#ifndef CHIMERA_CONCURRENCY_H_
#define CHIMERA_CONCURRENCY_H_

#include <array>
#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "chimera/definition.h"
#include "chimera/errors.h"
#include "chimera/options.h"

namespace chimera::detail {

class Operation;  // Something that the workflow waits for: an activity, a child, a signal's
                  // delivery.
using OperationPtr = std::shared_ptr<Operation>;  // Shared by the run and by the user's handles.
class TaskState;
struct GroupState;
struct LockState;

// Something of one run that tasks can wait for. Belongs to the run's lane.
class Waitable {
 public:
  // Throws std::logic_error outside a workflow.
  explicit Waitable(const char* what_in);
  virtual ~Waitable() = default;
  Waitable(const Waitable&) = delete;
  Waitable& operator=(const Waitable&) = delete;
  virtual bool ready() const = 0;

  const char* const what;            // "Future", for messages.
  const std::uint64_t run;           // Its number in this process.
  std::vector<TaskState*> watchers;  // They look again when it is ready.
};
using WaitablePtr = std::shared_ptr<Waitable>;
WaitablePtr waitable(const OperationPtr& operation);  // These two throw for an empty pointer.
WaitablePtr waitable(const std::shared_ptr<TaskState>& task);

[[noreturn]] void refuse(const char* call, const char* why);  // std::logic_error.
// Whether a call that does not wait has an effect: none while the run leaves the cache. Throws for
// another run's, and ReadOnlyContextError.
bool may_change(const Waitable& state, const char* call);
void wake_watchers(Waitable& state);
void wait_until_ready(Waitable& state, const char* call);

// One that waits to be served, on the stack of its fiber.
struct Seat {
  void* place = nullptr;  // Where what it waits for goes, or is.
  std::int64_t amount = 1;
  TaskState* task = nullptr;
  bool served = false, refused = false;
};
// In order of arrival.
using Seats = std::list<Seat*>;
void serve_first(Seats& seats);
// Waits at the end of the seats until served; false when the time is up first.
bool take_seat(Seats& seats, Seat& seat, const char* call, std::optional<Duration> timeout);
// Whether the task that runs may wait here; throws if not.
void check_wait(const Waitable& state, const char* call);

// One thing of several that a task waits for.
struct Source {
  WaitablePtr waitable;             // Or else:
  std::function<bool()> condition;  // As wait_condition() takes it.
};
std::optional<std::size_t> first_ready(std::span<const Source> sources, const char* call);
std::optional<std::size_t> wait_any(std::span<const Source> sources,
                                    std::optional<Duration> timeout, const char* call);

// Handles, tasks, futures and channels have a friend waitable_of().
template <class W>
concept HasWaitable = requires(const W& each) {
  { waitable_of(each) } -> std::convertible_to<WaitablePtr>;
};
template <class W>
Source source(const W& each) {
  if constexpr (HasWaitable<W>) {
    return {waitable_of(each), nullptr};
  } else {
    static_assert(std::is_invocable_r_v<bool, const W&>,
                  "what is waited for is a handle, task, future or channel, or a condition: "
                  "[&] { return done_; }");
    return {nullptr, std::cref(each)};
  }
}
template <class W>
concept RangeOfWaitables =
    std::ranges::range<const W> && HasWaitable<std::ranges::range_value_t<const W>>;
template <class... W>
auto sources(const W&... each) {
  return std::array<Source, sizeof...(W)>{source(each)...};
}
template <RangeOfWaitables R>
std::vector<Source> sources(const R& range) {
  std::vector<Source> all;
  for (const auto& each : range) all.push_back(source(each));
  return all;
}

// --- Tasks ---

std::shared_ptr<TaskState> spawn(std::function<void()> body);
void join(const std::shared_ptr<TaskState>& task);  // Throws what the body threw.
void cancel(const std::shared_ptr<TaskState>& task, std::string reason);
bool finished(const std::shared_ptr<TaskState>& task);
void detach(const std::shared_ptr<TaskState>& task);
void drop(const std::shared_ptr<TaskState>& task) noexcept;  // Cancels, and waits for its end.

std::shared_ptr<GroupState> open_group();
void spawn(const std::shared_ptr<GroupState>& group, std::function<void()> body);
void cancel(const std::shared_ptr<GroupState>& group, std::string reason);
void join(const std::shared_ptr<GroupState>& group);
void close(const std::shared_ptr<GroupState>& group);

// A body and what it gave. The body is destroyed on the fiber that ran it.
template <class F>
struct Work {
  using Result = std::decay_t<std::invoke_result_t<F&>>;
  using Value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;
  explicit Work(F body_in) : body(std::move(body_in)) {}
  void operator()() {
    struct Leave {
      std::optional<F>& body;
      ~Leave() { body.reset(); }
    } const leave{body};
    if constexpr (std::is_void_v<Result>) {
      (*body)();
    } else {
      value.emplace((*body)());
    }
  }

  std::optional<F> body;
  std::optional<Value> value;
};

// Of what cannot be copied there is one.
template <class T>
T take_value(std::optional<T>& value, const char* call) {
  if (!value) refuse(call, "its value was moved out by an earlier call");
  if constexpr (std::is_copy_constructible_v<T>) {
    return *value;
  } else {
    T taken = std::move(*value);
    value.reset();
    return taken;
  }
}
template <class T>
T move_value(std::optional<T>& value, const char* call) {
  if (!value) refuse(call, "its value was moved out by an earlier call");
  T taken = std::move(*value);
  value.reset();
  return taken;
}

}  // namespace chimera::detail

namespace chimera::workflow {

// Code that runs beside the caller, on a fiber of its own, one at a time; of spawn(). Destroyed
// while its body runs: the body is cancelled and waited for, so that it may use what is around it.
// What it throws and nobody gets is logged, except that it was cancelled. A default-made one, and
// one that was moved from, is empty, and its calls throw std::logic_error.
template <class R>
class [[nodiscard]] Task {
 public:
  Task() = default;
  ~Task() { detail::drop(state_); }
  Task(Task&&) noexcept = default;
  Task& operator=(Task&& other) noexcept {
    if (this == &other) return *this;
    detail::drop(state_);
    value_ = std::move(other.value_);
    state_ = std::move(other.state_);
    return *this;
  }

  bool done() const { return detail::finished(state_); }
  void cancel(std::string reason = "") { detail::cancel(state_, std::move(reason)); }
  // Waits for the body's end; throws what it threw. As often as one likes, but that a result that
  // cannot be copied is moved out: a second call throws std::logic_error. The cancellation of the
  // caller becomes the body's, whose end is then waited for.
  R get() & {
    const auto [value, state] = std::pair(value_, state_);  // It may be moved meanwhile.
    detail::join(state);
    if constexpr (!std::is_void_v<R>) return detail::take_value(*value, "Task::get");
  }
  R get() && {
    const auto [value, state] = std::pair(value_, state_);
    detail::join(state);
    if constexpr (!std::is_void_v<R>) return detail::move_value(*value, "Task::get");
  }
  // It goes on alone, as long as the run: what it uses must live as long.
  void detach() && {
    detail::detach(state_);
    state_ = nullptr;
  }

 private:
  using Value = std::conditional_t<std::is_void_v<R>, std::monostate, R>;
  Task(std::shared_ptr<std::optional<Value>> value, std::shared_ptr<detail::TaskState> state)
      : value_(std::move(value)), state_(std::move(state)) {}
  template <class F>
  friend auto spawn(F body);
  friend detail::WaitablePtr waitable_of(const Task& task) { return detail::waitable(task.state_); }

  std::shared_ptr<std::optional<Value>> value_;  // Shared with the body.
  std::shared_ptr<detail::TaskState> state_;     // Shared with the run.
};

// Starts with the caller's next wait.
template <class F>
auto spawn(F body) {
  using Work = detail::Work<F>;
  auto work = std::make_shared<Work>(std::move(body));
  std::shared_ptr<std::optional<typename Work::Value>> value(work, &work->value);
  return Task<typename Work::Result>(std::move(value), detail::spawn([work] { (*work)(); }));
}
template <class F>
void spawn_detached(F body) {
  spawn(std::move(body)).detach();
}

// Tasks that end together: the first failure cancels the others. Made on a fiber; its tasks are in
// the cancellation scope that it was made in.
//   workflow::TaskGroup group;
//   for (const std::string& id : ids) group.spawn([id] { ship(id); });
//   group.join();
class TaskGroup {
 public:
  TaskGroup() : state_(detail::open_group()) {}
  // Waits as join() does, unless that was done; where an exception leaves the block, cancels first,
  // and logs what fails then.
  ~TaskGroup() noexcept(false) { detail::close(state_); }
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Also for the group's own tasks, while join() waits. After it: std::logic_error.
  template <class F>
  void spawn(F body) {
    static_assert(std::is_void_v<std::invoke_result_t<F&>>,
                  "what a group's task returns would be lost: let it write where you read");
    auto work = std::make_shared<detail::Work<F>>(std::move(body));
    detail::spawn(state_, [work] { (*work)(); });
  }
  // Ends the tasks; that they were cancelled is then no failure.
  void cancel(std::string reason = "") { detail::cancel(state_, std::move(reason)); }
  // Waits until all have ended, and throws the first failure; later ones are logged. The
  // cancellation of the caller becomes the tasks', and is thrown when they have ended. Once.
  void join() { detail::join(state_); }

 private:
  std::shared_ptr<detail::GroupState> state_;  // Shared with its tasks.
};

// --- The first of several ---

// Waits until one is ready, and says which: the first such, in the order of the arguments. They are
// handles, tasks, futures (ready when done), channels (when there is something to receive, or when
// closed) and conditions, as wait_condition() takes them; or one range of what is no condition.
// What a ready one gives, or throws, its own calls tell.
template <class... W>
[[nodiscard]] std::size_t wait_any(const W&... waitables) {
  return *detail::wait_any(detail::sources(waitables...), std::nullopt, "wait_any");
}
// Nullopt when the time is up first.
template <class... W>
[[nodiscard]] std::optional<std::size_t> wait_any_for(Duration timeout, const W&... waitables) {
  return detail::wait_any(detail::sources(waitables...), timeout, "wait_any_for");
}
// Until each of them has been ready.
template <class... W>
void wait_all(const W&... waitables) {
  for (const detail::Source& each : detail::sources(waitables...))
    static_cast<void>(detail::wait_any({&each, 1}, std::nullopt, "wait_all"));
}

// --- What tasks share ---

// A value, or an exception, that one part of the code waits for and another sets, once. Copies
// share it.
template <class T>
class Future {
  using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Future() : state_(std::make_shared<State>()) {}
  Future(const Future&) = default;  // Moved from it is still one.
  Future& operator=(const Future&) = default;
  bool done() const { return state_->set; }
  // Waits. Of a value that cannot be copied there is one: a second call throws std::logic_error.
  T get() const {
    const auto state = state_;  // Others may change this meanwhile.
    detail::wait_until_ready(*state, "Future::get");
    if (state->error != nullptr) std::rethrow_exception(state->error);
    if constexpr (!std::is_void_v<T>) return detail::take_value(state->value, "Future::get");
  }
  // A second one throws std::logic_error.
  void set_value(Value value)
    requires(!std::is_void_v<T>)
  {
    if (may_set("Future::set_value")) set(std::move(value));
  }
  void set_value()
    requires(std::is_void_v<T>)
  {
    if (may_set("Future::set_value")) set({});
  }
  template <class E>
  void set_error(E error) {
    if (!may_set("Future::set_error")) return;
    if constexpr (std::is_same_v<E, std::exception_ptr>) {
      if (error == nullptr) detail::refuse("Future::set_error", "it was given no exception");
      state_->error = std::move(error);
    } else {
      state_->error = std::make_exception_ptr(std::move(error));
    }
    set({});
  }

 private:
  struct State final : detail::Waitable {
    State() : Waitable("Future") {}
    bool ready() const override { return set; }
    bool set = false;
    std::optional<Value> value;
    std::exception_ptr error;
  };
  bool may_set(const char* call) const {
    if (!detail::may_change(*state_, call)) return false;
    if (state_->set) detail::refuse(call, "it is set already");
    return true;
  }
  void set(std::optional<Value> value) {
    state_->value = std::move(value);
    state_->set = true;
    detail::wake_watchers(*state_);
  }
  friend detail::WaitablePtr waitable_of(const Future& future) { return future.state_; }

  std::shared_ptr<State> state_;
};

}  // namespace chimera::workflow

namespace chimera::detail {

inline constexpr std::size_t kUnlimited = ~std::size_t{0} / 2;
std::size_t checked_capacity(std::int64_t capacity);  // Throws std::invalid_argument.

template <class T>
class ChannelState final : public Waitable {
 public:
  ChannelState(const char* what_in, std::size_t capacity)
      : Waitable(what_in), capacity_(capacity) {}
  bool ready() const override { return !values_.empty() || !senders_.empty() || closed_; }
  bool closed() const { return closed_; }

  // True if it was taken: by a receiver, or into one of so many places.
  bool put(T& value, std::size_t places) {
    if (!receivers_.empty()) {
      *static_cast<std::optional<T>*>(receivers_.front()->place) = std::move(value);
      serve_first(receivers_);
      return true;
    }
    if (!senders_.empty() || values_.size() >= places) return false;
    values_.push_back(std::move(value));
    wake_watchers(*this);
    return true;
  }
  bool put(T& value) { return put(value, capacity_); }
  void send(T& value, const char* call) {
    check_wait(*this, call);
    check_open(call);
    if (put(value)) return;
    Seat seat{.place = &value};
    wake_watchers(*this);  // They find it among the senders.
    take_seat(senders_, seat, call, std::nullopt);
    if (seat.refused) check_open(call);
  }
  bool try_send(T& value, const char* call) {
    if (!may_change(*this, call)) return false;
    check_open(call);
    // Who waits for the first of several is room for one: it will take it, or somebody else.
    return put(value, capacity_ + watchers.size());
  }

  // Empty when there is nothing now.
  std::optional<T> take() {
    std::optional<T> value;
    if (!values_.empty()) {
      value.emplace(std::move(values_.front()));
      values_.pop_front();
      if (values_.size() < capacity_) {
        if (std::optional<T> next = take_from_sender()) values_.push_back(std::move(*next));
      }
      return value;
    }
    return take_from_sender();
  }
  std::optional<T> try_receive(const char* call) {
    return may_change(*this, call) ? take() : std::nullopt;
  }
  std::optional<T> receive(const char* call, std::optional<Duration> timeout = {}) {
    check_wait(*this, call);
    std::optional<T> value = take();
    if (value || closed_) return value;
    Seat seat{.place = &value};
    take_seat(receivers_, seat, call, timeout);
    return value;
  }
  void close() {
    if (!may_change(*this, "Channel::close") || closed_) return;
    closed_ = true;
    for (Seat* const each : senders_) each->refused = true;
    while (!senders_.empty()) serve_first(senders_);
    while (!receivers_.empty()) serve_first(receivers_);
    wake_watchers(*this);
  }

 private:
  void check_open(const char* call) const {
    if (closed_) refuse(call, "the channel is closed");
  }
  std::optional<T> take_from_sender() {
    if (senders_.empty()) return std::nullopt;
    std::optional<T> value(std::move(*static_cast<T*>(senders_.front()->place)));
    serve_first(senders_);
    return value;
  }

  const std::size_t capacity_;
  bool closed_ = false;
  std::list<T> values_;
  Seats receivers_, senders_;
};

template <class W>
inline constexpr bool kIsChannel = false;

// The channel of this signal: the one that is there, or else this one.
WaitablePtr open_signal_channel(HandlerType handler);

}  // namespace chimera::detail

namespace chimera::workflow {

// A queue between tasks of one run, as in Go. Copies share it.
template <class T>
class Channel {
 public:
  // How many values wait in it before send() waits, too. Throws std::invalid_argument if negative.
  explicit Channel(std::int64_t capacity = 0)
      : state_(std::make_shared<detail::ChannelState<T>>("Channel",
                                                         detail::checked_capacity(capacity))) {}
  Channel(const Channel&) = default;  // Moved from it is still one.
  Channel& operator=(const Channel&) = default;
  // Waits for room, or for a receiver. A value is moved from only if it was sent. Throws
  // std::logic_error if the channel is closed, or closes meanwhile.
  void send(T&& value) { kept()->send(value, "Channel::send"); }
  void send(const T& value) {
    T copy(value);
    kept()->send(copy, "Channel::send");
  }
  // False where send() would wait.
  [[nodiscard]] bool try_send(T&& value) { return state_->try_send(value, "Channel::try_send"); }
  [[nodiscard]] bool try_send(const T& value) {
    T copy(value);
    return state_->try_send(copy, "Channel::try_send");
  }
  // Waits; empty if the channel is closed and what it had was received.
  [[nodiscard]] std::optional<T> receive() { return kept()->receive("Channel::receive"); }
  // Empty, too, if there is nothing now; or if the time is up first.
  [[nodiscard]] std::optional<T> try_receive() {
    return state_->try_receive("Channel::try_receive");
  }
  [[nodiscard]] std::optional<T> receive_for(Duration timeout) {
    return kept()->receive("Channel::receive_for", timeout);
  }
  void close() { state_->close(); }
  bool closed() const { return state_->closed(); }

 private:
  friend class Selector;
  friend detail::WaitablePtr waitable_of(const Channel& channel) { return channel.state_; }
  auto kept() const { return state_; }  // While a call waits, others may change this.
  std::shared_ptr<detail::ChannelState<T>> state_;
};

// The signals of one name, in order of arrival; made by signal_channel(). Copies share them.
template <class T>
class SignalChannel {
 public:
  SignalChannel(const SignalChannel&) = default;  // Moved from it is still one.
  SignalChannel& operator=(const SignalChannel&) = default;
  // As Channel's; it is never closed.
  T receive() { return *kept()->receive("SignalChannel::receive"); }
  [[nodiscard]] std::optional<T> try_receive() {
    return state_->try_receive("SignalChannel::try_receive");
  }
  [[nodiscard]] std::optional<T> receive_for(Duration timeout) {
    return kept()->receive("SignalChannel::receive_for", timeout);
  }

 private:
  explicit SignalChannel(std::shared_ptr<detail::ChannelState<T>> state)
      : state_(std::move(state)) {}
  template <class U>
  friend SignalChannel<U> signal_channel(std::string name);
  friend class Selector;
  friend detail::WaitablePtr waitable_of(const SignalChannel& channel) { return channel.state_; }
  auto kept() const { return state_; }
  std::shared_ptr<detail::ChannelState<T>> state_;
};

// What came before is in it. A second call gives the same one. T is the signal's argument;
// std::monostate for a signal without. Throws std::logic_error for a name that has a handler, or a
// channel of another type.
template <class T>
SignalChannel<T> signal_channel(std::string name) {
  auto state = std::make_shared<detail::ChannelState<T>>("SignalChannel", detail::kUnlimited);
  const auto handler = [&] {
    if constexpr (std::is_same_v<T, std::monostate>) {
      return [state] {
        T value;
        state->put(value);
      };
    } else {
      return [state](T value) { state->put(value); };
    }
  }();
  using Arguments = detail::CallableArguments<std::remove_cv_t<decltype(handler)>>;
  return SignalChannel<T>(std::static_pointer_cast<detail::ChannelState<T>>(
      detail::open_signal_channel({.name = std::move(name),
                                   .check = &detail::check_arguments<Arguments>,
                                   .call = detail::call_callable(handler),
                                   .channel = state})));
}

}  // namespace chimera::workflow

namespace chimera::detail {
template <class T>
inline constexpr bool kIsChannel<workflow::Channel<T>> = true;
template <class T>
inline constexpr bool kIsChannel<workflow::SignalChannel<T>> = true;
}  // namespace chimera::detail

namespace chimera::workflow {

// Handed to who waits longest; works with std::unique_lock and std::scoped_lock. Locked again by
// the task that has it, or unlocked by another: std::logic_error.
class Mutex {
 public:
  Mutex();
  ~Mutex();  // Who waits for it then gets a std::logic_error.
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock();
  [[nodiscard]] bool try_lock();
  void unlock();

 private:
  std::shared_ptr<detail::LockState> state_;  // Shared with those who wait.
};

// Permits, given in order of arrival: who asks for many is not passed by those who ask for few.
// Numbers below 1 (for the constructor, 0) throw std::invalid_argument.
class Semaphore {
 public:
  explicit Semaphore(std::int64_t permits);
  ~Semaphore();  // As Mutex's.
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  void acquire(std::int64_t permits = 1);
  [[nodiscard]] bool try_acquire(std::int64_t permits = 1);
  // False when the time is up first.
  [[nodiscard]] bool acquire_for(Duration timeout, std::int64_t permits = 1);
  void release(std::int64_t permits = 1);

 private:
  std::shared_ptr<detail::LockState> state_;
};

// Runs one of several pieces of code: that of the first case, in the order in which they were
// added, that is ready. Handles, tasks, futures and timers are taken once, and gone; channels and
// conditions stay.
//   workflow::Selector selector;
//   selector.add(orders, [&](Order order) { ... })
//       .add(payment, [&] { receipt = payment.get(); })
//       .add_timer(24h, [&] { late = true; });
//   while (!late) selector.select();
class Selector {
 public:
  Selector() = default;
  ~Selector();  // Cancels its timers.
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  // f() for what is done. f(value) for a channel's next; if it takes a std::optional, it is called
  // for the end of a channel, too, which otherwise ends the case.
  template <detail::HasWaitable W, class F>
  Selector& add(const W& waitable, F f) {
    const auto code = std::make_shared<F>(std::move(f));
    if constexpr (detail::kIsChannel<W>) {
      return add_case(detail::source(waitable), /*once=*/false,
                      [state = waitable.state_, code] { return pass_on(state->take(), *code); });
    } else {
      return add_case(detail::source(waitable), /*once=*/true, always(code));
    }
  }
  // The time begins now.
  template <class F>
  Selector& add_timer(Duration duration, F f) {
    return add_case({start_timer(duration), nullptr}, /*once=*/true,
                    always(std::make_shared<F>(std::move(f))));
  }
  template <class F>
  Selector& add_condition(std::function<bool()> condition, F f) {
    return add_case({nullptr, std::move(condition)}, /*once=*/false,
                    always(std::make_shared<F>(std::move(f))));
  }
  // Of the last one, for when nothing is ready: select() then never waits.
  template <class F>
  Selector& add_default(F f) {
    default_ = always(std::make_shared<F>(std::move(f)));
    return *this;
  }

  // Waits for a case that is ready, and runs its code, which may add others. Throws
  // std::logic_error if there is none to wait for.
  void select();
  // Whether a case is ready now.
  [[nodiscard]] bool pending() const;

 private:
  using Code = std::function<bool()>;  // False: there was nothing to run.
  struct Case {
    bool once;
    Code code;
  };
  template <class F>
  static Code always(std::shared_ptr<F> f) {
    return [f = std::move(f)] {
      (*f)();
      return true;
    };
  }
  template <class T, class F>
  static bool pass_on(std::optional<T> value, F& f) {
    if constexpr (std::is_invocable_v<F&, std::optional<T>>) {
      f(std::move(value));
    } else {
      static_assert(std::is_invocable_v<F&, T>, "a channel's case takes its value");
      if (!value) return false;
      f(std::move(*value));
    }
    return true;
  }
  Selector& add_case(detail::Source source, bool once, Code code);
  detail::WaitablePtr start_timer(Duration duration);
  std::size_t wait_for_case();
  void remove(std::size_t at);

  std::vector<detail::Source> sources_;  // One for each case.
  std::vector<Case> cases_;
  std::vector<detail::OperationPtr> timers_;
  Code default_;
  bool selecting_ = false;
};

}  // namespace chimera::workflow

#endif  // CHIMERA_CONCURRENCY_H_
