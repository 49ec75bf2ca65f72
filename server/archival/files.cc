#include "server/archival/files.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace chimera::server::archival {
namespace {

namespace fs = std::filesystem;

absl::Status failed(absl::string_view what, const fs::path& path, int error) {
  return absl::UnavailableError(
      absl::StrCat("cannot ", what, " ", path.string(), ": ", std::strerror(error)));
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return fd_ >= 0; }
  bool is_regular() const {
    struct stat what{};
    return ::fstat(fd_, &what) == 0 && S_ISREG(what.st_mode);
  }
  bool sync() const { return ::fsync(fd_) == 0; }
  bool write(const std::string& bytes) const {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t now = ::write(fd_, bytes.data() + done, bytes.size() - done);
      if (now < 0 && errno == EINTR) continue;
      if (now < 0) return false;
      done += static_cast<std::size_t>(now);
    }
    return true;
  }
  bool read(std::string& bytes) const {
    char some[1 << 16];
    for (;;) {
      const ssize_t now = ::read(fd_, some, sizeof some);
      if (now < 0 && errno == EINTR) continue;
      if (now <= 0) return now == 0;
      bytes.append(some, static_cast<std::size_t>(now));
    }
  }

 private:
  const int fd_;
};

absl::Status make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? failed("make the folder", folder, error.value()) : absl::OkStatus();
}

// In place of whatever has the name.
absl::Status fill(const fs::path& path, const std::string& bytes) {
  ::unlink(path.c_str());
  const Descriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  if (file.is_open() && file.write(bytes) && file.sync()) return absl::OkStatus();
  return failed("write", path, errno);
}

}  // namespace

absl::Status write_file(const std::string& folder, const std::string& name,
                        const std::string& aside, const std::string& bytes) {
  const fs::path path = fs::path(folder) / name, part = fs::path(aside) / ("." + name + ".part");
  absl::Status status = make_folder(folder);
  if (status.ok()) status = make_folder(aside);
  if (status.ok()) status = fill(part, bytes);
  if (status.ok() && ::rename(part.c_str(), path.c_str()) != 0)
    status = failed("write", path, errno);
  if (!status.ok()) {
    ::unlink(part.c_str());
    return status;
  }
  // The name is on the disk, too.
  const Descriptor entries(folder, O_RDONLY | O_DIRECTORY);
  if (!entries.is_open() || !entries.sync()) return failed("write", folder, errno);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> read_file(const std::string& folder,
                                                     const std::string& name) {
  const fs::path path = fs::path(folder) / name;
  std::error_code error;
  const bool is_regular = fs::is_regular_file(path, error);
  if (error && error != std::errc::no_such_file_or_directory)
    return failed("read", path, error.value());
  if (!is_regular) return std::optional<std::string>();
  const Descriptor file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file.is_open()) {
    if (errno == ENOENT) return std::optional<std::string>();
    return failed("read", path, errno);
  }
  if (!file.is_regular()) return std::optional<std::string>();  // It has become another.
  std::string bytes;
  if (!file.read(bytes)) return failed("read", path, errno);
  return std::optional(std::move(bytes));
}

absl::StatusOr<std::optional<std::vector<std::string>>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error == std::errc::no_such_file_or_directory)
    return std::optional<std::vector<std::string>>();
  if (error) return failed("list", folder, error.value());
  return std::optional(std::move(names));
}

absl::Status try_folder(const std::string& folder) {
  absl::Status status = make_folder(folder);
  const fs::path probe = fs::path(folder) / absl::StrCat(".probe-", ::getpid());
  if (status.ok()) status = fill(probe, "");
  ::unlink(probe.c_str());
  return status;
}

}  // namespace chimera::server::archival
