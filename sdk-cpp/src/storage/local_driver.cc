// local_storage(): a file for each payload, FOLDER/sha256/ab/abcd... by its hash.
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <system_error>

#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <unistd.h>

#include "sdk-cpp/src/storage/stored_payload.h"

namespace chimera {
namespace {

namespace fs = std::filesystem;

constexpr char kPath[] = "path";

[[noreturn]] void throw_errno(const std::string& doing) {
  throw std::runtime_error(
      absl::StrCat("cannot ", doing, ": ", std::generic_category().message(errno)));
}

// An open file, closed with it.
class File {
 public:
  File(const fs::path& path, int flags) : path_(path), fd_(open(path.c_str(), flags, 0644)) {
    if (fd_ < 0) throw_errno(absl::StrCat("open ", path.string()));
  }
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write_all(std::string_view data) {
    while (!data.empty()) {
      const ssize_t written = ::write(fd_, data.data(), data.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_errno(absl::StrCat("write ", path_.string()));
      data.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void sync() {
    if (fsync(fd_) != 0) throw_errno(absl::StrCat("sync ", path_.string()));
  }

 private:
  const fs::path path_;
  const int fd_;
};

std::string unique_suffix() {
  thread_local std::random_device random;
  return absl::StrCat(".", getpid(), "-", random(), "-", random());
}

// Whole or not at all, whatever ends this process meanwhile or writes the same beside it.
void write_file(const fs::path& path, std::string_view data) {
  const fs::path made = path.string() + unique_suffix();
  try {
    File file(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
    file.write_all(data);
    file.sync();
    fs::rename(made, path);
    File(path.parent_path(), O_RDONLY | O_DIRECTORY | O_CLOEXEC).sync();
  } catch (...) {
    std::error_code ignored;
    fs::remove(made, ignored);
    throw;
  }
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw_errno(absl::StrCat("read ", path.string()));
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) throw_errno(absl::StrCat("read ", path.string()));
  return bytes;
}

class LocalDriver final : public StorageDriver {
 public:
  LocalDriver(fs::path folder, std::string name)
      : folder_(std::move(folder)), name_(std::move(name)) {}
  std::string name() const override { return name_; }

  std::vector<StorageClaim> store(const StorageTarget&,
                                  const std::vector<Payload>& payloads) override {
    std::vector<StorageClaim> claims;
    for (const Payload& payload : payloads) {
      const std::string bytes = sdk::stored_bytes(payload), hash = sdk::sha256_hex(bytes);
      const fs::path path = fs::path(sdk::kSha256) / hash.substr(0, 2) / hash;
      std::error_code error;
      // One of another size was damaged since.
      if (fs::file_size(folder_ / path, error) != bytes.size() || error) {
        fs::create_directories((folder_ / path).parent_path());
        write_file(folder_ / path, bytes);
      }
      claims.push_back({{sdk::kHashAlgorithm, sdk::kSha256},
                        {sdk::kHashValue, hash},
                        {kPath, path.generic_string()}});
    }
    return claims;
  }

  std::vector<Payload> retrieve(const std::vector<StorageClaim>& claims) override {
    std::vector<Payload> payloads;
    for (const StorageClaim& claim : claims) {
      const fs::path path(sdk::claimed(claim, kPath));
      bool inside = !path.empty() && path.is_relative();
      for (const fs::path& part : path) inside = inside && part != "..";
      if (!inside)
        throw std::runtime_error(
            absl::StrCat("the claim's path '", path.string(), "' is not one inside the folder"));
      const fs::path file = folder_ / path;
      payloads.push_back(sdk::verified(read_file(file), claim, file.string()));
    }
    return payloads;
  }

 private:
  const fs::path folder_;
  const std::string name_;
};

}  // namespace

std::shared_ptr<StorageDriver> local_storage(const std::string& folder, const std::string& name) {
  const auto refuse = [&](const std::string& why) {
    throw std::invalid_argument(absl::StrCat("local_storage(\"", folder, "\"): ", why));
  };
  if (folder.empty()) refuse("the folder's name is empty");
  if (name.empty()) refuse("the driver's name is empty");
  std::error_code error;
  const fs::path path = fs::absolute(folder, error);
  if (!error) fs::create_directories(path / sdk::kSha256, error);
  if (error) refuse(absl::StrCat("the folder cannot be made: ", error.message()));
  if (access((path / sdk::kSha256).c_str(), R_OK | W_OK | X_OK) != 0)
    refuse(
        absl::StrCat("the folder cannot be written to: ", std::generic_category().message(errno)));
  return std::make_shared<LocalDriver>(path, name);
}

}  // namespace chimera
