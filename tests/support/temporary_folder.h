// TemporaryFolder, an empty folder of a test's own, which goes with it.
#ifndef CHIMERA_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
#define CHIMERA_TESTS_SUPPORT_TEMPORARY_FOLDER_H_

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace chimera::support {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // mkdtemp() puts other letters in the place of the last six.
    std::string name = (std::filesystem::temp_directory_path() / "chimera-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace chimera::support

#endif  // CHIMERA_TESTS_SUPPORT_TEMPORARY_FOLDER_H_
