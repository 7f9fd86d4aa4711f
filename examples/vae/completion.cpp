// What is declared says all: "a|b" is a choice, "PATH" a path, an option without a kind takes no value.
#include "weft/examples/vae/completion.h"

#include <algorithm>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weft {
namespace {

struct Word {
  std::string name, meaning;  // "--epochs"; of what has no name, "file"
  bool is_option = false, takes_value = false, takes_path = false;
  std::vector<std::string> choices = {};
};

struct Command {
  std::string name, meaning;
  std::vector<Word> options = {}, positionals = {};
};

// The words of "quantile|X" that stand for themselves.
std::vector<std::string> Choices(const std::string& kind) {
  std::vector<std::string> choices;
  for (const std::string& word : CLI::detail::split(kind, '|')) {
    if (std::ranges::none_of(word, [](char c) { return c >= 'A' && c <= 'Z'; })) choices.push_back(word);
  }
  return choices;
}

Command CommandOf(const CLI::App& app) {
  Command command = {.name = app.get_name(), .meaning = app.get_description()};
  for (const CLI::Option* option : app.get_options()) {
    const std::string kind = option->get_type_name();
    const bool takes_value = option->get_items_expected_max() > 0;
    Word word = {.name = option->get_name(),
                 .meaning = option->get_description(),
                 .is_option = !option->get_positional() || !option->get_lnames().empty(),
                 .takes_value = takes_value,
                 .takes_path = takes_value && kind == "PATH"};
    if (takes_value) word.choices = Choices(kind);
    if (!option->get_lnames().empty()) word.name = "--" + option->get_lnames().front();
    (word.is_option ? command.options : command.positionals).push_back(std::move(word));
  }
  return command;
}

std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  for (const CLI::App* command : app.get_subcommands(nullptr)) commands.push_back(CommandOf(*command));
  return commands;
}

std::string Names(const std::vector<Word>& words) {
  std::vector<std::string> names;
  for (const Word& word : words) names.push_back(word.name);
  return fmt::format("{}", fmt::join(names, " "));
}

// `text` as one word of a shell that reads 'single quotes'.
std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// ---- bash ----------------------------------------------------------------------------------------------------------

constexpr std::string_view kBashStart = R"(# bash completion of vae:  source <(vae completion bash)
_vae_words() { COMPREPLY=($(compgen -W "$1" -- "$word")); }
_vae_paths() {
  compopt -o filenames 2>/dev/null
  local IFS=$'\n'
  COMPREPLY=($(compgen -f -- "$word"))
}
_vae() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  [ "$word" = = ] && word=
  [ "$previous" = = ] && previous=${COMP_WORDS[COMP_CWORD - 2]}
  [ "$COMP_CWORD" = 1 ] && command=
  COMPREPLY=()
  case "$command $previous" in
)";

// What comes behind an option that takes a value.
std::string BashValue(const Command& command, const Word& option) {
  const std::string action = option.takes_path        ? "_vae_paths"
                             : option.choices.empty() ? ":"
                                                      : fmt::format("_vae_words '{}'", fmt::join(option.choices, " "));
  return fmt::format("    '{} {}') {}; return ;;\n", command.name, option.name, action);
}

// What else may come behind a command.
std::string BashWords(const Command& command) {
  std::string action = fmt::format("_vae_words '{}'", Names(command.options));
  const auto path = std::ranges::find(command.positionals, true, &Word::takes_path);
  std::vector<std::string> choices;
  for (const Word& word : command.positionals) choices.insert(choices.end(), word.choices.begin(), word.choices.end());
  if (path != command.positionals.end()) action = fmt::format("[[ $word == -* ]] && {} || _vae_paths", action);
  else if (!choices.empty())
    action = fmt::format("_vae_words '{} {}'", fmt::join(choices, " "), Names(command.options));
  return fmt::format("    '{}') {} ;;\n", command.name, action);
}

