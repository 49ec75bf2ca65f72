// Waits for the first of several things, seats in queues, and what channels and futures stand on.
#include "sdk-cpp/src/waiting.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/calls.h"

namespace chimera {

namespace sdk {

WorkflowRuntime& run_of(const detail::Waitable& state, const char* call) {
  WorkflowRuntime& runtime = WorkflowRuntime::current(call);
  if (state.run == runtime.run().number) return runtime;
  throw std::logic_error(absl::StrCat("chimera::workflow::", call, ": this ", state.what,
                                      " belongs to another run than ", runtime.run().owner));
}

detail::TaskState& waiting_task_of(const detail::Waitable& state, const char* call) {
  return run_of(state, call).scheduler().waiting_task(call);
}

void refuse_all(detail::Waitable& state, detail::Seats& seats) noexcept {
  const WorkflowRuntime* const runtime = WorkflowRuntime::current_or_null();
  if (seats.empty() || runtime == nullptr || runtime->run().number != state.run ||
      runtime->run().evicting)
    return;
  for (detail::Seat* const each : seats) each->refused = true;
  while (!seats.empty()) detail::serve_first(seats);
}

namespace {

// The conditions among the sources, asked by the scheduler as long as this lives.
class AskedConditions {
 public:
  AskedConditions(std::span<const detail::Source> sources, Scheduler& scheduler,
                  detail::TaskState& task)
      : scheduler_(scheduler) {
    for (const detail::Source& each : sources) {
      if (each.waitable != nullptr) continue;
      conditions_.push_back({.holds = &each.condition, .task = &task});
      scheduler_.conditions().add(conditions_.back());
    }
  }
  ~AskedConditions() {
    for (Condition& each : conditions_) scheduler_.conditions().remove(each);
  }
  AskedConditions(const AskedConditions&) = delete;
  AskedConditions& operator=(const AskedConditions&) = delete;

  // In the order of the sources.
  const std::deque<Condition>& all() const { return conditions_; }

 private:
  Scheduler& scheduler_;
  std::deque<Condition> conditions_;
};

std::optional<std::size_t> first_of(std::span<const detail::Source> sources,
                                    const AskedConditions& asked) {
  auto condition = asked.all().begin();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].waitable != nullptr) {
      if (sources[i].waitable->ready()) return i;
      continue;
    }
    if (condition->error != nullptr) std::rethrow_exception(condition->error);
    if ((condition++)->satisfied) return i;
  }
  return std::nullopt;
}

}  // namespace
}  // namespace sdk

namespace detail {

using sdk::require;
using sdk::WorkflowRuntime;

Waitable::Waitable(const char* what_in)
    : what(what_in), run(WorkflowRuntime::current(what_in).run().number) {}

WaitablePtr waitable(const OperationPtr& operation) {
  require(operation, "handle");
  return operation;
}
WaitablePtr waitable(const std::shared_ptr<TaskState>& task) {
  require(task, "task");
  return task;
}

void refuse(const char* call, const char* why) {
  throw std::logic_error(absl::StrCat("chimera::workflow::", call, ": ", why));
}

bool may_change(const Waitable& state, const char* call) {
  return sdk::run_of(state, call).run().may_change(call);
}

void check_wait(const Waitable& state, const char* call) {
  static_cast<void>(sdk::waiting_task_of(state, call));
}

void wake_watchers(Waitable& state) {
  sdk::run_of(state, state.what).scheduler().wake_watchers(state);
}

void wait_until_ready(Waitable& state, const char* call) {
  sdk::Scheduler& scheduler = sdk::run_of(state, call).scheduler();
  while (!state.ready()) {
    TaskState& task = scheduler.waiting_task(call);
    const sdk::Watching watching(state, task);
    scheduler.park(task);
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
  }
}

void serve_first(Seats& seats) {
  Seat& seat = *seats.front();
  seats.pop_front();
  seat.served = true;
  WorkflowRuntime::current("wake").scheduler().wake(*seat.task);
}

bool take_seat(Seats& seats, Seat& seat, const char* call, std::optional<Duration> timeout) {
  if (timeout && timeout->count() <= 0) return false;
  WorkflowRuntime& run = WorkflowRuntime::current(call);
  sdk::Scheduler& scheduler = run.scheduler();
  TaskState& task = scheduler.waiting_task(call);
  seat.task = &task;
  OperationPtr timer;
  if (timeout) timer = run.start_timer(*timeout);
  struct Leave {
    Seats& seats;
    Seat& seat;
    sdk::Scheduler& scheduler;
    const OperationPtr& timer;
    ~Leave() {
      if (!seat.served) seats.remove(&seat);
      if (timer != nullptr) scheduler.cancel(timer);
    }
  } const leave{seats, seat, scheduler, timer};
  std::optional<sdk::Watching> time_is_up;
  if (timer != nullptr) time_is_up.emplace(*timer, task);
  seats.push_back(&seat);
  for (;;) {
    scheduler.park(task);
    // What was handed over counts more than a cancellation, which comes with the next wait.
    if (seat.served) return true;
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
    if (timer != nullptr && timer->done) return false;
  }
}

std::optional<std::size_t> first_ready(std::span<const Source> sources, const char* call) {
  sdk::Scheduler& scheduler = WorkflowRuntime::current(call).scheduler();
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Source& each = sources[i];
    if (each.waitable != nullptr) sdk::run_of(*each.waitable, call);
    if (each.waitable != nullptr ? each.waitable->ready()
                                 : scheduler.conditions().ask(each.condition))
      return i;
  }
  return std::nullopt;
}

