#include "weights/pickle.h"

#include <bit>
#include <cstddef>

#include "weights/pickle_globals.h"
#include "weights/pickle_objects.h"
#include "weights/pickle_stack.h"

namespace kindred::weights {
namespace {

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

/// Runs the instructions of one pickle.
class PickleReader {
 public:
  PickleReader(file::BinaryCursor& cursor, const std::filesystem::path& file)
      : cursor_(cursor), stack_(file), objects_(stack_) {}

  Pickle read() {
    while (step(cursor_.byte())) {
    }
    return stack_.finish();
  }

 private:
  void push_integer(std::uint64_t count) {
    const auto bytes = cursor_.bytes(count);
    if (count > 8) {
      stack_.push({PickledOther{}});
      return;
    }
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      number |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (8 * i);
    }
    const bool negative = count > 0 && (static_cast<std::uint8_t>(bytes.back()) & 0x80U) != 0;
    if (negative && count < 8) number |= ~std::uint64_t{0} << (8 * count);
    stack_.push({static_cast<std::int64_t>(number)});
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits = bits << 8U | cursor_.byte();
    stack_.push({std::bit_cast<double>(bits)});
  }

  void push_text(std::size_t bytes_of_length) {
    stack_.push({cursor_.bytes(cursor_.little_endian(bytes_of_length))});
  }

  /// One instruction; false after the last.
  bool step(std::uint8_t opcode) {
    switch (opcode) {
      case op_stop:
        return false;
      case op_proto:
        if (const auto protocol = cursor_.byte(); protocol < 2 || protocol > 5) {
          stack_.fail("its pickle has protocol " + std::to_string(protocol) + "; supported are 2 to 5");
        }
        break;
      case op_frame:
        cursor_.skip(8);
        break;
      case op_mark:
        stack_.push_mark();
        break;
      case op_pop:
        stack_.pop();
        break;
      case op_pop_mark:
        stack_.pop_to_mark();
        break;
      case op_dup:
        stack_.duplicate();
        break;
      case op_none:
        stack_.push({});
        break;
      case op_newtrue:
      case op_newfalse:
        stack_.push({opcode == op_newtrue});
        break;
      case op_binint:
        stack_.push({std::int64_t{static_cast<std::int32_t>(cursor_.little_endian(4))}});
        break;
      case op_binint1:
        stack_.push({static_cast<std::int64_t>(cursor_.little_endian(1))});
        break;
      case op_binint2:
        stack_.push({static_cast<std::int64_t>(cursor_.little_endian(2))});
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
        stack_.push({PickledSequence{}});
        break;
      case op_tuple1:
      case op_tuple2:
      case op_tuple3:
        stack_.push({PickledSequence{stack_.pop_many(std::size_t{opcode} - op_tuple1 + 1)}});
        break;
      case op_tuple:
      case op_list:
        stack_.push({PickledSequence{stack_.pop_to_mark()}});
        break;
      case op_append: {
        const auto* item = stack_.pop();
        stack_.append(stack_.top(), {item});
        break;
      }
      case op_appends:
      case op_additems: {
        const auto items = stack_.pop_to_mark();
        stack_.append(stack_.top(), items);
        break;
      }
      case op_empty_dict:
        stack_.push({PickledDictionary{}});
        break;
      case op_dict: {
        const auto items = stack_.pop_to_mark();
        stack_.set_items(stack_.push({PickledDictionary{}}), items);
        break;
      }
      case op_setitem: {
        const auto items = stack_.pop_many(2);
        stack_.set_items(stack_.top(), items);
        break;
      }
      case op_setitems: {
        const auto items = stack_.pop_to_mark();
        stack_.set_items(stack_.top(), items);
        break;
      }
      case op_empty_set:
        stack_.push({PickledOther{}});
        break;
      case op_frozenset:
        stack_.pop_to_mark();
        stack_.push({PickledOther{}});
        break;
      case op_binput:
        stack_.remember(cursor_.little_endian(1));
        break;
      case op_long_binput:
        stack_.remember(cursor_.little_endian(4));
        break;
      case op_memoize:
        stack_.remember();
        break;
      case op_binget:
        stack_.recall(cursor_.little_endian(1));
        break;
      case op_long_binget:
        stack_.recall(cursor_.little_endian(4));
        break;
      case op_global: {
        const auto module = cursor_.line();
        objects_.push_global(module, cursor_.line());
        break;
      }
      case op_stack_global:
        objects_.stack_global();
        break;
      case op_binpersid:
        objects_.persistent();
        break;
      case op_reduce:
        objects_.reduce();
        break;
      case op_build:
        objects_.build();
        break;
      case op_newobj:
        objects_.new_object();
        break;
      case op_newobj_ex: {
        const auto values = stack_.pop_many(3);
        objects_.old_object(*values[0]);
        break;
      }
      case op_obj: {
        const auto values = stack_.pop_to_mark();
        if (values.empty()) stack_.fail("its pickle creates an object of nothing");
        objects_.old_object(*values[0]);
        break;
      }
      case op_inst: {
        const auto module = cursor_.line();
        const auto name = cursor_.line();
        stack_.pop_to_mark();
        objects_.old_object({pickled_global(module, name)});
        break;
      }
      default:
        stack_.fail("byte " + std::to_string(cursor_.position() - 1) + " is " + std::to_string(opcode) +
                    ", which is not an instruction in pickles of weights");
    }
    return true;
  }

  file::BinaryCursor& cursor_;
  PickleStack stack_;
  PickleObjects objects_;
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

std::string unknown_name(const PickleNode& node) {
  if (const auto* global = node.as<PickledGlobal>()) return global->name;
  if (const auto* storage = node.as<PickledStorage>()) return storage->unsupported;
  const auto* other = node.as<PickledOther>();
  return other == nullptr ? "" : other->name;
}

Pickle read_pickle(file::BinaryCursor& cursor, const std::filesystem::path& file) {
  return PickleReader(cursor, file).read();
}

}  // namespace kindred::weights
