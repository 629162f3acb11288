#include "plugin/elf_check.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "kindred/core/error.h"

// The header of the library or program that this code became part of: what a plugin must be built for.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the linker gives the name
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace kindred::plugin {
namespace {

namespace fs = std::filesystem;

/// Code and the tables of the dynamic linker have no run of zeros as long as this, while a lost block of a
/// disk (512 bytes and more) always leaves one.
constexpr std::ptrdiff_t hole = 256;

std::string machine_name(unsigned machine) {
  if (machine == EM_X86_64) return "x86-64";
  if (machine == EM_AARCH64) return "ARM64";
  return "ELF machine " + std::to_string(machine);
}

std::string read_bytes(const fs::path& file) {
  std::error_code error;
  const auto status = fs::status(file, error);
  const auto unreadable = [&](const std::string& reason) {
    return PluginError(file, "cannot be read (" + reason + "); check its permissions");
  };
  if (status.type() == fs::file_type::not_found) {
    throw PluginError(file, fs::is_symlink(fs::symlink_status(file, error))
                                ? "is a link to a file that does not exist; fix or remove the link"
                                : "does not exist");
  }
  if (error) throw unreadable(error.message());
  if (!fs::is_regular_file(status)) {
    throw PluginError(file, "is not a regular file; remove it from the plugin folder");
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  const auto size = fs::file_size(file, error);
  std::string bytes;
  if (stream && !error) {
    bytes.resize(size);
    stream.read(bytes.data(), static_cast<std::streamsize>(size));
  }
  if (error || !stream) throw unreadable(std::generic_category().message(errno));
  return bytes;
}

class Library {
 public:
  explicit Library(const fs::path& file) : file_(file), bytes_(read_bytes(file)) {
    read_header();
    read_segments();
    read_sections();
    check_dynamic();
    check_holes();
  }

  [[nodiscard]] std::optional<std::string> section(std::string_view name) const {
    for (const auto& section : sections_) {
      if (!lies_in_file(section) || section_name(section) != name) continue;
      return bytes_.substr(section.sh_offset, section.sh_size);
    }
    return std::nullopt;
  }

 private:
  using Header = ElfW(Ehdr);
  using Segment = ElfW(Phdr);
  using Section = ElfW(Shdr);
  using Dynamic = ElfW(Dyn);

  [[noreturn]] void fail(const std::string& what) const { throw PluginError(file_, what); }
  [[noreturn]] void damaged(const std::string& what) const {
    fail("is damaged: " + what + "; build or copy it again");
  }

  void check_range(std::uint64_t offset, std::uint64_t size, const std::string& what) const {
    if (size <= bytes_.size() && offset <= bytes_.size() - size) return;
    fail("is truncated or damaged: its " + what + " (" + std::to_string(size) + " bytes at byte " +
         std::to_string(offset) + ") is not within the " + std::to_string(bytes_.size()) +
         " bytes of the file; build or copy it again");
  }

  template <class T>
  [[nodiscard]] std::vector<T> read(std::uint64_t offset, std::uint64_t count,
                                    const std::string& what) const {
    check_range(offset, count * sizeof(T), what);
    std::vector<T> items(count);
    if (count > 0) std::memcpy(items.data(), bytes_.data() + offset, count * sizeof(T));
    return items;
  }

  /// Whether a section's place and size say where its bytes are.
  [[nodiscard]] static bool lies_in_file(const Section& section) {
    return section.sh_type != SHT_NULL && section.sh_type != SHT_NOBITS;
  }

  void read_header() {
    if (bytes_.empty()) fail("is empty; build or copy it again");
    if (bytes_.compare(0, SELFMAG, ELFMAG, std::min<std::size_t>(bytes_.size(), SELFMAG)) != 0) {
      fail(
          "is not a shared library: it does not begin like an ELF file; remove it from the plugin folder, or "
          "build or copy it again");
    }
    header_ = read<Header>(0, 1, "ELF header").front();
    const Header& own = __ehdr_start;
    if (header_.e_ident[EI_VERSION] != EV_CURRENT || header_.e_version != EV_CURRENT) {
      damaged("its ELF header has an unknown version");
    }
    if (header_.e_machine != own.e_machine || header_.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        header_.e_ident[EI_DATA] != own.e_ident[EI_DATA]) {
      fail("was built for " + machine_name(header_.e_machine) + ", but this program runs on " +
           machine_name(own.e_machine) + "; build the plugin for this machine");
    }
    if (header_.e_type != ET_DYN) {
      fail("is not a shared library: its ELF type is " + std::to_string(header_.e_type) + " instead of " +
           std::to_string(ET_DYN) + "; link it with kindred_add_plugin() (docs/first-plugin.md)");
    }
    if (header_.e_ehsize != sizeof(Header) || header_.e_phentsize != sizeof(Segment) ||
        header_.e_shentsize != sizeof(Section)) {
      damaged("its ELF header has entries of a wrong size");
    }
  }

  void read_segments() {
    segments_ = read<Segment>(header_.e_phoff, header_.e_phnum, "program header table");
    std::erase_if(segments_, [](const auto& segment) { return segment.p_type == PT_NULL; });
    for (const auto& segment : segments_) {
      check_range(segment.p_offset, segment.p_filesz, "segment of type " + std::to_string(segment.p_type));
      if (segment.p_type != PT_LOAD) continue;
      loaded_ = std::max<std::uint64_t>(loaded_, segment.p_offset + segment.p_filesz);
      if (segment.p_memsz < segment.p_filesz || segment.p_vaddr + segment.p_memsz < segment.p_vaddr) {
        damaged("a segment has impossible sizes");
      }
    }
    if (loaded_ == 0) damaged("it has no segment to load");
  }

  void read_sections() {
    sections_ = read<Section>(header_.e_shoff, header_.e_shnum, "section header table");
    for (const auto& section : sections_) {
      if (!lies_in_file(section)) continue;
      check_range(section.sh_offset, section.sh_size, "section of type " + std::to_string(section.sh_type));
    }
    if (header_.e_shstrndx >= sections_.size() || sections_[header_.e_shstrndx].sh_type != SHT_STRTAB) {
      damaged("it has no table of section names");
    }
    const auto& names = sections_[header_.e_shstrndx];
    names_ = bytes_.substr(names.sh_offset, names.sh_size);
    for (const auto& section : sections_) {
      if (section.sh_name >= names_.size()) damaged("the name of a section is outside the table of names");
    }
  }

  [[nodiscard]] std::string_view section_name(const Section& section) const {
    return names_.c_str() + section.sh_name;
  }

  /// Where in the file lies what is loaded at an address; the whole size must come from the file.
  [[nodiscard]] std::uint64_t offset_of(std::uint64_t address, std::uint64_t size,
                                        const std::string& what) const {
    for (const auto& segment : segments_) {
      if (segment.p_type != PT_LOAD || address < segment.p_vaddr) continue;
      const auto within = address - segment.p_vaddr;
      if (within < segment.p_filesz && size <= segment.p_filesz - within) return segment.p_offset + within;
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
           read<Dynamic>(segment.p_offset, segment.p_filesz / sizeof(Dynamic), "dynamic table")) {
        ended = ended || entry.d_tag == DT_NULL;
        if (!ended) found[entry.d_tag] = entry.d_un.d_val;
      }
    }
    if (!ended) damaged("its dynamic table is missing or not terminated");
    if (!found.contains(DT_STRTAB) || !found.contains(DT_SYMTAB) ||
        !(found.contains(DT_GNU_HASH) || found.contains(DT_HASH))) {
      damaged("its dynamic table has no symbols or no names");
    }

    using Table = std::pair<std::int64_t, std::int64_t>;  // its tag, and that of its size where it has one
    for (const auto& [tag, size_tag] :
         {Table{DT_STRTAB, DT_STRSZ}, Table{DT_RELA, DT_RELASZ}, Table{DT_JMPREL, DT_PLTRELSZ},
          Table{DT_INIT_ARRAY, DT_INIT_ARRAYSZ}, Table{DT_FINI_ARRAY, DT_FINI_ARRAYSZ}, Table{DT_SYMTAB, 0},
          Table{DT_GNU_HASH, 0}, Table{DT_HASH, 0}, Table{DT_VERSYM, 0}, Table{DT_VERNEED, 0},
          Table{DT_INIT, 0}, Table{DT_FINI, 0}}) {
      if (!found.contains(tag)) continue;
      const auto what = "entry " + std::to_string(tag) + " of the dynamic table";
      if (size_tag != 0 && !found.contains(size_tag)) damaged("its " + what + " has no size");
      (void)offset_of(found[tag], size_tag == 0 ? 1 : found[size_tag], what);
    }
    const auto names = offset_of(found[DT_STRTAB], found[DT_STRSZ], "table of names");
    if (found[DT_STRSZ] == 0 || bytes_[names + found[DT_STRSZ] - 1] != '\0') {
      damaged("its table of names is not terminated");
    }
    for (const auto& section : sections_) {
      if (section.sh_type != SHT_DYNSYM) continue;
      for (const auto& symbol :
           read<ElfW(Sym)>(section.sh_offset, section.sh_size / sizeof(ElfW(Sym)), "table of symbols")) {
        // It would be bound to nothing, and be called all the same.
        if (symbol.st_name != 0 &&
            (symbol.st_name >= found[DT_STRSZ] || bytes_[names + symbol.st_name] == '\0')) {
          damaged("a symbol has lost its name");
        }
      }
    }
    if (found.contains(DT_GNU_HASH)) check_hash_table(found[DT_GNU_HASH], true);
    if (found.contains(DT_HASH)) check_hash_table(found[DT_HASH], false);
  }

  /// GNU's begins with buckets, first symbol, words of the filter, shift; the older one with buckets,
  /// symbols.
  void check_hash_table(std::uint64_t address, bool gnu) const {
    constexpr std::uint64_t word = sizeof(std::uint32_t);
    const std::uint64_t words = gnu ? 4 : 2;
    const auto head =
        read<std::uint32_t>(offset_of(address, words * word, "hash table"), words, "hash table");
    const auto rest = head[0] * word + (gnu ? head[2] * sizeof(ElfW(Addr)) : head[1] * word);
    (void)offset_of(address, words * word + rest, "hash table");
    if (head[0] == 0 || (gnu && !std::has_single_bit(head[2])))
      damaged("its hash table has impossible sizes");
  }

  /// The section that a run of zeros has destroyed, or nullptr: in data zeros are nothing special.
  [[nodiscard]] const Section* destroyed_by(std::uint64_t begin, std::uint64_t end) const {
    for (const auto& section : sections_) {
      if ((section.sh_flags & SHF_ALLOC) == 0 || !lies_in_file(section)) continue;
      const auto name = section_name(section);
      const bool code = (section.sh_flags & SHF_EXECINSTR) != 0;
      // Not the names: an install step that removes a run path leaves zeros there.
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

  void check_holes() const {
    const auto loaded = bytes_.begin() + static_cast<std::ptrdiff_t>(loaded_);
    for (auto at = bytes_.begin(); at != loaded;) {
      const auto begin = std::find(at, loaded, '\0');
      at = std::find_if(begin, loaded, [](char byte) { return byte != '\0'; });
      if (at - begin < hole) continue;
      const auto* section = destroyed_by(static_cast<std::uint64_t>(begin - bytes_.begin()),
                                         static_cast<std::uint64_t>(at - bytes_.begin()));
      if (section != nullptr) {
        damaged("its section " + std::string(section_name(*section)) + " contains a block of zeros");
      }
    }
  }

  const fs::path& file_;
  std::string bytes_;
  Header header_{};
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
  std::string names_;
  std::uint64_t loaded_ = 0;  ///< where what is loaded ends in the file
};

}  // namespace

std::optional<std::string> read_library_section(const std::filesystem::path& file, const std::string& name) {
  return Library(file).section(name);
}

}  // namespace kindred::plugin
