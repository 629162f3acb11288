// What stands for the names, calls and objects of a pickle: descriptions of tensors, and nothing that is run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weights/pickle.h"
#include "weights/pickle_stack.h"

namespace kindred::weights {

/// Takes operands from the stack and pushes what they make. A name that is not known, and whatever is made of
/// it, becomes a PickledOther with that name.
class PickleObjects {
 public:
  explicit PickleObjects(PickleStack& stack) : stack_(stack) {}

  void push_global(const std::string& module, const std::string& name);
  /// Takes module and name.
  void stack_global();
  /// Takes a callee and a tuple of arguments: what the call would give.
  void reduce();
  /// Takes a class and its arguments: an object of it.
  void new_object();
  /// Pushes an object of a class with arguments, as Python 2 wrote it: nothing that is known is written so.
  void old_object(const PickleNode& of);
  /// Takes the state of the object on top. Of a TorchScript module it is what the module holds, of
  /// dictionaries their versions, and nothing else is known that has one.
  void build();
  /// Takes ('storage', type, key, device, elements[, view]).
  void persistent();

 private:
  void call(const PickledGlobal& global, const std::vector<const PickleNode*>& arguments);
  /// @param arguments function, class, arguments of the function, attributes
  void call_for_type(const std::vector<const PickleNode*>& arguments);
  /// Python 2 wrote OrderedDict([[key, value], ...]), Python 3 fills an empty one.
  [[nodiscard]] PickledDictionary ordered_dictionary(const std::vector<const PickleNode*>& arguments);
  [[nodiscard]] std::vector<std::int64_t> numbers(const PickleNode& node) const;
  /// @param arguments storage, offset, shape, strides, ...: at least so many
  [[nodiscard]] PickledTensor tensor(const std::vector<const PickleNode*>& arguments,
                                     std::size_t least) const;

  PickleStack& stack_;
};

}  // namespace kindred::weights
