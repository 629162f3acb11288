#include "weights/pickle_stack.h"

#include <cstddef>
#include <utility>
#include <variant>

#include "kindred/core/error.h"

namespace kindred::weights {
namespace {

/// Bounds what a small file can make of itself; a checkpoint with its optimizer has some ten thousand values.
constexpr std::size_t most_values = 5'000'000;

}  // namespace

void PickleStack::fail(const std::string& what) const {
  throw DataError(file_, "is damaged or not a file of torch.save: " + what);
}

PickleNode* PickleStack::push(PickleNode node) {
  spend(1);
  pickle_.nodes.push_back(std::move(node));
  stack_.push_back(&pickle_.nodes.back());
  return stack_.back();
}

void PickleStack::spend(std::size_t values) {
  values_ += values;
  if (values_ > most_values) {
    throw DataError(file_, "has more than " + std::to_string(most_values) +
                               " values in its pickle, the most that are read; save the weights alone, "
                               "torch.save(model.state_dict(), 'weights.pth')");
  }
}

PickleNode* PickleStack::top() const {
  if (stack_.size() <= floor()) fail("its pickle pops more values than it pushed");
  return stack_.back();
}

PickleNode* PickleStack::pop() {
  auto* node = top();
  stack_.pop_back();
  return node;
}

std::vector<const PickleNode*> PickleStack::pop_to_mark() {
  if (marks_.empty()) fail("its pickle ends a list that it did not begin");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<const PickleNode*> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  marks_.pop_back();
  return items;
}

std::vector<const PickleNode*> PickleStack::pop_many(std::size_t count) {
  std::vector<const PickleNode*> items(count);
  for (auto i = count; i-- > 0;) items[i] = pop();
  return items;
}

void PickleStack::recall(std::uint64_t number) {
  const auto found = memo_.find(number);
  if (found == memo_.end()) fail("its pickle refers to a value that it does not contain");
  stack_.push_back(found->second);
}

void PickleStack::append(PickleNode* list, const std::vector<const PickleNode*>& items) const {
  if (std::holds_alternative<PickledOther>(list->value)) return;
  auto* sequence = std::get_if<PickledSequence>(&list->value);
  if (sequence == nullptr) fail("its pickle appends to something that is not a list");
  sequence->items.insert(sequence->items.end(), items.begin(), items.end());
}

void PickleStack::set_items(PickleNode* node, const std::vector<const PickleNode*>& items) const {
  if (items.size() % 2 != 0) fail("its pickle has a key without a value");
  if (std::holds_alternative<PickledOther>(node->value)) return;
  auto* dictionary = std::get_if<PickledDictionary>(&node->value);
  if (dictionary == nullptr) fail("its pickle sets a key of something that is not a dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2) dictionary->items.emplace_back(items[i], items[i + 1]);
}

Pickle PickleStack::finish() {
  pickle_.root = pop();
  return std::move(pickle_);
}

}  // namespace kindred::weights
