// Expense approval: a workflow that waits for people, for days, and is asked and told by updates.
#ifndef CHIMERA_SAMPLES_CPP_EXPENSE_EXPENSE_H_
#define CHIMERA_SAMPLES_CPP_EXPENSE_EXPENSE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chimera/activity.h"
#include "chimera/workflow.h"

namespace expense {

namespace workflow = chimera::workflow;
using Days = std::chrono::duration<std::int64_t, std::ratio<86400>>;

inline constexpr Days kRemindEvery{2}, kEscalateAfter{7}, kGiveUpAfter{30};
inline constexpr std::int64_t kSelfApprovedUpTo = 25'00;

struct Expense {
  std::string employee;
  std::int64_t cents = 0;
  std::string purpose;
  // The first is asked first; each next one when the one before stays silent.
  std::vector<std::string> approvers;
};

struct Decision {
  std::string approver;
  bool approve = false;
  std::string comment;
};

struct Status {
  std::string state = "waiting";  // Then approved, rejected, expired or paid.
  std::vector<std::string> asked;
  std::optional<Decision> decision;
  std::string payment;
};

// What a company has elsewhere: mail and payroll. The key makes a second payment of the same
// expense the first one again.
inline void ask(const std::string& approver, const Expense&, int reminder) {
  chimera::activity::logger().info(approver + " is asked, reminder " + std::to_string(reminder));
}
inline std::string pay(const Expense&, const std::string& key) { return "payment-" + key; }
inline void tell(const std::string& employee, const std::string& text) {
  chimera::activity::logger().info(employee + " is told: " + text);
}

inline constexpr auto kAsk = chimera::define_activity<&ask>("ask");
inline constexpr auto kPay = chimera::define_activity<&pay>("pay");
inline constexpr auto kTell = chimera::define_activity<&tell>("tell");

// One expense, from its report to its payment.
class ExpenseApproval {
 public:
  Status run(Expense expense) {
    if (expense.cents <= 0 || expense.approvers.empty()) {
      throw chimera::ApplicationError("an expense needs an amount and somebody to approve it",
                                      {.type = "BadExpense"});
    }
    expense_ = std::move(expense);
    if (expense_.cents <= kSelfApprovedUpTo) {
      status_.state = "approved";
    } else {
      auto asking = workflow::spawn([this] { ask_one_after_the_other(); });
      if (!workflow::wait_condition([this] { return status_.state != "waiting"; }, kGiveUpAfter))
        status_.state = "expired";
      asking.cancel();
    }
    if (status_.state == "approved") {
      status_.payment =
          workflow::execute_activity<kPay>(quick(), expense_, workflow::info().workflow_id);
      status_.state = "paid";
    }
    workflow::execute_activity<kTell>(quick(), expense_.employee,
                                      "Your expense is " + status_.state + ".");
    return status_;
  }

  // What an approver says. Whoever comes second is told what was decided.
  Status decide(const Decision& decision) {
    status_.decision = decision;
    status_.state = decision.approve ? "approved" : "rejected";
    return status_;
  }
  void check_decision(const Decision& decision) {
    const auto refuse = [](const std::string& why, const char* type) {
      throw chimera::ApplicationError(why, {.type = type});
    };
    if (status_.state != "waiting")
      refuse("this expense is " + status_.state + " already", "Decided");
    if (std::ranges::find(expense_.approvers, decision.approver) == expense_.approvers.end())
      refuse(decision.approver + " is no approver of this expense", "NotAllowed");
    if (decision.approver == expense_.employee)
      refuse("nobody approves their own expenses", "NotAllowed");
    if (!decision.approve && decision.comment.empty())
      refuse("a rejection needs a comment", "NoReason");
  }
  Status status() const { return status_; }

 private:
  static chimera::ActivityOptions quick() {
    return {.start_to_close_timeout = std::chrono::minutes(1)};
  }

  // Each with reminders until the next one's turn; the last until the end.
  void ask_one_after_the_other() {
    for (const std::string& approver : expense_.approvers) {
      status_.asked.push_back(approver);
      const bool last = &approver == &expense_.approvers.back();
      const chimera::Time begin = workflow::now();
      for (int reminder = 0; last || workflow::now() - begin < kEscalateAfter; ++reminder) {
        workflow::execute_activity<kAsk>(quick(), approver, expense_, reminder);
        const chimera::Duration left =
            last ? chimera::Duration(kGiveUpAfter) : kEscalateAfter - (workflow::now() - begin);
        workflow::sleep(std::min<chimera::Duration>(kRemindEvery, left));
      }
    }
  }

  Expense expense_;
  Status status_;
};

inline const auto kExpenseApproval =
    chimera::define_workflow<&ExpenseApproval::run>("ExpenseApproval")
        .update<&ExpenseApproval::decide, &ExpenseApproval::check_decision>("decide")
        .query<&ExpenseApproval::status>("status");

}  // namespace expense

#endif  // CHIMERA_SAMPLES_CPP_EXPENSE_EXPENSE_H_
