// object_storage(): keys, claims and checks as the official S3 driver has them
// (temporalio.contrib.aws.s3driver 1.35).
#include <stdexcept>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

#include "sdk-cpp/src/errors.h"
#include "sdk-cpp/src/storage/stored_payload.h"

namespace chimera {
namespace {

constexpr std::size_t kKeyBytesMax = 1024;  // S3's.
constexpr char kBucket[] = "bucket", kKey[] = "key";

// A part of a key: what is not safe in one as %XX, "null" where nothing is known.
std::string segment(const std::string& text) {
  constexpr std::string_view kSafe = "!-_.*'()";
  if (text.empty()) return "null";
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (absl::ascii_isalnum(byte) || kSafe.find(letter) != std::string_view::npos) {
      out += letter;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", byte);
    }
  }
  return out;
}

std::string key_of(const StorageTarget& target, const std::string& hash) {
  using Kind = StorageTarget::Kind;
  std::string namespace_, whose;
  if (target.kind != Kind::kUnknown) {
    namespace_ = absl::StrCat("/ns/", segment(target.namespace_));
    const bool workflow = target.kind == Kind::kWorkflow;
    whose =
        absl::StrCat(workflow ? "/wt/" : "/at/", segment(target.type), workflow ? "/wi/" : "/ai/",
                     segment(target.id), "/ri/", segment(target.run_id));
  }
  std::string key = absl::StrCat("v0", namespace_, whose, "/d/sha256/", hash);
  return key.size() <= kKeyBytesMax ? key : absl::StrCat("v0", namespace_, "/d/sha256/", hash);
}

class ObjectDriver final : public StorageDriver {
 public:
  ObjectDriver(std::shared_ptr<ObjectStore> store, ObjectStorageOptions options)
      : store_(std::move(store)), options_(std::move(options)) {}
  std::string name() const override { return options_.name; }

  std::vector<StorageClaim> store(const StorageTarget& target,
                                  const std::vector<Payload>& payloads) override {
    std::vector<StorageClaim> claims;
    for (const Payload& payload : payloads) {
      const std::string bytes = sdk::stored_bytes(payload);
      if (bytes.size() > options_.max_payload_size)
        throw std::invalid_argument(absl::StrCat(
            "a payload has ", bytes.size(), " bytes; ObjectStorageOptions::max_payload_size is ",
            options_.max_payload_size));
      const std::string hash = sdk::sha256_hex(bytes), key = key_of(target, hash);
      at(options_.bucket, key, [&] {
        if (!store_->exists(options_.bucket, key)) store_->put(options_.bucket, key, bytes);
      });
      claims.push_back({{kBucket, options_.bucket},
                        {kKey, key},
                        {sdk::kHashAlgorithm, sdk::kSha256},
                        {sdk::kHashValue, hash}});
    }
    return claims;
  }

  std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) override {
    std::vector<Payload> payloads;
    for (const StorageClaim& claim : claims) {
      const std::string& bucket = sdk::claimed(claim, kBucket);
      const std::string& key = sdk::claimed(claim, kKey);
      std::string bytes;
      at(bucket, key, [&] { bytes = store_->get(bucket, key); });
      payloads.push_back(sdk::verified(bytes, claim, place(bucket, key)));
    }
    return payloads;
  }

 private:
  static std::string place(const std::string& bucket, const std::string& key) {
    return absl::StrCat("object [bucket=", bucket, ", key=", key, "]");
  }
  template <class Call>
  static void at(const std::string& bucket, const std::string& key, Call&& call) {
    try {
      call();
    } catch (...) {
      throw std::runtime_error(absl::StrCat(place(bucket, key), ": ", sdk::describe_current()));
    }
  }

  const std::shared_ptr<ObjectStore> store_;
  const ObjectStorageOptions options_;
};

}  // namespace

std::shared_ptr<StorageDriver> object_storage(std::shared_ptr<ObjectStore> store,
                                              const ObjectStorageOptions& options) {
  const auto refuse = [](const char* why) {
    throw std::invalid_argument(absl::StrCat("object_storage(): ", why));
  };
  if (store == nullptr) refuse("the store is null");
  if (options.bucket.empty()) refuse("ObjectStorageOptions::bucket is empty");
  if (options.name.empty()) refuse("ObjectStorageOptions::name is empty");
  if (options.max_payload_size == 0) refuse("ObjectStorageOptions::max_payload_size is 0");
  return std::make_shared<ObjectDriver>(std::move(store), options);
}

}  // namespace chimera
