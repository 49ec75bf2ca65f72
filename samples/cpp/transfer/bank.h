// A bank that honours idempotency keys. It stands for the services that a real transfer calls: what
// matters is that a call which is repeated under its key does nothing more.
#ifndef CHIMERA_SAMPLES_CPP_TRANSFER_BANK_H_
#define CHIMERA_SAMPLES_CPP_TRANSFER_BANK_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "chimera/activity.h"

namespace transfer {

struct Booking {
  std::string key;  // The same whenever this booking is asked for again.
  std::string account;
  std::int64_t cents = 0;
};

// The methods that take a Booking are activities; they run on many threads.
class Bank {
 public:
  explicit Bank(std::map<std::string, std::int64_t> balances) : balances_(std::move(balances)) {}

  // Both give a confirmation, and throw ApplicationError: "NoSuchAccount", "InsufficientFunds".
  std::string withdraw(const Booking& booking) {
    const std::lock_guard lock(mutex_);
    return book(booking.key, booking.account, -booking.cents);
  }
  std::string deposit(const Booking& booking) {
    const std::lock_guard lock(mutex_);
    return book(booking.key, booking.account, booking.cents);
  }
  // Gives back what the withdrawal of this key took. If it took nothing, its key is used up, so
  // that a straggling attempt of it will not take anything either.
  void refund(const Booking& withdrawal) {
    const std::lock_guard lock(mutex_);
    const Done taken = done_.try_emplace(withdrawal.key).first->second;
    if (taken.cents != 0) book(withdrawal.key + "-refund", withdrawal.account, -taken.cents);
  }

  std::int64_t balance(const std::string& account) const {
    const std::lock_guard lock(mutex_);
    return balances_.at(account);
  }

 private:
  struct Done {
    std::int64_t cents = 0;
    std::string confirmation;
  };

  std::string book(const std::string& key, const std::string& account, std::int64_t cents) {
    if (const auto done = done_.find(key); done != done_.end()) return done->second.confirmation;
    const auto found = balances_.find(account);
    if (found == balances_.end())
      throw chimera::ApplicationError("no account of " + account, {.type = "NoSuchAccount"});
    if (found->second + cents < 0)
      throw chimera::ApplicationError(account + " has only " + std::to_string(found->second),
                                      {.type = "InsufficientFunds"});
    found->second += cents;  // A real bank stores the effect and the key in one transaction.
    const std::string confirmation = "B" + std::to_string(done_.size() + 1);
    done_.emplace(key, Done{cents, confirmation});
    return confirmation;
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> balances_;
  std::map<std::string, Done> done_;  // By key.
};

inline constexpr auto kWithdraw = chimera::define_activity<&Bank::withdraw>("withdraw");
inline constexpr auto kDeposit = chimera::define_activity<&Bank::deposit>("deposit");
inline constexpr auto kRefund = chimera::define_activity<&Bank::refund>("refund");

}  // namespace transfer

#endif  // CHIMERA_SAMPLES_CPP_TRANSFER_BANK_H_
