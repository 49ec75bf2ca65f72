// Local activities: what runs in this worker while a task is open, and what history has of it.
#include "core/workflow/run_state.h"

namespace chimera::core {
namespace {

constexpr int kLocalIndex = kBegins<ScheduleLocalActivity>;
// Of the task's timeout; then the server hears of the task, and gives the next one (sdk-core 1.35).
constexpr double kHeartbeatShare = 0.8;
constexpr std::size_t kLookedFurther = 1000;  // Events.

}  // namespace

LocalActivityMachine* WorkflowRun::State::local(std::uint32_t seq) {
  const auto found = machines_.find(key_of(kind_of(kLocalIndex), seq));
  return found == machines_.end() ? nullptr : &std::get<kLocalIndex>(found->second);
}

// Another SDK names its local activities as this one does not; but each has asked for them in the
// same order, so the marker with the n-th lowest order is that of the n-th that waits.
LocalActivityMachine* WorkflowRun::State::local_of(const LocalMarker& marker) {
  if (!marker.order) return local(marker.seq);
  std::size_t before = 0;
  for (std::size_t i = ahead_next_; i < ahead_.size(); ++i) {
    if (ahead_[i].order && *ahead_[i].order < *marker.order) ++before;
  }
  for (std::uint64_t order : later_orders_) before += order < *marker.order ? 1 : 0;
  for (std::uint32_t seq : local_seqs()) {
    LocalActivityMachine* machine = local(seq);
    if (machine->waiting() && before-- == 0) return machine;
  }
  return nullptr;
}

std::vector<std::uint32_t> WorkflowRun::State::local_seqs() const {
  std::vector<std::uint32_t> seqs;
  for (const auto& [key, machine] : machines_) {
    if (const auto* one = std::get_if<kLocalIndex>(&machine)) seqs.push_back(one->seq);
  }
  std::sort(seqs.begin(), seqs.end());
  return seqs;
}

void WorkflowRun::State::execute(const MachineBase& machine,
                                 std::shared_ptr<const ScheduleLocalActivity> activity) {
  ++executing_;
  outputs_->emplace_back(StartLocalActivity{machine.seq, std::move(activity)});
}

void WorkflowRun::State::stop(const MachineBase& machine) {
  outputs_->emplace_back(CancelLocalActivity{machine.seq});
}

std::optional<LocalMarker> WorkflowRun::State::take_cancelled_ahead(const MachineBase& machine) {
  for (std::size_t i = ahead_next_; i < ahead_.size(); ++i) {
    if (ahead_[i].seq != machine.seq) continue;
    if (ahead_[i].attempt != 0 || !ahead_[i].failure) return std::nullopt;  // It ended before.
    LocalMarker marker = std::move(ahead_[i]);
    ahead_.erase(ahead_.begin() + static_cast<std::ptrdiff_t>(i));
    return marker;
  }
  return std::nullopt;
}

void WorkflowRun::State::begin_local_work() {
  for (std::uint32_t seq : local_seqs()) local(seq)->go_live(*this);
}

void WorkflowRun::State::look_ahead_local(const HistoryEvent& event) {
  const auto& attributes = event.marker_recorded_event_attributes();
  if (!dialect_.is_local(attributes)) return;
  if (auto marker = dialect_.read_local(attributes)) ahead_.push_back(*std::move(marker));
}

// Those of tasks to come later, as far as they are at hand: some were asked for before these.
void WorkflowRun::State::look_further_local(absl::Span<const HistoryEvent* const> events) {
  later_orders_.clear();
  if (!dialect_.foreign() || ahead_.empty()) return;
  std::size_t left = kLookedFurther, own = ahead_.size();
  for (const HistoryEvent* event : events) {
    if (left-- == 0) return;
    if (!event->has_marker_recorded_event_attributes() ||
        !dialect_.is_local(event->marker_recorded_event_attributes()))
      continue;
    if (own > 0) {
      --own;
      continue;
    }
    const auto marker = dialect_.read_local(event->marker_recorded_event_attributes());
    if (marker && marker->order) later_orders_.push_back(*marker->order);
  }
}

// The order and the grouping are those of the live run: a marker tells how many activations its
// task had when the result came. Those of older cores do not, and meet as soon as they can. Go and
// Java run the code between any two, and after all else that the task brought.
bool WorkflowRun::State::release_ahead(bool at_rest) {
  bool any = false;
  while (ahead_next_ < ahead_.size()) {
    LocalMarker& head = ahead_[ahead_next_];
    if (head.order && !jobs_.empty()) break;
    LocalActivityMachine* machine = local_of(head);
    if (!machine || !machine->waiting()) {
      // Where nothing can bring it any more, its event will not find its command, and says so.
      if (at_rest) ahead_next_ = ahead_.size();
      break;
    }
    if (head.activation_index && *head.activation_index > activations_ && !at_rest) break;
    ++ahead_next_;
    machine->ahead(std::move(head), *this);
    any = true;
    at_rest = false;  // One at a time: the code goes on from here.
  }
  return any;
}

void WorkflowRun::State::on(LocalActivityDone input) {
  if (phase_ == Phase::kEvicting || phase_ == Phase::kGone) return;
  if (phase_ != Phase::kLocal) {
    ends_.push_back(std::move(input));
    return;
  }
  end_local(input);
  proceed();
}

void WorkflowRun::State::settle() {
  for (LocalActivityDone& done : std::exchange(ends_, {})) end_local(done);
}

void WorkflowRun::State::end_local(LocalActivityDone& done) {
  LocalActivityMachine* machine = local(done.seq);
  if (!machine || !machine->executing()) return;
  if (done.outcome.kind == LocalActivityOutcome::Kind::kDropped) {
    dropped_ = true;
  } else {
    later_attempts_ += done.outcome.later_attempts;
  }
  machine->ended(std::move(done.outcome), *this);
  if (machine->done()) machines_.erase(key_of(kind_of(kLocalIndex), done.seq));
}

void WorkflowRun::State::let_go_local() {
  ends_.clear();
  if (executing_ == 0) return;
  for (std::uint32_t seq : local_seqs()) {
    LocalActivityMachine* machine = local(seq);
    machine->let_go(*this);
    if (machine->done()) machines_.erase(key_of(kind_of(kLocalIndex), seq));
  }
}

void WorkflowRun::State::on(Time) {
  if (phase_ == Phase::kLocal) return send_completion(/*heartbeat=*/true);
  if (phase_ == Phase::kLanguage) heartbeat_due_ = true;
}

// True: the task stays open, or a heartbeat went out in its place.
bool WorkflowRun::State::wait_for_local_work() {
  if (terminal_commanded_ || (executing_ == 0 && !dropped_)) return false;
  // What waits for this task's end shall not wait for a local activity: the queries that it
  // brought, and other workers.
  if (heartbeat_due_ || asked_queries_ || (dropped_ && executing_ == 0)) {
    send_completion(/*heartbeat=*/true);
    return true;
  }
  phase_ = Phase::kLocal;
  if (!std::exchange(wake_asked_, true)) {
    outputs_->emplace_back(WakeAt{
        std::chrono::duration_cast<std::chrono::nanoseconds>(task_timeout_ * kHeartbeatShare)});
  }
  return true;
}

}  // namespace chimera::core
