// The entry point of a plugin. Its file plugin.cpp contains:
//
//   #include "kindred/core/plugin.h"
//   #include "random_patch.h"
//
//   KINDRED_PLUGIN("random_patch", "1.0.0", "Patches cut from other training images") {
//     catalog.add<RandomPatch>("random_patch");
//   }
//
// Static constructors register nothing: the loader reads the info below from the file before any code of the
// plugin runs, and calls the declaring function only if plugin and Kindred are compatible.
#pragma once

#include <torch/version.h>
#include <opencv2/core/version.hpp>

#include <cstdint>

#include "kindred/core/catalog.h"
#include "kindred/core/export.h"

/// Increased when a change of the public headers breaks plugins that were compiled before;
/// docs/first-plugin.md says what each number brought.
#define KINDRED_ABI 7

#define KINDRED_STRINGIFY_(x) #x
#define KINDRED_STRINGIFY(x) KINDRED_STRINGIFY_(x)

#ifdef _GLIBCXX_DEBUG
#define KINDRED_TAG_CONTAINERS " debug-containers"
#else
#define KINDRED_TAG_CONTAINERS ""
#endif

#ifdef __GLIBCXX__
#define KINDRED_TAG_LIBRARY "libstdc++ " KINDRED_STRINGIFY(_GLIBCXX_RELEASE) KINDRED_TAG_CONTAINERS
#define KINDRED_TAG_STRINGS "cxx11-abi " KINDRED_STRINGIFY(_GLIBCXX_USE_CXX11_ABI)
#else
#define KINDRED_TAG_LIBRARY "no libstdc++"
#define KINDRED_TAG_STRINGS "no cxx11-abi"
#endif

#define KINDRED_TAG_TORCH \
  "LibTorch " KINDRED_STRINGIFY(TORCH_VERSION_MAJOR.TORCH_VERSION_MINOR.TORCH_VERSION_PATCH)
#define KINDRED_TAG_OPENCV "OpenCV " CV_VERSION

// Loading a library that was compiled for a sanitizer terminates a program that was not.
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define KINDRED_TAG_SANITIZER "address sanitizer"
#elif __has_feature(thread_sanitizer)
#define KINDRED_TAG_SANITIZER "thread sanitizer"
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define KINDRED_TAG_SANITIZER "address sanitizer"
#elif defined(__SANITIZE_THREAD__)
#define KINDRED_TAG_SANITIZER "thread sanitizer"
#endif
#ifndef KINDRED_TAG_SANITIZER
#define KINDRED_TAG_SANITIZER "no sanitizer"
#endif

/// What must match between plugin and Kindred: standard library and its string ABI, LibTorch, OpenCV,
/// sanitizer. The compiler is not included: gcc and clang share the C++ ABI and were tested together.
#define KINDRED_TOOLCHAIN                                                                     \
  KINDRED_TAG_LIBRARY ", " KINDRED_TAG_STRINGS ", " KINDRED_TAG_TORCH ", " KINDRED_TAG_OPENCV \
                      ", " KINDRED_TAG_SANITIZER

extern "C" {

/// Plain C; members are only ever appended. Stored in the ELF section ".kindred_plugin" of the library, where
/// the loader reads it without mapping the file. Strings end with 0; one that is too long does not compile.
struct KindredPluginInfo {
  char magic[8];        ///< "KINDRED"
  std::uint32_t size;   ///< of the whole struct, in bytes
  std::uint32_t abi;    ///< KINDRED_ABI when the plugin was compiled
  char toolchain[128];  ///< KINDRED_TOOLCHAIN when the plugin was compiled
  char name[64];
  char version[32];
  char summary[256];
};
}

/// Begins the declaring function, whose parameter is `catalog`; the body follows. Use it once per library. If
/// the body throws, only this plugin is refused.
/// @param name, version, summary string literals; the name must equal that of kindred_add_plugin(name) in
/// CMake
#define KINDRED_PLUGIN(name, version, summary)                                                       \
  extern "C" {                                                                                       \
  KINDRED_API extern const KindredPluginInfo kindred_plugin_info;                                    \
  __attribute__((section(".kindred_plugin"), used)) const KindredPluginInfo kindred_plugin_info = {  \
      "KINDRED", sizeof(KindredPluginInfo), KINDRED_ABI, KINDRED_TOOLCHAIN, name, version, summary}; \
  KINDRED_API void kindred_plugin_declare(kindred::Catalog& catalog);                                \
  }                                                                                                  \
  void kindred_plugin_declare(kindred::Catalog& catalog)
