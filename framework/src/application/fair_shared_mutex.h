// A lock for many readers that lets a writer in.
#pragma once

#include <mutex>
#include <shared_mutex>

namespace kindred::application {

/// As std::shared_mutex, but whoever waits to write goes before those who come later to read: glibc's lets
/// readers that follow each other keep a writer out for ever.
class FairSharedMutex {
 public:
  void lock() {
    const std::lock_guard turn(turn_);
    mutex_.lock();
  }
  void unlock() { mutex_.unlock(); }
  void lock_shared() {
    const std::lock_guard turn(turn_);
    mutex_.lock_shared();
  }
  void unlock_shared() { mutex_.unlock_shared(); }

 private:
  std::mutex turn_;  ///< held while somebody waits to write
  std::shared_mutex mutex_;
};

}  // namespace kindred::application