std::string Bash(const Command& app, const std::vector<Command>& commands) {
  std::string script(kBashStart), names = Names(app.options);
  for (const Command& command : commands) {
    names += " " + command.name;
    for (const Word& option : command.options) {
      if (option.takes_value) script += BashValue(command, option);
    }
  }
  script += fmt::format("  esac\n  case \"$command\" in\n    '') _vae_words '{}' ;;\n", names);
  for (const Command& command : commands) script += BashWords(command);
  return script + "  esac\n}\ncomplete -F _vae vae\n";
}

// ---- zsh -----------------------------------------------------------------------------------------------------------

// Within a specification, where : [ ] and \ mean something.
std::string ZshText(std::string_view text) {
  std::string escaped;
  for (const char c : text)
    escaped += std::string(std::string_view(":[]\\").find(c) != std::string_view::npos, '\\') + c;
  return escaped;
}

std::string ZshSpecification(const Word& word) {
  const std::string action = word.takes_path        ? "_files"
                             : word.choices.empty() ? " "
                                                    : fmt::format("({})", fmt::join(word.choices, " "));
  if (!word.is_option) return fmt::format(":{}:{}", ZshText(word.meaning), action);
  return fmt::format("{}[{}]{}", word.name, ZshText(word.meaning), word.takes_value ? ":value:" + action : "");
}

std::string Zsh(const Command& app, const std::vector<Command>& commands) {
  const auto arguments = [](const Command& command) {
    std::string text = "_arguments";
    for (const auto& words : {command.options, command.positionals}) {
      for (const Word& word : words) text += " \\\n        " + Quoted(ZshSpecification(word));
    }
    return text;
  };
  std::string script = "#compdef vae\n_vae() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const Command& command : commands)
    script += fmt::format("      {}\n", Quoted(fmt::format("{}:{}", command.name, ZshText(command.meaning))));
  script += fmt::format("    )\n    _describe command commands\n    {}\n    return\n  fi\n", arguments(app));
  script += "  shift words\n  (( CURRENT-- ))\n  case $words[1] in\n";
  for (const Command& command : commands)
    script += fmt::format("    {})\n      {} ;;\n", command.name, arguments(command));
  return script + "  esac\n}\nif [[ $funcstack[1] == _vae ]]; then _vae; else compdef _vae vae; fi\n";
}

// ---- fish ----------------------------------------------------------------------------------------------------------

std::string FishLine(const std::string& condition, const Word& word) {
  std::string line = fmt::format("complete -c vae -n {}", Quoted(condition));
  if (word.is_option) line += fmt::format(" -l {} -d {}", word.name.substr(2), Quoted(word.meaning));
  if (word.takes_path) line += word.is_option ? " -r -F" : " -F";
  else if (word.takes_value) line += word.is_option ? " -x" : " -f";
  if (!word.choices.empty()) line += fmt::format(" -a {}", Quoted(fmt::format("{}", fmt::join(word.choices, " "))));
  return line + "\n";
}

std::string Fish(const Command& app, const std::vector<Command>& commands) {
  const std::string first = "__fish_use_subcommand";
  std::string script = "# fish completion of vae:  vae completion fish | source\ncomplete -c vae -f\n";
  for (const Word& option : app.options) script += FishLine(first, option);
  for (const Command& command : commands) {
    script += fmt::format("complete -c vae -n {} -a {} -d {}\n", first, command.name, Quoted(command.meaning));
    for (const auto& words : {command.options, command.positionals}) {
      for (const Word& word : words) script += FishLine("__fish_seen_subcommand_from " + command.name, word);
    }
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CLI::App& app, std::string_view shell) {
  const Command top = CommandOf(app);
  const std::vector<Command> commands = CommandsOf(app);
  if (shell == "zsh") return Zsh(top, commands);
  return shell == "fish" ? Fish(top, commands) : Bash(top, commands);
}

}  // namespace weft
