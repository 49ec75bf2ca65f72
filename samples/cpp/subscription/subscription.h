// A subscription: one workflow for each customer, which lives as long as the subscription does, and
// a schedule that closes the books each month. samples/python/subscription is the same, under the
// same names: a worker of either may go on with what the other began.
#ifndef CHIMERA_SAMPLES_CPP_SUBSCRIPTION_SUBSCRIPTION_H_
#define CHIMERA_SAMPLES_CPP_SUBSCRIPTION_SUBSCRIPTION_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/workflow.h"

namespace subscription {

namespace workflow = chimera::workflow;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

inline constexpr char kTaskQueue[] = "subscriptions";
inline constexpr Days kMonth{30};
// Then the workflow continues as new, so that its history stays short.
inline constexpr int kPeriodsPerRun = 100;

struct Subscription {
  std::string customer;
  std::int64_t cents = 0;
  std::int64_t trial_days = 0;
  std::int64_t periods_paid = 0;  // Of the runs before.
};

struct Charge {
  std::string customer;
  std::int64_t cents = 0;
  std::string key;  // A second charge with the same key is the first one again.
};

struct Books {
  std::int64_t charges = 0, cents = 0;
};

// What a company has elsewhere: who pays what. Its methods are activities; any thread.
class Ledger {
 public:
  void charge(const Charge& charge) {
    const std::lock_guard lock(mutex_);
    if (broke_.contains(charge.customer)) {
      throw chimera::ApplicationError("the card of " + charge.customer + " was refused",
                                      {.type = "CardRefused"});
    }
    charges_.emplace(charge.key, charge);
  }
  void send(const std::string& customer, const std::string& text) {
    chimera::activity::logger().info("To " + customer + ": " + text);
  }
  Books close_books() {
    const std::lock_guard lock(mutex_);
    Books books{.charges = static_cast<std::int64_t>(charges_.size())};
    for (const auto& [key, charge] : charges_) books.cents += charge.cents;
    closed_.push_back(books);
    return books;
  }

  void set_broke(const std::string& customer, bool broke) {
    const std::lock_guard lock(mutex_);
    if (broke)
      broke_.insert(customer);
    else
      broke_.erase(customer);
  }
  std::map<std::string, Charge> charges() const {
    const std::lock_guard lock(mutex_);
    return charges_;
  }
  std::vector<Books> closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Charge> charges_;  // By key.
  std::vector<Books> closed_;
  std::set<std::string> broke_;
};

inline constexpr auto kCharge = chimera::define_activity<&Ledger::charge>("charge");
inline constexpr auto kSend = chimera::define_activity<&Ledger::send>("send");
inline constexpr auto kCloseBooks = chimera::define_activity<&Ledger::close_books>("close_books");

// Charges each period, until it is ended or cancelled, or cannot be paid.
class SubscriptionWorkflow {
 public:
  // Made from run()'s argument, so that a signal that comes before run() finds it.
  explicit SubscriptionWorkflow(Subscription subscription)
      : subscription_(std::move(subscription)) {}

  // The periods that were paid.
  std::int64_t run(const Subscription&) {
    try {
      if (live()) return subscription_.periods_paid;
    } catch (const chimera::FailureError& error) {
      if (chimera::is_cancelled(error)) {
        workflow::CancellationScope::detached().run(
            [this] { tell("Your subscription was cancelled."); });
      }
      throw;
    }
    subscription_.trial_days = 0;
    workflow::continue_as_new<&SubscriptionWorkflow::run>(subscription_);
  }

  void change_price(std::int64_t cents) { subscription_.cents = cents; }  // From the next period.
  void end() { ends_ = true; }  // At the end of what has been paid; a trial ends at once.
  std::int64_t periods_paid() const { return subscription_.periods_paid; }

 private:
  // False if there are so many periods that the next run is to go on.
  bool live() {
    if (subscription_.trial_days > 0) {
      tell("Your trial has begun.");
      wait(Days(subscription_.trial_days));
    }
    for (int period = 0; period < kPeriodsPerRun; ++period) {
      if (ends_) {
        tell("Goodbye.");
        return true;
      }
      if (!charge()) {
        tell("Your subscription has ended: it could not be paid.");
        return true;
      }
      ++subscription_.periods_paid;
      wait(kMonth);
    }
    return false;
  }

  // So long, or until the customer has had enough of it.
  void wait(Days time) {
    std::ignore = workflow::wait_condition([this] { return ends_; }, time);
  }

  bool charge() {
    const std::string number = std::to_string(subscription_.periods_paid + 1);
    try {
      workflow::execute_activity<kCharge>(
          {.start_to_close_timeout = std::chrono::minutes(1),
           // A card that is refused today may be good in some days.
           .retry_policy =
               chimera::RetryPolicy{
                   .initial_interval = Days(1), .backoff_coefficient = 1, .maximum_attempts = 5}},
          Charge{subscription_.customer, subscription_.cents,
                 workflow::info().workflow_id + "-" + number});
      return true;
    } catch (const chimera::ActivityError& error) {
      if (chimera::is_cancelled(error)) throw;
      return false;
    }
  }

  void tell(const std::string& text) {
    workflow::execute_activity<kSend>({.start_to_close_timeout = std::chrono::minutes(1)},
                                      subscription_.customer, text);
  }

  Subscription subscription_;
  bool ends_ = false;
};

inline const auto kSubscription =
    chimera::define_workflow<&SubscriptionWorkflow::run>("SubscriptionWorkflow")
        .signal<&SubscriptionWorkflow::change_price>("change_price")
        .signal<&SubscriptionWorkflow::end>("end")
        .query<&SubscriptionWorkflow::periods_paid>("periods_paid");

struct CloseBooks {
  Books run() {
    return workflow::execute_activity<kCloseBooks>(
        {.start_to_close_timeout = std::chrono::minutes(10)});
  }
};
inline const auto kCloseBooksWorkflow = chimera::define_workflow<&CloseBooks::run>("CloseBooks");

inline void add_to(chimera::Registry& worker, Ledger& ledger) {
  worker.add(kSubscription)
      .add(kCloseBooksWorkflow)
      .add(kCharge, ledger)
      .add(kSend, ledger)
      .add(kCloseBooks, ledger);
}

// On the first of each month at three o'clock in Brussels, one after the other.
inline chimera::ScheduleHandle close_books_monthly(chimera::Client& client,
                                                   const std::string& task_queue = kTaskQueue) {
  return client.create_schedule(
      "close-books", {.action = chimera::start_workflow_action<kCloseBooksWorkflow>(
                          {.id = "close-books", .task_queue = task_queue}),
                      .spec = {.calendars = {{.hour = {{3}}, .day_of_month = {{1}}}},
                               .time_zone_name = "Europe/Brussels"},
                      .policy = {.overlap = chimera::ScheduleOverlapPolicy::kBufferOne}});
}

}  // namespace subscription

#endif  // CHIMERA_SAMPLES_CPP_SUBSCRIPTION_SUBSCRIPTION_H_
