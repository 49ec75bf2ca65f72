// Slots that a user's own supplier gives, for all three kinds of tasks.
#include "chimera/slots.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <set>
#include <stdexcept>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

CHIMERA_LIVE(SlotsLive);

// So many at a time; whoever waits gets what comes back.
class Pool : public SlotSupplier {
 public:
  explicit Pool(int slots) : free_(slots) {}

  void reserve(const SlotContext& context, SlotReservation reservation) override {
    EXPECT_FALSE(context.worker_identity.empty());
    reservation.on_cancel([this] { ++cancelled_; });
    bool grant = false;
    {
      absl::MutexLock lock(&mutex_);
      queues_.insert(context.task_queue);
      grant = free_ > 0;
      if (grant)
        --free_;
      else
        waiting_.push_back(reservation);
    }
    if (grant && !reservation.grant(std::make_shared<int>(++granted_))) give_back();
  }
  SlotPermit try_reserve(const SlotContext& context) override {
    EXPECT_EQ(context.activity_type, "slow");
    return nullptr;
  }
  void mark_used(const SlotUse& use, const SlotPermit& permit) override {
    EXPECT_NE(permit, nullptr);
    absl::MutexLock lock(&mutex_);
    used_.insert(absl::StrCat(use.type, use.sticky ? " sticky" : ""));
    most_ = std::max(most_, ++running_);
  }
  void release(const SlotUse* use, const SlotPermit& permit) override {
    EXPECT_NE(permit, nullptr);
    ++released_;
    {
      absl::MutexLock lock(&mutex_);
      if (use) --running_;
    }
    give_back();
    if (released_ == 2) throw std::runtime_error("what it throws is logged");
  }

  std::set<std::string> used() {
    absl::MutexLock lock(&mutex_);
    return used_;
  }
  std::set<std::string> queues() {
    absl::MutexLock lock(&mutex_);
    return queues_;
  }
  int most() {
    absl::MutexLock lock(&mutex_);
    return most_;
  }
  int granted() const { return granted_; }
  int released() const { return released_; }

 private:
  void give_back() {
    for (;;) {
      std::optional<SlotReservation> next;
      {
        absl::MutexLock lock(&mutex_);
        if (waiting_.empty()) {
          ++free_;
          return;
        }
        next = waiting_.front();
        waiting_.pop_front();
      }
      const int number = ++granted_;
      if (next->grant(std::make_shared<int>(number))) return;
      --granted_;
    }
  }

  std::atomic<int> granted_ = 0, released_ = 0, cancelled_ = 0;
  absl::Mutex mutex_;
  int free_ ABSL_GUARDED_BY(mutex_);
  int running_ ABSL_GUARDED_BY(mutex_) = 0, most_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<SlotReservation> waiting_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> used_ ABSL_GUARDED_BY(mutex_), queues_ ABSL_GUARDED_BY(mutex_);
};

int slow(int value) { return value; }
struct Mixed {
  int run() {
    std::vector<workflow::ActivityHandle<int>> handles;
    for (int i = 0; i < 4; ++i) {
      handles.push_back(workflow::start_activity<&slow>({.start_to_close_timeout = 10s}, 1));
      handles.push_back(workflow::start_local_activity<&slow>({.start_to_close_timeout = 10s}, 10));
    }
    int sum = 0;
    for (auto& handle : handles) sum += handle.get();
    return sum;
  }
};

TEST_P(SlotsLive, AUsersOwnSupplierGivesThem) {
  registry().add(define_workflow<&Mixed::run>("Mixed")).add_activity<&slow>();
  const auto workflows = std::make_shared<Pool>(4), activities = std::make_shared<Pool>(2),
             local = std::make_shared<Pool>(1);
  worker_options().workflow_slots = workflows;
  worker_options().activity_slots = activities;
  worker_options().local_activity_slots = local;
  start_worker();

  EXPECT_EQ(execute<&Mixed::run>(), 44);
  stop_worker();

  const bool cached = GetParam() > 0;
  EXPECT_TRUE(workflows->used().contains("Mixed"));
  EXPECT_EQ(workflows->used().contains("Mixed sticky"), cached);
  EXPECT_EQ(activities->used(), std::set<std::string>{"slow"});
  EXPECT_EQ(local->used(), std::set<std::string>{"slow"});
  EXPECT_LE(activities->most(), 2);
  EXPECT_EQ(local->most(), 1);
  for (const auto& pool : {workflows, activities, local}) {
    EXPECT_EQ(pool->granted(), pool->released()) << "each permit comes back";
    EXPECT_EQ(pool->queues(), std::set<std::string>{queue()});
  }
}

// Throws, then forgets, then gives.
class Moody : public Pool {
 public:
  Moody() : Pool(3) {}
  void reserve(const SlotContext& context, SlotReservation reservation) override {
    if (++asked_ == 1) throw std::runtime_error("not in the mood");
    if (asked_ == 2) return;
    Pool::reserve(context, std::move(reservation));
  }

 private:
  std::atomic<int> asked_ = 0;
};

TEST_P(SlotsLive, ASupplierThatThrowsOrForgetsIsAskedAgain) {
  registry().add(define_workflow<&Mixed::run>("Mixed")).add_activity<&slow>();
  worker_options().max_concurrent_activity_task_polls = 1;
  worker_options().activity_slots = std::make_shared<Moody>();
  start_worker();

  EXPECT_EQ(execute<&Mixed::run>(), 44);
}

TEST_P(SlotsLive, OneKindHasOneRule) {
  registry().add_activity<&slow>();
  worker_options().activity_slots = std::make_shared<Pool>(1);
  worker_options().resource_tuner = ResourceTuner{};
  EXPECT_THAT([this] { start_worker(); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("worker option activity_slots and resource_tuner both say")));
  do_not_replay();
}

}  // namespace
}  // namespace chimera::live
