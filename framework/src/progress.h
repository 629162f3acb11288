// Progress is data: stages tell a sink, and the sink decides how a person or a program sees it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace kindred {

/// A moment of a stage's work.
struct Progress {
  std::string stage;   ///< "train", "embed query", ...
  std::string detail;  ///< "epoch 3/60", or ""
  std::int64_t done = 0;
  std::int64_t total = 0;  ///< of the current detail
  std::string unit;        ///< "batches", "images"
  double images_per_second = 0;
  double remaining_seconds = -1;          ///< of the whole stage; negative: not known yet
  std::map<std::string, double> figures;  ///< "loss", "learning_rate", ...
};

class ProgressSink {
 public:
  virtual ~ProgressSink();
  /// The stage has moved on. Called often; the sink thins it out.
  virtual void update(const Progress& progress) = 0;
  /// A step worth keeping is finished (an epoch, a stage).
  virtual void finish(const Progress& progress) = 0;
  /// A sentence for the user.
  virtual void note(const std::string& text) = 0;
};

}  // namespace kindred
