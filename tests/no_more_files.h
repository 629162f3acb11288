// A system that lets this process open no further file.
#pragma once

#include <sys/resource.h>

#include <stdexcept>

namespace kindred::test {

/// While it lives, opening a file fails with "Too many open files", for root too.
class NoMoreFiles {
 public:
  NoMoreFiles() {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) throw std::runtime_error("no limit of open files");
    auto none = before_;
    none.rlim_cur = 0;
    if (::setrlimit(RLIMIT_NOFILE, &none) != 0) throw std::runtime_error("the limit cannot be set");
  }
  ~NoMoreFiles() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoMoreFiles(const NoMoreFiles&) = delete;
  NoMoreFiles& operator=(const NoMoreFiles&) = delete;

 private:
  rlimit before_{};
};

}  // namespace kindred::test
