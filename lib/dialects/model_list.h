// Lists of models: what those of all dialects have alike. `write_entry` writes
// one model as an object.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "json/writer.h"
#include "llmproxy/dialect_serving.h"

namespace llmproxy {

/// ModelListShape::write_model
template <void (*write_entry)(const ModelEntry& model, json::Writer& writer)>
void write_one_model(const ModelEntry& model, std::string& out) {
  json::Writer w(out);
  write_entry(model, w);
}

/// The member `name`: an array of all of them.
template <void (*write_entry)(const ModelEntry& model, json::Writer& writer)>
void write_models(std::string_view name, std::span<const ModelEntry> page,
                  json::Writer& w) {
  w.begin_array(name);
  for (const ModelEntry& model : page) write_entry(model, w);
  w.end_array();
}

}  // namespace llmproxy
