// The machine that a pickle is a program for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "weights/pickle.h"

namespace kindred::weights {

/// The values that the program has made, the stack that it works on, and the memo in which it keeps values to
/// come back to. Everything that the program may not do is a DataError.
class PickleStack {
 public:
  explicit PickleStack(const std::filesystem::path& file) : file_(file) {}

  /// The file is damaged: `what` completes the sentence.
  [[noreturn]] void fail(const std::string& what) const;
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

  PickleNode* push(PickleNode node);
  /// Counts values that are made without being pushed, so that a small file cannot fill the memory.
  void spend(std::size_t values);
  /// The last value since the last mark.
  [[nodiscard]] PickleNode* top() const;
  PickleNode* pop();
  /// In the order in which they were pushed.
  std::vector<const PickleNode*> pop_many(std::size_t count);
  void push_mark() { marks_.push_back(stack_.size()); }
  /// All since the last mark, which is gone then.
  std::vector<const PickleNode*> pop_to_mark();
  /// The same value once more, not a copy.
  void duplicate() { stack_.push_back(top()); }

  void remember(std::uint64_t number) { memo_[number] = top(); }
  /// Under the next number.
  void remember() { remember(memo_.size()); }
  void recall(std::uint64_t number);

  /// What is put into a PickledOther is lost.
  void append(PickleNode* list, const std::vector<const PickleNode*>& items) const;
  /// @param items keys and values in turn
  void set_items(PickleNode* dictionary, const std::vector<const PickleNode*>& items) const;

  /// What the program leaves on the stack. Nothing may follow.
  [[nodiscard]] Pickle finish();

 private:
  [[nodiscard]] std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  const std::filesystem::path& file_;
  Pickle pickle_;
  std::vector<PickleNode*> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::unordered_map<std::uint64_t, PickleNode*> memo_;
  std::size_t values_ = 0;
};

}  // namespace kindred::weights
