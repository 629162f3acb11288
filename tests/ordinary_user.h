// Nothing is closed to root, as whom tests run in containers.
#pragma once

#include <unistd.h>

#include <stdexcept>

namespace kindred::test {

/// While it lives, a process of root may do what any user may; one of another user is left alone.
class OrdinaryUser {
 public:
  OrdinaryUser() : is_root_(::geteuid() == 0) {
    constexpr uid_t nobody = 65534;
    if (is_root_ && ::seteuid(nobody) != 0) throw std::runtime_error("cannot give up the rights of root");
  }
  ~OrdinaryUser() {
    if (is_root_ && ::seteuid(0) != 0) ::_exit(1);  // nothing that comes after it could be relied upon
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;

 private:
  bool is_root_;
};

}  // namespace kindred::test
