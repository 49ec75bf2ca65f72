#include "core/activity/local_activities.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/activity/retry_decision.h"
#include "core/base/arena.h"
#include "core/base/proto_time.h"

namespace chimera::core {

namespace enums = api::enums::v1;
namespace wf = api::workflowservice::v1;
using std::chrono::nanoseconds;
using Kind = LocalActivityOutcome::Kind;

namespace {

api::failure::v1::Failure timed_out(enums::TimeoutType type) {
  api::failure::v1::Failure failure;
  failure.set_message("Activity timed out");
  failure.mutable_timeout_failure_info()->set_timeout_type(type);
  return failure;
}

api::failure::v1::Failure cancelled(api::common::v1::Payloads details) {
  api::failure::v1::Failure failure;
  failure.set_message("Cancelled");
  auto& info = *failure.mutable_canceled_failure_info();
  if (details.payloads_size() > 0) *info.mutable_details() = std::move(details);
  return failure;
}

api::failure::v1::Failure not_asynchronously(const std::string& type) {
  api::failure::v1::Failure failure;
  failure.set_message(absl::StrCat("local activity ", type,
                                   " wants to complete asynchronously, which only activities that "
                                   "the server schedules can; start it with execute_activity"));
  failure.mutable_application_failure_info()->set_type("LocalActivityCannotCompleteAsync");
  failure.mutable_application_failure_info()->set_non_retryable(true);
  return failure;
}

}  // namespace

// One local activity. Shared by the map, the attempt under way (as its sink) and timers.
class LocalActivities::Work : public ActivitySink, public std::enable_shared_from_this<Work> {
 public:
  Work(LocalActivities& owner, const RunContext& run, std::uint32_t seq,
       std::shared_ptr<const ScheduleLocalActivity> activity, LocalActivities::Done done)
      : owner_(owner),
        key_(run.run_id, seq),
        activity_(std::move(activity)),
        begun_(owner.timers_.now()),
        original_(activity_->original_schedule_time.value_or(owner.clock_.now())),
        first_attempt_(std::max(activity_->attempt, 1u)),
        attempt_(first_attempt_),
        done_(std::move(done)) {
    auto arena = base::make_arena();
    auto* const task =
        google::protobuf::Arena::CreateMessage<wf::PollActivityTaskQueueResponse>(arena.get());
    describe(run, *task);
    task_ = {std::move(arena), task};
  }

  void start(StartingThread* here) {
    const nanoseconds whole = activity_->schedule_to_close_timeout;
    nanoseconds to_start = activity_->schedule_to_start_timeout;
    if (whole > nanoseconds::zero()) {
      const nanoseconds left = left_of(whole);
      if (left <= nanoseconds::zero())
        return finish_with(Kind::kFailed, timed_out(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE));
    }
    if (Permit permit = owner_.slots_->try_take(request()))
      return begin_attempt(std::move(permit), here);
    if (to_start > nanoseconds::zero()) {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      set_timer(start_timer_, to_start, [](Work& work) {
        work.finish_with(Kind::kFailed, timed_out(enums::TIMEOUT_TYPE_SCHEDULE_TO_START));
      });
    }
    wait_for_slot();
  }

  // From the run.
  void cancel() {
    std::string token;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      cancel_asked_ = true;
      token = token_;
    }
    if (token.empty()) return finish_with(Kind::kCancelled, cancelled({}));
    owner_.manager_.cancel(token, {.cancelled = true});
  }

  // Where no attempt is under way, none will be.
  void drop() {
    bool waits = false;
    {
      absl::MutexLock lock(&mutex_);
      dropping_ = true;
      waits = token_.empty();
    }
    if (waits) finish({.kind = Kind::kDropped, .result = {}, .failure = {}, .backoff = {}});
  }

