// Starts the Python workflow Shipping from C++ and prints what came back.
#include "chimera/client.h"

#include <cstdio>
#include <cstring>
#include <string>

#include "chimera/errors.h"
#include "orders.h"

int main(int argc, char** argv) {
  std::string address = "localhost:7233", id = "shipping-1";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--address") == 0) address = argv[i + 1];
    if (std::strcmp(argv[i], "--id") == 0) id = argv[i + 1];
  }
  try {
    auto client = chimera::Client::connect({.target_host = address});
    auto handle =
        client.start_workflow<orders::Shipment>("Shipping", {.id = id, .task_queue = "orders"},
                                                orders::Parcel{.order_id = "17", .grams = 900});
    orders::Shipment shipment = handle.result();
    std::printf("C++ client: %s, %s\n", shipment.truck.c_str(), shipment.label.c_str());
    std::printf("C++ client: the Python workflow caught %s\n", shipment.caught.c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "C++ client: %s\n", error.what());
    return 1;
  }
}
