#include "sdk-cpp/src/testing/mock_runs.h"

#include <utility>

namespace chimera::sdk {
namespace {
thread_local MockRun* current_run = nullptr;
}  // namespace

std::vector<MockRuns::Open> MockRuns::open() const {
  const absl::MutexLock lock(&mutex_);
  return {open_.begin(), open_.end()};
}

MockRun::MockRun(MockRuns& runs, std::string mock)
    : runs_(runs), outer_(std::exchange(current_run, this)) {
  const absl::MutexLock lock(&runs_.mutex_);
  place_ = runs_.open_.insert(runs_.open_.end(), {std::move(mock), std::nullopt});
}

MockRun::~MockRun() {
  current_run = outer_;
  const absl::MutexLock lock(&runs_.mutex_);
  runs_.open_.erase(place_);
}

AwaitedByMock::AwaitedByMock(const detail::Target& target) : run_(current_run) {
  if (run_ == nullptr) return;
  const absl::MutexLock lock(&run_->runs_.mutex_);
  run_->place_->awaited = target;
}

AwaitedByMock::~AwaitedByMock() {
  if (run_ == nullptr) return;
  const absl::MutexLock lock(&run_->runs_.mutex_);
  run_->place_->awaited.reset();
}

}  // namespace chimera::sdk
