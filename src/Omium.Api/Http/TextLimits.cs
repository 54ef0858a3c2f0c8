using System.Globalization;
using Omium.Contracts.Reviews;

namespace Omium.Api.Http;

/// <summary>
/// How long the texts of a person may be. They go into the log as they are, and each listener of the execution's stream is sent them: a text as
/// large as a body may be, times a thousand listeners, is all the memory of a machine.
/// </summary>
internal static class TextLimits
{
    /// <summary>Characters of a note or a reason.</summary>
    public const int NoteCharactersMax = 4_000;

    /// <summary>Characters of a prompt.</summary>
    public const int PromptCharactersMax = 65_536;

    /// <summary>Constraints of an agent, and its tools.</summary>
    public const int ItemsMax = 100;

    /// <summary>False when a note or a reason is too long, which was answered.</summary>
    public static ValueTask<bool> TryNoteAsync(ApiCall call, string pointer, string? text) => TryTextAsync(call, pointer, text, NoteCharactersMax);

    /// <summary>False when a text of the edits is too long or there are too many, which was answered.</summary>
    public static async ValueTask<bool> TryEditsAsync(ApiCall call, AgentEdits? edits)
    {
        if (edits is null)
        {
            return true;
        }

        return await TryTextAsync(call, "/edits/prompt", edits.Prompt, PromptCharactersMax)
            && await TryItemsAsync(call, "/edits/constraints", edits.Constraints)
            && await TryItemsAsync(call, "/edits/tools", edits.Tools);
    }

    private static async ValueTask<bool> TryItemsAsync(ApiCall call, string pointer, IReadOnlyList<string>? items)
    {
        if (items?.Count > ItemsMax)
        {
            await call.InvalidAsync(pointer, string.Create(CultureInfo.InvariantCulture, $"At most {ItemsMax} are accepted; these are {items.Count}."));
            return false;
        }

        for (var place = 0; place < (items?.Count ?? 0); place++)
        {
            if (!await TryTextAsync(call, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{place}"), items![place], NoteCharactersMax))
            {
                return false;
            }
        }

        return true;
    }

    private static async ValueTask<bool> TryTextAsync(ApiCall call, string pointer, string? text, int charactersMax)
    {
        if (text is null || text.Length <= charactersMax)
        {
            return true;
        }

        await call.InvalidAsync(pointer, string.Create(CultureInfo.InvariantCulture, $"At most {charactersMax} characters are accepted; these are {text.Length}."));
        return false;
    }
}
