// The money transfer: a saga of two bookings, of which either both are made in the end or none.
#ifndef CHIMERA_SAMPLES_CPP_TRANSFER_TRANSFER_H_
#define CHIMERA_SAMPLES_CPP_TRANSFER_TRANSFER_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "bank.h"
#include "chimera/workflow.h"

namespace transfer {

namespace workflow = chimera::workflow;

struct Transfer {
  std::string from, to;
  std::int64_t cents = 0;
};

struct Receipt {
  std::string withdrawal, deposit;  // The bank's confirmations.
};

// Tried until the bank says yes, or no for a reason that will not pass. No maximum_attempts: who
// gives up after a lost answer does not know whether the money has moved.
inline chimera::ActivityOptions until_answered() {
  return {.start_to_close_timeout = std::chrono::seconds(10),
          .retry_policy = chimera::RetryPolicy{
              .initial_interval = std::chrono::milliseconds(200),
              .maximum_interval = std::chrono::seconds(30),
              .non_retryable_error_types = {"NoSuchAccount", "InsufficientFunds"}}};
}

class TransferWorkflow {
 public:
  Receipt run(Transfer transfer) {
    if (transfer.cents <= 0)
      throw chimera::ApplicationError("a transfer needs an amount", {.type = "BadAmount"});
    // Keys from the workflow's id, not its run's: a retry or a reset of it repeats the same
    // bookings, which then move nothing.
    const std::string id = workflow::info().workflow_id;
    const Booking withdrawal{id + "-withdrawal", transfer.from, transfer.cents};
    const Booking deposit{id + "-deposit", transfer.to, transfer.cents};

    workflow::Saga saga;  // Compensates when an exception leaves run().
    // Before the withdrawal, not after it: if we are cancelled while it is under way, only the bank
    // knows whether it took place. Refunding one that did not is harmless.
    saga.add([&] {
      status_ = "undoing";
      workflow::execute_activity<kRefund>(until_answered(), withdrawal);
      status_ = "undone";
    });
    Receipt receipt;
    receipt.withdrawal = workflow::execute_activity<kWithdraw>(until_answered(), withdrawal);
    status_ = "depositing";
    // Detached: a deposit whose end we did not wait for must not be refunded beside.
    workflow::CancellationScope::detached().run(
        [&] { receipt.deposit = workflow::execute_activity<kDeposit>(until_answered(), deposit); });
    status_ = "done";
    return receipt;
  }
  std::string status() const { return status_; }

 private:
  std::string status_ = "withdrawing";
};

inline const auto kTransfer = chimera::define_workflow<&TransferWorkflow::run>("Transfer")
                                  .query<&TransferWorkflow::status>("status");

}  // namespace transfer

#endif  // CHIMERA_SAMPLES_CPP_TRANSFER_TRANSFER_H_
