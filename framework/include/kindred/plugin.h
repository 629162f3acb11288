// What a plugin exports. A plugin's one file plugin.cpp says:
//
//   #include "kindred/plugin.h"
//   #include "random_patch.h"
//
//   KINDRED_PLUGIN("random_patch", "1.0.0", "Patches cut from other training images") {
//     catalog.add<RandomPatch>("random_patch");
//   }
//
// Nothing is registered by static constructors: the loader reads the info below from the file, before any
// code of the plugin runs, and calls the declaring function only when kernel and plugin fit together.
#pragma once

#include <torch/version.h>
#include <opencv2/core/version.hpp>

#include <cstdint>

#include "kindred/catalog.h"
#include "kindred/export.h"

/// Raised when a change of the public headers breaks plugins that were compiled before it.
#define KINDRED_ABI 1

#define KINDRED_STRINGIFY_(x) #x
#define KINDRED_STRINGIFY(x) KINDRED_STRINGIFY_(x)

#ifdef _GLIBCXX_DEBUG
#define KINDRED_TAG_CONTAINERS " debug-containers"
#else
#define KINDRED_TAG_CONTAINERS ""
#endif

/// What must be the same on both sides of the boundary: standard library and its string ABI, LibTorch,
/// OpenCV. The compiler is not part of it: gcc and clang agree on the C++ ABI and were tried against each
/// other.
#define KINDRED_TOOLCHAIN \
  "libstdc++ " KINDRED_STRINGIFY(_GLIBCXX_RELEASE) KINDRED_TAG_CONTAINERS                            \
  ", cxx11-abi " KINDRED_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)                                           \
  ", LibTorch " KINDRED_STRINGIFY(TORCH_VERSION_MAJOR) "." KINDRED_STRINGIFY(TORCH_VERSION_MINOR) "." \
  KINDRED_STRINGIFY(TORCH_VERSION_PATCH) ", OpenCV " CV_VERSION

extern "C" {

/// Plain C, only ever appended to. Lies in the ELF section ".kindred_plugin" of the library, texts ended by
/// 0.
struct KindredPluginInfo {
  char magic[8];  ///< "KINDRED"
  std::uint32_t size;
  std::uint32_t abi;
  char toolchain[128];
  char name[64];
  char version[32];
  char summary[256];
};
}

#define KINDRED_PLUGIN(name, version, summary)                                                       \
  extern "C" {                                                                                       \
  KINDRED_API extern const KindredPluginInfo kindred_plugin_info;                                    \
  __attribute__((section(".kindred_plugin"), used)) const KindredPluginInfo kindred_plugin_info = {  \
      "KINDRED", sizeof(KindredPluginInfo), KINDRED_ABI, KINDRED_TOOLCHAIN, name, version, summary}; \
  KINDRED_API void kindred_plugin_declare(kindred::Catalog& catalog);                                \
  }                                                                                                  \
  void kindred_plugin_declare(kindred::Catalog& catalog)
