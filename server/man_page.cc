// The manual page, made of the command line's declaration.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <array>
#include <string>
#include <string_view>

#include "llmproxy/provider.h"
#include "llmproxy/version.h"
#include "server/command_line.h"

namespace llmproxy {
namespace {

/// Text for roff: a hyphen is one, and no line is a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n'))
      out += "\\&";
    if (c == '-') out += '\\';
    if (c == '\\') out += "\\e";
    if (c != '\\') out += c;
  }
  return out;
}

std::string option_entry(const CLI::Option& option) {
  std::string names;
  const auto add = [&](const std::string& name) {
    if (!names.empty()) names += ", ";
    names += "\\fB" + roff(name) + "\\fR";
  };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  if (option.get_positional()) names = "\\fI" + roff(option.get_name(true));
  const bool value =
      !option.get_positional() && option.get_items_expected_max() > 0;
  return fmt::format(".TP\n{}{}\\fR\n{}\n", names, value ? " \\fIVALUE" : "",
                     roff(option.get_description()));
}

std::string options_of(const CLI::App& app) {
  std::string out;
  for (const CLI::Option* option : app.get_options({}))
    out += option_entry(*option);
  return out;
}

std::string commands_section(const CLI::App& app) {
  std::string out = ".SH COMMANDS\n";
  for (const CLI::App* command : commands_of(app)) {
    out += fmt::format(".SS {} {}\n{}\n{}", roff(app.get_name()),
                       roff(command->get_name()),
                       roff(command->get_description()), options_of(*command));
  }
  return out;
}

struct VariableRow {
  std::string_view name;
  std::string_view about;
};
constexpr std::array kVariables = {
    VariableRow{"LLM_PROXY_CONFIG",
                "the configuration file, without --config."},
    VariableRow{"PORT", "the port to listen on."},
    VariableRow{"PROXY_API_KEY", "a key that clients must send."},
    VariableRow{"LOG_LEVEL", "DEBUG, INFO, WARNING, ERROR or OFF."},
    VariableRow{"LOG_FILE", "a file for the log."},
    VariableRow{"NO_COLOR", "the log on a terminal is not coloured."},
    VariableRow{"SSL_CERT_FILE",
                "root certificates that upstreams are verified with (PEM)."},
};

std::string environment_section() {
  std::string out = ".SH ENVIRONMENT\n";
  for (const VariableRow& row : kVariables)
    out += fmt::format(".TP\n\\fB{}\\fR\n{}\n", row.name, roff(row.about));
  for (const Provider& row : providers()) {
    if (row.key_variable.empty()) continue;
    out += fmt::format(
        ".TP\n\\fB{}\\fR{}{}{}\nKey and address of {}.\n", row.key_variable,
        row.base_url_variable.empty() ? "" : ", \\fB", row.base_url_variable,
        row.base_url_variable.empty() ? "" : "\\fR", roff(row.name));
  }
  return out;
}

}  // namespace

std::string man_page(const CLI::App& app) {
  const std::string name = roff(app.get_name());
  return fmt::format(
             ".TH LLM\\-PROXY 1 \"\" \"llm\\-proxy {}\" \"User Commands\"\n"
             ".SH NAME\n{} \\- proxy that translates between the chat APIs "
             "of LLM providers\n"
             ".SH SYNOPSIS\n.B {}\n[\\fIcommand\\fR] [\\fIoptions\\fR]\n"
             ".SH DESCRIPTION\n"
             "Serves the APIs of OpenAI, Anthropic, Gemini and Bedrock, and\n"
             "translates each request to the API of the backend that its "
             "model leads to.\n"
             "Without a command it serves.\n"
             ".SH OPTIONS\n",
             LLMPROXY_VERSION, name, name) +
         options_of(app) + commands_section(app) + environment_section() +
         ".SH FILES\n.TP\n\\&.env\nVariables, one NAME=value a line; those of "
         "the environment win.\n"
         ".SH EXIT STATUS\n0 on success, 1 when an operation failed, 2 when "
         "the command line or the configuration is wrong.\n";
}

}  // namespace llmproxy
