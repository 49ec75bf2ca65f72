// Nexus: a shop and a bank, each in a namespace of its own. The bank lets others call two
// operations; the shop's workflow calls them, and knows nothing of the bank but the contract.
// samples/python/nexus is the same in Python: each side can be in either language.
#ifndef CHIMERA_SAMPLES_CPP_NEXUS_PAYMENTS_H_
#define CHIMERA_SAMPLES_CPP_NEXUS_PAYMENTS_H_

#include <chrono>
#include <string>

#include "chimera/client.h"
#include "chimera/nexus.h"
#include "chimera/workflow.h"

namespace payments {

namespace nexus = chimera::nexus;
namespace workflow = chimera::workflow;

// --- What both know ---

struct Charge {
  std::string order, customer;
  int cents = 0;
};

struct Payments {
  nexus::Operation<Charge, std::string> check;   // Answered at once: "good", or "too much".
  nexus::Operation<Charge, std::string> settle;  // A workflow of the bank's: gives a receipt.
};

inline constexpr char kEndpoint[] = "payments";
inline constexpr char kBank[] = "bank";  // A namespace; the shop's is the default one.
inline constexpr char kBankQueue[] = "bank", kShopQueue[] = "purchases";

// --- The bank ---

class Settlement {
 public:
  std::string run(Charge charge) {
    if (charge.customer == "nobody") {
      throw chimera::ApplicationError("no account of " + charge.customer,
                                      {.type = "NoSuchAccount", .non_retryable = true});
    }
    workflow::sleep(std::chrono::seconds(1));  // The other bank answers.
    return "receipt " + charge.order;
  }
};
inline const auto kSettlement = chimera::define_workflow<&Settlement::run>("Settlement");

inline nexus::Service<Payments> service() {
  nexus::Service<Payments> service;
  service.handle<&Payments::check>(
      [](const Charge& charge) { return charge.cents > 1000'00 ? "too much" : "good"; });
  service.handle<&Payments::settle>([](const Charge& charge) {
    // A request that comes a second time finds the workflow of the first.
    return nexus::start_workflow<kSettlement>({.id = "settle-" + charge.order}, charge);
  });
  return service;
}

// --- The shop ---

class Purchase {
 public:
  std::string run(Charge charge) {
    const chimera::NexusOperationOptions soon{.schedule_to_close_timeout = std::chrono::minutes(1)};
    const std::string answer =
        workflow::execute_nexus_operation<&Payments::check>(kEndpoint, soon, charge);
    if (answer != "good") return "refused: " + answer;
    try {
      return "paid: " +
             workflow::execute_nexus_operation<&Payments::settle>(kEndpoint, soon, charge);
    } catch (const chimera::NexusOperationError& error) {
      const auto* why = error.find_cause<chimera::ApplicationError>();
      if (why == nullptr || why->type() != "NoSuchAccount") throw;
      return "not paid: " + why->message();
    }
  }
};
inline const auto kPurchase = chimera::define_workflow<&Purchase::run>("Purchase");

}  // namespace payments

#endif  // CHIMERA_SAMPLES_CPP_NEXUS_PAYMENTS_H_
