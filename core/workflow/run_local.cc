#include "core/workflow/run_local.h"

#include <utility>

namespace chimera::core {
namespace {

// Of the task's timeout; then the server hears of the task, and gives the next one (sdk-core 1.35).
constexpr double kHeartbeatShare = 0.8;

}  // namespace

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
  for (std::uint32_t seq : machines_.table().local_seqs())
    machines_.table().local(seq)->go_live(machines_);
}

void RunLocal::begin_batch() {
  ahead_.clear();
  ahead_next_ = 0;
}

void RunLocal::look_ahead(const HistoryEvent& event) {
  const auto& attributes = event.marker_recorded_event_attributes();
  if (!is_local_marker(attributes)) return;
  if (auto marker = read_local_marker(attributes)) ahead_.push_back(*std::move(marker));
}

// The order and the grouping are those of the live run: a marker tells how many activations its
// task had when the result came. Those of older cores do not, and meet as soon as they can.
bool RunLocal::release_ahead(bool at_rest) {
  bool any = false;
  while (ahead_next_ < ahead_.size()) {
    LocalMarker& head = ahead_[ahead_next_];
    LocalActivityMachine* machine = machines_.table().local(head.seq);
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
  LocalActivityMachine* machine = machines_.table().local(done.seq);
  if (!machine || !machine->executing()) return;
  if (done.outcome.kind == LocalActivityOutcome::Kind::kDropped) {
    dropped_ = true;
  } else {
    later_attempts_ += done.outcome.later_attempts;
  }
  machine->ended(std::move(done.outcome), machines_);
  if (machine->done()) machines_.table().erase_local(done.seq);
}

void RunLocal::let_go() {
  ends_.clear();
  if (executing_ == 0) return;
  for (std::uint32_t seq : machines_.table().local_seqs()) {
    LocalActivityMachine* machine = machines_.table().local(seq);
    machine->let_go(machines_);
    if (machine->done()) machines_.table().erase_local(seq);
  }
}

void RunLocal::ask_wake() {
  if (std::exchange(wake_asked_, true)) return;
  run_.outputs->emplace_back(WakeAt{
      std::chrono::duration_cast<std::chrono::nanoseconds>(run_.task_timeout * kHeartbeatShare)});
}

}  // namespace chimera::core
