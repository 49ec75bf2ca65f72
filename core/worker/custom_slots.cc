#include "core/worker/custom_slots.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "core/telemetry/log.h"

namespace chimera::core {
namespace {

constexpr std::chrono::seconds kAskAgain{1};

}  // namespace

const char* to_string(SlotKind kind) {
  switch (kind) {
    case SlotKind::kWorkflow:
      return "workflow";
    case SlotKind::kActivity:
      return "activity";
    case SlotKind::kLocalActivity:
      return "local-activity";
    case SlotKind::kNexus:
      return "nexus";
  }
  return "unknown";
}

SlotReservation::SlotReservation(std::weak_ptr<CustomSlots> slots, base::SlotRequest request,
                                 Use use)
    : slots_(std::move(slots)),
      sticky_(request.sticky),
      activity_type_(request.activity_type ? *request.activity_type : ""),
      use_(std::move(use)) {}

std::optional<SlotReservation::Use> SlotReservation::take_use() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(use_, std::nullopt);
}

bool SlotReservation::grant(std::shared_ptr<void> permit) {
  const auto slots = slots_.lock();
  auto use = take_use();
  if (!slots || !use) return false;
  slots->forget(this);
  absl::AnyInvocable<void() &&> dropped;  // Without the lock: what it holds is the supplier's.
  {
    absl::MutexLock lock(&mutex_);
    dropped = std::exchange(on_cancel_, nullptr);
  }
  std::move (*use)(slots->hold(std::move(permit)));
  return true;
}

void SlotReservation::fail(std::string_view why) {
  const auto slots = slots_.lock();
  if (!slots) return;
  absl::AnyInvocable<void() &&> dropped;
  {
    absl::MutexLock lock(&mutex_);
    if (!use_ || !std::exchange(asked_, false)) return;
    dropped = std::exchange(on_cancel_, nullptr);
  }
  slots->ask_again(this, why);
}

void SlotReservation::on_cancel(absl::AnyInvocable<void() &&> run) {
  {
    absl::MutexLock lock(&mutex_);
    if (!cancelled_) {
      if (use_) on_cancel_ = std::move(run);
      return;
    }
  }
  std::move(run)();
}

void SlotReservation::cancel() {
  std::optional<Use> dropped;
  absl::AnyInvocable<void() &&> run;
  {
    absl::MutexLock lock(&mutex_);
    if (!use_) return;
    dropped = std::exchange(use_, std::nullopt);
    cancelled_ = true;
    run = std::exchange(on_cancel_, nullptr);
  }
  if (run) std::move(run)();
}

// What a permit of the worker holds.
struct CustomSlots::Held {
  Held(std::shared_ptr<CustomSlots> slots, std::shared_ptr<void> permit)
      : slots(std::move(slots)), permit(std::move(permit)) {}
  ~Held() {
    const base::SlotUse use{type, sticky, operation};
    slots->supplier_->release(used ? &use : nullptr, permit);
    slots->held_.fetch_sub(1, std::memory_order_relaxed);
    if (slots->gauge_) slots->gauge_->add(-1);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  const std::shared_ptr<CustomSlots> slots;
  const std::shared_ptr<void> permit;
  // Written by the task that has the permit.
  bool used = false, sticky = false;
  std::string type, operation;
};

CustomSlots::Permit CustomSlots::hold(std::shared_ptr<void> permit) {
  held_.fetch_add(1, std::memory_order_relaxed);
  if (gauge_) gauge_->add(1);
  return std::make_shared<Held>(shared_from_this(), std::move(permit));
}

CustomSlots::Permit CustomSlots::try_take(const base::SlotRequest& request) {
  auto permit = supplier_->try_reserve(
      context(request.sticky, request.activity_type ? *request.activity_type : std::string_view()));
  return permit ? hold(std::move(permit)) : nullptr;
}

void CustomSlots::when_free(const base::SlotRequest& request,
                            absl::AnyInvocable<void(Permit) &&> use) {
  auto reservation = std::make_shared<SlotReservation>(weak_from_this(), request, std::move(use));
  {
    absl::MutexLock lock(&mutex_);
    waiting_.insert(reservation);
  }
  ask(reservation);
}

void CustomSlots::ask(const std::shared_ptr<SlotReservation>& reservation) {
  {
    absl::MutexLock lock(&reservation->mutex_);
    reservation->asked_ = true;
  }
  supplier_->reserve(context(reservation->sticky_, reservation->activity_type_), reservation);
}

void CustomSlots::stop_waiting() {
  std::unordered_set<std::shared_ptr<SlotReservation>> dropped;
  {
    absl::MutexLock lock(&mutex_);
    dropped.swap(waiting_);
  }
  for (const auto& reservation : dropped) reservation->cancel();
}

void CustomSlots::use(const Permit& permit, const base::SlotUse& use) {
  auto& held = *static_cast<Held*>(permit.get());
  held.used = true;
  held.sticky = use.sticky;
  held.type = use.type;
  held.operation = use.operation;
  supplier_->mark_used(use, held.permit);
}

void CustomSlots::forget(const SlotReservation* reservation) {
  std::shared_ptr<SlotReservation> dropped;
  absl::MutexLock lock(&mutex_);
  for (auto each = waiting_.begin(); each != waiting_.end(); ++each) {
    if (each->get() != reservation) continue;
    dropped = std::move(waiting_.extract(each).value());
    return;
  }
}

void CustomSlots::ask_again(const SlotReservation* failed, std::string_view why) {
  log(LogLevel::kWarn, "worker",
      absl::StrCat("the custom slot supplier for ", to_string(kind_),
                   " tasks gave no slot: ", std::string(why), "; it is asked again in a second"));
  absl::MutexLock lock(&mutex_);
  for (const auto& each : waiting_) {
    if (each.get() != failed) continue;
    timers_.after(kAskAgain, [weak = weak_from_this(), waiting = std::weak_ptr(each)] {
      const auto self = weak.lock();
      if (const auto reservation = waiting.lock(); self && reservation) self->ask(reservation);
    });
    return;
  }
}

}  // namespace chimera::core
