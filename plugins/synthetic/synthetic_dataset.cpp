#include "synthetic_dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "kindred/text/number_text.h"
#include "streams.h"

namespace kindred::synthetic {

using synthetic::Domain;

namespace {

// Four identities in a row make a family of possible lookalikes.
constexpr std::int64_t family_size = 4;

std::string misfit(const SyntheticDataset::Params& p) {
  if (p.min_images > p.max_images) {
    return "min_images = " + std::to_string(p.min_images) +
           " is above max_images = " + std::to_string(p.max_images) +
           "; lower min_images or raise max_images";
  }
  if (p.cameras_per_identity.value_or(p.cameras) > p.cameras) {
    return "cameras_per_identity = " + std::to_string(*p.cameras_per_identity) +
           " is above cameras = " + std::to_string(p.cameras) + "; lower it, or remove it to use all cameras";
  }
  return "";
}

/// Which of `count` are violet: exactly the rounded share, drawn by lot.
std::vector<Domain> deal_domains(std::uint64_t seed, std::uint64_t purpose, std::int64_t count,
                                 double share) {
  std::vector<Domain> domains(static_cast<std::size_t>(count), Domain::origin);
  const auto violet = std::lround(share * static_cast<double>(count));
  std::fill_n(domains.begin(), violet, Domain::violet);
  RandomStream random(seed, {streams::domain, purpose});
  random.shuffle(std::span(domains));
  return domains;
}

}  // namespace

Schema<SyntheticDataset::Params> SyntheticDataset::schema() {
  Schema<Params> s(
      "Synthetic people, rendered by code; needs no files. Scores on it say nothing about real data.");
  s.add("train_identities", &Params::train_identities, "people in the training split").range(1, 100'000);
  s.add("test_identities", &Params::test_identities,
        "people in query and gallery, different from those in training")
      .range(1, 100'000);
  s.add("min_images", &Params::min_images, "smallest number of images of an identity, over all cameras")
      .range(4, 1'000);
  s.add("max_images", &Params::max_images, "largest number of images of an identity, over all cameras")
      .range(4, 1'000);
  s.add("frames", &Params::frames, "frames of each tracklet; 1: single images").range(1, 999);
  s.add("cameras", &Params::cameras, "number of cameras, each with its own position, light, colors and side")
      .range(2, 32);
  s.add("cameras_per_identity", &Params::cameras_per_identity,
        "largest number of cameras that see one identity, all if not set; fewer if the identity has less "
        "than two images for each")
      .range(2, 32);
  s.add("distractors", &Params::distractors, "gallery images of people without a query; identity 0")
      .range(0, 1'000'000);
  s.add("violet_share", &Params::violet_share,
        "share of test identities and distractors in the bright violet domain")
      .range(0, 1);
  s.add("difficulty", &Params::difficulty,
        "from similar cameras and distinct people (0) to strong color casts, occlusion and lookalikes (1)")
      .range(0, 1);
  s.add("height", &Params::height, "height of the images").range(32, 1'024).unit("pixels");
  s.add("width", &Params::width, "width of the images").range(16, 1'024).unit("pixels");
  s.add("seed", &Params::seed, "seed of all random choices; another seed gives another data set").at_least(0);
  s.rule(misfit);
  return s;
}

SyntheticDataset::SyntheticDataset(const Params& params, const Context&) : params_(params) {
  if (const auto wrong = misfit(params); !wrong.empty()) throw ComponentError("dataset/synthetic", wrong);
  const auto seed = static_cast<std::uint64_t>(params.seed);
  for (std::int64_t camera = 1; camera <= params.cameras; ++camera) {
    cameras_.push_back(
        synthetic::make_camera(seed, camera, static_cast<int>(params.height), params.difficulty));
  }

  for (std::int64_t i = 1; i <= params.train_identities; ++i) add_identity(i, false, Domain::origin);
  const auto people = deal_domains(seed, 0, params.test_identities, params.violet_share);
  for (std::int64_t i = 0; i < params.test_identities; ++i) {
    add_identity(params.train_identities + 1 + i, true, people[static_cast<std::size_t>(i)]);
  }
  const auto strangers = deal_domains(seed, 1, params.distractors, params.violet_share);
  for (std::int64_t i = 0; i < params.distractors; ++i) {
    add_distractor(i + 1, strangers[static_cast<std::size_t>(i)]);
  }
  std::stable_sort(samples_.begin(), samples_.end(),
                   [](const Sample& a, const Sample& b) { return a.split < b.split; });
}

void SyntheticDataset::add_identity(std::int64_t identity, bool test, Domain domain) {
  RandomStream random(static_cast<std::uint64_t>(params_.seed),
                      {streams::plan, static_cast<std::uint64_t>(identity)});
  const auto images = random.integer(params_.min_images, params_.max_images);
  // Two images or more by each camera: one to ask with and one to be found by the others' queries.
  const auto seen_by = std::min(params_.cameras_per_identity.value_or(params_.cameras), images / 2);
  std::vector<std::int64_t> cameras(static_cast<std::size_t>(params_.cameras));
  std::iota(cameras.begin(), cameras.end(), 1);
  random.shuffle(std::span(cameras));
  cameras.resize(static_cast<std::size_t>(seen_by));
  std::sort(cameras.begin(), cameras.end());

  std::int64_t number = 0;
  for (std::int64_t c = 0; c < seen_by; ++c) {
    const auto by_this = images / seen_by + (c < images % seen_by ? 1 : 0);
    for (std::int64_t i = 0; i < by_this; ++i) {
      const auto key = static_cast<std::uint64_t>(identity);
      const Split split = !test ? Split::train : (i == 0 ? Split::query : Split::gallery);
      add(split, identity, {key, key / family_size, cameras[static_cast<std::size_t>(c)], ++number, domain});
    }
  }
}

void SyntheticDataset::add_distractor(std::int64_t number, Domain domain) {
  RandomStream random(static_cast<std::uint64_t>(params_.seed),
                      {streams::stranger, static_cast<std::uint64_t>(number)});
  // A stranger may look like the family of somebody who is looked for.
  const auto model = params_.train_identities + random.integer(1, params_.test_identities);
  add(Split::gallery, 0,
      {random(), static_cast<std::uint64_t>(model / family_size), random.integer(1, params_.cameras), number,
       domain});
}

void SyntheticDataset::add(Split split, std::int64_t identity, Subject subject) {
  const auto name = padded_digits(identity, 4) + "_c" + std::to_string(subject.camera) + "_" +
                    padded_digits(subject.number, 4);
  for (subject.frame = 0; subject.frame < params_.frames; ++subject.frame) {
    Sample sample;
    sample.path = std::string(split_name(split)) + "/" + name;
    if (params_.frames > 1) {
      sample.path += "_" + padded_digits(subject.frame + 1, 3);
      sample.tracklet = name;
    }
    sample.path += ".png";
    sample.identity = identity;
    sample.camera = subject.camera;
    sample.domain = subject.domain == Domain::violet ? "violet" : "origin";
    sample.split = split;
    subjects_.emplace(sample.path, subject);
    samples_.push_back(std::move(sample));
  }
}

cv::Mat SyntheticDataset::image(const Sample& sample) const {
  const auto found = subjects_.find(sample.path);
  if (found == subjects_.end()) {
    throw DataError(
        sample.path,
        "is not an image of the synthetic data set with these parameters; its images are named like '" +
            samples_.front().path + "'");
  }
  const Subject& subject = found->second;
  const auto seed = static_cast<std::uint64_t>(params_.seed);
  const auto who =
      synthetic::draw_appearance(seed, subject.family, subject.person, 0.25 + 0.7 * params_.difficulty);
  RandomStream key(seed, {streams::image, subject.person, static_cast<std::uint64_t>(subject.camera),
                          static_cast<std::uint64_t>(subject.number)});
  synthetic::Moment moment;
  moment.seed = key();
  moment.crowd = seed;
  moment.difficulty = params_.difficulty;
  moment.domain = subject.domain;
  moment.frame = subject.frame;
  return synthetic::draw_picture(who, cameras_[static_cast<std::size_t>(subject.camera - 1)], moment,
                                 static_cast<int>(params_.height), static_cast<int>(params_.width));
}

}  // namespace kindred::synthetic