  const Key& key() const { return key_; }
  bool local() const override { return true; }
  void heartbeat(const Task&, api::common::v1::Payloads, HeartbeatDone done) override {
    std::move(done)(HeartbeatReply());  // There is nobody to tell.
  }
  // An attempt has ended.
  void report(const Task& task, ActivityResult result, std::optional<api::common::v1::Payloads>,
              ActivitySink::Done done) override {
    std::move(done)(absl::OkStatus());  // Gives the slot back.
    {
      absl::MutexLock lock(&mutex_);
      if (token_ != task->task_token()) return;  // It was given up on.
      token_.clear();
      drop_timer(attempt_timer_);
    }
    if (auto* completed = std::get_if<ActivityResult::Completed>(&result.status)) {
      return finish({.kind = Kind::kCompleted,
                     .result = std::move(completed->result),
                     .failure = {},
                     .backoff = {}});
    }
    if (auto* stopped = std::get_if<ActivityResult::Cancelled>(&result.status))
      return finish_with(Kind::kCancelled, cancelled(std::move(stopped->details)));
    if (auto* failed = std::get_if<ActivityResult::Failed>(&result.status))
      return retry(std::move(failed->failure));
    finish_with(Kind::kFailed, not_asynchronously(activity_->activity_type));
  }

 private:
  using Permit = base::SlotSupplier::Permit;

  base::SlotRequest request() const { return {.activity_type = &activity_->activity_type}; }

  // What all attempts have in common.
  void describe(const RunContext& run, wf::PollActivityTaskQueueResponse& task) const {
    task.set_workflow_namespace(run.namespace_);
    task.mutable_workflow_type()->set_name(run.workflow_type);
    task.mutable_workflow_execution()->set_workflow_id(run.workflow_id);
    task.mutable_workflow_execution()->set_run_id(run.run_id);
    task.mutable_activity_type()->set_name(activity_->activity_type);
    task.set_activity_id(activity_->activity_id);
    if (activity_->header.fields_size() > 0) *task.mutable_header() = activity_->header;
    *task.mutable_input() = activity_->arguments;
    base::set_timestamp(original_, *task.mutable_scheduled_time());
    base::set_duration(activity_->schedule_to_close_timeout,
                       *task.mutable_schedule_to_close_timeout());
    base::set_duration(activity_->start_to_close_timeout, *task.mutable_start_to_close_timeout());
    *task.mutable_retry_policy() = activity_->retry_policy;
  }

  nanoseconds left_of(nanoseconds whole) const { return original_ + whole - owner_.clock_.now(); }

