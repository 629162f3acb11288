// Read ahead of everything else in each source that may include LibTorch: by the precompiled header, or by
// the command line where there is none (cmake/KindredCompiler.cmake).
#pragma once

#include <torch/version.h>

// LibTorch 1.13 holds a std::vector of the still incomplete c10::IValue. In C++20 libstdc++'s vector is
// constexpr, and clang then wants its elements complete at once. A vector whose members are plain inline
// functions, as in C++17, is the same in memory and compiles. gcc and LibTorch 2 need none of this.
#if defined(__clang__) && TORCH_VERSION_MAJOR < 2
// <bits/stl_algobase.h> declares constexpr a function on vector<bool>'s iterator that <vector> defines: the
// declaration is turned away, and std::fill takes its general form there.
#define _Bit_iterator kindred_no_bit_iterator
#include <memory>  // IWYU pragma: keep
#include <string>  // IWYU pragma: keep
#include <tuple>   // IWYU pragma: keep
#undef _Bit_iterator
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include <vector>  // IWYU pragma: keep
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
#endif
