#include "cli/become.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include <unistd.h>

#include "cli/command.h"

namespace chimera::cli {

void become(std::vector<std::string> program, const std::vector<std::string>& words,
            const char* advice) {
  program.insert(program.end(), words.begin(), words.end());
  std::vector<char*> raw;
  raw.reserve(program.size() + 1);
  for (std::string& word : program) raw.push_back(word.data());
  raw.push_back(nullptr);
  execvp(raw[0], raw.data());
  fail(absl::StrCat("cannot start ", program[0], ": ", std::strerror(errno), "; ", advice));
}

std::string beside_us(const char* name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? name : (self.parent_path() / name).string();
}

void become_chimera_worker(const std::vector<std::string>& words) {
  become({beside_us("chimera-worker")}, words, "it is installed beside chimera");
}

}  // namespace chimera::cli
