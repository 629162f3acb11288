#include "stage/evaluate.h"

#include <optional>

#include "file/atomic_file.h"
#include "progress/meter.h"
#include "ranking/multi_query.h"

namespace kindred {

Scores evaluate_features(const Features& query, const Features& gallery, const EvaluateSettings& settings,
                         ProgressSink& progress, const std::string& query_name,
                         const std::string& gallery_name) {
  std::optional<Features> merged;
  if (settings.multi_query) merged = merge_queries(query, query_name);
  const auto& queries = merged ? *merged : query;
  const auto cosine = cosine_distances(queries.descriptors, gallery.descriptors, query_name, gallery_name);
  Meter meter(progress, "evaluate", static_cast<std::int64_t>(queries.samples.size()));
  const auto distances = [&](std::int64_t first, std::int64_t last) {
    if (first > 0) meter.update(first);
    return cosine(first, last);
  };
  auto scores = evaluate(queries.samples, gallery.samples, distances, settings, query_name);
  scores.cosine = true;
  if (merged) {
    scores.multi_query = true;
    scores.note = std::to_string(query.samples.size()) + " query images merged by identity and camera" +
                  (scores.note.empty() ? "" : "; " + scores.note);
  }
  meter.update(scores.queries);
  meter.finish();
  return scores;
}

Scores evaluate_features(const std::filesystem::path& query_file, const std::filesystem::path& gallery_file,
                         const EvaluateSettings& settings, ProgressSink& progress) {
  return evaluate_features(read_features(query_file), read_features(gallery_file), settings, progress,
                           query_file.string(), gallery_file.string());
}

void write_query_scores(const std::filesystem::path& file, const Scores& scores) {
  write_atomically(file, [&](std::ostream& out) { write_queries_csv(out, scores); });
}

void write_scores(const std::filesystem::path& folder, const Scores& scores) {
  write_atomically(folder / "evaluation.json", [&](std::ostream& out) { out << scores_json(scores); });
  write_atomically(folder / "evaluation.txt", [&](std::ostream& out) { out << scores_text(scores); });
  write_atomically(folder / "roc.csv", [&](std::ostream& out) { write_roc_csv(out, scores.open_set); });
  write_query_scores(folder / "per_query.csv", scores);
}

}  // namespace kindred
