#include "plugin/elf_check.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <vector>

#include "kindred/core/error.h"

// The header of the library or program that this code became part of: what a plugin must be built for.
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace kindred::plugin {
namespace {

constexpr const char* rebuild = "build or copy it again";

/// Code and the tables of the dynamic linker have no run of zeros as long as this, while a lost block of a
/// disk (512 bytes and more) always leaves one.
constexpr std::ptrdiff_t hole = 256;

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_386:
      return "x86 (32 bits)";
    case EM_X86_64:
      return "x86-64";
    case EM_ARM:
      return "ARM (32 bits)";
    case EM_AARCH64:
      return "ARM64";
    case EM_RISCV:
      return "RISC-V";
    case EM_PPC64:
      return "POWER";
    default:
      return "ELF machine " + std::to_string(machine);
  }
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& file) : file_(file) {
    std::error_code error;
    const auto status = std::filesystem::status(file, error);
    if (!std::filesystem::exists(status)) {
      fail(std::filesystem::is_symlink(std::filesystem::symlink_status(file, error))
               ? "is a link to a file that does not exist; fix or remove the link"
               : "does not exist");
    }
    if (!std::filesystem::is_regular_file(status))
      fail("is not a regular file; remove it from the plugin folder");
    size_ = std::filesystem::file_size(file, error);
    stream_.open(file, std::ios::binary);
    if (error || !stream_) {
      fail(std::string("cannot be read (") + std::strerror(errno) + "); check its permissions");
    }
    if (size_ == 0) fail(std::string("is empty; ") + rebuild);
  }

  [[noreturn]] void fail(const std::string& message) const { throw PluginError(file_, message); }

  template <class T>
  std::vector<T> read(std::uint64_t offset, std::uint64_t count, const std::string& what) {
    if (count > size_ / sizeof(T) || offset > size_ - count * sizeof(T)) {
      fail("is truncated or damaged: its " + what + " (" + std::to_string(count * sizeof(T)) +
           " bytes at byte " + std::to_string(offset) + ") is not within the " + std::to_string(size_) +
           " bytes of the file; " + rebuild);
    }
    std::vector<T> items(count);
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(reinterpret_cast<char*>(items.data()), static_cast<std::streamsize>(count * sizeof(T)));
    if (!stream_) fail("cannot be read completely; " + std::string(rebuild));
    return items;
  }

  void check_range(std::uint64_t offset, std::uint64_t length, const std::string& what) {
    if (length <= size_ && offset <= size_ - length) return;
    fail("is truncated or damaged: its " + what + " (" + std::to_string(length) + " bytes at byte " +
         std::to_string(offset) + ") is not within the " + std::to_string(size_) + " bytes of the file; " +
         rebuild);
  }

 private:
  std::filesystem::path file_;
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

class Library {
 public:
  explicit Library(const std::filesystem::path& file) : reader_(file) {
    read_header();
    read_segments();
    read_sections();
    check_dynamic();
    check_holes();
  }

  std::optional<std::string> section(const std::string& name) {
    for (const auto& header : sections_) {
      if (header.sh_type == SHT_NOBITS || section_name(header) != name) continue;
      const auto bytes = reader_.read<char>(header.sh_offset, header.sh_size, "section " + name);
      return std::string(bytes.begin(), bytes.end());
    }
    return std::nullopt;
  }

 private:
  using Header = ElfW(Ehdr);
  using Segment = ElfW(Phdr);
  using SectionHeader = ElfW(Shdr);
  using Dynamic = ElfW(Dyn);

  [[noreturn]] void damaged(const std::string& what) const {
    reader_.fail("is damaged: " + what + "; " + rebuild);
  }

  void read_header() {
    const auto magic = reader_.read<char>(0, 1, "first byte").front() == ELFMAG[0]
                           ? reader_.read<char>(0, SELFMAG, "ELF magic")
                           : std::vector<char>(SELFMAG);
    if (std::memcmp(magic.data(), ELFMAG, SELFMAG) != 0) {
      reader_.fail(
          "is not a shared library: it does not begin like an ELF file; remove it from the plugin folder, "
          "or " +
          std::string(rebuild));
    }
    header_ = reader_.read<Header>(0, 1, "ELF header").front();
    const Header& own = __ehdr_start;
    if (header_.e_ident[EI_VERSION] != EV_CURRENT || header_.e_version != EV_CURRENT) {
      damaged("its ELF header has an unknown version");
    }
    if (header_.e_machine != own.e_machine || header_.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        header_.e_ident[EI_DATA] != own.e_ident[EI_DATA]) {
      reader_.fail("was built for " + machine_name(header_.e_machine) + ", but this program runs on " +
                   machine_name(own.e_machine) + "; build the plugin for this machine");
    }
    if (header_.e_type != ET_DYN) {
      reader_.fail("is not a shared library: its ELF type is " + std::to_string(header_.e_type) +
                   " instead of " + std::to_string(ET_DYN) +
                   "; link it with kindred_add_plugin() (docs/first-plugin.md)");
    }
    if (header_.e_ehsize != sizeof(Header) || header_.e_phentsize != sizeof(Segment) ||
        header_.e_shentsize != sizeof(SectionHeader)) {
      damaged("its ELF header has entries of a wrong size");
    }
  }

