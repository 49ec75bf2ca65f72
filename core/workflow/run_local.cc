#include "core/workflow/run_local.h"

#include <utility>

namespace chimera::core {
namespace {

// Of the task's timeout; then the server hears of the task, and gives the next one (sdk-core 1.35).
constexpr double kHeartbeatShare = 0.8;
constexpr std::size_t kLookedFurther = 1000;  // Events.

}  // namespace

// Another SDK names its local activities as this one does not; but each has asked for them in the
// same order, so the marker with the n-th lowest order is that of the n-th that waits.
LocalActivityMachine* RunLocal::machine_of(const LocalMarker& marker) {
  MachineTable& table = run_.table;
  if (!marker.order) return table.local(marker.seq);
  std::size_t before = 0;
  for (std::size_t i = ahead_next_; i < ahead_.size(); ++i) {
    if (ahead_[i].order && *ahead_[i].order < *marker.order) ++before;
  }
  for (std::uint64_t order : later_orders_) before += order < *marker.order ? 1 : 0;
  for (std::uint32_t seq : table.local_seqs()) {
    LocalActivityMachine* machine = table.local(seq);
    if (machine->waiting() && before-- == 0) return machine;
  }
  return nullptr;
}

void RunLocal::execute(std::uint32_t seq, std::shared_ptr<const ScheduleLocalActivity> activity) {
  ++executing_;
  run_.outputs->emplace_back(StartLocalActivity{seq, std::move(activity)});
}

void RunLocal::stop(std::uint32_t seq) { run_.outputs->emplace_back(CancelLocalActivity{seq}); }

std::optional<LocalMarker> RunLocal::take_cancelled_ahead(std::uint32_t seq) {
  for (std::size_t i = ahead_next_; i < ahead_.size(); ++i) {
    if (ahead_[i].seq != seq) continue;
    if (ahead_[i].attempt != 0 || !ahead_[i].failure) return std::nullopt;  // It ended before.
    LocalMarker marker = std::move(ahead_[i]);
    ahead_.erase(ahead_.begin() + static_cast<std::ptrdiff_t>(i));
    return marker;
  }
  return std::nullopt;
}

void RunLocal::begin_work() {
  for (std::uint32_t seq : run_.table.local_seqs()) run_.table.local(seq)->go_live(machines_);
}

void RunLocal::begin_batch() {
  ahead_.clear();
  ahead_next_ = 0;
}

void RunLocal::look_ahead(const HistoryEvent& event) {
  const auto& attributes = event.marker_recorded_event_attributes();
  if (!run_.dialect.is_local(attributes)) return;
  if (auto marker = run_.dialect.read_local(attributes)) ahead_.push_back(*std::move(marker));
}

// As far as they are at hand: some were asked for before those of this task.
void RunLocal::look_further(absl::Span<const HistoryEvent* const> events) {
  later_orders_.clear();
  if (!run_.dialect.foreign() || ahead_.empty()) return;
  std::size_t left = kLookedFurther, own = ahead_.size();
  for (const HistoryEvent* event : events) {
    if (left-- == 0) return;
    if (!event->has_marker_recorded_event_attributes() ||
        !run_.dialect.is_local(event->marker_recorded_event_attributes()))
      continue;
    if (own > 0) {
      --own;
      continue;
    }
    const auto marker = run_.dialect.read_local(event->marker_recorded_event_attributes());
    if (marker && marker->order) later_orders_.push_back(*marker->order);
  }
}

// The order and the grouping are those of the live run: a marker tells how many activations its
// task had when the result came. Those of older cores do not, and meet as soon as they can. Go and
// Java run the code between any two, and after all else that the task brought.
bool RunLocal::release_ahead(bool at_rest) {
  bool any = false;
  while (ahead_next_ < ahead_.size()) {
    LocalMarker& head = ahead_[ahead_next_];
    if (head.order && !run_.jobs.empty()) break;
    LocalActivityMachine* machine = machine_of(head);
    if (!machine || !machine->waiting()) {
      // Where nothing can bring it any more, its event will not find its command, and says so.
      if (at_rest) ahead_next_ = ahead_.size();
      break;
    }
    if (head.activation_index && *head.activation_index > run_.activations && !at_rest) break;
    ++ahead_next_;
    machine->ahead(std::move(head), machines_);
    any = true;
    at_rest = false;  // One at a time: the code goes on from here.
  }
  return any;
}

void RunLocal::settle() {
  for (LocalActivityDone& done : std::exchange(ends_, {})) end(done);
}

void RunLocal::end(LocalActivityDone& done) {
  LocalActivityMachine* machine = run_.table.local(done.seq);
  if (!machine || !machine->executing()) return;
  if (done.outcome.kind == LocalActivityOutcome::Kind::kDropped) {
    dropped_ = true;
  } else {
    later_attempts_ += done.outcome.later_attempts;
  }
  machine->ended(std::move(done.outcome), machines_);
  if (machine->done()) run_.table.erase_local(done.seq);
}

void RunLocal::let_go() {
  ends_.clear();
  if (executing_ == 0) return;
  for (std::uint32_t seq : run_.table.local_seqs()) {
    LocalActivityMachine* machine = run_.table.local(seq);
    machine->let_go(machines_);
    if (machine->done()) run_.table.erase_local(seq);
  }
}

void RunLocal::ask_wake() {
  if (std::exchange(wake_asked_, true)) return;
  run_.outputs->emplace_back(WakeAt{
      std::chrono::duration_cast<std::chrono::nanoseconds>(run_.task_timeout * kHeartbeatShare)});
}

}  // namespace chimera::core
