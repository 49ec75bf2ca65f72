// A server with an archive, which is the target while this lives. The dev server has none: a
// genuine one that takes --archive FOLDER beside its arguments (archival of both kinds by file
// store, to the subfolders "history" and "visibility", and namespaces enabled by default) is named
// by CHIMERA_ARCHIVING_SERVER.
#ifndef CHIMERA_TESTS_CONFORMANCE_ARCHIVE_SERVER_H_
#define CHIMERA_TESTS_CONFORMANCE_ARCHIVE_SERVER_H_

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "server/server.h"
#include "tests/conformance/target.h"
#include "tests/support/genuine_server.h"

namespace chimera::conformance {

class ArchiveServer {
 public:
  // Why there can be none; empty: there can.
  static std::string missing() {
    if (target().foreign) return "a server of --address is as it was started";
    if (target().genuine && std::getenv(kProgram) == nullptr)
      return "the dev server has no archive: name one that has in CHIMERA_ARCHIVING_SERVER";
    return "";
  }

  ArchiveServer() : before_(target()) {
    std::filesystem::remove_all(folder_);
    Target mine = before_;
    core::ConnectionOptions options = connection_options();
    if (before_.genuine) {
      genuine_ = std::make_unique<GenuineServer>(
          std::map<std::string, std::string>{{"history.archivalProcessorArchiveDelay", "0s"}}, "",
          std::getenv(kProgram), std::vector<std::string>{"--archive", folder_});
      options.target_host = genuine_->address();
    } else {
      auto started = server::Server::start({.archive_folder = folder_});
      EXPECT_TRUE(started.ok()) << started.status();
      embedded_ = *std::move(started);
      options.transport = embedded_->local_transport();
    }
    connect(mine, std::move(options));
    changed_target() = mine;
  }
  ~ArchiveServer() {
    changed_target() = before_;
    embedded_ = nullptr;
    genuine_ = nullptr;
    std::filesystem::remove_all(folder_);
  }

  const std::string& folder() const { return folder_; }

 private:
  static constexpr char kProgram[] = "CHIMERA_ARCHIVING_SERVER";
  const Target before_;
  const std::string folder_ = absl::StrCat(testing::TempDir(), "conformance_archive_", getpid());
  std::unique_ptr<server::Server> embedded_;
  std::unique_ptr<GenuineServer> genuine_;
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_ARCHIVE_SERVER_H_
