using System.Text;
using Omium.Contracts.Executions;

namespace Omium.Tracing;

/// <summary>Exceptions as they are recorded.</summary>
internal static class Failures
{
    private const int MessageCharactersMax = 4_000, CodeCharactersMax = 100;

    public static TraceFailureRequest Of(Exception thrown) => thrown is StepFailedException { Failure: var told }
        ? new TraceFailureRequest(Cut(told.Message, MessageCharactersMax), told.Class, Cut(told.Code, CodeCharactersMax))
        : new TraceFailureRequest(
            Cut(thrown.Message.Length > 0 ? thrown.Message : thrown.GetType().Name, MessageCharactersMax), thrown is TimeoutException ? "timeout" : "tool_error", Code(thrown))
        {
            MayHaveHappened = thrown is NotDoneException ? false : null,
        };

    /// <summary>The exception's name in snake_case.</summary>
    private static string Code(Exception thrown)
    {
        var name = thrown.GetType().Name;
        name = name.EndsWith("Exception", StringComparison.Ordinal) && name.Length > "Exception".Length ? name[..^"Exception".Length] : name;
        var built = new StringBuilder();
        var before = '_';
        foreach (var letter in name.Where(char.IsAsciiLetterOrDigit))
        {
            if (char.IsAsciiLetterUpper(letter) && (char.IsAsciiLetterLower(before) || char.IsAsciiDigit(before)))
            {
                built.Append('_');
            }

            built.Append(char.ToLowerInvariant(letter));
            before = letter;
        }

        return Cut(built.Length == 0 ? "error" : built.ToString(), CodeCharactersMax);
    }

    private static string Cut(string text, int charactersMax) => text.Length <= charactersMax ? text : text[..charactersMax];
}
