#include "weights/pickle_objects.h"

#include <utility>
#include <variant>

#include "kindred/core/error.h"
#include "weights/pickle_globals.h"

namespace kindred::weights {
namespace {

using Kind = PickledGlobal::Kind;

/// More dimensions than any network's tensors have.
constexpr std::size_t most_dimensions = 16;
constexpr std::size_t longest_key = 256;

}  // namespace

void PickleObjects::push_global(const std::string& module, const std::string& name) {
  stack_.push({pickled_global(module, name)});
}

void PickleObjects::reduce() {
  const auto* arguments = stack_.pop();
  const auto* callee = stack_.pop();
  const auto* tuple = arguments->as<PickledSequence>();
  const auto* global = callee->as<PickledGlobal>();
  if (tuple == nullptr) stack_.fail("its pickle has a call without arguments");
  if (auto name = unknown_name(*callee); !name.empty()) {
    stack_.push({PickledOther{std::move(name)}});
    return;
  }
  if (global == nullptr) stack_.fail("its pickle calls something that is not a name");
  call(*global, tuple->items);
}

void PickleObjects::call(const PickledGlobal& global, const std::vector<const PickleNode*>& arguments) {
  const bool of_first =
      global.kind == Kind::tensor || global.kind == Kind::tensor_v2 || global.kind == Kind::parameter;
  if (of_first && !arguments.empty() && !unknown_name(*arguments[0]).empty()) {
    stack_.push({PickledOther{unknown_name(*arguments[0])}});
    return;
  }
  switch (global.kind) {
    case Kind::ordered_dictionary:
      stack_.push({ordered_dictionary(arguments)});
      return;
    case Kind::tensor:
      stack_.push({tensor(arguments, 4)});
      return;
    case Kind::tensor_v2:
      stack_.push({tensor(arguments, 6)});
      return;
    case Kind::tensor_of_type:
      call_for_type(arguments);
      return;
    case Kind::parameter:
      if (arguments.empty() || arguments[0]->as<PickledTensor>() == nullptr) {
        stack_.fail("its pickle has a parameter without a tensor");
      }
      stack_.push({*arguments[0]->as<PickledTensor>()});
      return;
    case Kind::size:
      if (arguments.size() != 1 || arguments[0]->as<PickledSequence>() == nullptr ||
          arguments[0]->as<PickledSequence>()->items.size() > most_dimensions) {
        stack_.fail("its pickle has an invalid torch.Size");
      }
      stack_.push({*arguments[0]->as<PickledSequence>()});
      return;
    case Kind::dropped:
    case Kind::script_class:
      stack_.push({PickledOther{}});
      return;
    case Kind::unknown:
      stack_.push({PickledOther{global.name}});
      return;
    case Kind::storage_type:
      break;
  }
  stack_.fail("its pickle calls a type of storage");
}

void PickleObjects::call_for_type(const std::vector<const PickleNode*>& arguments) {
  const auto* function = arguments.size() < 3 ? nullptr : arguments[0]->as<PickledGlobal>();
  const auto* inner = arguments.size() < 3 ? nullptr : arguments[2]->as<PickledSequence>();
  if (function == nullptr || inner == nullptr || function->kind == Kind::tensor_of_type) {
    stack_.fail("its pickle has a tensor with an invalid description");
  }
  call(*function, inner->items);
}

PickledDictionary PickleObjects::ordered_dictionary(const std::vector<const PickleNode*>& arguments) {
  PickledDictionary dictionary;
  if (arguments.empty()) return dictionary;
  const auto* list = arguments[0]->as<PickledSequence>();
  if (arguments.size() != 1 || list == nullptr)
    stack_.fail("its pickle has an OrderedDict that is not a list of pairs");
  stack_.spend(list->items.size());
  for (const auto* item : list->items) {
    const auto* pair = item->as<PickledSequence>();
    if (pair == nullptr || pair->items.size() != 2) {
      stack_.fail("its pickle has an OrderedDict that is not a list of pairs");
    }
    dictionary.items.emplace_back(pair->items[0], pair->items[1]);
  }
  return dictionary;
}

std::vector<std::int64_t> PickleObjects::numbers(const PickleNode& node) const {
  const auto* sequence = node.as<PickledSequence>();
  if (sequence == nullptr || sequence->items.size() > most_dimensions) {
    stack_.fail("its pickle has a tensor with an invalid shape");
  }
  std::vector<std::int64_t> result;
  for (const auto* item : sequence->items) {
    const auto* number = item->as<std::int64_t>();
    if (number == nullptr) stack_.fail("its pickle has a tensor with an invalid shape");
    result.push_back(*number);
  }
  return result;
}

PickledTensor PickleObjects::tensor(const std::vector<const PickleNode*>& arguments,
                                    std::size_t least) const {
  const auto* storage = arguments.size() < least ? nullptr : arguments[0]->as<PickledStorage>();
  const auto* offset = storage == nullptr ? nullptr : arguments[1]->as<std::int64_t>();
  if (offset == nullptr) stack_.fail("its pickle has a tensor with an invalid description");
  return {storage, *offset, numbers(*arguments[2]), numbers(*arguments[3])};
}

void PickleObjects::persistent() {
  const auto* id = stack_.pop()->as<PickledSequence>();
  const auto text = [&](std::size_t i) { return id->items[i]->as<std::string>(); };
  if (id == nullptr || id->items.size() < 5 || text(0) == nullptr || *text(0) != "storage") {
    stack_.fail("its pickle refers to something that is not a tensor storage");
  }
  const auto* type = id->items[1]->as<PickledGlobal>();
  const auto* elements = id->items[4]->as<std::int64_t>();
  if (type != nullptr && type->kind == Kind::unknown) {
    stack_.push({PickledOther{type->name}});
    return;
  }
  if (type == nullptr || type->kind != Kind::storage_type || text(2) == nullptr ||
      text(2)->size() > longest_key || elements == nullptr || *elements < 0) {
    stack_.fail("its pickle has a storage with an invalid description");
  }
  if (id->items.size() > 5 && id->items[5]->as<std::monostate>() == nullptr) {
    throw DataError(stack_.file(),
                    "contains views of storages, as PyTorch before 0.4 wrote them, which are not "
                    "supported; load it and save it again with a newer PyTorch");
  }
  stack_.push({PickledStorage{*text(2), type->type, *elements, type->name}});
}

void PickleObjects::stack_global() {
  const auto names = stack_.pop_many(2);
  const auto* module = names[0]->as<std::string>();
  const auto* name = names[1]->as<std::string>();
  if (module == nullptr || name == nullptr) stack_.fail("its pickle requests something that is not a name");
  push_global(*module, *name);
}

void PickleObjects::old_object(const PickleNode& of) {
  auto name = unknown_name(of);
  if (name.empty()) stack_.fail("its pickle creates an object of something that is not a class");
  stack_.push({PickledOther{std::move(name)}});
}

void PickleObjects::build() {
  const auto* state = stack_.pop();
  auto* module = std::get_if<PickledModule>(&stack_.top()->value);
  const auto* attributes = state->as<PickledDictionary>();
  if (module == nullptr || attributes == nullptr) return;
  stack_.spend(attributes->items.size());
  module->attributes = *attributes;
}

void PickleObjects::new_object() {
  const auto values = stack_.pop_many(2);
  if (auto name = unknown_name(*values[0]); !name.empty()) {
    stack_.push({PickledOther{std::move(name)}});
    return;
  }
  const auto* global = values[0]->as<PickledGlobal>();
  if (global != nullptr && global->kind == Kind::script_class) {
    stack_.push({PickledModule{}});
    return;
  }
  if (global == nullptr || (global->kind != Kind::dropped && global->kind != Kind::ordered_dictionary)) {
    stack_.fail("its pickle creates an object of something that is not a class");
  }
  if (global->kind == Kind::dropped) {
    stack_.push({PickledOther{}});
  } else {
    stack_.push({PickledDictionary{}});
  }
}

}  // namespace kindred::weights
