// What libFuzzer calls. The environment names the target: KINDRED_FUZZ_TARGET.
//
//   fuzzer --targets         prints the names of all targets
//   fuzzer --seeds FOLDER    writes the target's seeds there, each under the name of its content's checksum
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>

#include "fuzz_target.h"
#include "text/number_text.h"

namespace {

const kindred::fuzz::FuzzTarget* target = nullptr;

void write_seeds(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& seed : target->seeds()) {
    const auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(seed.data()), static_cast<uInt>(seed.size()));
    const auto name = "seed_" + kindred::text::hex_digits(static_cast<std::uint32_t>(sum));
    std::ofstream(folder / name, std::ios::binary) << seed;
  }
}

}  // namespace

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer gives the name
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string_view first = *argc > 1 ? (*argv)[1] : "";
  if (first == "--targets") {
    for (const auto& each : kindred::fuzz::fuzz_targets()) std::cout << each.name << '\n';
    std::exit(0);
  }
  const char* name = std::getenv("KINDRED_FUZZ_TARGET");
  target = kindred::fuzz::find_fuzz_target(name == nullptr ? "" : name);
  if (target == nullptr) {
    std::cerr << "KINDRED_FUZZ_TARGET must be the name of a target; --targets lists them\n";
    std::exit(2);
  }
  if (first == "--seeds") {
    if (*argc != 3) {
      std::cerr << "--seeds needs a folder\n";
      std::exit(2);
    }
    write_seeds((*argv)[2]);
    std::exit(0);
  }
  return 0;
}

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What goes through is not caught: libFuzzer takes the end of the process for a finding.
  static_cast<void>(target->accepts(std::string(reinterpret_cast<const char*>(data), size)));
  return 0;
}