std::optional<std::size_t> wait_any(std::span<const Source> sources,
                                    std::optional<Duration> timeout, const char* call) {
  if (sources.empty()) refuse(call, "there is nothing to wait for");
  WorkflowRuntime& run = WorkflowRuntime::current(call);
  sdk::Scheduler& scheduler = run.scheduler();
  TaskState& task = scheduler.waiting_task(call);
  if (const auto ready = first_ready(sources, call)) return ready;
  if (timeout && timeout->count() <= 0) return std::nullopt;
  OperationPtr timer;
  if (timeout) timer = run.start_timer(*timeout);
  struct Leave {
    sdk::Scheduler& scheduler;
    const OperationPtr& timer;
    ~Leave() {
      if (timer != nullptr) scheduler.cancel(timer);
    }
  } const leave{scheduler, timer};
  const sdk::AskedConditions asked(sources, scheduler, task);
  std::deque<sdk::Watching> watching;
  for (const Source& each : sources) {
    if (each.waitable != nullptr) watching.emplace_back(*each.waitable, task);
  }
  if (timer != nullptr) watching.emplace_back(*timer, task);
  for (;;) {
    scheduler.park(task);
    if (sdk::Scheduler::take_cancel(task)) throw CancelledError();
    if (const auto ready = sdk::first_of(sources, asked)) return ready;
    if (timer != nullptr && timer->done) return std::nullopt;
  }
}

std::size_t checked_capacity(std::int64_t capacity) {
  if (capacity >= 0) return static_cast<std::size_t>(capacity);
  throw std::invalid_argument(absl::StrCat("chimera::workflow::Channel: its capacity is ", capacity,
                                           ", which is negative"));
}

WaitablePtr open_signal_channel(HandlerType handler) {
  constexpr char kCall[] = "signal_channel";
  WorkflowRuntime& run = WorkflowRuntime::current(kCall);
  if (handler.name.empty()) {
    throw std::invalid_argument("chimera::workflow::signal_channel: the name is empty");
  }
  WaitablePtr channel = handler.channel;
  if (!run.run().may_change(kCall)) return channel;
  if (const auto there = run.messages().signal_channel(handler)) return there;
  sdk::SetHandlerInput input{HandlerKind::kSignal, std::move(handler)};
  run.outbound().call(input);
  return channel;
}

}  // namespace detail

namespace workflow {

Selector::~Selector() {
  sdk::WorkflowRuntime* const run = sdk::WorkflowRuntime::current_or_null();
  if (run == nullptr || run->run().evicting || run->run().read_only) return;
  for (const detail::OperationPtr& timer : timers_) {
    if (timer->run == run->run().number) run->scheduler().cancel(timer);
  }
}

detail::WaitablePtr Selector::start_timer(Duration duration) {
  return timers_.emplace_back(detail::start_timer(duration, {}));
}

Selector& Selector::add_case(detail::Source source, bool once, Code code) {
  sources_.push_back(std::move(source));
  cases_.push_back({once, std::move(code)});
  return *this;
}

void Selector::remove(std::size_t at) {
  sources_.erase(sources_.begin() + static_cast<std::ptrdiff_t>(at));
  cases_.erase(cases_.begin() + static_cast<std::ptrdiff_t>(at));
}

std::size_t Selector::wait_for_case() {
  constexpr char kCall[] = "Selector::select";
  if (selecting_) detail::refuse(kCall, "another task waits in it");
  struct Leave {
    bool& selecting;
    ~Leave() { selecting = false; }
  } const leave{selecting_};
  selecting_ = true;
  const std::vector<detail::Source> sources = sources_;  // Others may add some meanwhile.
  return *detail::wait_any(sources, std::nullopt, kCall);
}

void Selector::select() {
  constexpr char kCall[] = "Selector::select";
  for (;;) {
    if (default_ && !detail::first_ready(sources_, kCall)) {
      const Code code = default_;
      code();
      return;
    }
    if (sources_.empty()) detail::refuse(kCall, "it has no case to wait for");
    const std::size_t at = wait_for_case();
    const Code code = cases_[at].code;
    if (cases_[at].once) remove(at);
    if (code()) return;
    remove(at);  // A channel that is closed, which nobody wants to hear.
  }
}

bool Selector::pending() const {
  return detail::first_ready(sources_, "Selector::pending").has_value();
}

}  // namespace workflow
}  // namespace chimera