  void read_segments() {
    segments_ = reader_.read<Segment>(header_.e_phoff, header_.e_phnum, "program header table");
    bool loaded = false;
    for (const auto& segment : segments_) {
      if (segment.p_type == PT_NULL) continue;
      reader_.check_range(segment.p_offset, segment.p_filesz,
                          "segment of type " + std::to_string(segment.p_type));
      if (segment.p_type != PT_LOAD) continue;
      loaded = true;
      if (segment.p_memsz < segment.p_filesz || segment.p_vaddr + segment.p_memsz < segment.p_vaddr) {
        damaged("a segment has impossible sizes");
      }
    }
    if (!loaded) damaged("it has no segment to load");
  }

  void read_sections() {
    if (header_.e_shnum == 0) damaged("it has no section table");
    sections_ = reader_.read<SectionHeader>(header_.e_shoff, header_.e_shnum, "section header table");
    for (const auto& section : sections_) {
      if (section.sh_type == SHT_NULL || section.sh_type == SHT_NOBITS) continue;
      reader_.check_range(section.sh_offset, section.sh_size,
                          "section of type " + std::to_string(section.sh_type));
    }
    if (header_.e_shstrndx >= sections_.size() || sections_[header_.e_shstrndx].sh_type != SHT_STRTAB) {
      damaged("it has no table of section names");
    }
    const auto& names = sections_[header_.e_shstrndx];
    names_ = reader_.read<char>(names.sh_offset, names.sh_size, "table of section names");
    if (names_.empty() || names_.back() != '\0') damaged("its table of section names is not terminated");
    for (const auto& section : sections_) {
      if (section.sh_name >= names_.size()) damaged("the name of a section is outside the table of names");
    }
  }

  [[nodiscard]] std::string_view section_name(const SectionHeader& section) const {
    return names_.data() + section.sh_name;
  }

  /// Where in the file lies what is loaded at an address; the whole length must come from the file.
  std::uint64_t offset_of(std::uint64_t address, std::uint64_t length, const std::string& what) const {
    for (const auto& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const auto within = address - segment.p_vaddr;
      if (within < segment.p_filesz && length <= segment.p_filesz - within) return segment.p_offset + within;
    }
    damaged("its " + what + " is outside the loaded part");
  }

  /// The tables that the dynamic linker follows without looking.
  void check_dynamic() {
    std::map<std::int64_t, std::uint64_t> found;
    bool ended = false;
    for (const auto& segment : segments_) {
      if (segment.p_type != PT_DYNAMIC) continue;
      if (offset_of(segment.p_vaddr, segment.p_filesz, "dynamic table") != segment.p_offset) {
        damaged("its dynamic table is not at its load position");
      }
      for (const auto& entry :
           reader_.read<Dynamic>(segment.p_offset, segment.p_filesz / sizeof(Dynamic), "dynamic table")) {
        ended = ended || entry.d_tag == DT_NULL;
        if (!ended) found[entry.d_tag] = entry.d_un.d_val;
      }
    }
    if (found.empty() || !ended) damaged("its dynamic table is missing or not terminated");

    struct Need {
      std::int64_t tag;
      std::int64_t size_tag;
      const char* what;
    };
    constexpr std::array needs{Need{DT_STRTAB, DT_STRSZ, "table of names"},
                               Need{DT_SYMTAB, 0, "table of symbols"},
                               Need{DT_RELA, DT_RELASZ, "table of relocations"},
                               Need{DT_JMPREL, DT_PLTRELSZ, "table of calls"},
                               Need{DT_INIT_ARRAY, DT_INIT_ARRAYSZ, "table of initializers"},
                               Need{DT_FINI_ARRAY, DT_FINI_ARRAYSZ, "table of finalizers"},
                               Need{DT_GNU_HASH, 0, "hash table"},
                               Need{DT_HASH, 0, "hash table"},
                               Need{DT_VERSYM, 0, "table of versions"},
                               Need{DT_VERNEED, 0, "table of versions"},
                               Need{DT_INIT, 0, "initializer"},
                               Need{DT_FINI, 0, "finalizer"}};
    for (const auto& need : needs) {
      if (!found.contains(need.tag)) continue;
      if (need.size_tag != 0 && !found.contains(need.size_tag)) {
        damaged(std::string("its ") + need.what + " has no size");
      }
      (void)offset_of(found[need.tag], need.size_tag == 0 ? 1 : found[need.size_tag], need.what);
    }
    if (!found.contains(DT_STRTAB) || !found.contains(DT_SYMTAB) ||
        !(found.contains(DT_GNU_HASH) || found.contains(DT_HASH))) {
      damaged("its dynamic table has no symbols or no names");
    }
    const auto names = offset_of(found[DT_STRTAB], found[DT_STRSZ], "table of names");
    if (found[DT_STRSZ] == 0 ||
        reader_.read<char>(names + found[DT_STRSZ] - 1, 1, "table of names").front() != '\0') {
      damaged("its table of names is not terminated");
    }
    if (found.contains(DT_GNU_HASH)) check_gnu_hash(found[DT_GNU_HASH]);
    if (found.contains(DT_HASH)) check_hash(found[DT_HASH]);
  }

