// What the guards of all roles share (guarded.h).
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "kindred/core/catalog.h"
#include "recipe/guarded.h"

namespace kindred::recipe {

/// A component behind its border. A guard overrides each function of the role: it hands the call on through
/// call(), and refuses a result that breaks the contract of the role's header by gave().
template <class Role>
class Guard : public Role {
 public:
  Guard(std::unique_ptr<Role> inner, const ComponentInfo& info)
      : inner_(std::move(inner)), subject_(info.subject()) {}

 protected:
  template <class Call>
  decltype(auto) call(Call&& action) const {
    return guarded(subject_, std::forward<Call>(action));
  }
  [[noreturn]] void gave(const std::string& what) const { throw ComponentFault(subject_, "gave " + what); }

  std::unique_ptr<Role> inner_;
  std::string subject_;
};

}  // namespace kindred::recipe
