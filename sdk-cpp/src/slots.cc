#include "sdk-cpp/src/slots.h"

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

#include "sdk-cpp/src/log.h"

namespace chimera {

// The last copy of a reservation, when it goes, says so to the core.
struct SlotReservation::State {
  explicit State(std::shared_ptr<core::SlotReservation> core) : core(std::move(core)) {}
  ~State() { core->fail("its reservation was dropped without a grant"); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  const std::shared_ptr<core::SlotReservation> core;
};

bool SlotReservation::grant(SlotPermit permit) const {
  if (permit == nullptr)
    throw std::invalid_argument("SlotReservation::grant: the permit is null; give any object");
  return state_->core->grant(std::move(permit));
}

void SlotReservation::on_cancel(std::function<void()> run) const {
  state_->core->on_cancel([run = std::move(run)]() mutable {
    try {
      run();
    } catch (const std::exception& error) {
      sdk::log(sdk::LogLevel::kError,
               absl::StrCat("on_cancel of a slot reservation threw: ", error.what()));
    }
  });
}

class SlotReservationAccess {
 public:
  static SlotReservation make(std::shared_ptr<core::SlotReservation> core) {
    return SlotReservation(std::make_shared<SlotReservation::State>(std::move(core)));
  }
};

namespace sdk {
namespace {

SlotKind to_public(core::SlotKind kind) {
  switch (kind) {
    case core::SlotKind::kWorkflow:
      return SlotKind::kWorkflow;
    case core::SlotKind::kActivity:
      return SlotKind::kActivity;
    case core::SlotKind::kLocalActivity:
      return SlotKind::kLocalActivity;
    case core::SlotKind::kNexus:
      return SlotKind::kNexus;
  }
  return SlotKind::kWorkflow;
}

SlotContext to_public(const core::SlotContext& context) {
  return {.kind = to_public(context.kind),
          .task_queue = context.worker.task_queue,
          .worker_identity = context.worker.identity,
          .build_id = context.worker.build_id,
          .deployment_name = context.worker.deployment_name,
          .sticky = context.sticky,
          .activity_type = std::string(context.activity_type)};
}

class UsersSupplier : public core::CustomSlotSupplier {
 public:
  UsersSupplier(core::SlotKind kind, std::shared_ptr<SlotSupplier> supplier)
      : kind_(to_public(kind)), supplier_(std::move(supplier)) {}

  void reserve(const core::SlotContext& context,
               std::shared_ptr<core::SlotReservation> reservation) override {
    const SlotReservation handle = SlotReservationAccess::make(reservation);
    if (const auto threw = caught([&] { supplier_->reserve(to_public(context), handle); }))
      reservation->fail(absl::StrCat("reserve threw: ", *threw));
  }

  Permit try_reserve(const core::SlotContext& context) override {
    Permit permit;
    say("try_reserve", caught([&] { permit = supplier_->try_reserve(to_public(context)); }));
    return permit;
  }

  void mark_used(const base::SlotUse& use, const Permit& permit) override {
    say("mark_used", caught([&] { supplier_->mark_used(used_by(use), permit); }));
  }

  void release(const base::SlotUse* use, const Permit& permit) override {
    say("release", caught([&] {
          if (!use) return supplier_->release(nullptr, permit);
          const SlotUse used = used_by(*use);
          supplier_->release(&used, permit);
        }));
  }

 private:
  SlotUse used_by(const base::SlotUse& use) const {
    return {kind_, std::string(use.type), use.sticky, std::string(use.operation)};
  }

  // What user code threw.
  template <class Body>
  static std::optional<std::string> caught(Body body) {
    try {
      body();
      return std::nullopt;
    } catch (const std::exception& error) {
      return error.what();
    } catch (...) {
      return "something that is no std::exception";
    }
  }
  static void say(const char* what, const std::optional<std::string>& threw) {
    if (!threw) return;
    log(LogLevel::kError, absl::StrCat("a slot supplier's ", what, " threw: ", *threw));
  }

  const SlotKind kind_;
  const std::shared_ptr<SlotSupplier> supplier_;
};

}  // namespace

std::shared_ptr<core::CustomSlotSupplier> to_core(core::SlotKind kind,
                                                  std::shared_ptr<SlotSupplier> supplier) {
  if (supplier == nullptr) return nullptr;
  return std::make_shared<UsersSupplier>(kind, std::move(supplier));
}

}  // namespace sdk
}  // namespace chimera
