// Shared libraries, which are looked at before they are loaded, and what a plugin says of itself.
#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "kindred/core/plugin.h"
#include "plugin/elf_check.h"
#include "plugin/plugin_loader.h"
#include "target/targets.h"

// As elf_check.cpp: what this program was built for.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the linker gives the name
extern "C" const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

namespace kindred::fuzz {
namespace {

bool accepts_library(const std::string& bytes) {
  const auto file = fuzz_file("library.so", bytes);
  return passes([&] {
    static_cast<void>(plugin::read_library_section(file, ".kindred_plugin"));
    static_cast<void>(plugin::read_library_section(file, ""));
  });
}

template <class T>
void put(std::string& bytes, std::size_t offset, const T& value) {
  if (bytes.size() < offset + sizeof(T)) bytes.resize(offset + sizeof(T));
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

enum class Hash { old, gnu };

/// One bucket with one symbol.
std::vector<std::uint32_t> hash_table(Hash hash) {
  if (hash == Hash::old) return {1, 2, 1, 0, 0};
  std::vector<std::uint32_t> words{1, 1, 1, 0};
  words.resize(words.size() + sizeof(ElfW(Addr)) / sizeof(std::uint32_t));  // the filter
  words.insert(words.end(), {1, 0});
  return words;
}

/// The smallest shared library: one segment, its dynamic table, one symbol, one section for a plugin.
/// @param content of that section
std::string made_library(const std::string& content, Hash hash) {
  const auto hash_words = hash_table(hash);
  constexpr std::size_t segments_at = sizeof(ElfW(Ehdr));
  constexpr std::size_t dynamic_at = segments_at + 2 * sizeof(ElfW(Phdr));
  const std::string names("\0symbol\0", 8);
  const std::string section_names("\0.shstrtab\0.kindred_plugin\0.dynsym\0", 35);
  constexpr std::size_t entries = 6;
  const std::size_t symbols_at = dynamic_at + entries * sizeof(ElfW(Dyn));
  const std::size_t hash_at = symbols_at + 2 * sizeof(ElfW(Sym));
  const std::size_t names_at = hash_at + hash_words.size() * sizeof(std::uint32_t);
  const std::size_t section_names_at = names_at + names.size();
  const std::size_t content_at = section_names_at + section_names.size();
  const std::size_t loaded = content_at + content.size();
  const std::size_t sections_at = (loaded + 7) / 8 * 8;

  std::string bytes;
  auto header = __ehdr_start;
  header.e_type = ET_DYN;
  header.e_phoff = segments_at;
  header.e_phnum = 2;
  header.e_shoff = sections_at;
  header.e_shnum = 4;
  header.e_shstrndx = 1;
  header.e_shentsize = sizeof(ElfW(Shdr));
  put(bytes, 0, header);
  ElfW(Phdr) load{};
  load.p_type = PT_LOAD;
  load.p_filesz = load.p_memsz = loaded;
  put(bytes, segments_at, load);
  ElfW(Phdr) dynamic{};
  dynamic.p_type = PT_DYNAMIC;
  dynamic.p_offset = dynamic.p_vaddr = dynamic_at;
  dynamic.p_filesz = dynamic.p_memsz = entries * sizeof(ElfW(Dyn));
  put(bytes, segments_at + sizeof load, dynamic);
  const auto entry = [&](std::size_t index, std::int64_t tag, std::size_t value) {
    ElfW(Dyn) made{};
    made.d_tag = tag;
    made.d_un.d_val = value;
    put(bytes, dynamic_at + index * sizeof made, made);
  };
  entry(0, DT_STRTAB, names_at);
  entry(1, DT_STRSZ, names.size());
  entry(2, DT_SYMTAB, symbols_at);
  entry(3, hash == Hash::gnu ? DT_GNU_HASH : DT_HASH, hash_at);
  entry(4, DT_SYMENT, sizeof(ElfW(Sym)));
  entry(5, DT_NULL, 0);
  ElfW(Sym) symbol{};
  put(bytes, symbols_at, symbol);
  symbol.st_name = 1;
  put(bytes, symbols_at + sizeof symbol, symbol);
  for (const auto word : hash_words) put(bytes, bytes.size(), word);
  bytes += names + section_names + content;
  bytes.resize(sections_at);
  const auto section = [&](std::uint32_t name, std::uint32_t type, std::size_t offset, std::size_t size) {
    ElfW(Shdr) made{};
    made.sh_name = name;
    made.sh_type = type;
    made.sh_flags = SHF_ALLOC;
    made.sh_offset = offset;
    made.sh_size = size;
    put(bytes, bytes.size(), made);
  };
  section(0, SHT_NULL, 0, 0);
  section(1, SHT_STRTAB, section_names_at, section_names.size());
  section(11, SHT_PROGBITS, content_at, content.size());
  section(27, SHT_DYNSYM, symbols_at, 2 * sizeof symbol);
  return bytes;
}

std::vector<std::string> library_seeds() {
  const std::string content = "KINDRED_ABI=1\n";
  return {made_library(content, Hash::old), made_library(content, Hash::gnu)};
}

template <std::size_t N>
void copy_text(char (&field)[N], const std::string& text) {
  require(text.size() < N, "a plugin says more than there is room for");
  std::memcpy(field, text.c_str(), text.size() + 1);
}

std::string section_of(const plugin::LoadedPlugin& plugin) {
  KindredPluginInfo info{"KINDRED", sizeof(KindredPluginInfo), KINDRED_ABI, KINDRED_TOOLCHAIN, {}, {}, {}};
  copy_text(info.name, plugin.name);
  copy_text(info.version, plugin.version);
  copy_text(info.summary, plugin.summary);
  return {reinterpret_cast<const char*>(&info), sizeof(info)};
}

/// The content of the section alone: a library around it is made.
bool accepts_plugin_info(const std::string& bytes) {
  const auto read = [](const std::string& section) {
    return plugin::read_plugin_info(fuzz_file("plugin.so", made_library(section, Hash::gnu)));
  };
  return passes([&] {
    const auto info = read(bytes);
    const auto again = read(section_of(info));
    require(again.name == info.name && again.version == info.version && again.summary == info.summary,
            "what a plugin says is read as something else");
  });
}

std::vector<std::string> plugin_info_seeds() {
  auto section = section_of({"random_patch", "1.0.0", "Patches cut from other training images", ""});
  // Of a later Kindred of this ABI, which has more to say.
  auto longer = section + std::string(8, '\1');
  const auto size = static_cast<std::uint32_t>(longer.size());
  std::memcpy(longer.data() + offsetof(KindredPluginInfo, size), &size, sizeof size);
  return {section, longer};
}

}  // namespace

void add_library_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"library", accepts_library, library_seeds});
  targets.push_back({"plugin_info", accepts_plugin_info, plugin_info_seeds});
}

}  // namespace kindred::fuzz
