// Progress is data: stages tell a sink, and the sink decides how a person or a program sees it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kindred::progress {

/// Numbers by name, in the order in which they were first set.
class Figures {
 public:
  using Entry = std::pair<std::string, double>;
  Figures() = default;
  Figures(std::initializer_list<Entry> entries) : entries_(entries) {}
  Figures(const std::map<std::string, double>& figures) : entries_(figures.begin(), figures.end()) {}

  /// 0 when it is new.
  double& operator[](std::string_view name);
  /// Throws std::out_of_range.
  [[nodiscard]] double at(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
  [[nodiscard]] auto begin() const { return entries_.begin(); }
  [[nodiscard]] auto end() const { return entries_.end(); }

 private:
  std::vector<Entry> entries_;
};

/// A moment of a stage's work.
struct Progress {
  std::string stage;   ///< "train", "embed query", ...
  std::string detail;  ///< "epoch 3/60", or ""
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< of the current detail
  std::string unit;        ///< "batches", "images"
  double images_per_second = 0;
  double remaining_seconds = -1;  ///< of the whole stage; negative: not known yet
  /// "loss", "learning_rate", ... A name with '/' is a detail ("loss/triplet(g1)"): files keep it, people are
  /// not shown it.
  Figures figures;
};

class ProgressSink {
 public:
  virtual ~ProgressSink();
  /// The stage has moved on. Called often; the sink thins it out.
  virtual void update(const Progress& progress) = 0;
  /// A step worth keeping is finished (an epoch, a stage): comes after the update in which all is done.
  virtual void finish(const Progress& progress) = 0;
  /// A sentence for the user.
  virtual void note(const std::string& text) = 0;
};

/// Tells nobody.
class SilentProgress final : public ProgressSink {
 public:
  void update(const Progress&) override {}
  void finish(const Progress&) override {}
  void note(const std::string&) override {}
};

/// Tells several sinks, in order. They must outlive it.
class TeeProgress final : public ProgressSink {
 public:
  explicit TeeProgress(std::vector<ProgressSink*> sinks);
  void update(const Progress& progress) override;
  void finish(const Progress& progress) override;
  void note(const std::string& text) override;

 private:
  std::vector<ProgressSink*> sinks_;
};

/// What people see on stderr: a line that is rewritten when stderr is a terminal that can (TERM is not
/// "dumb"), else a line every ten seconds and for each finished step. With `quiet` nothing at all.
[[nodiscard]] std::unique_ptr<ProgressSink> make_stderr_progress(bool quiet);

/// "3 s", "4:05", "2:03:04" or "3 d 4 h".
[[nodiscard]] std::string duration_text(double seconds);

/// A progress for people, on one line, without what was not given and without details: "train, epoch 3/60:
/// 12/120 batches, 34.5 images/s, 4:05 left, loss 1.234".
[[nodiscard]] std::string progress_text(const Progress& progress);

}  // namespace kindred::progress