  // `then` runs without the lock, on the timers' thread.
  void set_timer(base::TimerId& timer, nanoseconds delay, void (*then)(Work&))
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    timer = owner_.timers_.after(delay, [weak = weak_from_this(), then] {
      if (auto self = weak.lock()) then(*self);
    });
  }
  void drop_timer(base::TimerId& timer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (timer != 0) owner_.timers_.cancel(std::exchange(timer, 0));
  }

  void wait_for_slot() {
    {
      absl::MutexLock lock(&mutex_);
      if (!ended_) watch_whole();
    }
    owner_.slots_->when_free(request(), [self = shared_from_this()](Permit permit) {
      self->begin_attempt(std::move(permit));
    });
  }

  void begin_attempt(Permit permit, StartingThread* here = nullptr) {
    std::shared_ptr<const wf::PollActivityTaskQueueResponse> task;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;  // And the slot goes back.
      drop_timer(start_timer_);
      if (dropping_) {
        task = nullptr;
      } else {
        task = next_task();
        token_ = task->task_token();
        attempt_began_ = owner_.timers_.now();
      }
    }
    if (!task) return drop();
    owner_.slots_->use(permit, {task->activity_type().name()});
    const std::string token = task->task_token();
    // Most end in here, and need no timers.
    if (here != nullptr) {
      here->when_relieved([weak = weak_from_this()] {
        if (auto self = weak.lock()) self->watch_attempt();
      });
    }
    owner_.manager_.start(std::move(task), std::move(permit), shared_from_this(), /*eager=*/false,
                          here);
    watch_attempt();
    tell_late(token);
  }

  // Sets the timers of the attempt that is under way, if one is.
  void watch_attempt() {
    absl::MutexLock lock(&mutex_);
    if (ended_ || token_.empty()) return;
    watch_whole();
    const nanoseconds limit = activity_->start_to_close_timeout;
    if (limit <= nanoseconds::zero() || attempt_timer_ != 0) return;
    set_timer(attempt_timer_, attempt_began_ + limit - owner_.timers_.now(),
              [](Work& work) { work.end_attempt(enums::TIMEOUT_TYPE_START_TO_CLOSE); });
  }
  void watch_whole() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const nanoseconds whole = activity_->schedule_to_close_timeout;
    if (whole <= nanoseconds::zero() || whole_timer_ != 0) return;
    set_timer(whole_timer_, left_of(whole),
              [](Work& work) { work.end_attempt(enums::TIMEOUT_TYPE_SCHEDULE_TO_CLOSE); });
  }

  // The manager passes over a cancellation of what it does not know yet: one that came between the
  // token and the start is made up for.
  void tell_late(const std::string& token) {
    ActivityCancellation missed;
    {
      absl::MutexLock lock(&mutex_);
      missed.timed_out = token_ != token;  // Or it has ended, and the manager knows it no more.
      missed.cancelled = !missed.timed_out && cancel_asked_;
    }
    if (missed.timed_out || missed.cancelled) owner_.manager_.cancel(token, missed);
  }

  Task next_task() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    // The first attempt takes the message itself; an earlier one may still read its own.
    auto task = attempt_ == first_attempt_
                    ? std::move(task_)
                    : std::make_shared<wf::PollActivityTaskQueueResponse>(*last_);
    task->set_task_token(owner_.next_token());
    task->set_attempt(static_cast<int>(attempt_));
    const base::WallTime now = owner_.clock_.now();
    base::set_timestamp(now, *task->mutable_current_attempt_scheduled_time());
    base::set_timestamp(now, *task->mutable_started_time());
    last_ = task;
    return task;
  }

  // The attempt's time is over; its code is told, and holds its slot until it returns.
  void end_attempt(enums::TimeoutType type) {
    std::string token;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      // Of an attempt that ended while its timer fired?
      if (type == enums::TIMEOUT_TYPE_START_TO_CLOSE &&
          (token_.empty() ||
           owner_.timers_.now() - attempt_began_ < activity_->start_to_close_timeout))
        return;
      token = std::exchange(token_, "");
      drop_timer(attempt_timer_);
    }
    if (!token.empty()) owner_.manager_.cancel(token, {.timed_out = true});
    retry(timed_out(type));
  }

  void retry(api::failure::v1::Failure failure) {
    auto delay = retry_delay(activity_->retry_policy, failure, attempt_);
    const nanoseconds whole = activity_->schedule_to_close_timeout;
    // Another attempt could not begin in time: the server ends such activities at once, too.
    if (delay && whole > nanoseconds::zero() && *delay >= left_of(whole)) delay.reset();
    bool dropped = false;
    {
      absl::MutexLock lock(&mutex_);
      if (ended_) return;
      if (cancel_asked_) delay.reset();
      dropped = delay && dropping_;
      if (delay && !dropped && *delay <= activity_->local_retry_threshold) {
        ++attempt_;
        retry_timer_ = owner_.timers_.after(*delay, [weak = weak_from_this()] {
          if (auto self = weak.lock()) self->try_again();
        });
        return;
      }
    }
    if (dropped) return drop();
    finish({.kind = Kind::kFailed, .result = {}, .failure = std::move(failure), .backoff = delay});
  }

  void try_again() {
    {
      absl::MutexLock lock(&mutex_);
      retry_timer_ = 0;
      if (ended_) return;
    }
    if (Permit permit = owner_.slots_->try_take(request())) return begin_attempt(std::move(permit));
    wait_for_slot();
  }

  void finish_with(Kind kind, api::failure::v1::Failure failure) {
    finish({.kind = kind, .result = {}, .failure = std::move(failure), .backoff = {}});
  }

  void finish(LocalActivityOutcome outcome) {
    LocalActivities::Done done;
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(ended_, true)) return;
      for (base::TimerId* timer : {&whole_timer_, &start_timer_, &attempt_timer_, &retry_timer_})
        drop_timer(*timer);
      outcome.attempt = attempt_;
      outcome.later_attempts = attempt_ - first_attempt_;
      done = std::move(done_);
    }
    outcome.ran = owner_.timers_.now() - begun_;
    outcome.original_schedule_time = original_;
    owner_.forget(key_, this);
    std::move(done)(std::move(outcome));
  }

  LocalActivities& owner_;
  const Key key_;
  const std::shared_ptr<const ScheduleLocalActivity> activity_;
  const base::SteadyTime begun_;
  const base::WallTime original_;
  const std::uint32_t first_attempt_;

  absl::Mutex mutex_;
  std::shared_ptr<wf::PollActivityTaskQueueResponse> task_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const wf::PollActivityTaskQueueResponse> last_ ABSL_GUARDED_BY(mutex_);
  std::uint32_t attempt_;
  base::SteadyTime attempt_began_ ABSL_GUARDED_BY(mutex_){};
  std::string token_ ABSL_GUARDED_BY(mutex_);  // Of the attempt that counts; empty: none is made.
  bool cancel_asked_ ABSL_GUARDED_BY(mutex_) = false;
  bool dropping_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  base::TimerId whole_timer_ ABSL_GUARDED_BY(mutex_) = 0;    // Schedule-to-close.
  base::TimerId start_timer_ ABSL_GUARDED_BY(mutex_) = 0;    // Schedule-to-start.
  base::TimerId attempt_timer_ ABSL_GUARDED_BY(mutex_) = 0;  // Start-to-close.
  base::TimerId retry_timer_ ABSL_GUARDED_BY(mutex_) = 0;
  LocalActivities::Done done_ ABSL_GUARDED_BY(mutex_);
};

