// Reads the note of CHIMERA_LIBRARY from a shared library without loading it. Every offset in the
// file is checked, since the file may be anything.
#include <cstring>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include <elf.h>

#include "chimera/library.h"
#include "sdk-cpp/src/library.h"

namespace chimera::sdk {
namespace {

constexpr std::string_view kOwner("Chimera\0", 8);
constexpr std::uint32_t kVersionNote = 1;

// A T at `offset`, if the file reaches that far.
template <class T>
bool read_at(const std::string& file, std::uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, file.data() + offset, sizeof(T));
  return true;
}

std::uint64_t aligned(std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; }

// The version among the notes in [begin, begin + size), or empty.
std::string find_note(const std::string& file, std::uint64_t begin, std::uint64_t size) {
  if (begin > file.size() || size > file.size() - begin) return "";
  for (std::uint64_t at = begin; at + sizeof(Elf64_Nhdr) <= begin + size;) {
    Elf64_Nhdr note;
    if (!read_at(file, at, note)) return "";
    const std::uint64_t name = at + sizeof note, text = name + aligned(note.n_namesz);
    const std::uint64_t next = text + aligned(note.n_descsz);
    if (next > begin + size) return "";
    const bool ours =
        note.n_type == kVersionNote && std::string_view(file).substr(name, note.n_namesz) == kOwner;
    if (ours && note.n_descsz > 0) return file.substr(text, note.n_descsz - 1);
    at = next;
  }
  return "";
}

}  // namespace

absl::StatusOr<std::string> read_library_version(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    return absl::NotFoundError(
        absl::StrCat("cannot open the library ", path, ": ", std::strerror(errno)));
  const std::string file((std::istreambuf_iterator<char>(stream)),
                         std::istreambuf_iterator<char>());
  Elf64_Ehdr header;
  const bool elf = read_at(file, 0, header) && std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
                   header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_type == ET_DYN;
  if (!elf) {
    return absl::InvalidArgumentError(absl::StrCat(path, " is not a shared library (64-bit ELF)"));
  }
  for (std::uint32_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    if (!read_at(file, header.e_phoff + std::uint64_t{i} * header.e_phentsize, segment)) break;
    if (segment.p_type != PT_NOTE) continue;
    std::string version = find_note(file, segment.p_offset, segment.p_filesz);
    if (!version.empty()) return version;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path,
      " is not a Chimera library: it has no CHIMERA_LIBRARY(...) definition. Build it with "
      "chimera_add_library() of the CMake package"));
}

}  // namespace chimera::sdk
