#include "tests/sim/replay.h"

#include <deque>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

#include "tests/sim/locals.h"
#include "tests/sim/text.h"

namespace chimera::sim {
namespace {

using PollReply = api::workflowservice::v1::PollWorkflowTaskQueueResponse;

// Carries out what a run wants, one task long.
class Replay {
 public:
  Replay(const std::vector<EventPtr>& events, const std::string& run_id, const Program& program,
         RunRecord& record, Fault fault, Rng& rng, bool replay_only)
      : run_id_(run_id),
        events_(events),
        record_(record),
        rng_(rng),
        run_(options(run_id, replay_only)),
        instance_(program, record, fault) {}

  // The commands and messages of the answer; empty where there is none.
  std::string task(std::shared_ptr<const PollReply> poll) {
    const std::int64_t started = poll->started_event_id();
    inputs_.push_back(core::TaskInput{std::move(poll), page(0)});
    while (!inputs_.empty() || go_on_locally(started)) {
      std::vector<core::RunOutput> outputs;
      core::RunInput input = std::move(inputs_.front());
      inputs_.pop_front();
      run_.step(std::move(input), outputs);
      for (core::RunOutput& output : outputs) std::visit([&](auto& one) { on(one); }, output);
    }
    return answer_;
  }

 private:
  static core::RunOptions options(const std::string& run_id, bool replay_only) {
    core::RunOptions options;
    options.context = {"workflow", run_id, "Random", "queue", "default"};
    options.identity = {"sim", "1.0", "Sim", /*has_side_effects=*/true};
    options.replay_only = replay_only;
    return options;
  }

  std::shared_ptr<const core::HistoryPage> page(std::size_t first) {
    auto history = std::make_shared<api::history::v1::History>();
    const std::size_t last = std::min<std::size_t>(events_.size(), first + 1 + rng_.below(40));
    for (std::size_t i = first; i < last; ++i) *history->add_events() = *events_[i];
    const api::history::v1::History* borrowed = history.get();
    return std::make_shared<core::HistoryPage>(std::move(history), borrowed,
                                               last < events_.size() ? absl::StrCat(last) : "");
  }

  bool go_on_locally(std::int64_t started_event_id) {
    if (answered_ || locals_.empty()) return false;
    if (auto end = locals_.next(started_event_id)) {
      inputs_.push_back(core::LocalActivityDone{end->seq, std::move(end->outcome)});
    } else {
      inputs_.push_back(core::Time{});
    }
    return true;
  }

  void on(core::Activate& output) {
    locals_.told(*output.activation);
    auto at_hand =
        instance_.activate(std::move(output.activation), [this](core::Completion completion) {
          inputs_.push_back(core::LanguageDone{std::move(completion)});
        });
    if (at_hand) inputs_.push_back(core::LanguageDone{*std::move(at_hand)});
  }
  void on(core::FetchPage& output) {
    std::uint64_t first = 0;
    (void)absl::SimpleAtoi(output.next_page_token, &first);
    inputs_.push_back(core::PageInput{page(first)});
  }
  void on(core::SendCompletion& output) {
    answer_ = completion_text(*output.request);
    answered_ = true;
    inputs_.push_back(core::ReplyInput{absl::OkStatus()});
  }
  void on(core::SendFailure& output) {
    record_.violations.push_back(absl::StrCat("replay fails: ", text(*output.request)));
    inputs_.push_back(core::ReplyInput{absl::OkStatus()});
  }
  void on(core::DropTask& output) {
    if (output.why != "replayed" && output.why != "the run has ended")
      record_.violations.push_back(absl::StrCat("replay drops the task: ", output.why));
  }
  void on(core::AnswerLegacyQuery&) {}
  void on(core::StartLocalActivity& output) {
    locals_.start(output.seq, *output.activity, run_id_);
  }
  void on(core::CancelLocalActivity& output) { locals_.stop(output.seq); }
  void on(core::WakeAt&) {}
  void on(core::Evicted&) {}

  const std::string run_id_;
  const std::vector<EventPtr>& events_;
  RunRecord& record_;
  Rng& rng_;
  SimLocals locals_;
  bool answered_ = false;
  core::WorkflowRun run_;
  SimInstance instance_;
  std::deque<core::RunInput> inputs_;
  std::string answer_;
};

std::shared_ptr<PollReply> poll_reply(const std::string& run_id) {
  auto poll = std::make_shared<PollReply>();
  poll->set_task_token("replay");
  poll->set_attempt(1);
  poll->mutable_workflow_execution()->set_workflow_id("workflow");
  poll->mutable_workflow_execution()->set_run_id(run_id);
  poll->mutable_workflow_type()->set_name("Random");
  return poll;
}

}  // namespace

void replay_all(const std::vector<EventPtr>& history, const std::string& run_id,
                const Program& program, RunRecord& record, Fault fault, Rng& rng) {
  auto poll = poll_reply(run_id);
  for (const EventPtr& event : history) {
    if (!event->has_workflow_task_started_event_attributes()) continue;
    poll->set_started_event_id(event->event_id());
    poll->set_previous_started_event_id(event->event_id());
  }
  Replay(history, run_id, program, record, fault, rng, /*replay_only=*/true).task(std::move(poll));
}

std::string answer_again(const CompletedTask& completed, const std::string& run_id,
                         const Program& program, RunRecord& record, Fault fault, Rng& rng) {
  const SimTask& task = completed.task;
  auto poll = poll_reply(run_id);
  poll->set_started_event_id(task.started_id);
  poll->set_previous_started_event_id(task.previous_started_id);
  for (const auto& message : task.messages) *poll->add_messages() = message;
  for (const auto& [id, query] : task.queries) (*poll->mutable_queries())[id] = query;
  return Replay(task.events, run_id, program, record, fault, rng, /*replay_only=*/false)
      .task(std::move(poll));
}

}  // namespace chimera::sim
