#include "weights/pickle.h"

#include <array>
#include <bit>
#include <filesystem>
#include <string>
#include <unordered_map>

#include "kindred/core/error.h"
#include "text/printable.h"

namespace kindred::weights {
namespace {

using Kind = PickledGlobal::Kind;

struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  Kind kind;
  torch::ScalarType type = torch::kFloat32;
};

/// Those that are dropped stand beside the weights in checkpoints: counters of schedules, scores as NumPy's
/// scalars.
constexpr std::array<KnownGlobal, 32> known_globals{{
    {"collections", "OrderedDict", Kind::ordered_dictionary},
    {"torch._utils", "_rebuild_tensor_v2", Kind::tensor_v2},
    {"torch._utils", "_rebuild_tensor", Kind::tensor},
    {"torch._utils", "_rebuild_parameter", Kind::parameter},
    {"torch._utils", "_rebuild_parameter_with_state", Kind::parameter},
    {"torch._tensor", "_rebuild_from_type_v2", Kind::tensor_of_type},
    {"torch", "Size", Kind::size},
    {"torch", "DoubleStorage", Kind::storage_type, torch::kFloat64},
    {"torch", "FloatStorage", Kind::storage_type, torch::kFloat32},
    {"torch", "HalfStorage", Kind::storage_type, torch::kFloat16},
    {"torch", "BFloat16Storage", Kind::storage_type, torch::kBFloat16},
    {"torch", "LongStorage", Kind::storage_type, torch::kInt64},
    {"torch", "IntStorage", Kind::storage_type, torch::kInt32},
    {"torch", "ShortStorage", Kind::storage_type, torch::kInt16},
    {"torch", "CharStorage", Kind::storage_type, torch::kInt8},
    {"torch", "ByteStorage", Kind::storage_type, torch::kUInt8},
    {"torch", "BoolStorage", Kind::storage_type, torch::kBool},
    {"torch.cuda", "DoubleStorage", Kind::storage_type, torch::kFloat64},
    {"torch.cuda", "FloatStorage", Kind::storage_type, torch::kFloat32},
    {"torch.cuda", "HalfStorage", Kind::storage_type, torch::kFloat16},
    {"torch.cuda", "LongStorage", Kind::storage_type, torch::kInt64},
    {"torch", "device", Kind::dropped},
    {"collections", "Counter", Kind::dropped},
    {"collections", "defaultdict", Kind::dropped},
    {"builtins", "set", Kind::dropped},
    {"__builtin__", "set", Kind::dropped},
    {"builtins", "dict", Kind::dropped},
    {"__builtin__", "dict", Kind::dropped},
    {"numpy", "dtype", Kind::dropped},
    {"numpy.core.multiarray", "scalar", Kind::dropped},
    {"numpy._core.multiarray", "scalar", Kind::dropped},
    {"_codecs", "encode", Kind::dropped},
}};

/// More dimensions than any network's tensors have.
constexpr std::size_t most_dimensions = 16;
/// Bounds what a small file can make of itself; a checkpoint with its optimiser has some ten thousand values.
constexpr std::size_t most_values = 5'000'000;
constexpr std::size_t longest_key = 256;
constexpr std::size_t longest_name = 200;

enum Opcode : std::uint8_t {
  op_mark = '(',
  op_stop = '.',
  op_pop = '0',
  op_pop_mark = '1',
  op_dup = '2',
  op_binfloat = 'G',
  op_binint = 'J',
  op_binint1 = 'K',
  op_binint2 = 'M',
  op_none = 'N',
  op_binpersid = 'Q',
  op_reduce = 'R',
  op_binstring = 'T',
  op_short_binstring = 'U',
  op_binunicode = 'X',
  op_append = 'a',
  op_build = 'b',
  op_global = 'c',
  op_dict = 'd',
  op_empty_dict = '}',
  op_appends = 'e',
  op_binget = 'h',
  op_long_binget = 'j',
  op_list = 'l',
  op_empty_list = ']',
  op_binput = 'q',
  op_long_binput = 'r',
  op_setitem = 's',
  op_tuple = 't',
  op_empty_tuple = ')',
  op_setitems = 'u',
  op_binbytes = 'B',
  op_short_binbytes = 'C',
  op_proto = 0x80,
  op_inst = 'i',
  op_obj = 'o',
  op_newobj = 0x81,
  op_newobj_ex = 0x92,
  op_tuple1 = 0x85,
  op_tuple2 = 0x86,
  op_tuple3 = 0x87,
  op_newtrue = 0x88,
  op_newfalse = 0x89,
  op_long1 = 0x8a,
  op_long4 = 0x8b,
  op_short_binunicode = 0x8c,
  op_binunicode8 = 0x8d,
  op_binbytes8 = 0x8e,
  op_empty_set = 0x8f,
  op_additems = 0x90,
  op_frozenset = 0x91,
  op_stack_global = 0x93,
  op_memoize = 0x94,
  op_frame = 0x95,
};

class Reader {
 public:
  Reader(file::BinaryCursor& cursor, const std::filesystem::path& file) : cursor_(cursor), file_(file) {}

