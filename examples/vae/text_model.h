// Models that are texts: from a file and options, in a graph, in the metadata of a checkpoint and back.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "weft/examples/vae/model.h"
#include "weft/examples/vae/options.h"
#include "weft/graph/runtime/checkpoint.h"

namespace weft {

// Throws CheckpointError for what is no readable file of at most kMaxModelText bytes.
std::string ReadModelText(const std::filesystem::path& file);

// Of the options that are on the command line: --set, and --hidden, --layers, --latent, --init and --beta as parameters
// of that name; and the parameter pixels, if the model has one, by the sizes of its pictures. Throws UsageError for one
// that is no parameter of the model, CheckpointError for a text that is none.
ModelParameters GivenParameters(const ModelOptions& options, const StepOptions& step, const Model& model);

// Completes the parameters and the sizes; where rows are 0, pictures are as wide as the input. Throws CheckpointError
// for a text that is no autoencoder of f32: all roles of docs/model_files.md, with these types; ResourceError beyond
// the limits of texts.
void MeasureTextModel(Model& model);

// Throws like MeasureTextModel.
Autoencoder BuildTextModel(Graph& graph, const Model& model);

// "model text" and "parameter.hidden" = "256".
Metadata DescribeTextModel(const Model& model);

// The text and its parameters, if it is one that metadata are of. Throws CheckpointError for parameters that do not
// fit.
std::optional<Model> TextModelOf(const Metadata& metadata, const std::filesystem::path& file);

std::string TextOf(const ModelParameters::mapped_type& value);
// "hidden=256 init=tutorial"
std::string ParameterText(const ModelParameters& parameters);

}  // namespace weft
