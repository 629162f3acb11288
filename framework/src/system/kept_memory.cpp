#include "system/kept_memory.h"

#include <atomic>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace kindred::system {
namespace {

std::atomic<int> kept = 0;

}  // namespace

#ifdef __GLIBC__

KeptMemory::KeptMemory() {
  if (kept++ > 0) return;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
}

KeptMemory::~KeptMemory() {
  if (--kept > 0) return;
  // The defaults of mallopt(3).
  mallopt(M_MMAP_MAX, 65536);
  mallopt(M_TRIM_THRESHOLD, 128 << 10);
  mallopt(M_TOP_PAD, 128 << 10);
  malloc_trim(0);
}

#else

KeptMemory::KeptMemory() = default;
KeptMemory::~KeptMemory() = default;

#endif

}  // namespace kindred::system
