// The order sample's types, shared by the library and the C++ client. Plain structs: their fields
// are the JSON keys that Python's dataclasses of the same names have.
#ifndef CHIMERA_SAMPLES_MIXED_ORDERS_ORDERS_H_
#define CHIMERA_SAMPLES_MIXED_ORDERS_ORDERS_H_

#include <cstdint>
#include <string>

#include "chimera/workflow.h"

namespace orders {

struct Order {
  std::string id;
  std::string customer;
  std::int64_t cents = 0;
  double wait_seconds = 0;  // How long the order waits for approval, and then on its durable timer.
};

struct Receipt {
  std::string id;
  std::int64_t cents = 0;
};

struct Parcel {
  std::string order_id;
  std::int64_t grams = 0;
};

struct Shipment {
  std::string truck;
  std::string label;
  std::string caught;
};

// Activities. reserve_truck throws ApplicationError "NoTruck", with details and a cause, for a
// parcel too heavy.
Receipt charge_card(const Order& order);
void refund(const Receipt& receipt);
std::string reserve_truck(const Parcel& parcel);

inline constexpr auto kChargeCard = chimera::define_activity<&charge_card>("charge_card");
inline constexpr auto kRefund = chimera::define_activity<&refund>("refund");
inline constexpr auto kReserveTruck = chimera::define_activity<&reserve_truck>("reserve_truck");

// Charges in C++, waits for approval, checks the address and prints the label in Python, and
// refunds when it fails.
class OrderWorkflow {
 public:
  Receipt run(Order order);
  void approve(std::string by) { approved_by_ = std::move(by); }
  std::string status() const { return status_; }
  std::int64_t add_tip(std::int64_t cents);
  void validate_add_tip(std::int64_t cents) const;

 private:
  Receipt receipt_;
  std::string approved_by_;
  std::string status_ = "new";
};

inline const auto kOrder =
    chimera::define_workflow<&OrderWorkflow::run>("Order")
        .signal<&OrderWorkflow::approve>("approve")
        .query<&OrderWorkflow::status>("status")
        .update<&OrderWorkflow::add_tip, &OrderWorkflow::validate_add_tip>("add_tip");

}  // namespace orders

#endif  // CHIMERA_SAMPLES_MIXED_ORDERS_ORDERS_H_
