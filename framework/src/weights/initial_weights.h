// What a network starts from instead of random numbers: the files that a recipe names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "recipe/plan.h"
#include "recipe/plan_demands.h"
#include "weights/matching.h"

namespace kindred::weights {

/// A copy of the plan that says all that its files of weights decide: the SHA-256 of each file, so that
/// Plan::identity() tells whether the files are the same, and what their layouts demand of the recipe
/// (WeightsLayout::settings). A SHA-256 that the recipe gives already stays. Throws RecipeError when a file
/// whose SHA-256 is not given cannot be read, and where the recipe says something else than a layout demands.
[[nodiscard]] recipe::Plan settled(recipe::Plan plan);

/// Sets in the plan what the layout of a file demands. Throws RecipeError, with every place, where the recipe
/// says otherwise or has no such parameter.
/// @param whole the whole network is taken of the file, not the backbone alone
[[nodiscard]] std::vector<recipe::Demand> meet_demands(recipe::Plan& plan, const FileLayout& layout,
                                                       const std::filesystem::path& file, bool whole);

/// "head.pooling = \"gem\" (set), backbone.last_stride = 2"; "" for none.
[[nodiscard]] std::string demands_text(const std::vector<recipe::Demand>& demands);

/// Throws DataError when a file has another SHA-256 than the recipe says; does nothing where it says none.
void require_hash(const std::filesystem::path& file, const std::optional<std::string>& expected);

/// build_model() of the settled() plan, and then the tensors of the files that the plan names: those of the
/// backbone before the head makes its copies of it, those of the whole network at the end. What depends on
/// the number of identities, cameras or views starts from random numbers when the file is of another one, or
/// of none; what depends on cameras or views also when a model file says that they are others.
///
/// Throws DataError for a file that is damaged, is another than the recipe's SHA-256 says, lacks tensors of
/// the network, has others of another shape or such as have no place in the network, which `allow_missing`
/// and `allow_unused` do not allow; RecipeError for a pattern of these that no tensor has.
/// @param notes gets a sentence for each file: what was loaded, what was left as it was, what was not used,
/// that classifiers of as many identities are taken to be of the same ones, and what a model file's own
/// recipe says otherwise
[[nodiscard]] std::shared_ptr<model::Model> build_initial_model(const recipe::Plan& plan,
                                                                const model::Population& population,
                                                                std::vector<std::string>& notes);

/// The tensors of a file under Kindred's names, as fits the plan's network (translate_for()).
[[nodiscard]] TranslatedWeights translate_for_plan(const WeightsFile& file, const recipe::Plan& plan);

/// Patterns for Allowed::missing by which a file of another number of identities can be used; none when
/// nothing keeps the file from fitting, or more than the tensors that depend on that number.
[[nodiscard]] std::vector<std::string> patterns_for_other_identities(const recipe::Plan& plan,
                                                                     const MatchReport& report);

/// How many identities the classifiers in a file are of: the lengths there that depend, in the plan's
/// network, on the number of identities. Nothing when the file has none. Throws DataError when they disagree.
[[nodiscard]] std::optional<std::int64_t> identities_of(const recipe::Plan& plan,
                                                        const TranslatedWeights& weights,
                                                        const std::filesystem::path& file);

/// The plan's network for as many identities as identities_of() says; nullptr when it says nothing. Building
/// a large network takes a second: this builds as few as it can. Throws DataError where that network would be
/// far larger than the file (model::BuildingLimit).
/// @param of_two the plan's network for two identities
[[nodiscard]] std::shared_ptr<model::Model> build_for_identities_of(const recipe::Plan& plan,
                                                                    const model::Model& of_two,
                                                                    const TranslatedWeights& weights,
                                                                    const std::filesystem::path& file);

}  // namespace kindred::weights