  Pickle read() {
    while (step(cursor_.byte())) {
    }
    pickle_.root = pop();
    return std::move(pickle_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_, "is damaged or not a file of torch.save: " + what);
  }

  // The stack. A mark is a height of it.

  PickleNode* push(PickleNode node) {
    spend(1);
    pickle_.nodes.push_back(std::move(node));
    stack_.push_back(&pickle_.nodes.back());
    return stack_.back();
  }
  void spend(std::size_t values) {
    values_ += values;
    if (values_ > most_values) fail("its pickle has more than " + std::to_string(most_values) + " values");
  }
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  [[nodiscard]] PickleNode* top() const {
    if (stack_.size() <= floor()) fail("its pickle pops more values than it pushed");
    return stack_.back();
  }
  PickleNode* pop() {
    auto* node = top();
    stack_.pop_back();
    return node;
  }
  std::vector<const PickleNode*> pop_to_mark() {
    if (marks_.empty()) fail("its pickle ends a list that it did not begin");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const PickleNode*> items(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return items;
  }
  std::vector<const PickleNode*> pop_many(std::size_t count) {
    std::vector<const PickleNode*> items(count);
    for (auto i = count; i-- > 0;) items[i] = pop();
    return items;
  }

  void remember(std::uint64_t number) { memo_[number] = top(); }
  void recall(std::uint64_t number) {
    const auto found = memo_.find(number);
    if (found == memo_.end()) fail("its pickle refers to a value that it does not contain");
    stack_.push_back(found->second);
  }

  // Containers that are filled after they were made.

  void append(PickleNode* list, const std::vector<const PickleNode*>& items) const {
    if (std::holds_alternative<PickledOther>(list->value)) return;
    auto* sequence = std::get_if<PickledSequence>(&list->value);
    if (sequence == nullptr) fail("its pickle appends to something that is not a list");
    sequence->items.insert(sequence->items.end(), items.begin(), items.end());
  }
  void set_items(PickleNode* node, const std::vector<const PickleNode*>& items) const {
    if (items.size() % 2 != 0) fail("its pickle has a key without a value");
    if (std::holds_alternative<PickledOther>(node->value)) return;
    auto* dictionary = std::get_if<PickledDictionary>(&node->value);
    if (dictionary == nullptr) fail("its pickle sets a key of something that is not a dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2) dictionary->items.emplace_back(items[i], items[i + 1]);
  }

  // Names of Python's.

  [[nodiscard]] PickledGlobal known(const std::string& module, const std::string& name) const {
    for (const auto& global : known_globals) {
      if (global.module == module && global.name == name) return {global.kind, global.type};
    }
    if (module == "__torch__" || module.starts_with("__torch__."))
      return {Kind::script_class, torch::kFloat32};
    const auto full = (module + "." + name).substr(0, longest_name);
    const bool of_torch = module == "torch" || module.starts_with("torch.");
    if (of_torch && name.ends_with("Storage")) {
      throw DataError(file_, "contains tensors of the unsupported type '" + text::printable(full) + "'");
    }
    return {Kind::unknown, torch::kFloat32, full};
  }

  /// The name of an object of Python's that is not known, or of what it is made of; "" for what is known.
  [[nodiscard]] static std::string unknown_name(const PickleNode& node) {
    if (const auto* global = node.as<PickledGlobal>()) return global->name;
    const auto* other = node.as<PickledOther>();
    return other == nullptr ? "" : other->name;
  }

  // What stands for a call.

  void reduce() {
    const auto* arguments = pop();
    const auto* callee = pop();
    const auto* tuple = arguments->as<PickledSequence>();
    const auto* global = callee->as<PickledGlobal>();
    if (tuple == nullptr) fail("its pickle has a call without arguments");
    if (auto name = unknown_name(*callee); !name.empty()) {
      push({PickledOther{std::move(name)}});
      return;
    }
    if (global == nullptr) fail("its pickle calls something that is not a name");
    call(*global, tuple->items);
  }

  void call(const PickledGlobal& global, const std::vector<const PickleNode*>& arguments) {
    switch (global.kind) {
      case Kind::ordered_dictionary:
        push({ordered_dictionary(arguments)});
        return;
      case Kind::tensor:
        push({tensor(arguments, 4)});
        return;
      case Kind::tensor_v2:
        push({tensor(arguments, 6)});
        return;
      case Kind::tensor_of_type:
        call_for_type(arguments);
        return;
      case Kind::parameter:
        if (!arguments.empty() && !unknown_name(*arguments[0]).empty()) {
          push({PickledOther{unknown_name(*arguments[0])}});
          return;
        }
        if (arguments.empty() || arguments[0]->as<PickledTensor>() == nullptr) {
          fail("its pickle has a parameter without a tensor");
        }
        push({*arguments[0]->as<PickledTensor>()});
        return;
      case Kind::size:
        if (arguments.size() != 1 || arguments[0]->as<PickledSequence>() == nullptr ||
            arguments[0]->as<PickledSequence>()->items.size() > most_dimensions) {
          fail("its pickle has an invalid torch.Size");
        }
        push({*arguments[0]->as<PickledSequence>()});
        return;
      case Kind::dropped:
      case Kind::script_class:
        push({PickledOther{}});
        return;
      case Kind::unknown:
        push({PickledOther{global.name}});
        return;
      case Kind::storage_type:
        break;
    }
    fail("its pickle calls a type of storage");
  }

  /// (function, class, arguments of the function, attributes)
  void call_for_type(const std::vector<const PickleNode*>& arguments) {
    const auto* function = arguments.size() < 3 ? nullptr : arguments[0]->as<PickledGlobal>();
    const auto* inner = arguments.size() < 3 ? nullptr : arguments[2]->as<PickledSequence>();
    if (function == nullptr || inner == nullptr || function->kind == Kind::tensor_of_type) {
      fail("its pickle has a tensor with an invalid description");
    }
    call(*function, inner->items);
  }

  /// Python 2 wrote OrderedDict([[key, value], ...]), Python 3 fills an empty one.
  [[nodiscard]] PickledDictionary ordered_dictionary(const std::vector<const PickleNode*>& arguments) {
    PickledDictionary dictionary;
    if (arguments.empty()) return dictionary;
    const auto* list = arguments[0]->as<PickledSequence>();
    if (arguments.size() != 1 || list == nullptr)
      fail("its pickle has an OrderedDict that is not a list of pairs");
    spend(list->items.size());
    for (const auto* item : list->items) {
      const auto* pair = item->as<PickledSequence>();
      if (pair == nullptr || pair->items.size() != 2) {
        fail("its pickle has an OrderedDict that is not a list of pairs");
      }
      dictionary.items.emplace_back(pair->items[0], pair->items[1]);
    }
    return dictionary;
  }

  [[nodiscard]] std::vector<std::int64_t> numbers(const PickleNode& node) const {
    const auto* sequence = node.as<PickledSequence>();
    if (sequence == nullptr || sequence->items.size() > most_dimensions) {
      fail("its pickle has a tensor with an invalid shape");
    }
    std::vector<std::int64_t> result;
    for (const auto* item : sequence->items) {
      const auto* number = item->as<std::int64_t>();
      if (number == nullptr) fail("its pickle has a tensor with an invalid shape");
      result.push_back(*number);
    }
    return result;
  }

  /// (storage, offset, shape, strides, ...)
  [[nodiscard]] PickledTensor tensor(const std::vector<const PickleNode*>& arguments,
                                     std::size_t least) const {
    const auto* storage = arguments.size() < least ? nullptr : arguments[0]->as<PickledStorage>();
    const auto* offset = storage == nullptr ? nullptr : arguments[1]->as<std::int64_t>();
    if (offset == nullptr) fail("its pickle has a tensor with an invalid description");
    return {storage, *offset, numbers(*arguments[2]), numbers(*arguments[3])};
  }

  /// ('storage', type, key, device, elements[, view])
  void persistent() {
    const auto* id = pop()->as<PickledSequence>();
    const auto text = [&](std::size_t i) { return id->items[i]->as<std::string>(); };
    if (id == nullptr || id->items.size() < 5 || text(0) == nullptr || *text(0) != "storage") {
      fail("its pickle refers to something that is not a tensor storage");
    }
    const auto* type = id->items[1]->as<PickledGlobal>();
    const auto* elements = id->items[4]->as<std::int64_t>();
    if (type == nullptr || type->kind != Kind::storage_type || text(2) == nullptr ||
        text(2)->size() > longest_key || elements == nullptr || *elements < 0) {
      fail("its pickle has a storage with an invalid description");
    }
    if (id->items.size() > 5 && id->items[5]->as<std::monostate>() == nullptr) {
      throw DataError(file_,
                      "contains views of storages, as PyTorch before 0.4 wrote them, which are not "
                      "supported; load it and save it again with a newer PyTorch");
    }
    push({PickledStorage{*text(2), type->type, *elements}});
  }

  void push_integer(std::uint64_t count) {
    const auto bytes = cursor_.bytes(count);
    if (count > 8) {
      push({PickledOther{}});
      return;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      number |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
    }
    const bool negative = count > 0 && (static_cast<std::uint8_t>(bytes.back()) & 0x80U) != 0;
    if (negative && count < 8) number |= ~std::uint64_t{0} << (8 * count);
    push({static_cast<std::int64_t>(number)});
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8U | cursor_.byte();
    push({std::bit_cast<double>(bits)});
  }

  void push_text(std::size_t bytes_of_length) {
    push({cursor_.bytes(cursor_.little_endian(bytes_of_length))});
  }

  void stack_global() {
    const auto names = pop_many(2);
    const auto* module = names[0]->as<std::string>();
    const auto* name = names[1]->as<std::string>();
    if (module == nullptr || name == nullptr) fail("its pickle requests something that is not a name");
    push({known(*module, *name)});
  }

  /// An object of a class with arguments, as Python 2 wrote it: nothing that is known is written so.
  void old_object(const PickleNode& of) {
    auto name = unknown_name(of);
    if (name.empty()) fail("its pickle creates an object of something that is not a class");
    push({PickledOther{std::move(name)}});
  }

  /// The state of an object. Of a TorchScript module it is what the module holds, of dictionaries their
  /// versions, and nothing else is known that has one.
  void build() {
    const auto* state = pop();
    auto* module = std::get_if<PickledModule>(&top()->value);
    const auto* attributes = state->as<PickledDictionary>();
    if (module != nullptr && attributes != nullptr) module->attributes = *attributes;
  }

  void new_object() {
    const auto values = pop_many(2);
    if (auto name = unknown_name(*values[0]); !name.empty()) {
      push({PickledOther{std::move(name)}});
      return;
    }
    const auto* global = values[0]->as<PickledGlobal>();
    if (global != nullptr && global->kind == Kind::script_class) {
      push({PickledModule{}});
      return;
    }
    if (global == nullptr || (global->kind != Kind::dropped && global->kind != Kind::ordered_dictionary)) {
      fail("its pickle creates an object of something that is not a class");
    }
    if (global->kind == Kind::dropped) {
      push({PickledOther{}});
    } else {
      push({PickledDictionary{}});
    }
  }

  /// One instruction; false behind the last.
  bool step(std::uint8_t opcode) {
    switch (opcode) {
      case op_stop:
        return false;
      case op_proto:
        if (const auto protocol = cursor_.byte(); protocol < 2 || protocol > 5) {
          fail("its pickle has protocol " + std::to_string(protocol) + "; supported are 2 to 5");
        }
        break;
      case op_frame:
        cursor_.skip(8);
        break;
      case op_mark:
        marks_.push_back(stack_.size());
        break;
      case op_pop:
        pop();
        break;
      case op_pop_mark:
        pop_to_mark();
        break;
      case op_dup:
        stack_.push_back(top());
        break;
      case op_none:
        push({});
        break;
      case op_newtrue:
      case op_newfalse:
        push({opcode == op_newtrue});
        break;
      case op_binint:
        push({std::int64_t{static_cast<std::int32_t>(cursor_.little_endian(4))}});
        break;
      case op_binint1:
        push({static_cast<std::int64_t>(cursor_.little_endian(1))});
        break;
      case op_binint2:
        push({static_cast<std::int64_t>(cursor_.little_endian(2))});
        break;
      case op_long1:
        push_integer(cursor_.little_endian(1));
        break;
      case op_long4:
        push_integer(cursor_.little_endian(4));
        break;
      case op_binfloat:
        push_float();
        break;
      case op_short_binstring:
      case op_short_binunicode:
      case op_short_binbytes:
        push_text(1);
        break;
      case op_binstring:
      case op_binunicode:
      case op_binbytes:
        push_text(4);
        break;
      case op_binunicode8:
      case op_binbytes8:
        push_text(8);
        break;
      case op_empty_tuple:
      case op_empty_list:
        push({PickledSequence{}});
        break;
      case op_tuple1:
      case op_tuple2:
      case op_tuple3:
        push({PickledSequence{pop_many(std::size_t{opcode} - op_tuple1 + 1)}});
        break;
      case op_tuple:
      case op_list:
        push({PickledSequence{pop_to_mark()}});
        break;
      case op_append: {
        const auto* item = pop();
        append(top(), {item});
        break;
      }
      case op_appends:
      case op_additems: {
        const auto items = pop_to_mark();
        append(top(), items);
        break;
      }
      case op_empty_dict:
        push({PickledDictionary{}});
        break;
      case op_dict: {
        const auto items = pop_to_mark();
        set_items(push({PickledDictionary{}}), items);
        break;
      }
      case op_setitem: {
        const auto items = pop_many(2);
        set_items(top(), items);
        break;
      }
      case op_setitems: {
        const auto items = pop_to_mark();
        set_items(top(), items);
        break;
      }
      case op_empty_set:
        push({PickledOther{}});
        break;
      case op_frozenset:
        pop_to_mark();
        push({PickledOther{}});
        break;
      case op_binput:
        remember(cursor_.little_endian(1));
        break;
      case op_long_binput:
        remember(cursor_.little_endian(4));
        break;
      case op_memoize:
        remember(memo_.size());
        break;
      case op_binget:
        recall(cursor_.little_endian(1));
        break;
      case op_long_binget:
        recall(cursor_.little_endian(4));
        break;
      case op_global: {
        const auto module = cursor_.line();
        push({known(module, cursor_.line())});
        break;
      }
      case op_stack_global:
        stack_global();
        break;
      case op_binpersid:
        persistent();
        break;
      case op_reduce:
        reduce();
        break;
      case op_build:
        build();
        break;
      case op_newobj:
        new_object();
        break;
      case op_newobj_ex: {
        const auto values = pop_many(3);
        old_object(*values[0]);
        break;
      }
      case op_obj: {
        const auto values = pop_to_mark();
        if (values.empty()) fail("its pickle creates an object of nothing");
        old_object(*values[0]);
        break;
      }
      case op_inst: {
        const auto module = cursor_.line();
        const auto name = cursor_.line();
        pop_to_mark();
        old_object({known(module, name)});
        break;
      }
      default:
        fail("byte " + std::to_string(cursor_.position() - 1) + " is " + std::to_string(opcode) +
             ", which is not an instruction in pickles of weights");
    }
    return true;
  }

  file::BinaryCursor& cursor_;
  const std::filesystem::path& file_;
  Pickle pickle_;
  std::vector<PickleNode*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleNode*> memo_;
  std::size_t values_ = 0;
};

}  // namespace

const PickleNode* PickledDictionary::find(std::string_view key) const {
  const PickleNode* found = nullptr;
  for (const auto& [name, value] : items) {
    const auto* text = name->as<std::string>();
    if (text != nullptr && *text == key) found = value;
  }
  return found;
}

Pickle read_pickle(file::BinaryCursor& cursor, const std::filesystem::path& file) {
  return Reader(cursor, file).read();
}

}  // namespace kindred::weights
