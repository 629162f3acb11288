#include "stage/evaluate.h"

#include "file/atomic_file.h"
#include "progress/meter.h"

namespace kindred {

Scores evaluate_features(const Features& query, const Features& gallery, const EvaluateSettings& settings,
                         ProgressSink& progress, const std::string& query_name,
                         const std::string& gallery_name) {
  const auto cosine = cosine_distances(query.descriptors, gallery.descriptors, query_name, gallery_name);
  Meter meter(progress, "evaluate", static_cast<std::int64_t>(query.samples.size()));
  const auto distances = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return cosine(first, last);
  };
  auto scores = evaluate(query.samples, gallery.samples, distances, settings.cameras, query_name);
  meter.update(scores.queries);
  meter.finish();
  return scores;
}

Scores evaluate_features(const std::filesystem::path& query_file, const std::filesystem::path& gallery_file,
                         const EvaluateSettings& settings, ProgressSink& progress) {
  return evaluate_features(read_features(query_file), read_features(gallery_file), settings, progress,
                           query_file.string(), gallery_file.string());
}

void write_scores(const std::filesystem::path& folder, const Scores& scores) {
  write_atomically(folder / "evaluation.json", [&](std::ostream& out) { out << scores_json(scores); });
  write_atomically(folder / "evaluation.txt", [&](std::ostream& out) { out << scores_text(scores); });
}

}  // namespace kindred
