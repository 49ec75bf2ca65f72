// External storage (the claim check pattern): payloads that are too large for a history are kept
// elsewhere, and references to them travel, in the form of the official SDKs, after the codec.
//
//   auto client = chimera::Client::connect({.external_storage = {
//       .drivers = {chimera::local_storage("/srv/payloads")}}});
#ifndef CHIMERA_EXTERNAL_STORAGE_H_
#define CHIMERA_EXTERNAL_STORAGE_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/payload.h"

namespace chimera {

// What a driver needs to find a payload again. Stays in histories: no secrets.
using StorageClaim = std::map<std::string, std::string>;

// For whom something is stored: a workflow, or an activity where that is what is known. As in the
// official SDKs what a workflow gives to its activities, and gets from them, is the workflow's, and
// what it gives to another workflow is that one's. What is not known is empty.
struct StorageTarget {
  enum class Kind { kUnknown, kWorkflow, kActivity };
  Kind kind = Kind::kUnknown;
  std::string namespace_ = {}, id = {}, run_id = {}, type = {};
  bool operator==(const StorageTarget&) const = default;
};

// Any thread, several at once; may block (a call's timeout does not bound it): no lane of workflows
// calls it. An exception fails the client's call (RpcError, kInternal), or the task at hand, which
// is tried again.
class StorageDriver {
 public:
  virtual ~StorageDriver() = default;
  // Its name in references: must not change while payloads are kept.
  virtual std::string name() const = 0;
  // One claim for each. The same may be stored again, by a task that is tried again.
  virtual std::vector<StorageClaim> store(const StorageTarget& target,
                                          const std::vector<Payload>& payloads) = 0;
  // One payload for each; throws if one is not there.
  virtual std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) = 0;
};

struct ExternalStorage {
  std::vector<std::shared_ptr<StorageDriver>> drivers = {};  // With distinct names.
  // Chooses for a payload; null keeps it inline. Needed if there are several. As the drivers.
  std::function<std::shared_ptr<StorageDriver>(const StorageTarget&, const Payload&)>
      driver_selector = {};
  std::size_t payload_size_threshold = std::size_t{256} * 1024;  // Below it they stay inline.
};

// In a folder, which is made if it is not there: a file for each different payload, by its SHA-256,
// so what is stored twice is there once, and what is read is verified. Never deleted by the driver.
// Throws std::invalid_argument for a folder that cannot be written to.
std::shared_ptr<StorageDriver> local_storage(const std::string& folder,
                                             const std::string& name = "local");

// A store of objects by key, such as S3, by the library of your choice. As StorageDriver's calls.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  virtual bool exists(const std::string& bucket, const std::string& key) = 0;
  virtual void put(const std::string& bucket, const std::string& key, std::string_view data) = 0;
  virtual std::string get(const std::string& bucket, const std::string& key) = 0;
};

struct ObjectStorageOptions {
  std::string bucket = {};
  std::string name = "aws.s3driver";  // As the official S3 driver's: they read each other.
  std::size_t max_payload_size = std::size_t{50} << 20;
};

// Keys, claims and the check of what is read are those of the official SDKs' S3 driver. Throws
// std::invalid_argument.
std::shared_ptr<StorageDriver> object_storage(std::shared_ptr<ObjectStore> store,
                                              const ObjectStorageOptions& options);

}  // namespace chimera

#endif  // CHIMERA_EXTERNAL_STORAGE_H_
