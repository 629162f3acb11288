#include "plugin/elf_check.h"

#include <doctest/doctest.h>
#include <elf.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/plugin.h"
#include "plugin/plugin_loader.h"
#include "temporary_folder.h"
#include "test_paths.h"

namespace fs = std::filesystem;
using namespace kindred;
using namespace kindred::plugin;
using test::TemporaryFolder;

namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);
using SectionHeader = ElfW(Shdr);

std::string good_plugin() {
  return test::read_bytes(fs::path(test::build_directory) / "tests/fixtures/plugins/good/good.so");
}

/// What is wrong with a library of these bytes; "" when it passes.
std::string fault(const TemporaryFolder& folder, const std::string& bytes) {
  const auto file = folder.write("library.so", bytes);
  try {
    static_cast<void>(read_library_section(file, ".kindred_plugin"));
  } catch (const PluginError& error) {
    return std::string(error.what()).substr((file.string() + ": error: ").size());
  }
  return "";
}

template <class T>
T read_at(const std::string& bytes, std::size_t offset) {
  T value;
  REQUIRE(offset + sizeof(T) <= bytes.size());
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

template <class T>
void write_at(std::string& bytes, std::size_t offset, const T& value) {
  REQUIRE(offset + sizeof(T) <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

template <class Change>
std::string with_header(Change change) {
  auto bytes = good_plugin();
  auto header = read_at<Header>(bytes, 0);
  change(header);
  write_at(bytes, 0, header);
  return bytes;
}

template <class Change>
std::string with_segment(std::uint32_t type, Change change) {
  auto bytes = good_plugin();
  const auto header = read_at<Header>(bytes, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto at = header.e_phoff + i * sizeof(Segment);
    auto segment = read_at<Segment>(bytes, at);
    if (segment.p_type != type) continue;
    change(segment);
    write_at(bytes, at, segment);
    return bytes;
  }
  FAIL("no such segment");
  return bytes;
}

/// Where a section's bytes lie: offset and size.
std::pair<std::size_t, std::size_t> section(const std::string& bytes, const std::string& name) {
  const auto header = read_at<Header>(bytes, 0);
  const auto names =
      read_at<SectionHeader>(bytes, header.e_shoff + header.e_shstrndx * sizeof(SectionHeader));
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto entry = read_at<SectionHeader>(bytes, header.e_shoff + i * sizeof(SectionHeader));
    if (name == bytes.data() + names.sh_offset + entry.sh_name) return {entry.sh_offset, entry.sh_size};
  }
  FAIL("no section " << name);
  return {};
}

template <class Change>
std::string with_dynamic(std::int64_t tag, Change change) {
  auto bytes = good_plugin();
  const auto [offset, size] = section(bytes, ".dynamic");
  for (auto at = offset; at < offset + size; at += sizeof(ElfW(Dyn))) {
    auto entry = read_at<ElfW(Dyn)>(bytes, at);
    if (entry.d_tag != tag) continue;
    change(entry);
    write_at(bytes, at, entry);
    return bytes;
  }
  FAIL("no such entry");
  return bytes;
}

/// True when a process that loads the file as a plugin ends of its own accord.
bool loading_is_survived(const fs::path& folder) {
  const pid_t child = fork();
  if (child == 0) {
    static_cast<void>(load_plugins({folder}));
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a section of a whole library is read, and a missing one is not there") {
  const TemporaryFolder folder;
  const auto file = folder.write("library.so", good_plugin());
  const auto info = read_library_section(file, ".kindred_plugin");
  REQUIRE(info.has_value());
  CHECK(info->size() >= sizeof(KindredPluginInfo));  // AddressSanitizer appends to it
  CHECK(info->starts_with("KINDRED"));
  CHECK_FALSE(read_library_section(file, ".no_such_section").has_value());
}

TEST_CASE("a header that promises impossible things is refused") {
  const TemporaryFolder folder;
  const std::string remedy = "; build or copy it again";
  CHECK(fault(folder, with_header([](Header& h) { h.e_type = ET_REL; })) ==
        "is not a shared library: its ELF type is 1 instead of 3; link it with kindred_add_plugin() "
        "(docs/first-plugin.md)");
  CHECK(
      fault(folder, with_header([](Header& h) { h.e_ident[EI_CLASS] ^= 3; })).starts_with("was built for "));
  CHECK(fault(folder, with_header([](Header& h) { h.e_ident[EI_DATA] ^= 3; })).starts_with("was built for "));
  CHECK(fault(folder, with_header([](Header& h) { h.e_version = 7; })) ==
        "is damaged: its ELF header has an unknown version" + remedy);
  CHECK(fault(folder, with_header([](Header& h) { h.e_phentsize = 1; })) ==
        "is damaged: its ELF header has entries of a wrong size" + remedy);
  CHECK(fault(folder, with_header([](Header& h) { h.e_shnum = 0; })) ==
        "is damaged: it has no table of section names" + remedy);
  CHECK(fault(folder, with_header([](Header& h) { h.e_shstrndx = 0; })) ==
        "is damaged: it has no table of section names" + remedy);
  CHECK(fault(folder, with_header([](Header& h) { h.e_phnum = 0; })) ==
        "is damaged: it has no segment to load" + remedy);
  for (const std::uint64_t offset : {std::uint64_t{1} << 40U, ~std::uint64_t{0}, ~std::uint64_t{0} - 8}) {
    CAPTURE(offset);
    CHECK(fault(folder, with_header([&](Header& h) { h.e_shoff = offset; }))
              .starts_with("is truncated or damaged: its section header table ("));
    CHECK(fault(folder, with_header([&](Header& h) { h.e_phoff = offset; }))
              .starts_with("is truncated or damaged: its program header table ("));
  }
}

TEST_CASE("a segment outside the file, or of impossible size, is refused") {
  const TemporaryFolder folder;
  for (const std::uint64_t size : {std::uint64_t{1} << 30U, ~std::uint64_t{0}}) {
    CHECK(fault(folder, with_segment(PT_LOAD, [&](Segment& s) { s.p_filesz = size; }))
              .starts_with("is truncated or damaged: its segment of type 1 ("));
    CHECK(fault(folder, with_segment(PT_LOAD, [&](Segment& s) { s.p_offset = size; }))
              .starts_with("is truncated or damaged: its segment of type 1 ("));
  }
  CHECK(fault(folder, with_segment(PT_LOAD, [](Segment& s) { s.p_memsz = 1; })) ==
        "is damaged: a segment has impossible sizes; build or copy it again");
  CHECK(fault(folder, with_segment(PT_DYNAMIC, [](Segment& s) { s.p_vaddr += 8; }))
            .starts_with("is damaged: its dynamic table "));
  CHECK(fault(folder, with_segment(PT_DYNAMIC, [](Segment& s) { s.p_type = PT_NULL; })) ==
        "is damaged: its dynamic table is missing or not terminated; build or copy it again");
}

TEST_CASE("a section of no type has no bytes, wherever it says that they lie") {
  const TemporaryFolder folder;
  auto bytes = good_plugin();
  const auto header = read_at<Header>(bytes, 0);
  const auto wanted = section(bytes, ".kindred_plugin").first;
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const auto at = header.e_shoff + i * sizeof(SectionHeader);
    auto entry = read_at<SectionHeader>(bytes, at);
    if (entry.sh_offset != wanted) continue;
    entry.sh_type = SHT_NULL;
    entry.sh_offset = ~std::uint64_t{0} - 8;
    write_at(bytes, at, entry);
  }
  CHECK_FALSE(read_library_section(folder.write("library.so", bytes), ".kindred_plugin").has_value());
}

TEST_CASE("tables that the dynamic linker would follow into nowhere are refused") {
  const TemporaryFolder folder;
  using Entry = ElfW(Dyn);
  const std::string remedy = "; build or copy it again";
  const auto far = [](Entry& entry) { entry.d_un.d_ptr = 1U << 30U; };
  CHECK(fault(folder, with_dynamic(DT_STRTAB, far)) ==
        "is damaged: its entry 5 of the dynamic table is outside the loaded part" + remedy);
  CHECK(fault(folder, with_dynamic(DT_SYMTAB, far)) ==
        "is damaged: its entry 6 of the dynamic table is outside the loaded part" + remedy);
  CHECK(fault(folder, with_dynamic(DT_RELA, far)) ==
        "is damaged: its entry 7 of the dynamic table is outside the loaded part" + remedy);
  CHECK(fault(folder, with_dynamic(DT_RELASZ, far)) ==
        "is damaged: its entry 7 of the dynamic table is outside the loaded part" + remedy);
  CHECK(fault(folder, with_dynamic(DT_STRSZ, [](Entry& entry) { entry.d_un.d_val = 0; })) ==
        "is damaged: its table of names is not terminated" + remedy);
  CHECK(fault(folder, with_dynamic(DT_SYMTAB, [](Entry& entry) { entry.d_tag = DT_DEBUG; })) ==
        "is damaged: its dynamic table has no symbols or no names" + remedy);
  CHECK(fault(folder, with_dynamic(DT_STRSZ, [](Entry& entry) { entry.d_tag = DT_DEBUG; })) ==
        "is damaged: its entry 5 of the dynamic table has no size" + remedy);
}

TEST_CASE("a hash table without buckets, which the dynamic linker would divide by, is refused") {
  const TemporaryFolder folder;
  auto bytes = good_plugin();
  write_at(bytes, section(bytes, ".gnu.hash").first, std::uint32_t{0});
  CHECK(fault(folder, bytes) == "is damaged: its hash table has impossible sizes; build or copy it again");
}

TEST_CASE("a library cut at any length is refused") {
  const TemporaryFolder folder;
  const auto file = folder.write("plugin.so", good_plugin());
  std::size_t passed = 0;
  for (auto length = fs::file_size(file); length-- > 0;) {
    fs::resize_file(file, length);
    try {
      static_cast<void>(read_library_section(file, ".kindred_plugin"));
      ++passed;
      MESSAGE("passes with " << length << " bytes");
    } catch (const PluginError&) {
    }
  }
  CHECK(passed == 0);
}

TEST_CASE("a hole of zeros in the code is refused by the section's name") {
  const TemporaryFolder folder;
  auto bytes = good_plugin();
  const auto [offset, size] = section(bytes, ".text");
  REQUIRE(size > 1024);
  bytes.replace(offset + size / 2, 512, 512, '\0');
  CHECK(fault(folder, bytes) ==
        "is damaged: its section .text contains a block of zeros; build or copy it again");
}

TEST_CASE("names of symbols that are lost are refused") {
  const TemporaryFolder folder;
  auto bytes = good_plugin();
  const auto [offset, size] = section(bytes, ".dynstr");
  REQUIRE(size > 1024);
  bytes.replace(offset + size / 2, 512, 512, '\0');
  CHECK(fault(folder, bytes) == "is damaged: a symbol has lost its name; build or copy it again");
}

TEST_CASE("whatever block of the file is lost, the program survives") {
  const auto whole = good_plugin();
  int refused = 0;
  int blocks = 0;
  for (const std::size_t block : {std::size_t{512}, std::size_t{4096}}) {
    for (std::size_t at = 0; at < whole.size(); at += block) {
      CAPTURE(block);
      CAPTURE(at);
      const TemporaryFolder folder;
      auto bytes = whole;
      const auto length = std::min(block, bytes.size() - at);
      bytes.replace(at, length, length, '\0');
      ++blocks;
      // A file that is refused is not loaded: only what passes can do harm.
      if (fault(folder, bytes) != "") {
        ++refused;
      } else {
        CHECK(loading_is_survived(folder.path()));
      }
    }
  }
  MESSAGE(refused << " of " << blocks << " damaged files are refused before they are loaded");
  CHECK(refused > blocks / 3);  // how many depends on how the linker has laid the file out
}
