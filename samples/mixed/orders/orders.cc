// The C++ half of the order sample, as a library that `chimera worker` loads.
#include "orders.h"

#include <chrono>
#include <cstdio>

#include "chimera/errors.h"
#include "chimera/library.h"

namespace orders {
namespace {

namespace workflow = chimera::workflow;
using namespace std::chrono_literals;

std::chrono::milliseconds seconds(double value) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(value * 1000));
}

void tell(const char* activity, const std::string& about) {
  std::printf("C++     activity %s for %s\n", activity, about.c_str());
  std::fflush(stdout);
}

// Type, message, details and cause of a failure that Python raised.
std::string what_arrived(const chimera::ActivityError& error) {
  const auto* failure = error.find_cause<chimera::ApplicationError>();
  if (failure == nullptr) return chimera::describe(error.cause());
  const auto* cause = failure->find_cause<chimera::ApplicationError>();
  return failure->type() + ": " + failure->message() + " [\"" +
         failure->details().get<std::string>(0) + "\"," +
         std::to_string(failure->details().get<int>(1)) + "] <- " +
         (cause == nullptr ? "nothing" : cause->type() + ": " + cause->message());
}

}  // namespace

Receipt charge_card(const Order& order) {
  tell("charge_card", order.id);
  return {.id = order.id, .cents = order.cents};
}

void refund(const Receipt& receipt) { tell("refund", receipt.id); }

std::string reserve_truck(const Parcel& parcel) {
  tell("reserve_truck", parcel.order_id);
  if (parcel.grams < 500'000) return "truck 7";
  try {
    throw chimera::ApplicationError("the garage has only vans", {.type = "GarageError"});
  } catch (...) {
    throw chimera::ApplicationError("no truck carries " + std::to_string(parcel.grams) + " g",
                                    {.type = "NoTruck",
                                     .details = chimera::details(parcel.order_id, parcel.grams),
                                     .non_retryable = true,
                                     .cause = std::current_exception()});
  }
}

Receipt OrderWorkflow::run(Order order) {
  workflow::Saga saga;  // Compensates in reverse order when run() throws.
  receipt_ = workflow::execute_activity<kChargeCard>({.start_to_close_timeout = 30s}, order);
  saga.add(
      [this] { workflow::execute_activity<kRefund>({.start_to_close_timeout = 30s}, receipt_); });
  status_ = "waits for approval";
  if (!workflow::wait_condition([this] { return !approved_by_.empty(); },
                                seconds(5 * order.wait_seconds)))
    throw chimera::ApplicationError("nobody approved order " + order.id, {.type = "NotApproved"});
  auto label =
      workflow::start_activity<std::string>("print_label", {.start_to_close_timeout = 30s}, order);
  try {
    workflow::execute_activity<void>("check_address", {.start_to_close_timeout = 30s},
                                     order.customer);
  } catch (const chimera::ActivityError& error) {
    throw chimera::ApplicationError("cannot ship: " + what_arrived(error), {.type = "NotShipped"});
  }
  status_ = "shipping, approved by " + approved_by_;
  workflow::sleep(seconds(order.wait_seconds));  // Durable: it goes on while no worker runs.
  status_ = "shipped with " + label.get();
  return receipt_;
}

std::int64_t OrderWorkflow::add_tip(std::int64_t cents) { return receipt_.cents += cents; }

void OrderWorkflow::validate_add_tip(std::int64_t cents) const {
  if (cents < 0) throw chimera::ApplicationError("a tip cannot be negative", {.type = "BadTip"});
}

}  // namespace orders

CHIMERA_LIBRARY(library) {
  library.add(orders::kOrder)
      .add(orders::kChargeCard)
      .add(orders::kRefund)
      .add(orders::kReserveTruck);
}
