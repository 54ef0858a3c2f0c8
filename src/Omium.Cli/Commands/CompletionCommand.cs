using System.CommandLine;

namespace Omium.Cli.Commands;

/// <summary><c>completion</c>: scripts that make a shell complete commands and flags. They ask the program itself, so they never grow stale.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # omium completion for bash: source <(omium completion bash)
        _omium() {
            local word=${COMP_WORDS[COMP_CWORD]} line=${COMP_LINE:0:COMP_POINT}
            mapfile -t COMPREPLY < <(compgen -W "$(omium "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word")
        }
        complete -o default -F _omium omium
        """;

    private const string Zsh = """
        #compdef omium
        # omium completion for zsh: source <(omium completion zsh)
        _omium() {
            local line="${words[1,CURRENT]}"
            local -a found
            found=("${(@f)$(omium "[suggest:${#line}]" "$line" 2>/dev/null)}")
            (( ${#found} )) && compadd -- $found || _files
        }
        compdef _omium omium
        """;

    private const string Fish = """
        # omium completion for fish: omium completion fish | source
        function __omium_complete
            set -l line (commandline -cp)
            omium "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c omium -a '(__omium_complete)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print a script that completes commands and flags.") { shell };
        command.SetAction(parsed => Console.WriteLine(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish }));
        return command;
    }
}
