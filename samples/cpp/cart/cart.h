// A shopping cart: a workflow for each customer, whose updates answer their callers: what the cart
// costs now, why a thing was refused, or the receipt. samples/python/cart is the same, under the
// same names.
#ifndef CHIMERA_SAMPLES_CPP_CART_CART_H_
#define CHIMERA_SAMPLES_CPP_CART_CART_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chimera/activity.h"
#include "chimera/client.h"
#include "chimera/workflow.h"

namespace cart {

namespace workflow = chimera::workflow;

inline constexpr char kTaskQueue[] = "carts";
inline constexpr std::chrono::hours kRemindAfter{24};       // Without a change, once.
inline constexpr std::chrono::hours kGiveUpAfter{14 * 24};  // Without a change.
inline constexpr int kUpdatesPerRun = 200;  // Then it continues as new; a history has its limits.

struct Item {
  std::string name;
  std::int64_t quantity = 1;
  std::int64_t cents = 0;  // Of one.
};

struct Cart {
  std::string customer = {};
  std::map<std::string, Item> items = {};
  bool reminded = false;

  std::int64_t total() const {
    std::int64_t sum = 0;
    for (const auto& [name, item] : items) sum += item.quantity * item.cents;
    return sum;
  }
};

struct Receipt {
  std::string number;
  std::int64_t cents = 0;
};

// The rest of the shop. Its methods are activities; any thread.
class Shop {
 public:
  // A second charge with the same key is the first one again.
  Receipt charge(const std::string& key, const std::string& card, std::int64_t cents) {
    if (card == "4000-0000") {
      throw chimera::ApplicationError("the card was refused",
                                      {.type = "CardRefused", .non_retryable = true});
    }
    const std::lock_guard lock(mutex_);
    return receipts_.try_emplace(key, Receipt{"receipt-" + key, cents}).first->second;
  }
  void remind(const std::string& customer) {
    const std::lock_guard lock(mutex_);
    reminded_.push_back(customer);
  }

  std::vector<std::string> reminded() const {
    const std::lock_guard lock(mutex_);
    return reminded_;
  }
  std::size_t charges() const {
    const std::lock_guard lock(mutex_);
    return receipts_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Receipt> receipts_;
  std::vector<std::string> reminded_;
};

inline constexpr auto kCharge = chimera::define_activity<&Shop::charge>("charge");
inline constexpr auto kRemind = chimera::define_activity<&Shop::remind>("remind");

class ShoppingCart {
 public:
  explicit ShoppingCart(Cart cart) : cart_(std::move(cart)) {}

  // The receipt; none if the cart was left alone.
  std::optional<Receipt> run(const Cart&) {
    while (!receipt_) {
      const int before = changes_;
      const auto something = [&] { return receipt_ || changes_ != before; };
      const auto patience = cart_.reminded ? kGiveUpAfter : kRemindAfter;
      const bool changed = workflow::wait_condition(something, patience);
      if (!changed && cart_.reminded) break;
      if (!changed) {
        cart_.reminded = true;
        workflow::execute_activity<kRemind>(quick(), cart_.customer);
      }
      if (changes_ >= kUpdatesPerRun && !receipt_) {
        // An update that was accepted is answered by the run that accepted it.
        workflow::wait_condition([this] { return workflow::all_handlers_finished() || receipt_; });
        if (!receipt_) workflow::continue_as_new<&ShoppingCart::run>(cart_);
      }
    }
    workflow::wait_condition([] { return workflow::all_handlers_finished(); });
    return receipt_;
  }

  // So many of a thing from now on; none takes it out. What the cart costs then.
  std::int64_t put(const Item& item) {
    if (item.quantity == 0) {
      cart_.items.erase(item.name);
    } else {
      cart_.items[item.name] = item;
    }
    changed();
    return cart_.total();
  }
  void check_put(const Item& item) {
    check_open();
    if (item.name.empty()) refuse("a thing needs a name", "BadItem");
    if (item.quantity < 0 || item.quantity > 100)
      refuse("from 0 to 100 of a thing, not " + std::to_string(item.quantity), "BadItem");
    if (item.quantity == 0 && !cart_.items.contains(item.name))
      refuse("there is no " + item.name + " in the cart", "BadItem");
  }

  // Two that come at once are one: the second one gets the receipt of the first.
  Receipt check_out(const std::string& card) {
    const std::lock_guard one_at_a_time(paying_);
    if (receipt_) return *receipt_;
    const std::int64_t cents = cart_.total();
    const Receipt receipt = workflow::execute_activity<kCharge>(
        quick(), workflow::info().first_execution_run_id, card, cents);  // Throws if it is refused.
    receipt_ = receipt;
    return receipt;
  }
  void check_check_out(const std::string&) {
    if (!receipt_ && cart_.items.empty()) refuse("the cart is empty", "Empty");
  }

  Cart contents() const { return cart_; }

 private:
  static chimera::ActivityOptions quick() {
    return {.start_to_close_timeout = std::chrono::minutes(1)};
  }
  [[noreturn]] static void refuse(const std::string& why, const char* type) {
    throw chimera::ApplicationError(why, {.type = type});
  }
  void check_open() const {
    if (receipt_) refuse("this cart is paid", "Paid");
  }
  void changed() {
    ++changes_;
    cart_.reminded = false;
  }

  Cart cart_;
  workflow::Mutex paying_;
  std::optional<Receipt> receipt_;
  int changes_ = 0;
};

inline const auto kShoppingCart =
    chimera::define_workflow<&ShoppingCart::run>("ShoppingCart")
        .update<&ShoppingCart::put, &ShoppingCart::check_put>("put")
        .update<&ShoppingCart::check_out, &ShoppingCart::check_check_out>("check_out")
        .query<&ShoppingCart::contents>("contents");

inline void add_to(chimera::Registry& worker, Shop& shop) {
  worker.add(kShoppingCart).add(kCharge, shop).add(kRemind, shop);
}

// Whether the customer has a cart or not: the first thing makes one. An update's id makes a click
// that was sent twice count once.
inline std::int64_t put(const chimera::Client& client, const std::string& customer,
                        const Item& item, const std::string& click,
                        const std::string& task_queue = kTaskQueue) {
  return client.execute_update_with_start_workflow<kShoppingCart, &ShoppingCart::put>(
      {.id = "cart-" + customer,
       .task_queue = task_queue,
       .id_conflict_policy = chimera::WorkflowIdConflictPolicy::kUseExisting},
      {.id = click}, {item}, Cart{.customer = customer});
}

}  // namespace cart

#endif  // CHIMERA_SAMPLES_CPP_CART_CART_H_