  void check_gnu_hash(std::uint64_t address) {
    constexpr std::size_t words = 4;  // buckets, first symbol, words of the filter, shift
    const auto head = reader_.read<std::uint32_t>(
        offset_of(address, words * sizeof(std::uint32_t), "hash table"), words, "hash table");
    const std::uint64_t length = words * sizeof(std::uint32_t) + head[2] * sizeof(ElfW(Addr)) +
                                 std::uint64_t{head[0]} * sizeof(std::uint32_t);
    (void)offset_of(address, length, "hash table");
    if (head[0] == 0 || !std::has_single_bit(head[2])) damaged("its hash table has impossible sizes");
  }

  void check_hash(std::uint64_t address) {
    constexpr std::size_t words = 2;  // buckets, symbols
    const auto head = reader_.read<std::uint32_t>(
        offset_of(address, words * sizeof(std::uint32_t), "hash table"), words, "hash table");
    (void)offset_of(address, (words + std::uint64_t{head[0]} + head[1]) * sizeof(std::uint32_t),
                    "hash table");
    if (head[0] == 0) damaged("its hash table has impossible sizes");
  }

  /// The section that a run of zeros has destroyed, or nullptr: in data zeros are nothing special.
  const SectionHeader* destroyed_by(std::uint64_t begin, std::uint64_t end) const {
    for (const auto& section : sections_) {
      if ((section.sh_flags & SHF_ALLOC) == 0 || section.sh_type == SHT_NOBITS) continue;
      const auto name = section_name(section);
      const bool code = (section.sh_flags & SHF_EXECINSTR) != 0;
      // Not the names: an install step that removes a run path leaves zeros there, and a name lost is an
      // error of the dynamic linker, not its death.
      const bool table = section.sh_type == SHT_DYNSYM || section.sh_type == SHT_RELA ||
                         section.sh_type == SHT_REL || name == ".eh_frame" || name == ".gcc_except_table";
      if (!code && !table) continue;
      const auto first = std::max<std::uint64_t>(begin, section.sh_offset);
      const auto last = std::min<std::uint64_t>(end, section.sh_offset + section.sh_size);
      // A section may begin or end with a few zeros: an operand, the empty first symbol (24 bytes).
      if (first < last && last - first >= (code ? 8 : 32)) return &section;
    }
    return nullptr;
  }

  void check_holes() {
    std::uint64_t loaded = 0;
    for (const auto& segment : segments_) {
      if (segment.p_type == PT_LOAD)
        loaded = std::max<std::uint64_t>(loaded, segment.p_offset + segment.p_filesz);
    }
    const auto bytes = reader_.read<char>(0, loaded, "loaded part");
    for (auto at = bytes.begin(); at != bytes.end();) {
      const auto begin = std::find(at, bytes.end(), '\0');
      at = std::find_if(begin, bytes.end(), [](char byte) { return byte != '\0'; });
      if (at - begin < hole) continue;
      const auto* section = destroyed_by(static_cast<std::uint64_t>(begin - bytes.begin()),
                                         static_cast<std::uint64_t>(at - bytes.begin()));
      if (section != nullptr) {
        damaged("its section " + std::string(section_name(*section)) + " contains a block of zeros");
      }
    }
  }

  Reader reader_;
  Header header_{};
  std::vector<Segment> segments_;
  std::vector<SectionHeader> sections_;
  std::vector<char> names_;
};

}  // namespace

std::optional<std::string> read_library_section(const std::filesystem::path& file, const std::string& name) {
  return Library(file).section(name);
}

}  // namespace kindred::plugin
