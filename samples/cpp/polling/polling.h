// Waiting for something elsewhere that tells nobody when it is ready: three ways to ask again.
//   often        an activity that asks each second and beats; for seconds to minutes
//   seldom       an activity that fails until it is ready, tried again by its retry policy; for
//                hours to weeks, at no cost in the history
//   in sequence  a child workflow that asks, waits and asks again with other arguments, and
//                continues as new; where each question depends on the answer before
// samples/python/polling is the same, under the same names.
#ifndef CHIMERA_SAMPLES_CPP_POLLING_POLLING_H_
#define CHIMERA_SAMPLES_CPP_POLLING_POLLING_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/workflow.h"

namespace polling {

namespace activity = chimera::activity;
namespace workflow = chimera::workflow;

inline constexpr char kTaskQueue[] = "polling";

// A page of a report that is being made; the last one has no next.
struct Page {
  std::string text, next;
};

// What is asked: a service that makes reports in its own time. Its methods are activities, but for
// those that a test calls; any thread.
class Reports {
 public:
  // So many questions about a report are answered by "not yet".
  explicit Reports(int not_yet, std::chrono::milliseconds pause = std::chrono::seconds(1))
      : not_yet_(not_yet), pause_(pause) {}

  // Asks until it is there. Each attempt is alive as long as it beats, and ends with the worker, or
  // when the workflow has no more use for it.
  std::string wait_for(const std::string& report) {
    while (true) {
      if (const auto text = ask(report)) return *text;
      activity::heartbeat(report);
      std::ignore = activity::wait_for_cancelled(pause_);
      activity::throw_if_cancelled();
    }
  }
  // Asks once.
  std::string fetch(const std::string& report) {
    if (const auto text = ask(report)) return *text;
    throw chimera::ApplicationError(report + " is not ready", {.type = "NotReady"});
  }
  // Asks once for a page; nothing if it is not there yet.
  std::optional<Page> fetch_page(const std::string& page) {
    const auto text = ask(page);
    if (!text) return std::nullopt;
    return Page{*text, page == "3" ? "" : std::to_string(std::stoi(page) + 1)};
  }

  int asked(const std::string& what) const {
    const std::lock_guard lock(mutex_);
    const auto found = asked_.find(what);
    return found == asked_.end() ? 0 : found->second;
  }

 private:
  std::optional<std::string> ask(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (++asked_[what] <= not_yet_) return std::nullopt;
    return "report " + what;
  }

  const int not_yet_;
  const std::chrono::milliseconds pause_;
  mutable std::mutex mutex_;
  std::map<std::string, int> asked_;
};

inline constexpr auto kWaitFor = chimera::define_activity<&Reports::wait_for>("wait_for");
inline constexpr auto kFetch = chimera::define_activity<&Reports::fetch>("fetch");
inline constexpr auto kFetchPage = chimera::define_activity<&Reports::fetch_page>("fetch_page");

struct OftenPolling {
  std::string run(const std::string& report) {
    // The heartbeat timeout finds a worker that is gone; the other one says how long it may take.
    return workflow::execute_activity<kWaitFor>({.start_to_close_timeout = std::chrono::hours(1),
                                                 .heartbeat_timeout = std::chrono::seconds(10)},
                                                report);
  }
};

struct SeldomPolling {
  std::string run(const std::string& report) {
    return workflow::execute_activity<kFetch>(
        {.start_to_close_timeout = std::chrono::seconds(10),
         .retry_policy = chimera::RetryPolicy{.initial_interval = std::chrono::minutes(10),
                                              .backoff_coefficient = 1}},
        report);
  }
};

// What a sequence has so far, from run to run.
struct Sequence {
  std::string page = "1", texts = {};
  int questions_per_run = 10;
};

struct PollSequence {
  std::string run(Sequence sequence) {
    for (int questions = 0; questions < sequence.questions_per_run; ++questions) {
      const auto page = workflow::execute_activity<kFetchPage>(
          {.start_to_close_timeout = std::chrono::seconds(10)}, sequence.page);
      if (!page) {
        workflow::sleep(std::chrono::minutes(1));
        continue;
      }
      sequence.texts += (sequence.texts.empty() ? "" : ", ") + page->text;
      sequence.page = page->next;
      if (sequence.page.empty()) return sequence.texts;
    }
    workflow::continue_as_new<&PollSequence::run>(sequence);
  }
};
inline const auto kPollSequence = chimera::define_workflow<&PollSequence::run>("PollSequence");

// The parent's history has one child, however often that one asks.
struct SequencePolling {
  std::string run(int questions_per_run) {
    return workflow::execute_child_workflow<kPollSequence>(
        {.id = workflow::info().workflow_id + "/sequence"},
        Sequence{.questions_per_run = questions_per_run});
  }
};

inline const auto kOftenPolling = chimera::define_workflow<&OftenPolling::run>("OftenPolling");
inline const auto kSeldomPolling = chimera::define_workflow<&SeldomPolling::run>("SeldomPolling");
inline const auto kSequencePolling =
    chimera::define_workflow<&SequencePolling::run>("SequencePolling");

inline void add_to(chimera::Registry& worker, Reports& reports) {
  worker.add(kOftenPolling)
      .add(kSeldomPolling)
      .add(kSequencePolling)
      .add(kPollSequence)
      .add(kWaitFor, reports)
      .add(kFetch, reports)
      .add(kFetchPage, reports);
}

}  // namespace polling

#endif  // CHIMERA_SAMPLES_CPP_POLLING_POLLING_H_
