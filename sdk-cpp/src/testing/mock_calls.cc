#include "sdk-cpp/src/testing/mock_calls.h"

#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace chimera::detail {

std::string MockCalls::described() const {
  const char* const kind = kind_ == MockKind::kActivity        ? "activity"
                           : kind_ == MockKind::kChildWorkflow ? "child workflow"
                                                               : "Nexus operation";
  return absl::StrCat("the mock of the ", kind, " '", name_, "'");
}

MockCalls::Planned& MockCalls::last(const char* call) {
  if (!planned_.empty()) return planned_.back();
  throw std::logic_error(absl::StrCat(described(), ": ", call,
                                      "() is about the answer before it, and there is none; begin "
                                      "with returns(), throws() or calls()"));
}

void MockCalls::add(Answer answer) {
  const absl::MutexLock lock(&mutex_);
  // One that would stay for ever is given once where another follows.
  if (!planned_.empty() && !planned_.back().times) planned_.back().times = 1;
  planned_.push_back({.answer = std::move(answer)});
}

void MockCalls::limit_last(int times) {
  const absl::MutexLock lock(&mutex_);
  if (times < 1) {
    throw std::logic_error(absl::StrCat(described(), ": times(", times,
                                        ") leaves the answer without a use; at least 1"));
  }
  last("times").times = times;
}

void MockCalls::delay_last(Duration time) {
  const absl::MutexLock lock(&mutex_);
  if (time < Duration::zero())
    throw std::logic_error(absl::StrCat(described(), ": takes() less than no time"));
  last("takes").delay = time;
}

std::optional<int> MockCalls::take(const PayloadList& arguments) {
  const absl::MutexLock lock(&mutex_);
  std::vector<Payload> recorded;
  for (std::size_t i = 0; i < arguments.size(); ++i) recorded.push_back(arguments[i].get());
  called_.push_back(std::move(recorded));
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    if (!planned_[i].left()) continue;
    ++planned_[i].given;
    return static_cast<int>(i);
  }
  return std::nullopt;
}

std::string MockCalls::no_answer() const {
  const absl::MutexLock lock(&mutex_);
  if (planned_.empty())
    return absl::StrCat(described(), " has no answer; give it one: returns(), throws() or calls()");
  return absl::StrCat(described(), " was called ", called_.size(),
                      " times, more often than it has answers for; raise the last one's times(), "
                      "or leave that out and it stays");
}

Duration MockCalls::delay(int answer) const {
  const absl::MutexLock lock(&mutex_);
  return planned_.at(static_cast<std::size_t>(answer)).delay;
}

void MockCalls::give(int answer, const PayloadList& arguments, PayloadSink* result) const {
  Answer given;
  {
    const absl::MutexLock lock(&mutex_);
    given = planned_.at(static_cast<std::size_t>(answer)).answer;
  }
  given(arguments, result);  // The test's code: without the lock.
}

int MockCalls::times_called() const {
  const absl::MutexLock lock(&mutex_);
  return static_cast<int>(called_.size());
}

std::vector<Payload> MockCalls::called_with(std::size_t call) const {
  const absl::MutexLock lock(&mutex_);
  if (call < called_.size()) return called_[call];
  throw std::out_of_range(absl::StrCat(described(), " has no call of index ", call,
                                       "; it was called ", called_.size(), " times"));
}

std::string MockCalls::unmet() const {
  const absl::MutexLock lock(&mutex_);
  if (called_.empty()) return absl::StrCat(described(), " was never called");
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    const Planned& each = planned_[i];
    if (each.times ? each.given >= *each.times : each.given > 0) continue;
    return absl::StrCat(described(), " was called ", called_.size(), " times; its answer ", i + 1,
                        " of ", planned_.size(), " was given ", each.given, " of ",
                        each.times.value_or(1), " times");
  }
  return "";
}

const std::string& MockBase::name() const { return calls_->name(); }
int MockBase::times_called() const { return calls_->times_called(); }
std::string MockBase::unmet() const { return calls_->unmet(); }
MockBase::MockBase(std::shared_ptr<MockCalls> calls) : calls_(std::move(calls)) {}
MockBase::~MockBase() = default;
void MockBase::add_answer(std::function<void(const PayloadList&, PayloadSink*)> answer) {
  calls_->add(std::move(answer));
}
void MockBase::limit_last_answer(int times) { calls_->limit_last(times); }
void MockBase::delay_last_answer(Duration time) { calls_->delay_last(time); }
std::vector<Payload> MockBase::called_with(std::size_t call) const {
  return calls_->called_with(call);
}

}  // namespace chimera::detail