LocalActivities::LocalActivities(ActivityManager& manager,
                                 std::shared_ptr<base::SlotSupplier> slots, base::Timers& timers,
                                 base::Clock& clock)
    : manager_(manager), slots_(std::move(slots)), timers_(timers), clock_(clock) {}

LocalActivities::~LocalActivities() = default;

void LocalActivities::start(const RunContext& run, std::uint32_t seq,
                            std::shared_ptr<const ScheduleLocalActivity> activity, Done done,
                            StartingThread* here) {
  auto work = std::make_shared<Work>(*this, run, seq, std::move(activity), std::move(done));
  bool late = false;
  {
    absl::MutexLock lock(&mutex_);
    under_way_[Key(run.run_id, seq)] = work;
    late = shutting_down_;
  }
  late ? work->drop() : work->start(here);
}

void LocalActivities::cancel(const std::string& run_id, std::uint32_t seq) {
  std::shared_ptr<Work> work;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = under_way_.find(Key(run_id, seq));
    if (found == under_way_.end()) return;
    work = found->second;
  }
  work->cancel();
}

void LocalActivities::begin_shutdown() {
  std::vector<std::shared_ptr<Work>> all;
  {
    absl::MutexLock lock(&mutex_);
    shutting_down_ = true;
    for (auto& [key, work] : under_way_) all.push_back(work);
  }
  // The map's own order differs from process to process.
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a->key() < b->key(); });
  for (auto& work : all) work->drop();
}

std::size_t LocalActivities::under_way() const {
  absl::MutexLock lock(&mutex_);
  return under_way_.size();
}

// A run that came back after an eviction may use the same seq again.
void LocalActivities::forget(const Key& key, const Work* work) {
  std::shared_ptr<Work> last;  // Released without the lock.
  absl::MutexLock lock(&mutex_);
  const auto found = under_way_.find(key);
  if (found == under_way_.end() || found->second.get() != work) return;
  last = std::move(found->second);
  under_way_.erase(found);
}

std::string LocalActivities::next_token() {
  return absl::StrCat("local ", tokens_.fetch_add(1, std::memory_order_relaxed) + 1);
}

}  // namespace chimera::core
